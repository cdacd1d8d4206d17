/**
 * The append-only log of a node: what is loaded from it at start, what goes into it, and its rewriting, which replaces
 * all files by a new base. Source: behaviour of redis-server 7.0.15, multi-part AOF.
 */
import type { MonoMs, UnixMs } from '../base/index.ts';
import type { AofService, CommandTable, Context, LoadProgress } from '../commands/index.ts';
import type { AofCommandTarget } from './aof-commands.ts';
import { AofFiles } from './aof-files.ts';
import { CommandFormat } from './aof-format.ts';
import { AofLoad, type AofLoadHost } from './aof-load.ts';
import { AofWriter, type AofWriterHost } from './aof-writer.ts';
import type { Client } from './client.ts';
import type { GrowingFile } from './ports.ts';
import { SnapshotFile, type SnapshotFileHost } from './snapshot-file.ts';
import { RdbFormat, type SnapshotFormat } from './snapshot-format.ts';

export interface AofHost extends AofLoadHost, AofWriterHost {
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  readonly table: CommandTable<Context>;
  readonly ports: AofLoadHost['ports'] &
    SnapshotFileHost['ports'] & { readonly system: { readonly pid: number } };
  readonly stats: SnapshotFileHost['stats'];
  addWork(slice: () => boolean): void;
  inTurn(act: () => void): void;
  /** Inside EXEC, where a snapshot would have half of a transaction. */
  readonly isInTransaction: boolean;
  /** Runs one command unchecked for a client that has no connection. */
  runFromMaster(client: Client, buf: Buffer, at: number, size: number): void;
  createMasterClient(facts: undefined): Client;
  dropLoadingClient(client: Client): void;
}

interface Rewrite {
  readonly file: SnapshotFile;
  readonly startedAt: MonoMs;
  /** The log was just turned on: what is written meanwhile goes to a file that belongs to nothing yet. */
  readonly isFirst: boolean;
}

/** Source: 7.0 aof.c: a rewrite that failed is tried again by itself no sooner than this. */
const RETRY_MS = 5000;
const ERR_SNAPSHOTS = 'too many snapshots are being made';

export class AofPart implements AofService {
  lastRewriteSeconds = -1;
  hasRewriteFailed = false;
  rewriteCount = 0;
  /** Rewrites that were begun. */
  startedCount = 0;
  /** A rewrite begins as soon as it can. */
  isScheduled = false;
  consecutiveFailures = 0;
  readonly #host: AofHost;
  readonly #files: AofFiles;
  readonly #writer: AofWriter;
  #state: 'off' | 'waiting' | 'on' = 'off';
  #rewrite: Rewrite | undefined;
  #load: AofLoad | undefined;
  /** Size of the log after the last rewrite, or at the start. */
  #baseBytes = 0;
  /** Size of the files before the one that grows. */
  #settledBytes = 0;
  #failedAt = -Infinity;
  /** Whether there was a log to load at the start. */
  hadFiles = false;

  /** `isCopying`: whether a snapshot other than a rewrite is on its way. */
  constructor(host: AofHost, isCopying: () => boolean) {
    this.#host = host;
    this.#files = new AofFiles(host);
    this.#writer = new AofWriter(host, () => this.isRewriting || isCopying());
  }

  /** Whether what is propagated goes into the log. */
  get isOn(): boolean {
    return this.#writer.isOpen;
  }

  get isEnabled(): boolean {
    return this.#state !== 'off';
  }

  /** The log was turned on, and its first base is being written; not while that waits, or has failed. */
  get isWritingFirstBase(): boolean {
    return this.#rewrite?.isFirst === true;
  }

  /** Why writes must be refused. */
  get failure(): string | undefined {
    return this.#state === 'on' ? this.#writer.failure : undefined;
  }

