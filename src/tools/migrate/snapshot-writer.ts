/**
 * A snapshot into commands: RESTORE with the bytes of the value as they stand; a large value in parts, so that neither
 * we nor the target ever hold it twice.
 */
import { copyBytes, invariant } from '../../base/index.ts';
import type { RequestBuffer } from '../../client/index.ts';
import {
  type Bytes,
  type ContainerKind,
  DUMP_FOOTER_BYTES,
  ListpackReader,
  LISTPACK_HEADER_BYTES,
  type RdbEntry,
  RdbReader,
  type ValueSink,
  createRawDecoders,
  intsetCount,
  intsetGet,
  intsetWidth,
  isListpackEnd,
  sealDump,
} from '../../rdb/index.ts';
import { RequestBuffer as Arguments } from '../../client/index.ts';
import { isProgressKey } from '../flow/index.ts';
import type { DeferredExpiry } from './deferred-expiry.ts';
import type { KeyFilter } from './key-filter.ts';
import { failureText } from './rdb-failure-text.ts';
import type { TargetWriter } from './target-writer.ts';

export type Conflict = 'replace' | 'skip' | 'fail';

export interface SnapshotWriterOptions {
  /** Where commands about a key in a database are written, and those for every node. */
  readonly target: Pick<TargetWriter, 'everyLane' | 'laneOfKey'>;
  readonly deferred: Pick<DeferredExpiry, 'expiryFor' | 'add'>;
  readonly conflict: Conflict;
  /** Database of the target for one of the source; undefined: leave its keys out. */
  readonly targetDb: (sourceDb: number) => number | undefined;
  /** Keys that are copied; undefined: all. */
  readonly filter: KeyFilter | undefined;
}

/** Values up to here are restored whole. */
const WHOLE_BYTES_MAX: number = 1024 * 1024;
/** Where an existing key must be left alone, RESTORE has to tell; it takes this at most (`proto-max-bulk-len`). */
const RESTORABLE_BYTES_MAX: number = 500 * 1024 * 1024;
/** Elements, and bytes, of one command of a large value. */
const PART_ELEMENTS = 512;
const PART_BYTES: number = 64 * 1024;
/** The beginning of RESTORE with none, one and two words behind the payload. */
const RESTORE_HEADS: readonly Buffer[] = [4, 5, 6].map((argc) =>
  Buffer.from(`*${argc}\r\n$7\r\nRESTORE\r\n`),
);
const NO_EXPIRY: Buffer = Buffer.from('$1\r\n0\r\n');
const REPLACE: Buffer = Buffer.from('$7\r\nREPLACE\r\n');
const FIRST_TYPE_OF_VERSION_11 = 20;
const VERSION_10 = 10;
const VERSION_11 = 11;

