/**
 * Writes RDB piece by piece into a buffer that the caller drains with `take()`. The caller decides what comes when;
 * the order of a whole file is: header, aux fields, then per database selectDb, resizeDb and its entries, then end.
 */
import { Crc64, copyBytes, parseInt64 } from '../base/index.ts';
import {
  LENGTH_32_BIT,
  LENGTH_64_BIT,
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION2,
  OPCODE_IDLE,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
  STRING_INT16,
  STRING_INT32,
  STRING_INT8,
  STRING_LZF,
} from './format.ts';
import { LzfCompressor } from './lzf.ts';
import { RDB_VERSION, rdbHeaderText } from './versions.ts';

export interface RdbWriterOptions {
  /** `rdbcompression`: LZF for strings longer than 20 bytes. Default true. */
  readonly compression?: boolean;
  /** `rdbchecksum`; without it the checksum field is 0. Default true. */
  readonly checksum?: boolean;
}

/** What stands in the file before its data. */
export interface RdbHeader {
  /** Of the format, for values that are copied from a file of that version. Default: ours. */
  readonly version?: number;
  readonly ctimeUnixSeconds: number;
  readonly usedMemoryBytes: number;
  /** Given in a snapshot that a replica may continue from. */
  readonly replication?: {
    readonly streamDb: number;
    readonly replid: string;
    readonly replOffset: number;
  };
  /** Whether the file is the base of a multi-part AOF. Default false. */
  readonly isAofBase?: boolean;
  /** Fields that only this server reads, and that another passes over. */
  readonly own?: Readonly<Record<string, string>>;
}

/** Facts about a key besides its value; fields as in `RdbEntry`, -1 or absent for none. */
export interface RdbEntryFacts {
  readonly expireAtUnixMs: number;
  readonly idleSeconds?: number;
  readonly freq?: number;
}

/** The version we say we are, in the file as in INFO. */
const REDIS_VERSION = '7.0.15';
const BUFFER_BYTES = 64 * 1024;
const KEPT_BYTES_MAX = 1024 * 1024;
/** An integer of 32 bits has at most this many characters. */
const INT_TEXT_SIZE_MAX = 11;
const COMPRESS_OVER_BYTES = 20;
/** Compression must save at least this much, as in Redis. */
const COMPRESSION_GAIN_MIN = 4;

export class RdbWriter {
  #buf: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #at = 0;
  #summedTo = 0;
  readonly #crc: Crc64 = new Crc64();
  readonly #lzf: LzfCompressor | undefined;
  readonly #hasChecksum: boolean;

  constructor(options: RdbWriterOptions = {}) {
    this.#lzf = (options.compression ?? true) ? new LzfCompressor() : undefined;
    this.#hasChecksum = options.checksum ?? true;
  }

  /** Bytes written and not taken yet. */
  get pendingSize(): number {
    return this.#at;
  }

  /** Begins anew: what was written and its checksum are forgotten. */
  reset(): void {
    this.#at = 0;
    this.#summedTo = 0;
    this.#crc.reset();
  }

  /** Hands over all bytes written since the last call; they are the caller's from now on. */
  take(): Buffer {
    const taken = this.lend();
    this.#buf = Buffer.allocUnsafe(BUFFER_BYTES);
    return taken;
  }

