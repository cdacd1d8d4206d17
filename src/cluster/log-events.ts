/** What the machine has to tell its log, by name and fields, and the same in the words of the real server. */
import { assertNever } from '../base/index.ts';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

export type CannotFailoverReason =
  'dataTooOld' | 'waitingDelay' | 'expired' | 'waitingVotes' | 'outdone';

export type LogEvent =
  | { readonly name: 'manualFailoverAccepted' }
  | { readonly name: 'forcedFailoverAccepted' }
  | { readonly name: 'takeover' }
  | { readonly name: 'manualFailoverRequested'; readonly replica: string }
  | { readonly name: 'masterOffsetReceived'; readonly offset: number }
  | { readonly name: 'masterStreamProcessed' }
  | { readonly name: 'manualFailoverTimedOut' }
  | {
      readonly name: 'electionScheduled';
      readonly delayMs: number;
      readonly rank: number;
      readonly offset: number;
    }
  | { readonly name: 'rankUpdated'; readonly rank: number; readonly addedMs: number }
  | { readonly name: 'offsetsKnown'; readonly rank: number; readonly delayMs: number }
  | { readonly name: 'electionStarted'; readonly epoch: number }
  | { readonly name: 'electionWon' }
  | { readonly name: 'configEpochAfterFailover'; readonly epoch: number }
  | { readonly name: 'cannotFailover'; readonly reason: CannotFailoverReason }
  | { readonly name: 'markedFail'; readonly node: string }
  | { readonly name: 'possiblyFailing'; readonly node: string }
  | { readonly name: 'failReceived'; readonly from: string; readonly about: string }
  | { readonly name: 'failIgnored'; readonly from: string; readonly about: string }
  | { readonly name: 'failCleared'; readonly node: string; readonly as: 'replica' | 'slotless' }
  | { readonly name: 'failUndone'; readonly node: string }
  | { readonly name: 'reportedDown'; readonly by: string; readonly node: string }
  | { readonly name: 'reportedUp'; readonly by: string; readonly node: string }
  | { readonly name: 'voteGranted'; readonly candidate: string; readonly epoch: number }
  | { readonly name: 'voteDenied'; readonly candidate: string; readonly because: string }
  | { readonly name: 'stateChanged'; readonly state: 'ok' | 'fail' }
  | { readonly name: 'dataSearched' }
  | { readonly name: 'dataElsewhere' }
  | { readonly name: 'dataNotFound' }
  | { readonly name: 'steppedBack'; readonly master: string; readonly isReplica: boolean }
  | { readonly name: 'ownAddressUpdated'; readonly ip: string }
  | {
      readonly name: 'addressUpdated';
      readonly node: string;
      readonly ip: string;
      readonly port: number;
    }
  | { readonly name: 'becameReplicaOf'; readonly master: string }
  | { readonly name: 'leftChain'; readonly master: string }
  | { readonly name: 'migratingToOrphan'; readonly master: string }
  | { readonly name: 'epochCollision'; readonly node: string; readonly epoch: number }
  | { readonly name: 'epochBumped'; readonly epoch: number }
  | { readonly name: 'epochAfterImport'; readonly slot: number }
  | { readonly name: 'epochSetByCommand'; readonly epoch: number }
  | { readonly name: 'epochReset' }
  | { readonly name: 'hardReset'; readonly id: string }
  | { readonly name: 'nodeForgotten'; readonly node: string; readonly sender: string }
  | { readonly name: 'handshakeKnown'; readonly node: string }
  | { readonly name: 'handshakeCompleted'; readonly node: string }
  | {
      readonly name: 'senderMismatch';
      readonly node: string;
      readonly ageMs: number;
      readonly flags: number;
    }
  | { readonly name: 'staleSlotsAnswered'; readonly node: string; readonly owner: string }
  | { readonly name: 'updateAboutMyself' }
  | { readonly name: 'slotClaimed'; readonly slot: number }
  | { readonly name: 'slotSetImporting'; readonly slot: number }
  | {
      readonly name: 'slotTransfer';
      readonly transfer: string;
      readonly operation: 'EXPORT' | 'IMPORT';
      readonly state: string;
      readonly message: string;
    }
  | { readonly name: 'linkMalformed'; readonly reason: string }
  | { readonly name: 'linkBufferExceeded'; readonly node: string; readonly bytes: number };

