/** A file that takes what snapshots hold, whatever its form. */

/** Asked which keys go in; the same for every form. */
export interface FileChoice {
  readonly targetDb: (sourceDb: number) => number | undefined;
  /** Whether the key is wanted. */
  readonly admits: (buf: Buffer, at: number, size: number) => boolean;
}

export interface FileTarget {
  readonly keyCount: number;
  /** Keys of databases that are not copied. */
  readonly leftOutCount: number;
  /** What was not copied beside keys. */
  readonly skipped: ReadonlySet<string>;
  /** Another snapshot begins. */
  begin(): void;
  /** Takes more of it; says what is wrong with it, if so. */
  push(piece: Buffer): string | undefined;
  /** Whether the snapshot has come to its end. */
  readonly isDone: boolean;
  /** Bytes for the file so far; the caller's until the next `push`. */
  take(): Buffer;
  /** The last bytes. */
  end(): Buffer;
}
