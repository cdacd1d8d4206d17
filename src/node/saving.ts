/** Writes the RDB file: at once, in the background, and by itself when save points say so. */
import { type MonoMs, type UnixMs, invariant } from '../base/index.ts';
import type { LogLevel, SaveProgress } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { RdbHeader } from '../rdb/index.ts';
import { SnapshotFile, type SnapshotFileHost } from './snapshot-file.ts';
import { RdbFormat, type RdbFormatHost } from './snapshot-format.ts';

/** Seconds until a save is tried again by itself after one failed. Source: 7.0, CONFIG_BGSAVE_RETRY_DELAY. */
const RETRY_SECONDS = 5;
const ERR_SNAPSHOTS = 'too many snapshots are being made';

export interface SavingHost extends SnapshotFileHost {
  readonly settings: Settings;
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  readonly functions: RdbFormatHost['functions'];
  readonly ports: SnapshotFileHost['ports'] & { readonly system: { readonly pid: number } };
  readonly replication: { readonly snapshotFacts: RdbHeader['replication'] };
  log(level: LogLevel, text: string): void;
}

interface BackgroundSave {
  readonly file: SnapshotFile;
  readonly startedAt: MonoMs;
  /** Changes of the keyspace that the snapshot has. */
  readonly changes: number;
  readonly totalKeys: number;
}

export class Saving {
  lastSaveUnixSeconds: number;
  hasFailed = false;
  lastSaveSeconds = -1;
  /** SAVE and background saves that were begun, however they end. Source: observed. */
  saveCount = 0;
  /** Background saves that were begun. */
  startedCount = 0;
  /** BGSAVE SCHEDULE asked for a save as soon as it can be. */
  isScheduled = false;
  readonly #host: SavingHost;
  /** Counter of the keyspace's changes at the last save. */
  #savedChanges = 0;
  #lastTryUnixSeconds = 0;
  #background: BackgroundSave | undefined;
  #draftCount = 0;

  constructor(host: SavingHost) {
    this.#host = host;
    this.lastSaveUnixSeconds = Math.floor(host.unixNow / 1000);
  }

  get changeCount(): number {
    return Math.max(0, this.#host.keyspace.dirty - this.#savedChanges);
  }

  get progress(): SaveProgress | undefined {
    const save = this.#background;
    if (save === undefined) return undefined;
    return {
      savedKeys: save.file.writtenCount,
      totalKeys: save.totalKeys,
      seconds: Math.floor((this.#host.now - save.startedAt) / 1000),
    };
  }

  /** What is in memory is what the file says. */
  noteLoaded(): void {
    this.#savedChanges = this.#host.keyspace.dirty;
  }

  /** Saves before it returns; why it failed, if so. */
  saveNow(): string | undefined {
    const host = this.#host;
    let failure: string | undefined = ERR_SNAPSHOTS;
    const file = this.#file(true, (reason) => {
      failure = reason;
    });
    if (!file.start()) return failure;
    if (failure !== undefined) {
      host.log('warning', `Write error saving DB on disk: ${failure}`);
      return failure;
    }
    host.log('notice', 'DB saved on disk');
    this.#savedChanges = host.keyspace.dirty;
    this.lastSaveUnixSeconds = Math.floor(host.unixNow / 1000);
    this.hasFailed = false;
    return undefined;
  }

  /** Begins a background save of the data of this moment; why it cannot, if so. */
  start(): string | undefined {
    const host = this.#host;
    invariant(this.#background === undefined, 'one background save at a time');
    this.#lastTryUnixSeconds = Math.floor(host.unixNow / 1000);
    const file = this.#file(false, (failure) => this.#ended(failure));
    this.#background = {
      file,
      startedAt: host.now,
      changes: host.keyspace.dirty,
      totalKeys: host.keyspace.size,
    };
    if (!file.start()) {
      this.#background = undefined;
      this.hasFailed = true;
      return ERR_SNAPSHOTS;
    }
    this.startedCount++;
    this.saveCount++;
    host.log('notice', `Background saving started by pid ${host.ports.system.pid}`);
    return undefined;
  }

  /** Gives a background save up, for its data is not wanted any more. */
  abort(): void {
    const save = this.#background;
    if (save === undefined) return;
    this.#background = undefined;
    save.file.abort();
  }

  /** Saves in the background when a save point is reached or a save was asked for. */
  runIfDue(): void {
    if (this.#background !== undefined) return;
    const { settings, unixNow } = this.#host;
    const now = Math.floor(unixNow / 1000);
    if (this.hasFailed && now - this.#lastTryUnixSeconds <= RETRY_SECONDS) return;
    for (const { seconds, changes } of settings.save) {
      if (this.changeCount < changes || now - this.lastSaveUnixSeconds <= seconds) continue;
      this.#host.log('notice', `${changes} changes in ${seconds} seconds. Saving...`);
      this.start();
      return;
    }
    if (!this.isScheduled) return;
    this.isScheduled = false;
    this.start();
  }

  noteDuration(startedAt: MonoMs): void {
    this.lastSaveSeconds = Math.floor((this.#host.now - startedAt) / 1000);
  }

  #ended(failure: string | undefined): void {
    const host = this.#host;
    const save = this.#background;
    if (save === undefined) return;
    this.#background = undefined;
    this.noteDuration(save.startedAt);
    this.hasFailed = failure !== undefined;
    if (failure !== undefined) {
      host.log('warning', `Write error saving DB on disk: ${failure}`);
      host.log('warning', 'Background saving error');
      return;
    }
    this.#savedChanges = save.changes;
    this.lastSaveUnixSeconds = Math.floor(host.unixNow / 1000);
    host.log('notice', 'DB saved on disk');
    host.log('notice', 'Background saving terminated with success');
  }

  #file(isWaiting: boolean, ended: (failure: string | undefined) => void): SnapshotFile {
    const host = this.#host;
    const { settings } = host;
    return new SnapshotFile(host, {
      format: new RdbFormat(host, { replication: host.replication.snapshotFacts }),
      temporaryName: `temp-${host.ports.system.pid}-${++this.#draftCount}.rdb`,
      name: settings.dbfilename || 'dump.rdb',
      isWaiting,
      syncsOften: settings['rdb-save-incremental-fsync'],
      ended,
    });
  }
}