export class SnapshotWriter {
  /** Keys written, and those whose database is left out. */
  keyCount = 0;
  leftOutCount = 0;
  /** What the snapshot has beside keys and is not copied. */
  readonly skipped: Set<string> = new Set();
  /** Database that the stream behind the snapshot has selected. */
  streamDb = 0;
  /** Bytes of the last piece behind the end of the snapshot. */
  restBytes = 0;
  readonly #options: SnapshotWriterOptions;
  readonly #reader: RdbReader;
  readonly #parts: ValueParts;
  #entry: RdbEntry | undefined;
  /** Where commands about it go. What is sent between two pieces of the snapshot changes that: `undefined` until asked. */
  #place: { readonly out: RequestBuffer | undefined } | undefined;
  #isWhole = false;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#parts = new ValueParts(() => this.#lane());
    const bytesMax = options.conflict === 'replace' ? WHOLE_BYTES_MAX : RESTORABLE_BYTES_MAX;
    const decoders = createRawDecoders((type, value) => this.#restore(type, value), bytesMax);
    this.#reader = new RdbReader(
      {
        sink: this.#parts,
        aux: (name, value) => {
          if (name === 'repl-stream-db') this.streamDb = Number(value);
        },
        begin: (entry) => this.#begin(entry),
        end: () => this.#end(),
        library: (code) => this.#library(code),
        skipped: (what) => this.skipped.add(what),
      },
      decoders,
    );
  }

  /** Takes the next bytes of the snapshot; says what is wrong with them, if so. */
  push(bytes: Buffer): string | undefined {
    this.#place = undefined;
    this.restBytes = bytes.length - this.#reader.push(bytes, 0, bytes.length);
    const { failure } = this.#reader;
    return failure === undefined ? undefined : failureText(failure);
  }

  get isDone(): boolean {
    return this.#reader.state === 'done';
  }

  #begin(entry: RdbEntry): undefined {
    this.#entry = entry;
    this.#isWhole = false;
    this.#place = undefined;
    this.#parts.begin(entry.key);
    return undefined;
  }

  /** A library of functions, which every node has. */
  #library({ buf, at, size }: Bytes): undefined {
    const { conflict, filter, target } = this.#options;
    if (filter?.admitsCommand('function') === false) return undefined;
    const replaces = conflict === 'replace';
    for (const out of target.everyLane()) {
      out.begin(replaces ? 4 : 3);
      out.word('FUNCTION');
      out.word('LOAD');
      if (replaces) out.word('REPLACE');
      out.argument(buf, at, size);
    }
    return undefined;
  }

  #lane(): RequestBuffer | undefined {
    this.#place ??= { out: this.#choose() };
    return this.#place.out;
  }

  #choose(): RequestBuffer | undefined {
    invariant(this.#entry !== undefined, 'a value is written after its key was read');
    const { dbIndex, key } = this.#entry;
    const db = this.#options.targetDb(dbIndex);
    if (db === undefined || isProgressKey(key.buf, key.at, key.size)) return undefined;
    if (this.#options.filter?.admits(key.buf, key.at, key.size) === false) return undefined;
    return this.#options.target.laneOfKey(db, key.buf, key.at, key.size);
  }

  /** Milliseconds for RESTORE and PEXPIREAT; 0 for a key that stays. */
  #expiry({ dbIndex, key, expireAtUnixMs }: RdbEntry): number {
    if (expireAtUnixMs < 0) return 0;
    const { deferred, targetDb } = this.#options;
    const time = deferred.expiryFor(expireAtUnixMs);
    if (time !== expireAtUnixMs) deferred.add(targetDb(dbIndex) ?? 0, key.buf, key.at, key.size);
    return time;
  }

  #restore(type: number, value: Bytes): void {
    this.#isWhole = true;
    const entry = this.#entry;
    invariant(entry !== undefined, 'a value follows its key');
    const out = this.#lane();
    if (out === undefined) return;
    const replaces = this.#options.conflict === 'replace';
    const time = this.#expiry(entry);
    const more = (replaces ? 1 : 0) + (time > 0 ? 1 : 0);
    const head = RESTORE_HEADS[more]!;
    out.raw(head, 0, head.length, 1);
    out.argument(entry.key.buf, entry.key.at, entry.key.size);
    if (time === 0) out.raw(NO_EXPIRY, 0, NO_EXPIRY.length, 0);
    else out.word(String(time));
    const at = out.blank(1 + value.size + DUMP_FOOTER_BYTES);
    this.#writePayload(out.bytes, at, type, value);
    if (replaces) out.raw(REPLACE, 0, REPLACE.length, 0);
    if (time > 0) out.word('ABSTTL');
  }

  #writePayload(buf: Buffer, at: number, type: number, value: Bytes): void {
    const version = type < FIRST_TYPE_OF_VERSION_11 ? VERSION_10 : VERSION_11;
    buf[at] = type;
    copyBytes(value.buf, value.at, buf, at + 1, value.size);
    const end = at + 1 + value.size;
    // An older server takes its own version only, and had the same types.
    const { version: ofSource } = this.#reader;
    sealDump(buf, at, end, Math.min(version, ofSource));
  }

  #end(): void {
    const entry = this.#entry;
    invariant(entry !== undefined, 'a value ends after its key');
    const out = this.#lane();
    if (out === undefined) {
      if (this.#options.targetDb(entry.dbIndex) === undefined) this.leftOutCount++;
      return;
    }
    this.keyCount++;
    if (this.#isWhole) return;
    this.#parts.finish();
    const time = this.#expiry(entry);
    if (time === 0) return;
    out.begin(3);
    out.word('PEXPIREAT');
    out.argument(entry.key.buf, entry.key.at, entry.key.size);
    out.word(String(time));
  }
}