  /** Present while the log is loaded. */
  get progress(): LoadProgress | undefined {
    const load = this.#load;
    if (load === undefined) return undefined;
    const { totalBytes, loadedBytes } = load;
    return {
      startedUnixSeconds: load.startedUnixSeconds,
      totalBytes,
      loadedBytes,
      usedMemoryBytes: 0,
      etaSeconds: 1,
    };
  }

  get rewriteSeconds(): number {
    const { now } = this.#host;
    return this.#rewrite === undefined ? -1 : Math.floor((now - this.#rewrite.startedAt) / 1000);
  }

  get isRewriting(): boolean {
    return this.#rewrite !== undefined;
  }

  get sizes(): AofService['sizes'] {
    return {
      currentBytes: this.#settledBytes + this.#writer.fileBytes,
      baseBytes: this.#baseBytes,
      bufferBytes: this.#writer.pendingBytes,
      isSyncing: this.#writer.isSyncing,
      delayedSyncs: this.#writer.delayedSyncs,
    };
  }

  /**
   * Loads the log in slices.
   * @param loaded called once; with a text when the node cannot start
   */
  loadAtStart(loaded: (flaw: string | undefined) => void): void {
    const flaw = this.#files.read();
    if (flaw !== undefined) return loaded(flaw);
    const { base, incremental } = this.#files.manifest;
    if (base === undefined && incremental.length === 0) return loaded(this.#openAtStart());
    this.hadFiles = true;
    const load = this.#begin();
    this.#host.addWork(() => {
      if (load.next()) return true;
      this.#end();
      loaded(load.failure ?? this.#openAtStart());
      return false;
    });
  }

  /** DEBUG LOADAOF: empties the databases and loads the log again; why that failed, if so. */
  reload(): string | undefined {
    this.flush();
    const { keyspace, functions } = this.#host;
    const { dirty } = keyspace;
    keyspace.flushAll();
    functions.flush();
    const load = this.#begin();
    while (load.next());
    this.#end();
    keyspace.dirty = dirty;
    return load.failure;
  }

