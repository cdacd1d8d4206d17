/** What happened in a server or cluster, in order: the nodes' own words, sorted by what they mean. */

/**
 * - `started`, `ended`: a node began to run, or does no more (`kill`, `stop`, SHUTDOWN).
 * - `paused`, `resumed`, `partitioned`, `healed`: done by the test.
 * - `fail`: a node saw the majority agree that another is in FAIL; `failCleared`: it is reachable again.
 * - `failoverAsked`: CLUSTER FAILOVER was accepted; `election`: a replica asks for votes.
 * - `vote`: a master voted; `promotion`: a replica became master; `demotion`: a node follows a (new) master.
 * - `stateOk`, `stateFail`: the cluster's state as this node sees it.
 * - `synced`: a replica has the data of its master.
 * - `sdown`, `odown`: a Sentinel finds a node silent, and the quorum agrees; `leader`: it leads a failover; `switched`: it
 *   calls another node the master; `failoverAborted`: it gave a failover up; `tilt`: it only watches, for the clock jumped.
 */
export type TimelineKind =
  | 'started'
  | 'ended'
  | 'paused'
  | 'resumed'
  | 'partitioned'
  | 'healed'
  | 'fail'
  | 'failCleared'
  | 'failoverAsked'
  | 'election'
  | 'vote'
  | 'promotion'
  | 'demotion'
  | 'stateOk'
  | 'stateFail'
  | 'synced'
  | 'sdown'
  | 'odown'
  | 'leader'
  | 'switched'
  | 'failoverAborted'
  | 'tilt';

export interface TimelineEvent {
  /** Milliseconds since 1970 UTC. */
  readonly atUnixMs: number;
  readonly kind: TimelineKind;
  /** Client port of the node that says so; undefined for what concerns all. */
  readonly port: number | undefined;
  /** The node's log line, or what the test did. */
  readonly text: string;
}

/** Older events are forgotten. */
const EVENTS_MAX = 10_000;

const LINES: readonly (readonly [start: string, kind: TimelineKind])[] = [
  ['Marking node ', 'fail'],
  ['FAIL message received from ', 'fail'],
  ['Clear FAIL state for node ', 'failCleared'],
  ['Manual failover user request accepted', 'failoverAsked'],
  ['Forced failover user request accepted', 'failoverAsked'],
  ['Starting a failover election for epoch ', 'election'],
  ['Failover auth granted to ', 'vote'],
  ['Failover election won', 'promotion'],
  ['Taking over the master (user request)', 'promotion'],
  ['MASTER MODE enabled', 'promotion'],
  ['Configuration change detected. Reconfiguring myself as a replica of ', 'demotion'],
  ['Cluster state changed: ok', 'stateOk'],
  ['Cluster state changed: fail', 'stateFail'],
  ['MASTER <-> REPLICA sync: Finished with success', 'synced'],
  ['Successful partial resynchronization with master', 'synced'],
  ['+vote-for-leader ', 'vote'],
  ['+sdown ', 'sdown'],
  ['+odown ', 'odown'],
  ['+elected-leader ', 'leader'],
  ['+switch-master ', 'switched'],
  ['-failover-abort-', 'failoverAborted'],
  ['+tilt ', 'tilt'],
];

/** What a log line means; undefined when it is none of these. */
export function timelineKind(text: string): TimelineKind | undefined {
  return LINES.find(([start]) => text.startsWith(start))?.[1];
}

export class Timeline {
  readonly events: TimelineEvent[] = [];

  /** Adds a node's log line when it is of interest. */
  heard(port: number, text: string): void {
    const kind = timelineKind(text);
    if (kind !== undefined) this.add(kind, port, text);
  }

  add(kind: TimelineKind, port: number | undefined, text: string): void {
    if (this.events.length === EVENTS_MAX) this.events.shift();
    this.events.push({ atUnixMs: Date.now(), kind, port, text });
  }
}
