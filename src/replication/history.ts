/**
 * Which history of writes this node's data is a point of: two replication ids with their offsets, and the backlog.
 * One object is shared by the side that serves replicas and the side that follows a master, because a replica's
 * own stream is its master's, byte for byte.
 */
import { type Replid, invariant, replid } from '../base/index.ts';
import { Backlog } from './backlog.ts';

/** `replid2` of a node that has had one history only. */
export const NO_REPLID: Replid = replid('0'.repeat(40));
/** `secondReplOffset` while `replid2` is none. */
export const NO_OFFSET = -1;
/** `streamDb` when the next command must be preceded by SELECT. */
export const NO_DB = -1;

export interface HistoryInit {
  readonly replid: Replid;
  readonly backlogBytes: number;
  /** Bytes of stream that the data reflects. Default 0. */
  readonly replOffset?: number;
}

export class ReplicationHistory {
  #replid: Replid;
  #replid2: Replid = NO_REPLID;
  #secondReplOffset: number = NO_OFFSET;
  /** `streamDb` at its end. */
  #secondStreamDb: number = NO_DB;
  #masterReplOffset: number;
  #backlog: Backlog | undefined;
  #backlogBytes: number;
  /** Database that the stream has selected at `masterReplOffset`. */
  streamDb: number = NO_DB;
  /** Whether this node is a replica: its stream is then its master's, pings included. Set by its `ReplicaLink`. */
  isFollowing = false;
  /** Whether any replica knows our `replid`. Set by the source. */
  isShared = false;

  constructor(init: HistoryInit) {
    this.#replid = init.replid;
    this.#masterReplOffset = init.replOffset ?? 0;
    this.#backlogBytes = init.backlogBytes;
  }

  get replid(): Replid {
    return this.#replid;
  }

  /** The history that this one continues, up to `secondReplOffset` (not included). */
  get replid2(): Replid {
    return this.#replid2;
  }

  get secondReplOffset(): number {
    return this.#secondReplOffset;
  }

  get masterReplOffset(): number {
    return this.#masterReplOffset;
  }

  get backlog(): Backlog | undefined {
    return this.#backlog;
  }

  /** Size that the backlog has, or will have when it is made. */
  get backlogBytes(): number {
    return this.#backlog?.bytesMax ?? this.#backlogBytes;
  }

  resizeBacklog(bytesMax: number): void {
    this.#backlogBytes = bytesMax;
    this.#backlog?.resize(bytesMax);
  }

  append(buf: Buffer, at: number, size: number): void {
    this.#masterReplOffset += size;
    invariant(this.#masterReplOffset <= Number.MAX_SAFE_INTEGER, 'offsets stay safe integers');
    this.#backlog?.append(buf, at, size);
  }

  createBacklog(): void {
    this.#backlog ??= new Backlog(this.#backlogBytes, this.#masterReplOffset + 1);
  }

  freeBacklog(): void {
    this.#backlog = undefined;
  }

  /** The data was loaded, and is this point of that history. Nothing was written yet. */
  restore(savedReplid: Replid, replOffset: number, streamDb: number): void {
    this.#replid = savedReplid;
    this.#masterReplOffset = replOffset;
    this.streamDb = streamDb;
  }

  /** Begins a history that continues no other: writes went unrecorded, so the old id must not be served again. */
  restart(newReplid: Replid): void {
    this.#replid = newReplid;
    this.isShared = false;
    this.#forgetSecond();
  }

  /**
   * A promoted replica begins its own history, but still serves that of its old master up to this point.
   * Source: 7.0 replication.c, shiftReplicationId().
   */
  shift(newReplid: Replid): void {
    this.#replid2 = this.#replid;
    // The first offset that is not common to both.
    this.#secondReplOffset = this.#masterReplOffset + 1;
    this.#secondStreamDb = this.streamDb;
    this.#replid = newReplid;
    this.isShared = false;
  }

  /**
   * Goes back to the history that this one continues, if nothing has been written since and nobody knows of ours: the data
   * is a point of that one, which the master to come may know. Since a shift every write is recorded.
   * Divergence: Redis asks by its own id, which no other server can know, and gets all data anew.
   */
  rejoin(): void {
    if (this.#replid2 === NO_REPLID || this.isShared) return;
    if (this.#masterReplOffset + 1 !== this.#secondReplOffset) return;
    this.#replid = this.#replid2;
    this.streamDb = this.#secondStreamDb;
    this.#forgetSecond();
  }

  /** The data was replaced by a master's snapshot taken at `replOffset`. */
  adopt(masterReplid: Replid, replOffset: number): void {
    this.#replid = masterReplid;
    this.isShared = false;
    this.#masterReplOffset = replOffset;
    this.#forgetSecond();
    // The bytes held belong before another offset or another history.
    this.#backlog = undefined;
    this.createBacklog();
  }

  #forgetSecond(): void {
    this.#replid2 = NO_REPLID;
    this.#secondReplOffset = NO_OFFSET;
  }
}
