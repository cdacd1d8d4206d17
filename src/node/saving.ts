/** Writes the RDB file: at once, in the background, and by itself when save points say so. */
import { type MonoMs, type UnixMs, invariant } from '../base/index.ts';
import type { LogLevel, SaveProgress } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { RdbHeader } from '../rdb/index.ts';
import type { FileDraft, Files } from './ports.ts';
import { SnapshotSender, recencyOf } from './snapshot-sender.ts';

/** Seconds until a save is tried again by itself after one failed. Source: 7.0, CONFIG_BGSAVE_RETRY_DELAY. */
const RETRY_SECONDS = 5;
/** What a file brings to disk at a time. Source: 7.0, REDIS_AUTOSYNC_BYTES. */
const SYNC_BYTES = 4 * 1024 * 1024;

export interface SavingHost {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly clock: { monoUs(): number };
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  readonly ports: {
    readonly files: Files;
    readonly system: { readonly pid: number };
  };
  /** What a replica could go on from with this data, if any. */
  readonly snapshotReplication: RdbHeader['replication'] | undefined;
  log(level: LogLevel, text: string): void;
  addWork(slice: () => boolean): void;
  /** Does something in a turn of the node. */
  inTurn(act: () => void): void;
}

interface BackgroundSave {
  readonly draft: FileDraft;
  readonly sender: SnapshotSender;
  readonly startedAt: MonoMs;
  /** Changes of the keyspace that the snapshot has. */
  readonly changes: number;
  readonly totalKeys: number;
}

export class Saving {
  lastSaveUnixSeconds: number;
  hasFailed = false;
  lastSaveSeconds = -1;
  saveCount = 0;
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
      savedKeys: save.sender.writtenCount,
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
    let failure: string | undefined;
    let hasEnded = false;
    const draft = this.#draft(true, {
      drained: () => undefined,
      ended: (reason) => {
        failure = reason;
        hasEnded = true;
      },
    });
    const sender = this.#sender(draft, {
      addWork: (slice) => {
        while (!hasEnded && slice());
      },
      ended: () => draft.commit(this.#fileName),
    });
    if (!sender.start()) {
      draft.abandon();
      return 'too many snapshots are being made';
    }
    if (failure !== undefined) {
      sender.abort();
      host.log('warning', `Write error saving DB on disk: ${failure}`);
      return failure;
    }
    invariant(hasEnded, 'a file that waits is done when its calls return');
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
    const draft = this.#draft(false, {
      drained: () => host.inTurn(() => this.#background?.sender.wake()),
      ended: (failure) => host.inTurn(() => this.#ended(failure)),
    });
    const sender = this.#sender(draft, {
      addWork: (slice) => host.addWork(slice),
      ended: () => draft.commit(this.#fileName),
    });
    this.#background = {
      draft,
      sender,
      startedAt: host.now,
      changes: host.keyspace.dirty,
      totalKeys: host.keyspace.size,
    };
    if (!sender.start()) {
      this.#background = undefined;
      draft.abandon();
      this.hasFailed = true;
      return 'too many snapshots are being made';
    }
    host.log('notice', `Background saving started by pid ${host.ports.system.pid}`);
    return undefined;
  }

  /** Gives a background save up, for its data is not wanted any more. */
  abort(): void {
    const save = this.#background;
    if (save === undefined) return;
    this.#background = undefined;
    save.sender.abort();
    save.draft.abandon();
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

  #ended(failure: string | undefined): void {
    const host = this.#host;
    const save = this.#background;
    if (save === undefined) return;
    this.#background = undefined;
    this.lastSaveSeconds = Math.floor((host.now - save.startedAt) / 1000);
    this.hasFailed = failure !== undefined;
    if (failure !== undefined) {
      save.sender.abort();
      host.log('warning', `Write error saving DB on disk: ${failure}`);
      host.log('warning', 'Background saving error');
      return;
    }
    this.saveCount++;
    this.#savedChanges = save.changes;
    this.lastSaveUnixSeconds = Math.floor(host.unixNow / 1000);
    host.log('notice', 'DB saved on disk');
    host.log('notice', 'Background saving terminated with success');
  }

  get #fileName(): string {
    return this.#host.settings.dbfilename || 'dump.rdb';
  }

  #draft(isWaiting: boolean, events: Parameters<Files['draft']>[1]): FileDraft {
    const { ports, settings } = this.#host;
    const name = `temp-${ports.system.pid}-${++this.#draftCount}.rdb`;
    const syncEveryBytes = settings['rdb-save-incremental-fsync'] ? SYNC_BYTES : 0;
    return ports.files.draft({ name, isWaiting, syncEveryBytes }, events);
  }

  #sender(
    draft: FileDraft,
    outlet: { addWork(slice: () => boolean): void; ended(): void },
  ): SnapshotSender {
    const { clock, keyspace, settings, unixNow, snapshotReplication } = this.#host;
    return new SnapshotSender(
      {
        clock,
        keyspace,
        unixNow,
        replication: snapshotReplication,
        withoutData: false,
        compression: settings.rdbcompression,
        checksum: settings.rdbchecksum,
        recency: recencyOf(settings['maxmemory-policy']),
      },
      {
        pendingBytes: () => draft.pendingBytes,
        bytes: (buf, at, size) => draft.write(buf.subarray(at, at + size)),
        ended: () => outlet.ended(),
        addWork: (slice) => outlet.addWork(slice),
      },
    );
  }
}
