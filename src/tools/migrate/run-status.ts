/** What a run says of one master of the source. */

export type RunPhase = 'waiting' | 'connecting' | 'snapshot' | 'catching up' | 'following';

/** Where a master's data is now. */
export interface RunStatus {
  /** Address at the beginning, and the one that is followed now. */
  readonly source: string;
  readonly follows: string;
  readonly phase: RunPhase;
  /** Bytes of the snapshot that were received, and how many there are if that is known. */
  readonly snapshotBytes: number;
  readonly snapshotSize: number | undefined;
  readonly keys: number;
  /** Keys that were on the target already and left alone. */
  readonly skippedKeys: number;
  /** Keys of databases that are not copied. */
  readonly leftOutKeys: number;
  /** Fields of the snapshot that lost their expiry. */
  readonly droppedFields: number;
  readonly commands: number;
  /** Bytes of the stream that were applied. */
  readonly streamBytes: number;
  readonly receivedOffset: number;
  readonly appliedOffset: number;
  /** Received and not applied, snapshot or stream. */
  readonly lagBytes: number;
  readonly lagMs: number;
  readonly brokenTransactions: number;
  /** Snapshots that were begun, and times that the stream was gone on with instead. */
  readonly snapshots: number;
  readonly resumes: number;
}
