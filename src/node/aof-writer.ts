/**
 * The writing end of the append-only file: commands gather during a turn, go to the file before the replies leave, and
 * to the disk as `appendfsync` says. Source: behaviour of redis-server 7.0.15.
 */
import { timestampAnnotation } from '../aof/index.ts';
import type { MonoMs, UnixMs } from '../base/index.ts';
import type { LogLevel } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import { encodeRequest } from '../resp/index.ts';
import type { GrowingFile } from './ports.ts';

export interface AofWriterHost {
  readonly settings: Settings;
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  log(level: LogLevel, text: string): void;
  /** Ends the process: what was promised cannot be kept. */
  halt(): void;
}

const SYNC_PERIOD_MS = 1000;
/** Source: 7.0 aof.c, AOF_WRITE_LOG_ERROR_RATE, 30 seconds. */
const ERROR_LOG_PERIOD_MS = 30_000;
const FIRST_BYTES = 16 * 1024;
/** A buffer that grew beyond this is given up when it is empty. */
const KEPT_BYTES = 1024 * 1024;
const NO_BYTES: Buffer = Buffer.alloc(0);

/** Writes one file at a time; which one, `AofPart` decides. */
export class AofWriter {
  /** Why the last write, or the last sync aside, failed; undefined when they did not. */
  #writeFailure: string | undefined;
  #syncFailure: string | undefined;
  /** Syncs that were due while another was running. */
  delayedSyncs = 0;
  readonly #host: AofWriterHost;
  readonly #isCopying: () => boolean;
  #file: GrowingFile | undefined;
  #buf: Buffer = NO_BYTES;
  #size = 0;
  /** Database that the file has selected; -1: none yet. */
  #dbIndex = -1;
  #annotatedSecond = 0;
  #isSyncing = false;
  #hasUnsynced = false;
  #syncedAt: number;
  #errorLoggedAt = -Infinity;

  /** `isCopying`: whether a snapshot is on its way to a file or a replica. */
  constructor(host: AofWriterHost, isCopying: () => boolean) {
    this.#host = host;
    this.#isCopying = isCopying;
    this.#syncedAt = host.now;
  }

