/** Loads the RDB file: in slices at start, or at once. */
import type { UnixMs } from '../base/index.ts';
import type { LoadProgress, LogLevel } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { FileReader, Files } from './ports.ts';
import type { FunctionsPart } from './scripting/functions.ts';
import { PositionReader, type SavedPosition } from './saved-position.ts';
import { SHORT_READ, SnapshotLoader } from './snapshot-loader.ts';

/** Read at a time; between two pieces clients are answered. */
const PIECE_BYTES = 256 * 1024;
/** The same with `key-load-delay`. */
const DELAYED_PIECE_BYTES = 64;
/** Empty keys that are named in the log. Source: 7.0 rdb.c, rdbLoadRio(). */
const EMPTY_KEYS_LOGGED = 10;

export interface LoadingHost {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly unixNow: UnixMs;
  readonly clock: { monoUs(): number };
  readonly functions: FunctionsPart;
  readonly ports: { readonly files: Files };
  readonly cluster:
    { readonly machine: { readonly myself: { readonly role: string } } } | undefined;
  log(level: LogLevel, text: string): void;
}

export interface LoadOptions {
  /** As `SnapshotLoaderOptions`; libraries are replaced as well. */
  readonly replacesKeys: boolean;
}

/** One load of the file `dbfilename`. */
export class RdbLoad {
  readonly loader: SnapshotLoader;
  readonly #host: LoadingHost;
  readonly #position: PositionReader;
  readonly #file: FileReader;
  readonly #piece: Buffer = Buffer.allocUnsafe(PIECE_BYTES);
  readonly #startedUs: number;
  readonly #startedUnixSeconds: number;
  #loadedBytes = 0;
  #usedMemoryBytes = 0;
  #failure: string | undefined;
  /** With `key-load-delay`, when the next piece may be loaded. */
  #delayedUntilUs = 0;

  private constructor(host: LoadingHost, file: FileReader, options: LoadOptions) {
    this.#host = host;
    this.#file = file;
    this.#startedUs = host.clock.monoUs();
    this.#startedUnixSeconds = Math.floor(host.unixNow / 1000);
    this.#position = new PositionReader({
      backlogBytes: host.settings['repl-backlog-size'],
      deletes: host.settings['lazyfree-lazy-expire'] ? 'UNLINK' : 'DEL',
    });
    this.loader = new SnapshotLoader({
      keyspace: host.keyspace,
      libraries: host.functions.intake(options.replacesKeys),
      expired: (dbIndex, key) => this.#position.expired(dbIndex, key),
      leavesExpired: !isCopy(host),
      replacesKeys: options.replacesKeys,
      aux: (name, value) => this.#aux(name, value),
      emptied: (key) => {
        if (this.loader.emptyCount > EMPTY_KEYS_LOGGED) return;
        host.log('notice', `rdbLoadObject skipping empty key: ${key}`);
      },
      skipped: (what) => host.log('warning', `Loading RDB: passing over a ${what}`),
    });
  }

  /** Opens the file; undefined when there is none, a text when it cannot be read. */
  static open(host: LoadingHost, options: LoadOptions): RdbLoad | string | undefined {
    const name = host.settings.dbfilename;
    if (name === '') return undefined;
    const file = host.ports.files.open(name);
    if (file === undefined) return undefined;
    if (typeof file !== 'string') return new RdbLoad(host, file, options);
    return `Fatal error: can't open the RDB file ${name} for reading: ${file}`;
  }

  get progress(): LoadProgress {
    const seconds = (this.#host.clock.monoUs() - this.#startedUs) / 1e6;
    const left = this.#file.size - this.#loadedBytes;
    return {
      startedUnixSeconds: this.#startedUnixSeconds,
      totalBytes: this.#file.size,
      loadedBytes: this.#loadedBytes,
      usedMemoryBytes: this.#usedMemoryBytes,
      etaSeconds: this.#loadedBytes === 0 ? 1 : Math.floor((seconds * left) / this.#loadedBytes),
    };
  }

  /** Where in which replication history the loaded data stand, if the file says so. */
  get position(): SavedPosition | undefined {
    return this.#position.position;
  }

  /** Why it failed, when it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get seconds(): number {
    return (this.#host.clock.monoUs() - this.#startedUs) / 1e6;
  }

  /** Loads a piece; whether there is more. After the last one `failure` says how it went. */
  next(): boolean {
    const delayUs = this.#host.settings['key-load-delay'];
    if (delayUs > 0) return this.#nextDelayed(delayUs);
    return this.#load(this.#piece);
  }

  /** A small piece at a time, so that a test has the time to look; the loop goes round meanwhile. */
  #nextDelayed(delayUs: number): boolean {
    const nowUs = this.#host.clock.monoUs();
    if (nowUs < this.#delayedUntilUs) return true;
    const { loadedCount } = this.loader;
    const hasMore = this.#load(this.#piece.subarray(0, DELAYED_PIECE_BYTES));
    this.#delayedUntilUs = nowUs + (this.loader.loadedCount - loadedCount) * delayUs;
    return hasMore;
  }

  #load(piece: Buffer): boolean {
    const size = this.#file.read(piece);
    if (typeof size === 'string') return this.#end(size);
    if (size === 0) return this.#end(this.loader.finish());
    const problem = this.loader.push(piece, 0, size);
    this.#loadedBytes += size;
    return problem === undefined || this.#end(problem);
  }

  #end(problem: string | undefined): false {
    this.#file.close();
    if (problem === undefined) {
      const { loadedCount, expiredCount, emptyCount } = this.loader;
      const empty = emptyCount > 0 ? `, empty keys skipped: ${emptyCount}` : '';
      this.#host.log(
        'notice',
        `Done loading RDB, keys loaded: ${loadedCount}, keys expired: ${expiredCount}${empty}.`,
      );
      return false;
    }
    if (problem === SHORT_READ) {
      const text = 'Short read or OOM loading DB. Unrecoverable error, aborting now.';
      this.#host.log('warning', text);
    }
    const at = this.loader.failedAt ?? this.#loadedBytes;
    this.#failure = `Internal error in RDB reading offset ${at} -> ${problem}`;
    return false;
  }

  #aux(name: string, value: string): void {
    const host = this.#host;
    this.#position.aux(name, value);
    switch (name) {
      case 'redis-ver':
        host.log('notice', `Loading RDB produced by version ${value}`);
        return;
      case 'valkey-ver':
        host.log('notice', `Loading RDB produced by Valkey version ${value}`);
        return;
      case 'ctime': {
        const age = Math.max(0, Math.floor(host.unixNow / 1000) - Number(value));
        host.log('notice', `RDB age ${age} seconds`);
        return;
      }
      case 'used-mem':
        this.#usedMemoryBytes = Number(value) || 0;
        host.log(
          'notice',
          `RDB memory usage when created ${(this.#usedMemoryBytes / (1024 * 1024)).toFixed(2)} Mb`,
        );
        return;
      case 'aof-base':
        if (value === '1') host.log('notice', 'RDB is base AOF');
        return;
      default:
    }
  }
}

/** Whether the data is a copy of a master's, who alone expires it; known before that master is followed. */
function isCopy({ cluster, settings }: LoadingHost): boolean {
  return settings.replicaof !== undefined || cluster?.machine.myself.role === 'replica';
}
