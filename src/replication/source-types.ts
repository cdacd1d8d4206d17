/** Options, inputs and effects of the side that serves replicas. */
import type { Replid } from '../base/index.ts';
import type { ReplicationEvent } from './events.ts';
import type { PsyncPosition } from './psync-decision.ts';
import type { ClientNumber } from './session.ts';
import type { JobNumber } from './snapshot-job.ts';

/** Where bytes for replicas go. It copies what it cannot write at once. */
export interface ReplicaSink {
  send(client: ClientNumber, buf: Buffer, at: number, size: number): void;
  /** There is stream for a replica that had all of it: `sendStream` is to be called before the turn ends. */
  wantsStream(client: ClientNumber): void;
  /** Whether the replica takes more of the stream. If not, `sendStream` is to be called when it does. */
  hasRoom(client: ClientNumber): boolean;
}

export interface SourceOptions {
  /** `repl-backlog-ttl`; 0 keeps the backlog for ever. Default 3600. */
  readonly backlogTtlSeconds: number;
  /** `repl-ping-replica-period`. Default 10. */
  readonly pingPeriodSeconds: number;
  /** `repl-timeout`. Default 60. */
  readonly timeoutSeconds: number;
  /** `repl-diskless-sync-delay`. Default 5. */
  readonly syncDelaySeconds: number;
  /** The delay is always waited for, not only while another replica is on its way. */
  readonly isSyncDelayChosen: boolean;
  /** `repl-diskless-sync-max-replicas`; 0 sets no limit. Default 0. */
  readonly syncMaxReplicas: number;
}

export const DEFAULT_SOURCE_OPTIONS: SourceOptions = {
  backlogTtlSeconds: 3600,
  pingPeriodSeconds: 10,
  timeoutSeconds: 60,
  syncDelaySeconds: 5,
  isSyncDelayChosen: false,
  syncMaxReplicas: 0,
};

/** The connection a request came over. */
export interface Peer {
  readonly client: ClientNumber;
  readonly ip: string;
}

/** State of our own link to a master, if we have one. */
export type Upstream = 'none' | 'up' | 'down';

export type SourceInput =
  /** PSYNC with its position, or the old SYNC without. `upstream`: our own link, if we are a replica. */
  | {
      readonly kind: 'sync';
      readonly peer: Peer;
      readonly asked: PsyncPosition | undefined;
      readonly upstream: Upstream;
    }
  | { readonly kind: 'closed'; readonly client: ClientNumber }
  /** All bytes of the snapshot were given to `snapshotBytes`, or it failed. */
  | { readonly kind: 'snapshotEnded'; readonly job: JobNumber; readonly isComplete: boolean }
  | { readonly kind: 'tick' };

export type SourceEffect =
  /** Begin a snapshot of this very moment; its AUX fields name this position. */
  | {
      readonly kind: 'startSnapshot';
      readonly job: JobNumber;
      readonly replid: Replid;
      readonly replOffset: number;
      readonly streamDb: number;
      readonly withoutData: boolean;
    }
  | { readonly kind: 'abortSnapshot'; readonly job: JobNumber }
  /** Close the connection of a replica. */
  | { readonly kind: 'close'; readonly client: ClientNumber; readonly reason: CloseReason }
  /** An acknowledgement came or a replica came online: WAIT may be satisfied. */
  | { readonly kind: 'acknowledged'; readonly client: ClientNumber }
  | { readonly kind: 'log'; readonly event: ReplicationEvent };

export type CloseReason = 'timedOut' | 'snapshotFailed' | 'historyChanged' | 'notNeeded';

/** Why SYNC or PSYNC was not carried out. */
export type SyncRefusal = 'noMasterLink' | 'alreadyReplica';

/** For the paths that usually have nothing to say and run for every write. */
export const NO_EFFECTS: readonly SourceEffect[] = [];

export function logEffect(event: ReplicationEvent): SourceEffect {
  return { kind: 'log', event };
}
