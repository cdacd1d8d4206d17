/**
 * Reads RDB from chunks as they come, in any cut, and tells a handler what it finds. Holds no more than the record in
 * hand. Bytes of a stranger can end it with a typed failure, never with an exception.
 */
import { Crc64 } from '../base/index.ts';
import { RdbCursor, StringSlot } from './cursor.ts';
import {
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION2,
  OPCODE_FUNCTION_PRE_GA,
  OPCODE_IDLE,
  OPCODE_MODULE_AUX,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
  OPCODE_SLOT_IMPORT,
  OPCODE_SLOT_INFO,
  TYPE_MODULE_2,
} from './format.ts';
import { createDecoders } from './decoders.ts';
import { foreignTypeName, moduleValueName } from './type-names.ts';
import type { Bytes, RdbEntry, RdbFailure, ValueSink } from './value.ts';
import type { ValueDecoder, ValueDecoders } from './value-decoder.ts';
import { RDB_HEADER_SIZE, isValkeyVersion, parseRdbHeader } from './versions.ts';

/** Told of each record while `push` runs; views are valid until the call returns. */
export interface RdbHandler {
  /** Where the parts of values go. */
  readonly sink: ValueSink;
  aux?(name: string, value: string): void;
  /** A text refuses it and ends the reading, as with `begin`. */
  selectDb?(index: number): string | undefined;
  resizeDb?(counts: { readonly keys: number; readonly expiring: number }): void;
  /** A key whose value comes next; a text says why it cannot be taken. */
  begin(entry: RdbEntry): string | undefined;
  /** The value is complete. */
  end(entry: RdbEntry): void;
  /** The value proved to be a container without elements, and the sink was told nothing. */
  empty?(entry: RdbEntry): void;
  /** The code of a function library; without this it is passed over. A text refuses it, as with `begin`. */
  library?(code: Bytes): string | undefined;
  /** Something was passed over: a function library, a module's data. */
  skipped?(what: string): void;
}

export type RdbReaderState = 'reading' | 'done' | 'failed';

type Stage = 'header' | 'opcode' | 'value' | 'moduleAux' | 'checksum';

interface EntryInProgress extends RdbEntry {
  dbIndex: number;
  key: StringSlot;
  type: number;
  expireAtUnixMs: number;
  idleSeconds: number;
  freq: number;
}

const EMPTY: Buffer = Buffer.alloc(0);
/** Databases are numbered by an int in Redis. */
const DB_INDEX_LIMIT = 0x8000_0000;
/** No more ranges of slots than there are slots. */
const SLOT_COUNT = 16384;
/** Files of version 5 and later end with a checksum. */
const CHECKSUM_SINCE_VERSION = 5;

export class RdbReader {
  readonly #handler: RdbHandler;
  /** By type number: they are looked up for every key. */
  readonly #decoders: (ValueDecoder | undefined)[] = [];
  readonly #cursor: RdbCursor = new RdbCursor();
  readonly #crc: Crc64 = new Crc64();
  readonly #name: StringSlot = new StringSlot();
  readonly #text: StringSlot = new StringSlot();
  readonly #entry: EntryInProgress;
  #decoder: ValueDecoder | undefined;
  #stage: Stage = 'header';
  #state: RdbReaderState = 'reading';
  #failure: RdbFailure | undefined;
  #version = 0;
  /** Bytes of earlier chunks that are not consumed: `#held[#heldAt, #heldEnd)`. */
  #held: Buffer = EMPTY;
  #heldEnd = 0;
  /** Consumed bytes of the whole input; while `#run` works, less by where its buffer began. */
  #origin = 0;
  #needEnd = 0;