const CANNOT: Record<CannotFailoverReason, string> = {
  dataTooOld:
    'Disconnected from master for longer than allowed. Please check the ' +
    "'cluster-replica-validity-factor' configuration option.",
  waitingDelay: 'Waiting the delay before I can start a new failover.',
  expired: 'Failover attempt expired.',
  waitingVotes: 'Waiting for votes, but majority still not reached.',
  outdone: 'Failover attempt given up: the master has a newer epoch.',
};

const LEVELS: { readonly [N in LogEvent['name']]?: LogLevel } = {
  markedFail: 'notice',
  possiblyFailing: 'debug',
  failReceived: 'notice',
  failIgnored: 'notice',
  failCleared: 'notice',
  failUndone: 'notice',
  reportedDown: 'verbose',
  reportedUp: 'verbose',
  epochCollision: 'verbose',
  nodeForgotten: 'notice',
  handshakeKnown: 'verbose',
  handshakeCompleted: 'debug',
  senderMismatch: 'debug',
  staleSlotsAnswered: 'verbose',
  updateAboutMyself: 'verbose',
  slotClaimed: 'notice',
  slotSetImporting: 'notice',
  slotTransfer: 'notice',
};

/** Level of an event; `warning` unless listed, as with the real server. */
export function logLevel(event: LogEvent): LogLevel {
  return LEVELS[event.name] ?? 'warning';
}

/** The sentence that redis-server 7.0.15 logs for this event. */
export function logSentence(event: LogEvent): string {
  switch (event.name) {
    case 'manualFailoverAccepted':
      return 'Manual failover user request accepted.';
    case 'forcedFailoverAccepted':
      return 'Forced failover user request accepted.';
    case 'takeover':
      return 'Taking over the master (user request).';
    case 'manualFailoverRequested':
      return `Manual failover requested by replica ${event.replica}.`;
    case 'masterOffsetReceived':
      return `Received replication offset for paused master manual failover: ${event.offset}`;
    case 'masterStreamProcessed':
      return 'All master replication stream processed, manual failover can start.';
    case 'manualFailoverTimedOut':
      return 'Manual failover timed out.';
    case 'electionScheduled':
      return (
        `Start of election delayed for ${event.delayMs} milliseconds ` +
        `(rank #${event.rank}, offset ${event.offset}).`
      );
    case 'rankUpdated':
      return `Replica rank updated to #${event.rank}, added ${event.addedMs} milliseconds of delay.`;
    case 'offsetsKnown':
      return (
        `All replicas have told their offsets: start of election in ${event.delayMs} milliseconds ` +
        `(rank #${event.rank}).`
      );
    case 'electionStarted':
      return `Starting a failover election for epoch ${event.epoch}.`;
    case 'electionWon':
      return "Failover election won: I'm the new master.";
    case 'configEpochAfterFailover':
      return `configEpoch set to ${event.epoch} after successful failover`;
    case 'cannotFailover':
      return `Currently unable to failover: ${CANNOT[event.reason]}`;
    default:
      return otherSentence(event);
  }
}

type FailoverEvent =
  | 'manualFailoverAccepted'
  | 'forcedFailoverAccepted'
  | 'takeover'
  | 'manualFailoverRequested'
  | 'masterOffsetReceived'
  | 'masterStreamProcessed'
  | 'manualFailoverTimedOut'
  | 'electionScheduled'
  | 'rankUpdated'
  | 'offsetsKnown'
  | 'electionStarted'
  | 'electionWon'
  | 'configEpochAfterFailover'
  | 'cannotFailover';
type OtherEvent = Exclude<LogEvent, { readonly name: FailoverEvent }>;

