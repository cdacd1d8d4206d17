/**
 * Takes RDB into a keyspace: a master's snapshot into one of its own, so that our data stays until all of it is there,
 * or a file into ours.
 */
import { type Keyspace, NO_EXPIRY, ValueLoader } from '../keyspace/index.ts';
import {
  type Bytes,
  type RdbEntry,
  type RdbFailure,
  type RdbHandler,
  RdbReader,
} from '../rdb/index.ts';

/** The bytes ended before the snapshot. */
export const SHORT_READ = 'Unexpected EOF reading RDB file';

/** Seen before the last piece of a database is taken. */
export const TOO_LARGE = 'the data is too large: a database holds 32 GiB';

export interface SnapshotLoaderOptions {
  /** Empty, or what is loaded goes beside what is there. */
  readonly keyspace: Keyspace;
  /** Takes the libraries of functions in. */
  readonly libraries: { take(code: Bytes): string | undefined };
  /** Keys whose time is over are left out, as a master does. Default false. */
  readonly leavesExpired?: boolean;
  /** A key that is there already is replaced; else it is a failure. Default false. */
  readonly replacesKeys?: boolean;
  /** A field of the header. */
  readonly aux?: (name: string, value: string) => void;
  /** A key was left out because its time is over; the name is valid until the call returns. */
  readonly expired?: (dbIndex: number, key: Bytes) => void;
  /** A key without elements was left out. */
  readonly emptied?: (key: string) => void;
  /** Something was passed over. */
  readonly skipped?: (what: string) => void;
}

export class SnapshotLoader implements RdbHandler {
  readonly keyspace: Keyspace;
  readonly sink: ValueLoader;
  /** Database that the stream after the snapshot has selected. */
  streamDb = 0;
  loadedCount = 0;
  /** Bytes that belong to the snapshot, of those given. */
  usedBytes = 0;
  expiredCount = 0;
  /** Keys without elements, which old versions of Redis could write: they are not loaded. */
  emptyCount = 0;
  #dbIndex = 0;
  readonly #options: SnapshotLoaderOptions;
  readonly #reader: RdbReader;

  constructor(options: SnapshotLoaderOptions) {
    this.#options = options;
    this.keyspace = options.keyspace;
    this.sink = new ValueLoader(options.replacesKeys !== true);
    this.#reader = new RdbReader(this);
  }

  /** Takes the next bytes; says why the snapshot cannot be loaded, if so. Of a value that was not whole nothing stays. */
  push(buf: Buffer, at: number, size: number): string | undefined {
    const reader = this.#reader;
    if (reader.state === 'reading') {
      this.keyspace.growAhead(this.#dbIndex);
      this.usedBytes += reader.push(buf, at, size);
      if (reader.state !== 'reading') this.#end();
    }
    return this.#problem;
  }

  /** Whether the end of the snapshot was read. */
  get isWhole(): boolean {
    return this.#reader.state === 'done';
  }

  /** No more is read: what waits gets its place, and of a value that is not whole nothing stays. */
  #end(): void {
    if (this.#reader.state !== 'done') this.sink.discard();
    this.sink.flush();
    this.keyspace.endGrowth();
  }

  get #problem(): string | undefined {
    if (this.keyspace.isFull) return TOO_LARGE;
    const { failure } = this.#reader;
    if (failure !== undefined) return failureText(failure);
    const { duplicate } = this.sink;
    if (duplicate === undefined) return undefined;
    const name = printable(duplicate.key.toString('latin1'));
    return `RDB has duplicated key '${name}' in DB ${duplicate.dbIndex}`;
  }

  /** `problem` with the place where it was met. */
  located(problem: string): string {
    const { failedAt } = this;
    return failedAt === undefined ? problem : `${problem}, at byte ${failedAt}`;
  }

  /** Whether it failed because it holds what this server does not have. */
  get isForeign(): boolean {
    const kind = this.#reader.failure?.kind;
    return kind === 'unsupported' || kind === 'unsupportedVersion';
  }

  /** Position of the failure, in bytes. */
  get failedAt(): number | undefined {
    return this.#reader.failure?.at;
  }

  /** All bytes were given; says why they are no snapshot, if so. */
  finish(): string | undefined {
    if (this.#reader.state === 'reading') {
      this.#end();
      return SHORT_READ;
    }
    return this.#problem;
  }

  aux(name: string, value: string): void {
    if (name === 'repl-stream-db') this.streamDb = Number(value);
    this.#options.aux?.(name, value);
  }

  selectDb(index: number): string | undefined {
    const count = this.keyspace.databases.length;
    this.#dbIndex = index;
    if (index < count) return undefined;
    return `the snapshot has keys in database ${index}, and "databases" is ${count} here`;
  }

  resizeDb({ keys, expiring }: { readonly keys: number; readonly expiring: number }): void {
    this.keyspace.db(this.#dbIndex).reserve(keys, expiring);
  }

  library(code: Bytes): string | undefined {
    return this.#options.libraries.take(code);
  }

  skipped(what: string): void {
    this.#options.skipped?.(what);
  }

  begin(entry: RdbEntry): string | undefined {
    const { key } = entry;
    const db = this.keyspace.db(entry.dbIndex);
    if (this.#options.replacesKeys === true) db.deleteKey(key.buf, key.at, key.size);
    else if (this.sink.duplicate !== undefined) return this.#problem;
    this.sink.begin(db, key, entry.expireAtUnixMs < 0 ? NO_EXPIRY : entry.expireAtUnixMs);
    return undefined;
  }

  end(entry: RdbEntry): void {
    const db = this.keyspace.db(entry.dbIndex);
    const ref = this.sink.end();
    const isExpired = entry.expireAtUnixMs >= 0 && entry.expireAtUnixMs < this.keyspace.nowMs;
    if (isExpired && this.#options.leavesExpired === true) {
      this.sink.discard();
      this.expiredCount++;
      this.#options.expired?.(entry.dbIndex, entry.key);
      return;
    }
    this.loadedCount++;
    const { kind } = this.keyspace.recency;
    if (entry.idleSeconds >= 0 && kind === 'lru') db.setIdleSeconds(ref, entry.idleSeconds);
    if (entry.freq >= 0 && kind === 'lfu') db.setFrequency(ref, entry.freq);
  }

  empty({ key }: RdbEntry): void {
    this.emptyCount++;
    this.#options.emptied?.(printable(key.buf.toString('latin1', key.at, key.at + key.size)));
  }
}

function failureText(failure: RdbFailure): string {
  if (failure.kind !== 'unsupported') return failure.reason;
  const key = printable(failure.key.toString('latin1'));
  return `the key "${key}" holds a ${failure.what}, which this server does not have`;
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?');
}
