/** An RDB file of several snapshots: values are copied as they stand, in pieces, so that a large one is never whole in memory. */
import { invariant } from '../../base/index.ts';
import {
  type Bytes,
  type RdbEntry,
  NO_SINK,
  RDB_VERSION,
  type RdbHandler,
  RdbReader,
  RdbWriter,
  createDecoders,
  createForeignDecoders,
} from '../../rdb/index.ts';
import { libraryName } from '../flow/index.ts';
import type { FileChoice, FileTarget } from './file-target.ts';
import { failureText } from './rdb-failure-text.ts';

export class RdbTarget implements FileTarget {
  keyCount = 0;
  leftOutCount = 0;
  readonly skipped: Set<string> = new Set();
  readonly #choice: FileChoice;
  readonly #nowUnixSeconds: number;
  readonly #writer: RdbWriter = new RdbWriter();
  /** Codes of libraries that are in the file, by name. */
  readonly #libraries: Map<string, Buffer> = new Map();
  #reader: RdbReader | undefined;
  #hasHeader = false;
  #db = -1;
  #piece: Buffer = Buffer.alloc(0);
  /** Of the snapshot, where `#piece` begins. */
  #pieceAt = 0;
  /** Up to where the value in hand is copied; undefined when none is. */
  #copiedTo: number | undefined;

  constructor(choice: FileChoice, nowUnixSeconds: number) {
    this.#choice = choice;
    this.#nowUnixSeconds = nowUnixSeconds;
  }

  begin(): void {
    this.#pieceAt = 0;
    this.#piece = this.#piece.subarray(0, 0);
    const decoders = new Map([...createDecoders(), ...createForeignDecoders()]);
    const handler: RdbHandler = {
      sink: NO_SINK,
      begin: (entry) => this.#begin(entry, reader.position),
      end: () => this.#copyTo(reader.position, true),
      // A server passes over a container without elements.
      empty: () => this.#copyTo(reader.position, true),
      library: (code) => this.#library(code),
      skipped: (what) => this.skipped.add(what),
    };
    const reader = new RdbReader(handler, decoders);
    this.#reader = reader;
  }

  push(piece: Buffer): string | undefined {
    const reader = this.#reader;
    invariant(reader !== undefined, 'bytes come after a beginning');
    this.#pieceAt += this.#piece.length;
    this.#piece = piece;
    reader.push(piece, 0, piece.length);
    if (reader.failure !== undefined) return failureText(reader.failure);
    this.#copyTo(this.#pieceAt + piece.length, false);
    return undefined;
  }

  get isDone(): boolean {
    return this.#reader?.state === 'done';
  }

  take(): Buffer {
    return this.#writer.lend();
  }

  end(): Buffer {
    this.#header();
    this.#writer.end();
    return this.#writer.lend();
  }

  #header(): void {
    if (this.#hasHeader) return;
    this.#hasHeader = true;
    const version = Math.max(RDB_VERSION, this.#reader?.version ?? 0);
    const facts = { version, ctimeUnixSeconds: this.#nowUnixSeconds, usedMemoryBytes: 0 };
    this.#writer.header(facts);
  }

  /** A file with two libraries of one name would not be loaded. */
  #library({ buf, at, size }: Bytes): undefined {
    const code = Buffer.from(buf.subarray(at, at + size));
    const name = libraryName(code);
    const known = this.#libraries.get(name);
    if (known?.equals(code) === false) {
      this.skipped.add(`function library "${name}", of which another master has other code,`);
    }
    if (known !== undefined) return undefined;
    this.#libraries.set(name, code);
    this.#header();
    this.#writer.library(code);
    return undefined;
  }

  #begin({ dbIndex, key, type, ...facts }: RdbEntry, position: number): undefined {
    const db = this.#choice.targetDb(dbIndex);
    if (db === undefined) this.leftOutCount++;
    if (db === undefined || !this.#choice.admits(key.buf, key.at, key.size)) return undefined;
    this.#header();
    const writer = this.#writer;
    if (db !== this.#db) writer.selectDb(db);
    this.#db = db;
    writer.entryFacts(facts);
    writer.type(type);
    writer.string(key.buf, key.at, key.size);
    this.#copiedTo = position;
    this.keyCount++;
    return undefined;
  }

  /** Copies the value in hand up to this place of the snapshot. */
  #copyTo(position: number, isEnd: boolean): void {
    const from = this.#copiedTo;
    if (from === undefined) return;
    invariant(from >= this.#pieceAt, 'what came before this piece is copied');
    this.#writer.raw(this.#piece, from - this.#pieceAt, position - from);
    this.#copiedTo = isEnd ? undefined : position;
  }
}
