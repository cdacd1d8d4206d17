/**
 * One snapshot on its way to the replicas that asked for it together. It keeps the stream written since the snapshot's
 * point in time once for all of them, and the snapshot itself only for those that must be told its size first.
 */
import type { ReplicaSession } from './session.ts';

/** Number of a job, so that a late answer about an ended one is known as such. */
export type JobNumber = number;

/** Small commands share a buffer: one object a command would weigh more than the command. */
const HELD_PIECE_BYTES = 16 * 1024;

export class SnapshotJob {
  readonly id: JobNumber;
  /** The mark after the last byte for those that know `eof`. */
  readonly eofMark: string;
  readonly members: Set<ReplicaSession>;
  /** Full pieces of the stream, and the one being filled. */
  readonly #pieces: Buffer[] = [];
  #room: Buffer = Buffer.alloc(0);
  #roomUsed = 0;
  #streamBytes = 0;
  #snapshot: Buffer[] = [];
  #snapshotBytes = 0;

  constructor(init: {
    readonly id: JobNumber;
    readonly eofMark: string;
    readonly members: readonly ReplicaSession[];
  }) {
    this.id = init.id;
    this.eofMark = init.eofMark;
    this.members = new Set(init.members);
  }

  get streamBytes(): number {
    return this.#streamBytes;
  }

  /** The stream since the snapshot, in order. */
  get stream(): readonly Buffer[] {
    if (this.#roomUsed === 0) return this.#pieces;
    return [...this.#pieces, this.#room.subarray(0, this.#roomUsed)];
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  /** What was collected for members without `eof`. */
  get snapshot(): readonly Buffer[] {
    return this.#snapshot;
  }

  holdStream(buf: Buffer, at: number, size: number): void {
    if (this.#roomUsed + size > this.#room.length) {
      if (this.#roomUsed > 0) this.#pieces.push(this.#room.subarray(0, this.#roomUsed));
      this.#room = Buffer.allocUnsafe(Math.max(HELD_PIECE_BYTES, size));
      this.#roomUsed = 0;
    }
    buf.copy(this.#room, this.#roomUsed, at, at + size);
    this.#roomUsed += size;
    this.#streamBytes += size;
  }

  holdSnapshot(buf: Buffer, at: number, size: number): void {
    this.#snapshot.push(Buffer.from(buf.subarray(at, at + size)));
    this.#snapshotBytes += size;
  }

  releaseSnapshot(): void {
    this.#snapshot = [];
    this.#snapshotBytes = 0;
  }
}