const ADDING: Readonly<Record<ContainerKind, string>> = {
  list: 'RPUSH',
  set: 'SADD',
  hash: 'HSET',
  zset: 'ZADD',
};

/** The parts of one large value as commands that add them to a key, which is emptied first. */
class ValueParts implements ValueSink {
  readonly #arguments: Arguments = new Arguments();
  readonly #listpack: ListpackReader = new ListpackReader();
  readonly #lane: () => RequestBuffer | undefined;
  #key: Bytes | undefined;
  #kind: ContainerKind = 'list';
  #count = 0;
  #hasBegun = false;

  constructor(lane: () => RequestBuffer | undefined) {
    this.#lane = lane;
  }

  begin(key: Bytes): void {
    this.#key = key;
    this.#count = 0;
    this.#hasBegun = false;
  }

  finish(): void {
    this.#flush();
  }

  string(value: Bytes): void {
    this.#command('SET', 1)?.argument(value.buf, value.at, value.size);
  }

  container(kind: ContainerKind): void {
    this.#kind = kind;
    if (!this.#hasBegun) this.#command('UNLINK', 0);
    this.#hasBegun = true;
  }

  element(value: Bytes): boolean {
    this.#argument(value.buf, value.at, value.size);
    this.#flushFull();
    return true;
  }

  field(name: Bytes, value: Bytes): boolean {
    this.#argument(name.buf, name.at, name.size);
    return this.element(value);
  }

  scored(member: Bytes, score: number): boolean {
    this.#word(scoreWord(score));
    return this.element(member);
  }

  listpack(kind: ContainerKind, { buf, at }: Bytes): void {
    this.container(kind);
    const reader = this.#listpack;
    for (let pos = at + LISTPACK_HEADER_BYTES; !isListpackEnd(buf, pos);) {
      pos = reader.read(buf, pos);
      const first = Buffer.from(reader.buf.subarray(reader.at, reader.at + reader.size));
      if (kind === 'zset') {
        // The score comes second there and first in ZADD.
        pos = reader.read(buf, pos);
        this.#argument(asBuffer(reader.buf), reader.at, reader.size);
        this.#argument(first, 0, first.length);
      } else {
        this.#argument(first, 0, first.length);
        if (kind === 'hash') {
          pos = reader.read(buf, pos);
          this.#argument(asBuffer(reader.buf), reader.at, reader.size);
        }
      }
      this.#flushFull();
    }
  }

  intset({ buf, at }: Bytes): void {
    this.container('set');
    const width = intsetWidth(buf, at);
    for (let i = 0; i < intsetCount(buf, at); i++) {
      this.#word(String(intsetGet(buf, at, width, i)));
      this.#flushFull();
    }
  }

  stream(): void {
    this.#never();
  }

  streamNode(): void {
    this.#never();
  }

  streamFacts(): void {
    this.#never();
  }

  streamGroup(): boolean {
    return this.#never();
  }

  streamPending(): boolean {
    return this.#never();
  }

  streamConsumer(): boolean {
    return this.#never();
  }

  streamConsumerPending(): boolean {
    return this.#never();
  }

  streamGroupEnd(): boolean {
    return this.#never();
  }

  #never(): never {
    invariant(false, 'streams come whole');
  }

  #argument(buf: Buffer, at: number, size: number): void {
    this.#arguments.argument(buf, at, size);
    this.#count++;
  }

  #word(text: string): void {
    this.#arguments.word(text);
    this.#count++;
  }

  #flushFull(): void {
    if (this.#count >= PART_ELEMENTS || this.#arguments.byteCount >= PART_BYTES) this.#flush();
  }

  #flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const bytes = this.#arguments.take();
    this.#command(ADDING[this.#kind], count)?.raw(bytes, 0, bytes.length, 0);
  }

  /** Begins a command about the key with so many arguments more; undefined where it is not to be written. */
  #command(name: string, more: number): RequestBuffer | undefined {
    const [out, key] = [this.#lane(), this.#key];
    if (out === undefined || key === undefined) return undefined;
    out.begin(2 + more);
    out.word(name);
    out.argument(key.buf, key.at, key.size);
    return out;
  }
}

function scoreWord(score: number): string {
  if (score === Infinity) return 'inf';
  return score === -Infinity ? '-inf' : String(score);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
