/** Loads the append-only files: the base, then the incremental ones, a piece at a time. */
import { type AofFile } from '../aof/index.ts';
import type { UnixMs } from '../base/index.ts';
import type { LogLevel } from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import { isRdbStart } from '../rdb/index.ts';
import { AofCommands, type AofCommandTarget } from './aof-commands.ts';
import type { AofFiles } from './aof-files.ts';
import type { FileReader, Files } from './ports.ts';
import type { FunctionsPart } from './scripting/functions.ts';
import { SHORT_READ, SnapshotLoader, TOO_LARGE } from './snapshot-loader.ts';

/** Read at a time; between two pieces clients are answered. */
const PIECE_BYTES = 256 * 1024;

export interface AofLoadHost {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly clock: { monoUs(): number };
  readonly functions: FunctionsPart;
  readonly unixNow: UnixMs;
  readonly ports: { readonly files: Files };
  log(level: LogLevel, text: string): void;
}

/** The file that is read now. */
interface Reading {
  readonly file: AofFile;
  readonly reader: FileReader;
  readonly startedUs: number;
  /** While its beginning, a snapshot, is not over. */
  snapshot: SnapshotLoader | undefined;
  commands: AofCommands | undefined;
  bytes: number;
}

export class AofLoad {
  /** Why it failed, when it did: the node must not go on. */
  failure: string | undefined;
  loadedBytes = 0;
  readonly startedUnixSeconds: number;
  readonly totalBytes: number;
  readonly #host: AofLoadHost;
  readonly #files: AofFiles;
  readonly #target: AofCommandTarget;
  readonly #waiting: AofFile[];
  readonly #piece: Buffer = Buffer.allocUnsafe(PIECE_BYTES);
  readonly #startedUs: number;
  #reading: Reading | undefined;

  constructor(host: AofLoadHost, files: AofFiles, target: AofCommandTarget) {
    this.#host = host;
    this.#files = files;
    this.#target = target;
    const { base, incremental } = files.manifest;
    this.#waiting = [...(base === undefined ? [] : [base]), ...incremental];
    this.totalBytes = files.bytes;
    this.#startedUs = host.clock.monoUs();
    this.startedUnixSeconds = Math.floor(host.unixNow / 1000);
  }

  /** Loads a piece; whether there is more. After the last one `failure` says how it went. */
  next(): boolean {
    const reading = (this.#reading ??= this.#open());
    if (reading === undefined) {
      if (this.failure === undefined) {
        this.#say('notice', `DB loaded from append only file: ${this.#seconds(this.#startedUs)}`);
      }
      return false;
    }
    const size = reading.reader.read(this.#piece);
    if (typeof size === 'string')
      return this.#fail(
        reading,
        `Unrecoverable error reading the append only file ${reading.file.name}: ${size}`,
      );
    if (size === 0) return this.#finish(reading);
    this.loadedBytes += size;
    const failure = this.#host.keyspace.isFull
      ? TOO_LARGE
      : this.#push(reading, this.#piece.subarray(0, size));
    reading.bytes += size;
    return failure === undefined || this.#fail(reading, failure);
  }

  #open(): Reading | undefined {
    const file = this.#waiting.shift();
    if (file === undefined) return undefined;
    const reader = this.#host.ports.files.open(this.#files.path(file.name));
    if (reader === undefined || typeof reader === 'string') {
      const why = reader ?? 'No such file or directory';
      this.failure = `Fatal error: can't open the append log file ${file.name} for reading: ${why}`;
      return undefined;
    }
    const startedUs = this.#host.clock.monoUs();
    return { file, reader, startedUs, snapshot: undefined, commands: undefined, bytes: 0 };
  }

  #push(reading: Reading, bytes: Buffer): string | undefined {
    if (reading.bytes === 0 && isRdbStart(bytes)) {
      this.#say('notice', 'Reading RDB base file on AOF loading...');
      reading.snapshot = this.#snapshot();
    }
    let used = 0;
    if (reading.snapshot !== undefined) {
      const problem = reading.snapshot.push(bytes, 0, bytes.length);
      if (problem !== undefined)
        return `Cannot load the AOF base file ${reading.file.name}: ${reading.snapshot.located(problem)}`;
      used = reading.snapshot.usedBytes - reading.bytes;
      if (!reading.snapshot.isWhole) return undefined;
      reading.snapshot = undefined;
    }
    if (used === bytes.length) return undefined;
    reading.commands ??= new AofCommands(this.#target, reading.bytes + used);
    const refusal = reading.commands.push(bytes.subarray(used));
    if (refusal === undefined) return undefined;
    if (refusal !== 'format')
      return `${refusal.refusal} reading the append only file ${reading.file.name}`;
    return (
      `Bad file format reading the append only file ${reading.file.name}: make a backup of your AOF file, ` +
      'then use ./redis-check-aof --fix <filename.manifest>'
    );
  }

  #snapshot(): SnapshotLoader {
    return new SnapshotLoader({
      keyspace: this.#host.keyspace,
      libraries: this.#host.functions.intake(false),
      skipped: (what) => this.#say('warning', `Loading RDB: passing over a ${what}`),
    });
  }

  #finish(reading: Reading): boolean {
    const { file, snapshot, commands } = reading;
    if (snapshot !== undefined) {
      const why = snapshot.finish() ?? SHORT_READ;
      return this.#fail(reading, `Cannot load the AOF base file ${file.name}: ${why}`);
    }
    if (commands !== undefined && !commands.isWhole) {
      const failure = this.#cut(file, commands.soundBytes);
      if (failure !== undefined) return this.#fail(reading, failure);
    }
    reading.reader.close();
    this.#reading = undefined;
    const kind = file.kind === 'base' ? 'base' : 'incr';
    this.#say(
      'notice',
      `DB loaded from ${kind} file ${file.name}: ${this.#seconds(reading.startedUs)}`,
    );
    return true;
  }

  /** A torn end: what a crash left of the last command. Only the last file may have one. */
  #cut(file: AofFile, soundBytes: number): string | undefined {
    if (this.#target.isInTransaction) {
      this.#say('warning', `Revert incomplete MULTI/EXEC transaction in AOF file ${file.name}`);
    }
    if (!this.#host.settings['aof-load-truncated'] || this.#waiting.length > 0) {
      return (
        `Unexpected end of file reading the append only file ${file.name}. You can: 1) Make a backup of your ` +
        'AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the ' +
        "'aof-load-truncated' configuration option to yes and restart the server."
      );
    }
    this.#say('warning', `!!! Warning: short read while loading the AOF file ${file.name}!!!`);
    this.#say('warning', `!!! Truncating the AOF ${file.name} at offset ${soundBytes} !!!`);
    const failure = this.#host.ports.files.truncate(this.#files.path(file.name), soundBytes);
    if (failure !== undefined) return `Error truncating the AOF file ${file.name}: ${failure}`;
    this.#target.forgetTransaction();
    this.#say('warning', `AOF ${file.name} loaded anyway because aof-load-truncated is enabled`);
    return undefined;
  }

  #fail(reading: Reading, failure: string): false {
    reading.reader.close();
    reading.snapshot?.finish();
    this.#reading = undefined;
    this.#waiting.length = 0;
    this.failure = failure;
    return false;
  }

  #seconds(sinceUs: number): string {
    return `${((this.#host.clock.monoUs() - sinceUs) / 1e6).toFixed(3)} seconds`;
  }

  #say(level: LogLevel, text: string): void {
    this.#host.log(level, text);
  }
}