  /** Why writes must be refused, in the system's words. */
  get failure(): string | undefined {
    return this.#writeFailure ?? this.#syncFailure;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Bytes that wait for `flush`. */
  get pendingBytes(): number {
    return this.#size;
  }

  /** Of those, the ones that `flush` brings to disk as well. */
  get bytesToSync(): number {
    return this.#isAlways && !this.#mustWait ? this.#size : 0;
  }

  get isSyncing(): boolean {
    return this.#isSyncing;
  }

  /** Bytes of the file, those that wait included. */
  get fileBytes(): number {
    return (this.#file?.size ?? 0) + this.#size;
  }

  /** Goes on in another file. What waits belongs to the one before and is written there first. */
  open(file: GrowingFile): void {
    this.close();
    this.#file = file;
    this.#dbIndex = -1;
  }

  /** Writes and syncs what there is and lets the file go. */
  close(): void {
    if (this.#file === undefined) return;
    const failure = this.sync();
    if (failure !== undefined) this.#host.log('warning', `Error syncing the AOF file: ${failure}`);
    this.#size = 0;
    this.#file.close();
    this.#file = undefined;
    this.#hasUnsynced = false;
  }

  /** Everything so far is on disk when it returns; why it is not. */
  sync(): string | undefined {
    this.flush();
    if (this.#writeFailure !== undefined) return this.#writeFailure;
    if (!this.#hasUnsynced && !this.#isSyncing) return undefined;
    const failure = this.#file?.sync();
    if (failure === undefined) this.#hasUnsynced = false;
    return failure;
  }

  /** Adds a command in canonical form that ran in this database. */
  feed(dbIndex: number, buf: Buffer, at: number, size: number): void {
    if (this.#host.settings['aof-timestamp-enabled']) this.#annotate();
    if (dbIndex !== this.#dbIndex) {
      this.#dbIndex = dbIndex;
      const select = encodeRequest(['SELECT', String(dbIndex)]);
      this.#add(select, 0, select.length);
    }
    this.#add(buf, at, size);
  }

  /** Writes what waits; with `appendfsync always` it is on disk when this returns. */
  flush(): void {
    const file = this.#file;
    if (file === undefined || this.#size === 0) return;
    const isAlways = this.#isAlways;
    const before = file.size;
    const failure = file.write(this.#buf, 0, this.#size);
    if (failure !== undefined) {
      this.#drop(file.size - before);
      return this.#failed(failure, isAlways);
    }
    if (this.#writeFailure !== undefined) {
      this.#writeFailure = undefined;
      this.#host.log('warning', 'AOF write error looks solved, Redis can write again.');
    }
    this.#size = 0;
    if (this.#buf.length > KEPT_BYTES) this.#buf = NO_BYTES;
    this.#hasUnsynced = true;
    if (isAlways && !this.#mustWait) this.#syncNow(file);
  }

  get #isAlways(): boolean {
    return this.#host.settings.appendfsync === 'always';
  }

  /** The disk is left to a snapshot, as `no-appendfsync-on-rewrite` wants it. */
  get #mustWait(): boolean {
    return this.#host.settings['no-appendfsync-on-rewrite'] && this.#isCopying();
  }

  /** To be called several times a second. */
  tick(): void {
    const { now, settings } = this.#host;
    if (this.#size > 0) this.flush();
    if (this.#file === undefined || !this.#hasUnsynced || this.#mustWait) return;
    // What came while a snapshot had the disk.
    if (this.#isAlways) return this.#syncNow(this.#file);
    if (settings.appendfsync !== 'everysec' || now - this.#syncedAt < SYNC_PERIOD_MS) return;
    if (this.#isSyncing) this.delayedSyncs++;
    else this.#syncSoon();
  }

  #syncNow(file: GrowingFile): void {
    const failure = file.sync();
    this.#hasUnsynced = false;
    if (failure === undefined) return;
    const why = "Can't persist AOF for fsync error when the AOF fsync policy is 'always'";
    this.#host.log('warning', `${why}: ${failure}. Exiting...`);
    this.#host.halt();
  }

  #syncSoon(): void {
    this.#isSyncing = true;
    this.#hasUnsynced = false;
    this.#syncedAt = this.#host.now;
    this.#file?.syncSoon((failure) => {
      this.#isSyncing = false;
      this.#syncFailure = failure;
      if (failure === undefined) return;
      this.#hasUnsynced = true;
      this.#host.log('warning', `Error syncing the AOF file: ${failure}`);
    });
  }

  #failed(failure: string, isAlways: boolean): void {
    const { now } = this.#host;
    this.#writeFailure = failure;
    if (now - this.#errorLoggedAt >= ERROR_LOG_PERIOD_MS) {
      this.#errorLoggedAt = now;
      this.#host.log('warning', `Error writing to the AOF file: ${failure}`);
    }
    if (!isAlways) return;
    this.#host.log(
      'warning',
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    );
    this.#host.halt();
  }

  /** Forgets the first bytes: they are in the file, though the write failed. */
  #drop(size: number): void {
    this.#buf.copyWithin(0, size, this.#size);
    this.#size -= size;
  }

  #annotate(): void {
    const second = Math.floor(this.#host.unixNow / 1000);
    if (second <= this.#annotatedSecond) return;
    this.#annotatedSecond = second;
    const line = Buffer.from(timestampAnnotation(second), 'latin1');
    this.#add(line, 0, line.length);
  }

  #add(buf: Buffer, at: number, size: number): void {
    const end = this.#size + size;
    if (end > this.#buf.length) {
      const grown = Buffer.allocUnsafe(Math.max(FIRST_BYTES, end, this.#buf.length * 2));
      this.#buf.copy(grown, 0, 0, this.#size);
      this.#buf = grown;
    }
    buf.copy(this.#buf, this.#size, at, at + size);
    this.#size = end;
  }
}