  /** All bytes written since the last call; they are the caller's until more are written. */
  lend(): Buffer {
    this.sum();
    const lent = this.#buf.subarray(0, this.#at);
    // A large value leaves no large buffer behind.
    if (this.#buf.length > KEPT_BYTES_MAX) this.#buf = Buffer.allocUnsafe(BUFFER_BYTES);
    this.#at = 0;
    this.#summedTo = 0;
    return lent;
  }

  /** Signature, version and the aux fields in Redis's order. */
  header(facts: RdbHeader): void {
    this.#text(rdbHeaderText(facts.version ?? RDB_VERSION));
    this.aux('redis-ver', REDIS_VERSION);
    this.aux('redis-bits', '64');
    this.aux('ctime', String(facts.ctimeUnixSeconds));
    this.aux('used-mem', String(facts.usedMemoryBytes));
    if (facts.replication) {
      this.aux('repl-stream-db', String(facts.replication.streamDb));
      this.aux('repl-id', facts.replication.replid);
      this.aux('repl-offset', String(facts.replication.replOffset));
    }
    this.aux('aof-base', facts.isAofBase ? '1' : '0');
    for (const [name, value] of Object.entries(facts.own ?? {})) this.aux(name, value);
  }

  aux(name: string, value: string): void {
    this.#byte(OPCODE_AUX);
    this.#textString(name);
    this.#textString(value);
  }

  /** A library of functions, by its code. */
  library(code: Uint8Array): void {
    this.#byte(OPCODE_FUNCTION2);
    this.string(code, 0, code.length);
  }

  selectDb(index: number): void {
    this.#byte(OPCODE_SELECTDB);
    this.length(index);
  }

  /** Says how many keys the database has and how many of them expire. */
  resizeDb(counts: { readonly keys: number; readonly expiring: number }): void {
    this.#byte(OPCODE_RESIZEDB);
    this.length(counts.keys);
    this.length(counts.expiring);
  }

  /** Expiry, idle time and frequency of the entry that follows. */
  entryFacts(facts: RdbEntryFacts): void {
    if (facts.expireAtUnixMs >= 0) {
      this.#byte(OPCODE_EXPIRETIME_MS);
      this.milliseconds(facts.expireAtUnixMs);
    }
    if (facts.idleSeconds !== undefined && facts.idleSeconds >= 0) {
      this.#byte(OPCODE_IDLE);
      this.length(facts.idleSeconds);
    }
    if (facts.freq !== undefined && facts.freq >= 0) {
      this.#byte(OPCODE_FREQ);
      this.#byte(facts.freq);
    }
  }

  /** The type byte of a value whose parts follow by `length` and `string`. */
  type(type: number): void {
    this.#byte(type);
  }

  length(length: number): void {
    this.#room(9);
    if (length < 1 << 6) {
      this.#buf[this.#at++] = length;
    } else if (length < 1 << 14) {
      this.#buf[this.#at++] = 0x40 | (length >> 8);
      this.#buf[this.#at++] = length & 255;
    } else if (length < 0x1_0000_0000) {
      this.#buf[this.#at++] = LENGTH_32_BIT;
      this.#at = this.#buf.writeUInt32BE(length, this.#at);
    } else {
      this.#buf[this.#at++] = LENGTH_64_BIT;
      this.#at = this.#buf.writeUInt32BE(Math.floor(length / 0x1_0000_0000), this.#at);
      this.#at = this.#buf.writeUInt32BE(length % 0x1_0000_0000, this.#at);
    }
  }

  /** A length of 64 bits in two halves, such as half of a stream id. */
  wideLength(high: number, low: number): void {
    if (high === 0) return this.length(low);
    this.#room(9);
    this.#buf[this.#at++] = LENGTH_64_BIT;
    this.#at = this.#buf.writeUInt32BE(high, this.#at);
    this.#at = this.#buf.writeUInt32BE(low, this.#at);
  }

  /** A signed 64-bit integer as a length; a negative one takes 64 bits. */
  signedLength(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) return this.length(value);
    const bits = BigInt.asUintN(64, BigInt(value));
    this.wideLength(Number(bits >> 32n), Number(bits & 0xffff_ffffn));
  }

  /** Eight bytes of a double, such as a score. */
  double(value: number): void {
    this.#room(8);
    this.#at = this.#buf.writeDoubleLE(value, this.#at);
  }

  /** A moment in eight bytes. */
  milliseconds(unixMs: number | bigint): void {
    this.#room(8);
    if (typeof unixMs === 'bigint') {
      this.#at = this.#buf.writeBigInt64LE(unixMs, this.#at);
      return;
    }
    this.#at = this.#buf.writeUInt32LE(unixMs >>> 0, this.#at);
    this.#at = this.#buf.writeInt32LE(Math.floor(unixMs / 0x1_0000_0000), this.#at);
  }

