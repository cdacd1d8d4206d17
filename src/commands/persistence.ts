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

export interface PersistenceService {
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