  /** A command in canonical form that changed data. */
  feed(dbIndex: number, buf: Buffer, at: number, size: number): void {
    if (this.#load === undefined) this.#writer.feed(dbIndex, buf, at, size);
  }

  /** Bytes that the next `flush` brings to disk, and waits for it. */
  get bytesToSync(): number {
    return this.#writer.bytesToSync;
  }

  /** Must run before replies leave: what they promise is in the file. */
  flush(): void {
    if (this.#writer.pendingBytes > 0) this.#writer.flush();
  }

  /** `mayRewrite`: whether a rewrite that is due or was asked for can begin. */
  tick(mayRewrite: boolean): void {
    if (this.#state !== 'off') this.#writer.tick();
    if (this.#rewrite !== undefined || !mayRewrite) return;
    if (this.isScheduled) this.startRewrite();
    else if (this.#state !== 'off') this.#rewriteIfGrown();
  }

  /** CONFIG SET appendonly; false when it cannot be. */
  setEnabled(isWanted: boolean): boolean {
    if (isWanted === this.isEnabled) return true;
    if (!isWanted) {
      this.#turnOff();
      return true;
    }
    this.#state = 'waiting';
    if (this.#host.isInTransaction) {
      this.isScheduled = true;
      this.#host.log(
        'notice',
        'AOF was enabled but there is already a transaction. AOF background was scheduled to start when possible.',
      );
      return true;
    }
    if (this.startRewrite() === undefined) return true;
    this.#turnOff();
    return false;
  }

  /** BGREWRITEAOF; why it cannot begin, if so. None is in progress. */
  startRewrite(): string | undefined {
    const host = this.#host;
    const isFirst = this.#state === 'waiting';
    this.isScheduled = false;
    const problem = this.#files.makeDirectory() ?? this.#nextFile(isFirst);
    if (problem !== undefined) return this.#noteFailure(problem);
    const isRdb = host.settings['aof-use-rdb-preamble'];
    const temporaryName = `temp-rewriteaof-bg-${host.ports.system.pid}-${++this.startedCount}.aof`;
    const file = new SnapshotFile(host, {
      format: this.#format(isRdb),
      temporaryName: `${temporaryName}.part`,
      name: temporaryName,
      isWaiting: false,
      syncsOften: host.settings['aof-rewrite-incremental-fsync'],
      ended: (failure) => this.#rewritten(temporaryName, isRdb, failure),
    });
    this.#rewrite = { file, startedAt: host.now, isFirst };
    if (!file.start()) {
      this.#rewrite = undefined;
      return this.#noteFailure(ERR_SNAPSHOTS);
    }
    host.log(
      'notice',
      `Background append only file rewriting started by pid ${host.ports.system.pid}`,
    );
    return undefined;
  }

  /** The node ends: what was written is brought to disk. */
  close(): void {
    if (this.#state !== 'off') this.#host.log('notice', 'Calling fsync() on the AOF file.');
    this.#turnOff();
  }

  #begin(): AofLoad {
    const { keyspace } = this.#host;
    const client = this.#host.createMasterClient(undefined);
    const expiryMode = keyspace.expiryMode;
    keyspace.expiryMode = 'ignore';
    const target: AofCommandTarget = {
      refusal: (request) => {
        if (this.#host.table.find(request) !== undefined) return undefined;
        return `Unknown command '${request.text(0)}'`;
      },
      run: (buf, at, size) => this.#host.runFromMaster(client, buf, at, size),
      get isInTransaction() {
        return client.queue !== undefined;
      },
      forgetTransaction: () => {
        client.queue = undefined;
      },
    };
    const load = new AofLoad(this.#host, this.#files, target);
    this.#finishLoad = () => {
      keyspace.expiryMode = expiryMode;
      this.#host.dropLoadingClient(client);
    };
    this.#load = load;
    return load;
  }

  #finishLoad: () => void = () => undefined;

  #end(): void {
    this.#finishLoad();
    this.#load = undefined;
  }

  /** Opens the files to write after a start; why that is not possible. */
  #openAtStart(): string | undefined {
    const host = this.#host;
    // What a log begins with that has files already is in them: a base would have it twice.
    const { base, incremental } = this.#files.manifest;
    if (base === undefined && incremental.length === 0) {
      const failure = this.#firstBase();
      if (failure !== undefined) return failure;
    }
    const opened = this.#files.continueIncremental();
    if (typeof opened === 'string') return `Can't open the append-only file: ${opened}`;
    // What an earlier process left in the system's cache was loaded, and is about to be shown.
    const failure = host.settings.appendfsync === 'no' ? undefined : opened.sync();
    if (failure !== undefined) return `Can't sync the append-only file: ${failure}`;
    this.#go(opened);
    this.#baseBytes = this.sizes.currentBytes;
    this.#state = 'on';
    return this.#files.removeHistory();
  }

  /** A new log begins with a base of the data that is there. */
  #firstBase(): string | undefined {
    const host = this.#host;
    const isRdb = host.settings['aof-use-rdb-preamble'];
    const base = this.#files.firstBase(isRdb);
    host.log('notice', `Creating AOF base file ${base.name} on server start`);
    let failure: string | undefined = this.#files.makeDirectory();
    if (failure !== undefined) return failure;
    failure = ERR_SNAPSHOTS;
    const file = new SnapshotFile(host, {
      format: this.#format(isRdb),
      temporaryName: `temp-${base.name}`,
      name: this.#files.path(base.name),
      isWaiting: true,
      syncsOften: false,
      ended: (reason) => {
        failure = reason;
      },
    });
    if (!file.start() || failure !== undefined) return failure;
    return this.#files.addBase(base);
  }

  #format(isRdb: boolean): SnapshotFormat {
    if (!isRdb) return new CommandFormat(this.#host);
    return new RdbFormat(this.#host, { replication: undefined, isAofBase: true });
  }

  /** Writes go to another file from here on. */
  #nextFile(isFirst: boolean): string | undefined {
    if (this.#state === 'off') return undefined;
    // Before the manifest names the next one, or a power cut could tear a file that is not the last. Redis syncs it later.
    const failure = this.#writer.sync();
    if (failure !== undefined) return failure;
    const next = isFirst
      ? this.#files.temporaryIncremental()
      : this.#files.nextIncremental('background rewrite');
    if (typeof next === 'string') return next;
    this.#go(next);
    return undefined;
  }

  #go(file: GrowingFile): void {
    this.#writer.open(file);
    this.#settledBytes = this.#files.bytes - (this.#state === 'waiting' ? 0 : file.size);
  }

  #rewritten(temporaryName: string, isRdb: boolean, failure: string | undefined): void {
    const host = this.#host;
    const rewrite = this.#rewrite;
    this.#rewrite = undefined;
    if (rewrite === undefined) return;
    if (failure !== undefined) {
      host.log('warning', `Background AOF rewrite terminated by an error: ${failure}`);
      this.#noteFailure(failure);
      return;
    }
    host.log('notice', 'Background AOF rewrite terminated with success');
    const problem = this.#adopt(temporaryName, isRdb, rewrite.isFirst);
    if (problem !== undefined) {
      host.log('warning', `Cannot install the rewritten AOF: ${problem}`);
      host.ports.files.remove(temporaryName);
      this.#noteFailure(problem);
      return;
    }
    this.lastRewriteSeconds = Math.floor((host.now - rewrite.startedAt) / 1000);
    this.hasRewriteFailed = false;
    this.consecutiveFailures = 0;
    this.rewriteCount++;
    this.#settledBytes = this.#files.bytes - this.#writer.fileBytes;
    this.#baseBytes = this.sizes.currentBytes;
    host.log('notice', 'Background AOF rewrite finished successfully');
  }

  #adopt(temporaryName: string, isRdb: boolean, isFirst: boolean): string | undefined {
    this.flush();
    const kept = isFirst ? this.#files.settleTemporary() : this.#files.manifest.incremental.at(-1);
    if (typeof kept === 'string') return kept;
    const isWriting = this.#state !== 'off';
    const failure = this.#files.adoptBase(temporaryName, isRdb, isWriting ? kept : undefined);
    if (failure === undefined && isFirst) this.#state = 'on';
    return failure;
  }