function otherSentence(event: OtherEvent): string {
  switch (event.name) {
    case 'markedFail':
      return `Marking node ${event.node} as failing (quorum reached).`;
    case 'possiblyFailing':
      return `*** NODE ${event.node} possibly failing`;
    case 'failReceived':
      return `FAIL message received from ${event.from} about ${event.about}`;
    case 'failIgnored':
      return `Ignoring FAIL message from unknown node ${event.from} about ${event.about}`;
    case 'failCleared': {
      const what = event.as === 'replica' ? 'replica' : 'master without slots';
      return `Clear FAIL state for node ${event.node}: ${what} is reachable again.`;
    }
    case 'failUndone':
      return (
        `Clear FAIL state for node ${event.node}: ` +
        'is reachable again and nobody is serving its slots after some time.'
      );
    case 'reportedDown':
      return `Node ${event.by} reported node ${event.node} as not reachable.`;
    case 'reportedUp':
      return `Node ${event.by} reported node ${event.node} is back online.`;
    case 'voteGranted':
      return `Failover auth granted to ${event.candidate} for epoch ${event.epoch}`;
    case 'voteDenied':
      return `Failover auth denied to ${event.candidate}: ${event.because}`;
    case 'stateChanged':
      return `Cluster state changed: ${event.state}`;
    case 'ownAddressUpdated':
      return `IP address for this node updated to ${event.ip}`;
    case 'addressUpdated':
      return `Address updated for node ${event.node}, now ${event.ip}:${event.port}`;
    case 'becameReplicaOf':
      return `Configuration change detected. Reconfiguring myself as a replica of ${event.master}`;
    case 'leftChain':
      return `I'm a sub-replica! Reconfiguring myself as a replica of grandmaster ${event.master}`;
    case 'migratingToOrphan':
      return `Migrating to orphaned master ${event.master}`;
    default:
      return housekeepingSentence(event);
  }
}

type PeerEvent =
  | 'markedFail'
  | 'possiblyFailing'
  | 'failReceived'
  | 'failIgnored'
  | 'failCleared'
  | 'failUndone'
  | 'reportedDown'
  | 'reportedUp'
  | 'voteGranted'
  | 'voteDenied'
  | 'stateChanged'
  | 'ownAddressUpdated'
  | 'addressUpdated'
  | 'becameReplicaOf'
  | 'leftChain'
  | 'migratingToOrphan';

function housekeepingSentence(event: Exclude<OtherEvent, { readonly name: PeerEvent }>): string {
  switch (event.name) {
    case 'dataSearched':
      return (
        'This master has no data on disk, and others may have it: ' +
        'keeping silent until a replica takes its place.'
      );
    case 'dataElsewhere':
      return 'A replica has the data of this master: telling all that this master is failing.';
    case 'dataNotFound':
      return 'Nobody takes the place of this master without data: going on with an empty keyspace.';
    case 'steppedBack':
      return event.isReplica
        ? `Nobody heard of my election. Reconfiguring myself as a replica of ${event.master}`
        : `Nobody heard that slots moved to me. Leaving them to ${event.master}, which serves them`;
    case 'epochCollision':
      return `WARNING: configEpoch collision with node ${event.node}. configEpoch set to ${event.epoch}`;
    case 'epochBumped':
      return `New configEpoch set to ${event.epoch}`;
    case 'epochAfterImport':
      return `configEpoch updated after importing slot ${event.slot}`;
    case 'epochSetByCommand':
      return `configEpoch set to ${event.epoch} via CLUSTER SET-CONFIG-EPOCH`;
    case 'epochReset':
      return 'configEpoch set to 0 via CLUSTER RESET HARD';
    case 'hardReset':
      return `Node hard reset, now I'm ${event.id}`;
    case 'nodeForgotten':
      return `Node ${event.node} is forgotten, as node ${event.sender} was told`;
    case 'handshakeKnown':
      return `Handshake: we already know node ${event.node}, updating the address if needed.`;
    case 'handshakeCompleted':
      return `Handshake with node ${event.node} completed.`;
    case 'senderMismatch':
      return (
        `PONG contains mismatching sender ID. About node ${event.node} ` +
        `added ${event.ageMs} ms ago, having flags ${event.flags}`
      );
    case 'staleSlotsAnswered':
      return `Node ${event.node} has old slots configuration, sending an UPDATE message about ${event.owner}`;
    case 'updateAboutMyself':
      return 'Discarding UPDATE message about myself.';
    case 'slotClaimed':
      return `I have keys for unassigned slot ${event.slot}. Taking responsibility for it.`;
    case 'slotSetImporting':
      return (
        `I have keys for slot ${event.slot}, but the slot is assigned to another node. ` +
        'Setting it to importing state.'
      );
    case 'slotTransfer': {
      const why = event.message === '' ? '' : `: ${event.message}`;
      return `Slot migration ${event.transfer} (${event.operation}) is now ${event.state}${why}`;
    }
    case 'linkMalformed':
      return 'Bad message length or signature received from Cluster bus.';
    case 'linkBufferExceeded':
      return (
        `Freeing cluster link(to node ${event.node}, used memory: ${event.bytes}) ` +
        'due to exceeding send buffer memory limit.'
      );
    default:
      return assertNever(event);
  }
}
