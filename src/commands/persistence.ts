/** What commands ask of the part of the node that saves data to files and loads it. */

/** Progress of the load at start. */
export interface LoadProgress {
  readonly startedUnixSeconds: number;
  readonly totalBytes: number;
  readonly loadedBytes: number;
  /** As the file says; 0 when it does not. */
  readonly usedMemoryBytes: number;
  readonly etaSeconds: number;
}

export interface SaveProgress {
  readonly savedKeys: number;
  readonly totalKeys: number;
  readonly seconds: number;
}

/** DEBUG RELOAD. */
export interface ReloadOptions {
  /** Saves first; else the file is taken as it is. */
  readonly saves: boolean;
  /** Empties the databases before. */
  readonly flushes: boolean;
  /** Keys of the file replace those that are there. */
  readonly merges: boolean;
}

/** The append-only log, as commands see it. */
export interface AofService {
  /** Whether `appendonly` is in effect, be its first base still on its way. */
  readonly isEnabled: boolean;
  readonly isRewriting: boolean;
  /** A rewrite begins as soon as it can. */
  isScheduled: boolean;
  /** Seconds that the rewrite in progress took so far; -1 without one. */
  readonly rewriteSeconds: number;
  /** Seconds that the last rewrite took; -1 without one. */
  readonly lastRewriteSeconds: number;
  readonly hasRewriteFailed: boolean;
  readonly rewriteCount: number;
  readonly consecutiveFailures: number;
  /** Why the last write failed; undefined when it did not. */
  readonly failure: string | undefined;
  readonly sizes: {
    readonly currentBytes: number;
    readonly baseBytes: number;
    readonly bufferBytes: number;
    readonly isSyncing: boolean;
    readonly delayedSyncs: number;
  };
  /** Begins a rewrite in the background; why it cannot, if so. None is in progress. */
  startRewrite(): string | undefined;
  /** Empties the databases and loads the log again; why that failed, if so. */
  reload(): string | undefined;
}

export interface PersistenceService {
  readonly aof: AofService;
  /** Present while the data is loaded at start. */
  readonly loading: LoadProgress | undefined;
  /** Present during a background save. */
  readonly saving: SaveProgress | undefined;
  /** Unix seconds of the last save that succeeded, or of the start. */
  readonly lastSaveUnixSeconds: number;
  /** Whether the last background save failed. */
  readonly hasFailed: boolean;
  /** Seconds that the last background save took; -1 without one. */
  readonly lastSaveSeconds: number;
  /** Snapshots to files that were begun in the background. */
  readonly snapshotCount: number;
  /** Background saves that succeeded. */
  readonly saveCount: number;
  /** Changes since the last save. */
  readonly changeCount: number;
  readonly loadedKeys: number;
  readonly expiredKeys: number;
  /** Saves now, before it returns; why it failed, if so. */
  save(): string | undefined;
  /** Begins a save in the background; why it cannot, if so. None is in progress. */
  startSave(): string | undefined;
  /** Saves and loads again, before it returns. What failed, if so. */
  reload(options: ReloadOptions): 'saving' | 'loading' | undefined;
  /** Everything was flushed by a client: a save in progress is pointless, and the file is to say so. */
  flushed(): void;
}