  #turnOff(): void {
    if (this.#rewrite !== undefined) {
      const { pid } = this.#host.ports.system;
      this.#host.log('notice', `Killing running AOF rewrite child: ${pid}`);
      this.#rewrite.file.abort();
    }
    this.#rewrite = undefined;
    this.#writer.close();
    this.#state = 'off';
    this.isScheduled = false;
  }

  /** All data was exchanged (a full synchronisation): the log begins anew. */
  restart(): void {
    if (this.#state === 'off') return;
    this.#turnOff();
    this.setEnabled(true);
  }

  #noteFailure(failure: string): string {
    this.hasRewriteFailed = true;
    this.consecutiveFailures++;
    this.#failedAt = this.#host.now;
    return failure;
  }

  #rewriteIfGrown(): void {
    const { settings, now } = this.#host;
    if (now - this.#failedAt < RETRY_MS) return;
    const isMissing = this.#state === 'waiting';
    const percentage = settings['auto-aof-rewrite-percentage'];
    const { currentBytes } = this.sizes;
    const growth = Math.floor(((currentBytes - this.#baseBytes) * 100) / (this.#baseBytes || 1));
    const isLarge = currentBytes > settings['auto-aof-rewrite-min-size'];
    const isDue = percentage > 0 && isLarge && growth >= percentage;
    if (!isDue && !isMissing) return;
    if (isDue) {
      this.#host.log('notice', `Starting automatic rewriting of AOF on ${growth}% growth`);
    }
    this.startRewrite();
  }
}
