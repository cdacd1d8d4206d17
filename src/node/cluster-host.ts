/** What the cluster part and MIGRATE need of the node around them. */
import type { MonoMs } from '../base/index.ts';
import type { ReplicationView } from '../cluster/index.ts';

export interface ClusterHost {
  /** From the next client command on, writes wait until then, and nothing expires or is evicted. */
  pauseWrites(until: MonoMs): void;
  unpauseWrites(): void;
  /** Runs no client's command until `resume`; what they send waits. Replication and the bus go on. */
  stall(): void;
  resume(): void;
  /** Clients whose requests waited for a handover of slots go on at the end of the turn. */
  releaseWrites(): void;
  /** Delivers to this node's own subscribers. */
  publishLocal(channel: Buffer, message: Buffer, isShard: boolean): void;
  /** Ends the shard subscriptions of slots that are not served here any more. */
  dropShardChannels(isServed: (slot: number) => boolean): void;
  /** Passes a command on to replicas outside of any client's call. */
  propagate(dbIndex: number, args: readonly (Buffer | string)[]): void;
  /** The keyspace event `del` of a key that went without a client's call. */
  notifyDeleted(dbIndex: number, key: Buffer): void;
  /** The node cannot go on: it ends with exit code 1 and says nothing more to anybody. */
  halt(): void;
}

/** The node's replication, as far as the cluster decides whom it follows. */
export interface ClusterReplication {
  readonly view: ReplicationView;
  readonly source: { arePingsHeld: boolean; areSyncsRefused: boolean };
  /** Called when the applied offset moved, or the link to the master went up or down. */
  onProgress: (() => void) | undefined;
  /** Called when a full synchronisation has put our master's data in the place of ours, with what came of `slotMarks`. */
  onReplaced: ((slotMarks: string) => void) | undefined;
  /** What a replica must know of the keys in a snapshot of now. */
  slotMarks: (() => string) | undefined;
  follow(host: string, port: number): void;
  promote(): void;
  /** Bytes of a command for the replicas alone. */
  feed(dbIndex: number, buf: Buffer, at: number, size: number): void;
  /** Asks all replicas how far they are. */
  requestAcks(): void;
  /** Replicas that acknowledged the stream up to `offset`, and those that follow it at all. */
  acknowledgedCount(offset: number): number;
  readonly onlineCount: number;
}
