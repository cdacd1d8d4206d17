/**
 * What a watcher sees of a deployment: one snapshot a poll, and the events between two of them. Plain data, so that it
 * goes to a terminal, to a browser as JSON, and to a metrics page alike.
 */
import type { OpenSlot, SlotRange } from '../cluster/index.ts';

export type DeploymentKind = 'cluster' | 'sentinel' | 'replication';

/**
 * `pfail` and `fail` are the cluster's own words, `sdown` and `odown` those of Sentinels; `unreachable` is a node that
 * this watcher cannot ask while nobody else finds anything wrong with it.
 */
export type Health =
  'ok' | 'loading' | 'unreachable' | 'pfail' | 'sdown' | 'fail' | 'odown' | 'unknown';

export interface WatchSnapshot {
  readonly atUnixMs: number;
  readonly kind: DeploymentKind;
  /** The first seed as the user named it, `host:port`. */
  readonly name: string;
  /** `degraded`: it serves, but a node is missing or a replica has no link. */
  readonly state: 'ok' | 'degraded' | 'fail';
  /** Highest that any node knows; undefined without a cluster. */
  readonly currentEpoch: number | undefined;
  /** Slots that have an owner; undefined without a cluster. */
  readonly slotsAssigned: number | undefined;
  /** Masters first, each followed by its replicas. */
  readonly nodes: readonly NodeSnapshot[];
  readonly sentinels: readonly SentinelSnapshot[];
  readonly work: readonly WorkSnapshot[];
}

export interface NodeSnapshot {
  /** Node id in a cluster, else the address. */
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
  readonly role: 'master' | 'replica';
  readonly masterId: string | undefined;
  /** Name under which Sentinels watch its master; undefined without them. */
  readonly group: string | undefined;
  readonly health: Health;
  /** Why it could not be asked. */
  readonly failure: string | undefined;
  readonly slots: readonly SlotRange[];
  readonly open: readonly OpenSlot[];
  readonly configEpoch: number | undefined;
  /** Undefined while it cannot be asked. */
  readonly stats: NodeStats | undefined;
}

/** What a node says of itself. Rates are means since the poll before; undefined in the first one. */
export interface NodeStats {
  /** Such as `Redis 7.0.15`. */
  readonly software: string;
  readonly runId: string;
  readonly uptimeSeconds: number;
  /** Position in the stream of writes, bytes. */
  readonly offset: number;
  /** Of a replica: bytes of its master's stream that it lacks. */
  readonly lagBytes: number | undefined;
  /** Of a replica: whether its link to the master is up. */
  readonly isLinkUp: boolean;
  /** Of a replica: a full copy is on its way. */
  readonly isSyncing: boolean;
  readonly keys: number;
  readonly clients: number;
  readonly usedBytes: number;
  /** 0 without a limit. */
  readonly maxBytes: number;
  readonly opsPerSecond: number | undefined;
  readonly inBytesPerSecond: number | undefined;
  readonly outBytesPerSecond: number | undefined;
  /** Round trip of a PING, milliseconds. */
  readonly latencyMs: number;
  /** Votes that it gave and elections that it began since its start, from its count of bus messages. */
  readonly votes: number;
  readonly elections: number;
  /** Whoever copies this node without being one of the deployment: a migration tool, say. */
  readonly copiers: readonly Copier[];
}

export interface Copier {
  readonly address: string;
  readonly lagBytes: number;
}

export interface SentinelSnapshot {
  readonly address: string;
  readonly health: 'ok' | 'unreachable';
  readonly failure: string | undefined;
  readonly epoch: number | undefined;
  readonly isTilted: boolean;
  /** Names of the masters it watches. */
  readonly masters: readonly string[];
}

/** Something that an operator's tool does to the deployment now. */
export interface WorkSnapshot {
  /** `run`: a migration or a comparison on this machine. */
  readonly kind: 'lock' | 'journal' | 'run' | 'openSlots' | 'copy';
  /** One line for people. */
  readonly text: string;
  /** In [0, 1]; undefined when it cannot be told. */
  readonly progress: number | undefined;
}

export type EventKind =
  | 'watch'
  | 'joined'
  | 'left'
  | 'pfail'
  | 'fail'
  | 'unreachable'
  | 'back'
  | 'promoted'
  | 'demoted'
  | 'election'
  | 'vote'
  | 'epoch'
  | 'slots'
  | 'openSlots'
  | 'linkLost'
  | 'linkUp'
  | 'restarted'
  | 'state'
  | 'work'
  | 'sdown'
  | 'odown'
  | 'sentinel';

export interface WatchEvent {
  /** Counts up from 1. */
  readonly id: number;
  readonly atUnixMs: number;
  readonly kind: EventKind;
  /** `bad`: something fails; `warn`: it may; `good`: it is well again; `info`: the rest. */
  readonly tone: 'good' | 'info' | 'warn' | 'bad';
  /** `host:port` of the node that it is about; undefined for what concerns all. */
  readonly node: string | undefined;
  readonly text: string;
}

/** An event before the watcher gave it its number and time. */
export type EventDraft = Omit<WatchEvent, 'id' | 'atUnixMs'>;