  constructor(handler: RdbHandler, decoders: ValueDecoders = createDecoders()) {
    this.#handler = handler;
    for (const [type, decoder] of decoders) this.#decoders[type] = decoder;
    this.#entry = {
      dbIndex: 0,
      key: new StringSlot(),
      type: 0,
      expireAtUnixMs: -1,
      idleSeconds: -1,
      freq: -1,
    };
  }

  get state(): RdbReaderState {
    return this.#state;
  }

  /** Present when the state is `failed`. */
  get failure(): RdbFailure | undefined {
    return this.#failure;
  }

  /** Version of the format, 0 until the header was read. */
  get version(): number {
    return this.#version;
  }

  /**
   * Position in the whole input, to be asked by the handler: where the value begins in `begin`, where it ended in `end`.
   */
  get position(): number {
    return this.#position();
  }

  /**
   * Reads on with `buf[at, at + size)`.
   * @returns how many of these bytes belong to the RDB: fewer than `size` only once it is done or has failed
   */
  push(buf: Buffer, at: number, size: number): number {
    if (this.#state !== 'reading') return 0;
    const heldBefore = this.#heldEnd;
    const cursor = this.#cursor;
    if (heldBefore === 0) {
      cursor.buf = buf;
      cursor.at = at;
      cursor.end = at + size;
      this.#origin -= at;
    } else {
      this.#hold(buf, at, size);
      if (this.#heldEnd < this.#needEnd) return size;
      cursor.buf = this.#held;
      cursor.at = 0;
      cursor.end = this.#heldEnd;
    }
    const begin = cursor.at;
    this.#run();
    const consumed = cursor.at - begin;
    this.#origin += cursor.at;
    if (this.#state !== 'reading') {
      this.#held = EMPTY;
      this.#heldEnd = 0;
      return Math.max(0, consumed - heldBefore);
    }
    this.#keep(cursor);
    return size;
  }

  /** Keeps what the cursor did not consume for the next push. */
  #keep(cursor: RdbCursor): void {
    this.#needEnd = cursor.needEnd - cursor.at;
    const rest = cursor.end - cursor.at;
    if (cursor.buf === this.#held) {
      this.#held.copyWithin(0, cursor.at, cursor.end);
      this.#heldEnd = rest;
      return;
    }
    this.#heldEnd = 0;
    this.#hold(cursor.buf, cursor.at, rest);
  }

  #hold(buf: Buffer, at: number, size: number): void {
    const end = this.#heldEnd + size;
    if (end > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, 2 * this.#held.length, 1024));
      this.#held.copy(grown, 0, 0, this.#heldEnd);
      this.#held = grown;
    }
    buf.copy(this.#held, this.#heldEnd, at, at + size);
    this.#heldEnd = end;
  }

  /** Reads records until bytes run out, the file ends or fails. */
  #run(): void {
    const cursor = this.#cursor;
    let summedTo = cursor.at;
    while (this.#state === 'reading') {
      const from = cursor.at;
      const isAtChecksum = this.#stage === 'checksum';
      if (isAtChecksum) {
        this.#crc.update(cursor.buf, summedTo, from - summedTo);
        summedTo = from;
      }
      if (!this.#record()) {
        if (this.#stage !== 'value') cursor.at = from;
        if (cursor.problem !== '')
          this.#fail({ kind: 'corrupt', reason: cursor.problem, at: this.#position() });
        break;
      }
    }
    if (this.#stage !== 'checksum') this.#crc.update(cursor.buf, summedTo, cursor.at - summedTo);
  }

  #position(): number {
    return this.#origin + this.#cursor.at;
  }

  #fail(failure: RdbFailure): false {
    this.#state = 'failed';
    this.#failure = failure;
    return false;
  }

  /** Reads one record whole; false when it could not. */
  #record(): boolean {
    switch (this.#stage) {
      case 'header':
        return this.#header();
      case 'opcode':
        return this.#opcode();
      case 'value':
        return this.#value();
      case 'moduleAux':
        return this.#moduleAuxPart();
      case 'checksum':
        return this.#checksum();
    }
  }

  #header(): boolean {
    const cursor = this.#cursor;
    if (!cursor.has(RDB_HEADER_SIZE)) return false;
    const text = cursor.buf.toString('latin1', cursor.at, cursor.at + RDB_HEADER_SIZE);
    const header = parseRdbHeader(text);
    const at = this.#position();
    if (header.kind === 'wrongSignature') {
      const reason = 'Wrong signature trying to load DB from file';
      return this.#fail({ kind: 'wrongSignature', reason, at });
    }
    if (header.kind === 'unsupportedVersion') {
      const reason = `Can't handle RDB format version ${header.version}`;
      return this.#fail({ kind: 'unsupportedVersion', reason, at });
    }
    cursor.at += RDB_HEADER_SIZE;
    this.#version = header.version;
    this.#stage = 'opcode';
    return true;
  }

  #opcode(): boolean {
    const opcode = this.#cursor.byte();
    if (opcode === undefined) return false;
    switch (opcode) {
      case OPCODE_EXPIRETIME_MS:
      case OPCODE_EXPIRETIME:
      case OPCODE_IDLE:
      case OPCODE_FREQ:
        return this.#entryFact(opcode);
      case OPCODE_SELECTDB:
        return this.#selectDb();
      case OPCODE_RESIZEDB:
        return this.#resizeDb();
      case OPCODE_AUX:
        return this.#aux();
      case OPCODE_EOF:
        this.#stage = 'checksum';
        return true;
      case OPCODE_FUNCTION2:
      case OPCODE_FUNCTION_PRE_GA:
      case OPCODE_MODULE_AUX:
      case OPCODE_SLOT_INFO:
        return this.#extra(opcode);
      case OPCODE_SLOT_IMPORT:
        return isValkeyVersion(this.#version) ? this.#slotImport() : this.#key(opcode);
      default:
        return this.#key(opcode);
    }
  }

  #entryFact(opcode: number): boolean {
    const cursor = this.#cursor;
    switch (opcode) {
      case OPCODE_EXPIRETIME_MS: {
        if (!cursor.has(8)) return false;
        const high = cursor.buf.readInt32LE(cursor.at + 4);
        const at = high * 0x1_0000_0000 + cursor.buf.readUInt32LE(cursor.at);
        cursor.at += 8;
        // Expired before 1970 is expired all the same, and -1 means no expiry here.
        this.#entry.expireAtUnixMs = Math.max(0, at);
        return true;
      }
      case OPCODE_EXPIRETIME:
        if (!cursor.has(4)) return false;
        this.#entry.expireAtUnixMs = Math.max(0, cursor.buf.readInt32LE(cursor.at) * 1000);
        cursor.at += 4;
        return true;
      case OPCODE_IDLE: {
        const seconds = cursor.plainLength();
        if (seconds === undefined) return false;
        this.#entry.idleSeconds = seconds;
        return true;
      }
      default: {
        const freq = cursor.byte();
        if (freq === undefined) return false;
        this.#entry.freq = freq;
        return true;
      }
    }
  }

  #selectDb(): boolean {
    const index = this.#cursor.plainLength();
    if (index === undefined) return false;
    if (index >= DB_INDEX_LIMIT) {
      this.#cursor.fail(`Database number ${index} is out of range`);
      return false;
    }
    this.#entry.dbIndex = index;
    const refusal = this.#handler.selectDb?.(index);
    return refusal === undefined || this.#cursor.refuse(refusal);
  }

  #resizeDb(): boolean {
    const keys = this.#cursor.plainLength();
    if (keys === undefined) return false;
    const expiring = this.#cursor.plainLength();
    if (expiring === undefined) return false;
    this.#handler.resizeDb?.({ keys, expiring });
    return true;
  }

  #aux(): boolean {
    if (!this.#cursor.string(this.#name) || !this.#cursor.string(this.#text)) return false;
    this.#handler.aux?.(this.#name.copy().toString('latin1'), this.#text.copy().toString('latin1'));
    return true;
  }

  /** What Redis keeps beside the data and we pass over. */
  #extra(opcode: number): boolean {
    const cursor = this.#cursor;
    if (opcode === OPCODE_FUNCTION_PRE_GA) {
      cursor.fail('Pre-release function format not supported.');
      return false;
    }
    if (opcode === OPCODE_FUNCTION2) {
      if (!cursor.string(this.#text)) return false;
      return this.#library(this.#text);
    }
    // Slot information is three numbers. A module's data opens with three as well: its id, then `when` by mark and value.
    for (let i = 0; i < 3; i++) if (cursor.plainLength() === undefined) return false;
    if (opcode === OPCODE_MODULE_AUX) {
      this.#stage = 'moduleAux';
      this.#handler.skipped?.('module auxiliary data');
    }
    return true;
  }

  /** The name of the job, then its ranges of slots. */
  #slotImport(): boolean {
    const cursor = this.#cursor;
    if (!cursor.string(this.#name)) return false;
    const count = cursor.plainLength();
    if (count === undefined) return false;
    if (count > SLOT_COUNT) return cursor.refuse(`Slot import of ${count} ranges`);
    for (let i = 0; i < 2 * count; i++) if (cursor.plainLength() === undefined) return false;
    this.#handler.skipped?.('slot import that is under way');
    return true;
  }

  #library(code: Bytes): boolean {
    if (this.#handler.library === undefined) {
      this.#handler.skipped?.('function library');
      return true;
    }
    const refusal = this.#handler.library(code);
    return refusal === undefined || this.#cursor.refuse(refusal);
  }

  /** One marked part of a module's data: 0 ends it, 1 and 2 integers, 3 float, 4 double, 5 string. */
  #moduleAuxPart(): boolean {
    const cursor = this.#cursor;
    const mark = cursor.plainLength();
    if (mark === undefined) return false;
    switch (mark) {
      case 0:
        this.#stage = 'opcode';
        return true;
      case 1:
      case 2:
        return cursor.plainLength() !== undefined;
      case 3:
      case 4: {
        const size = mark === 3 ? 4 : 8;
        if (!cursor.has(size)) return false;
        cursor.at += size;
        return true;
      }
      case 5:
        return cursor.string(this.#text);
      default:
        cursor.fail(`Unknown module opcode ${mark}`);
        return false;
    }
  }

  #key(type: number): boolean {
    const from = this.#position() - 1;
    const decoder = this.#decoders[type];
    if (decoder === undefined && foreignTypeName(type) === undefined) {
      return this.#cursor.refuse(`Unknown RDB encoding type ${type}`);
    }
    // The key is copied out: its value may come in another chunk.
    if (!this.#cursor.string(this.#name)) return false;
    this.#entry.type = type;
    const { key } = this.#entry;
    key.setCopy(this.#name.buf, this.#name.at, this.#name.size);
    if (!decoder) return this.#foreign(type, from);
    decoder.begin(type);
    this.#decoder = decoder;
    this.#stage = 'value';
    const refusal = this.#handler.begin(this.#entry);
    return refusal === undefined || this.#cursor.refuse(refusal);
  }

  /** A value of a type that we do not have; the record of its key began at `from`. */
  #foreign(type: number, from: number): boolean {
    const cursor = this.#cursor;
    let what = foreignTypeName(type) ?? '';
    if (type === TYPE_MODULE_2) {
      if (cursor.plainLength() === undefined) return false;
      what = moduleValueName(cursor.wideHigh, cursor.wideLow);
    }
    return this.#fail({ kind: 'unsupported', what, key: this.#entry.key.copy(), at: from });
  }

  #value(): boolean {
    const outcome = this.#decoder?.read(this.#cursor, this.#handler.sink) ?? 'more';
    if (outcome === 'more') return false;
    if (outcome === 'empty') this.#handler.empty?.(this.#entry);
    else this.#handler.end(this.#entry);
    this.#entry.expireAtUnixMs = -1;
    this.#entry.idleSeconds = -1;
    this.#entry.freq = -1;
    this.#stage = 'opcode';
    return true;
  }

  #checksum(): boolean {
    const cursor = this.#cursor;
    if (this.#version < CHECKSUM_SINCE_VERSION) {
      this.#state = 'done';
      return true;
    }
    if (!cursor.has(8)) return false;
    // All zeros: the file was written with checksums off.
    const isOff =
      cursor.buf.readUInt32LE(cursor.at) === 0 && cursor.buf.readUInt32LE(cursor.at + 4) === 0;
    if (!isOff && !this.#crc.matches(cursor.buf, cursor.at)) {
      return this.#fail({ kind: 'corrupt', reason: this.#checksumReason(), at: this.#position() });
    }
    cursor.at += 8;
    this.#state = 'done';
    return true;
  }

  #checksumReason(): string {
    const own = Buffer.alloc(8);
    this.#crc.writeTo(own, 0);
    const hex = (bytes: Buffer): string => bytes.readBigUInt64LE(0).toString(16);
    const expected = hex(this.#cursor.buf.subarray(this.#cursor.at));
    return `Wrong RDB checksum expected: (${expected}) but got (${hex(own)}). Aborting now. RDB CRC error`;
  }
}