  /** A string in its shortest encoding: integer, LZF, or as it is. */
  string(buf: Uint8Array, at: number, size: number): void {
    if (size <= INT_TEXT_SIZE_MAX && this.#integer(buf, at, size)) return;
    if (size > COMPRESS_OVER_BYTES && this.#lzf && this.#compressed(this.#lzf, buf, at, size))
      return;
    this.length(size);
    this.raw(buf, at, size);
  }

  /** Bytes as they are. */
  raw(buf: Uint8Array, at: number, size: number): void {
    this.#room(size);
    copyBytes(buf, at, this.#buf, this.#at, size);
    this.#at += size;
  }

  /** The EOF mark and the checksum of everything written. */
  end(): void {
    this.#byte(OPCODE_EOF);
    this.checksum();
  }

  /** Eight bytes: the CRC64 of everything written so far, or 0 when checksums are off. */
  checksum(): void {
    this.#room(8);
    this.sum();
    if (this.#hasChecksum) this.#crc.writeTo(this.#buf, this.#at);
    else this.#buf.fill(0, this.#at, this.#at + 8);
    this.#at += 8;
    this.#summedTo = this.#at;
  }

  /** Takes what was written so far into the checksum: entry by entry, nobody waits for much of it at once. */
  sum(): void {
    if (this.#hasChecksum) this.#crc.update(this.#buf, this.#summedTo, this.#at - this.#summedTo);
    this.#summedTo = this.#at;
  }

  #integer(buf: Uint8Array, at: number, size: number): boolean {
    const value = parseInt64(buf, at, size);
    if (typeof value !== 'number') return false;
    this.#room(5);
    if (value >= -128 && value <= 127) {
      this.#buf[this.#at++] = 0xc0 | STRING_INT8;
      this.#at = this.#buf.writeInt8(value, this.#at);
    } else if (value >= -32768 && value <= 32767) {
      this.#buf[this.#at++] = 0xc0 | STRING_INT16;
      this.#at = this.#buf.writeInt16LE(value, this.#at);
    } else if (value >= -2147483648 && value <= 2147483647) {
      this.#buf[this.#at++] = 0xc0 | STRING_INT32;
      this.#at = this.#buf.writeInt32LE(value, this.#at);
    } else {
      return false;
    }
    return true;
  }

  #compressed(lzf: LzfCompressor, buf: Uint8Array, at: number, size: number): boolean {
    // How long the length of the packed bytes is turns out at their end; mostly it is as long as that of all bytes.
    const lengthsMax = 2 * lengthBytes(size);
    this.#room(1 + lengthsMax + size);
    const packedAt = this.#at + 1 + lengthsMax;
    const sizeMax = size - COMPRESSION_GAIN_MIN;
    const packedSize = lzf.compress(buf, at, size, this.#buf, packedAt, sizeMax);
    if (packedSize === 0) return false;
    this.#buf[this.#at++] = 0xc0 | STRING_LZF;
    this.length(packedSize);
    this.length(size);
    if (this.#at < packedAt) this.#buf.copyWithin(this.#at, packedAt, packedAt + packedSize);
    this.#at += packedSize;
    return true;
  }

  #textString(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.string(bytes, 0, bytes.length);
  }

  #text(text: string): void {
    this.#room(text.length);
    this.#at += this.#buf.write(text, this.#at, 'latin1');
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#buf[this.#at++] = byte;
  }

  #room(size: number): void {
    if (this.#at + size <= this.#buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buf.length, this.#at + size));
    this.#buf.copy(grown, 0, 0, this.#at);
    this.#buf = grown;
  }
}

/** Bytes that `length` writes. */
function lengthBytes(length: number): number {
  if (length < 1 << 14) return length < 1 << 6 ? 1 : 2;
  return length < 0x1_0000_0000 ? 5 : 9;
}
