/** Data on disk: what is loaded at start, and how it gets there. */
import type { MonoMs } from '../base/index.ts';
import {
  type LoadProgress,
  type PersistenceService,
  type ReloadOptions,
  type SaveProgress,
  errors,
} from '../commands/index.ts';
import { type LoadingHost, RdbLoad } from './loading.ts';
import { type AofHost, AofPart } from './aof.ts';
import type { SavedPosition } from './saved-position.ts';
import { Saving, type SavingHost } from './saving.ts';

export type PersistenceHost = LoadingHost &
  SavingHost &
  AofHost & { readonly replication: { readonly snapshotProgress: unknown; flushed(): void } };

export class Persistence implements PersistenceService {
  loadedKeys = 0;
  expiredKeys = 0;
  /** Where in which replication history the data that was loaded at the start stand, if the file said so. */
  position: SavedPosition | undefined;
  readonly #host: PersistenceHost;
  readonly aof: AofPart;
  readonly #saving: Saving;
  #load: RdbLoad | undefined;
  #hadFile = false;

  constructor(host: PersistenceHost) {
    this.#host = host;
    this.aof = new AofPart(
      host,
      () => this.saving !== undefined || host.replication.snapshotProgress !== undefined,
    );
    this.#saving = new Saving(host);
  }

  /**
   * Loads what the disk has, in slices of background work.
   * @param loaded called once: at once when there is nothing to load; with a text when the node cannot start
   */
  loadAtStart(loaded: (flaw: string | undefined) => void): void {
    if (this.#host.settings.appendonly) return this.aof.loadAtStart(loaded);
    const load = RdbLoad.open(this.#host, { replacesKeys: false });
    if (load === undefined || typeof load === 'string') return loaded(load);
    this.#load = load;
    this.#hadFile = true;
    this.#host.addWork(() => {
      if (load.next()) return true;
      this.#load = undefined;
      if (load.failure === undefined) {
        this.#noteLoaded(load);
        this.#saving.noteLoaded();
        this.position = load.position;
        this.#host.log('notice', `DB loaded from disk: ${load.seconds.toFixed(3)} seconds`);
      }
      loaded(load.failure);
      return false;
    });
  }

  /** Whether the disk had anything to load at the start. */
  get hadData(): boolean {
    return this.#hadFile || this.aof.hadFiles;
  }

  /** Whether some commands have to be refused. */
  get isLimited(): boolean {
    const { aof } = this;
    return this.loading !== undefined || this.#saving.hasFailed || aof.failure !== undefined;
  }

  /** Why writes are refused because of the disk, if they are. */
  get writeRefusal(): string | undefined {
    const { aof } = this;
    if (aof.failure !== undefined) return errors.aofMisconfigured(aof.failure);
    const { settings } = this.#host;
    const mustSave = settings['stop-writes-on-bgsave-error'] && settings.save.length > 0;
    return mustSave && this.hasFailed ? errors.ERR_MISCONF : undefined;
  }

  get loading(): LoadProgress | undefined {
    return this.#load?.progress ?? this.aof.progress;
  }

  get saving(): SaveProgress | undefined {
    return this.#saving.progress;
  }

  get lastSaveUnixSeconds(): number {
    return this.#saving.lastSaveUnixSeconds;
  }

  get hasFailed(): boolean {
    return this.#saving.hasFailed;
  }

  get lastSaveSeconds(): number {
    return this.#saving.lastSaveSeconds;
  }

  get saveCount(): number {
    return this.#saving.saveCount;
  }

  get snapshotCount(): number {
    return this.#saving.startedCount + this.aof.startedCount;
  }

  get changeCount(): number {
    return this.#saving.changeCount;
  }

  save(): string | undefined {
    this.#saving.saveCount++;
    return this.#saving.saveNow();
  }

  /** Saves before the node ends; false when that failed. */
  saveAtEnd(): boolean {
    // Half of the data in the place of all of it would be a loss.
    if (this.#load !== undefined) return true;
    this.#saving.abort();
    this.#host.log('notice', 'Saving the final RDB snapshot before exiting.');
    if (this.#saving.saveNow() === undefined) return true;
    this.#host.log('warning', "Error trying to save the DB, can't exit.");
    return false;
  }

  /** A snapshot for replicas is over, whole or not: like a save of one's own in `rdb_last_bgsave_time_sec`. */
  noteTransfer(startedAt: MonoMs): void {
    this.#saving.noteDuration(startedAt);
  }

  startSave(): string | undefined {
    return this.#saving.start();
  }

  reload({ saves, flushes, merges }: ReloadOptions): 'saving' | 'loading' | undefined {
    const host = this.#host;
    if (saves) {
      this.#saving.abort();
      if (this.#saving.saveNow() !== undefined) return 'saving';
    }
    const { keyspace } = host;
    const { dirty } = keyspace;
    if (flushes) {
      keyspace.flushAll();
      host.functions.flush();
    }
    const load = RdbLoad.open(host, { replacesKeys: merges });
    const isLoaded = load instanceof RdbLoad && this.#loadNow(load);
    // What was there before is there again: nothing that replicas or the file would not have.
    keyspace.dirty = dirty;
    if (!isLoaded) return 'loading';
    host.log('warning', 'DB reloaded by DEBUG RELOAD');
    return undefined;
  }

  flushed(): void {
    this.#host.replication.flushed();
    this.#saving.abort();
    if (this.#host.settings.save.length > 0) this.#saving.saveNow();
  }

  /** Data on its way to disk in the background is given up. */
  stop(): void {
    this.#saving.abort();
    this.aof.close();
  }

  /** BGSAVE SCHEDULE, while something else must end first. */
  schedule(): void {
    this.#saving.isScheduled = true;
  }

  runIfDue(): void {
    if (this.loading !== undefined) return;
    this.#saving.runIfDue();
    // One at a time, as in Redis: both at once would cost the memory of two snapshots.
    this.aof.tick(this.saving === undefined);
  }

  #loadNow(load: RdbLoad): boolean {
    while (load.next());
    if (load.failure !== undefined) {
      this.#host.log('warning', load.failure);
      return false;
    }
    this.#noteLoaded(load);
    return true;
  }

  #noteLoaded({ loader }: RdbLoad): void {
    this.loadedKeys = loader.loadedCount;
    this.expiredKeys = loader.expiredCount;
  }
}
