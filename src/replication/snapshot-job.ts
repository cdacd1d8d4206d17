/**
 * One snapshot on its way to the replicas that asked for it together. It keeps the snapshot itself only for those that
 * must be told its size first; the stream since its point in time stands in the backlog.
 */
import type { ReplicaSession } from './session.ts';

/** Number of a job, so that a late answer about an ended one is known as such. */
export type JobNumber = number;

export class SnapshotJob {
  readonly id: JobNumber;
  /** The mark after the last byte for those that know `eof`. */
  readonly eofMark: string;
  readonly members: Set<ReplicaSession>;
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

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  /** What was collected for members without `eof`. */
  get snapshot(): readonly Buffer[] {
    return this.#snapshot;
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
