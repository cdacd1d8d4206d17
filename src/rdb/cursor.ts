/**
 * Reads lengths and strings from the bytes in hand. Every reader answers `undefined` when it could not read: then
 * `problem` says why, or, when that is empty, more bytes are needed (`need` of them at least). Nothing is
 * consumed until the caller commits, so a read may simply be tried again.
 */
import { DIGITS_MAX, writeDigits } from '../base/index.ts';
import {
  LENGTH_14_BIT,
  LENGTH_32_BIT,
  LENGTH_64_BIT,
  LENGTH_6_BIT,
  LENGTH_ENCODED,
  RDB_STRING_BYTES_LIMIT,
  STRING_INT16,
  STRING_INT32,
  STRING_INT8,
  STRING_LZF,
} from './format.ts';
import { lzfDecompress } from './lzf.ts';
import type { Bytes } from './value.ts';

interface MutableBytes extends Bytes {
  buf: Buffer;
  at: number;
  size: number;
}

/** A copy of 264 bytes takes three, so no honest string grows as much as this. */
const LZF_GROWTH_LIMIT = 100;

/** The bytes in hand and how far they are read; what value decoders read from. */
export class RdbCursor {
  buf: Buffer = Buffer.alloc(0);
  /** Next byte to read. */
  at = 0;
  /** End of the bytes in hand, exclusive. */
  end = 0;
  /** How far into `buf` the bytes must reach before it is worth trying again. */
  needEnd = 0;
  /** Empty while the bytes are sound. */
  problem = '';
  /** Set by `length()`: the length byte announced a special string encoding, which is the result. */
  isEncoded = false;
  /** The two halves of the 64-bit length that `length()` read last: a number does not hold all of them. */
  wideHigh = 0;
  wideLow = 0;

  /** Whether `size` more bytes are in hand; notes the need when they are not. */
  has(size: number): boolean {
    if (this.at + size <= this.end) return true;
    this.needEnd = this.at + size;
    return false;
  }

  fail(problem: string): undefined {
    this.problem = problem;
    return undefined;
  }

  /** Like `fail`, for readers that answer whether they could. */
  refuse(problem: string): false {
    this.problem = problem;
    return false;
  }

  byte(): number | undefined {
    return this.has(1) ? this.buf[this.at++] : undefined;
  }

  /** A length, or the number of a special encoding when `isEncoded` comes out true. */
  length(): number | undefined {
    this.isEncoded = false;
    const first = this.byte();
    if (first === undefined) return undefined;
    switch (first >> 6) {
      case LENGTH_6_BIT:
        return first & 63;
      case LENGTH_14_BIT: {
        const second = this.byte();
        return second === undefined ? undefined : ((first & 63) << 8) | second;
      }
      case LENGTH_ENCODED:
        this.isEncoded = true;
        return first & 63;
      default:
        return this.#wideLength(first);
    }
  }

  #wideLength(first: number): number | undefined {
    if (first === LENGTH_32_BIT) {
      if (!this.has(4)) return undefined;
      this.at += 4;
      return this.buf.readUInt32BE(this.at - 4);
    }
    if (first !== LENGTH_64_BIT) return this.fail(`Unknown length encoding ${first}`);
    if (!this.has(8)) return undefined;
    this.wideHigh = this.buf.readUInt32BE(this.at);
    this.wideLow = this.buf.readUInt32BE(this.at + 4);
    this.at += 8;
    return this.wideHigh * 0x1_0000_0000 + this.wideLow;
  }

  /** A length that may not be a special encoding. */
  plainLength(): number | undefined {
    const length = this.length();
    if (length !== undefined && this.isEncoded)
      return this.fail('String encoding in place of a length');
    return length;
  }

  /** A length that is a signed 64-bit integer; a `bigint` only beyond the safe integers. */
  signedLength(): number | bigint | undefined {
    this.wideHigh = 0;
    const length = this.plainLength();
    if (length === undefined || this.wideHigh === 0) return length;
    return signed64(this.wideHigh, this.wideLow);
  }

  /** Passes over a string of any encoding; false as with the other readers. */
  skipString(): boolean {
    const length = this.length();
    if (length === undefined) return false;
    if (!this.isEncoded) return this.#skip(length);
    switch (length) {
      case STRING_INT8:
        return this.#skip(1);
      case STRING_INT16:
        return this.#skip(2);
      case STRING_INT32:
        return this.#skip(4);
      case STRING_LZF: {
        const packed = this.plainLength();
        if (packed === undefined || this.plainLength() === undefined) return false;
        return this.#skip(packed);
      }
      default:
        return this.refuse(`Unknown RDB string encoding type ${length}`);
    }
  }

  #skip(size: number): boolean {
    if (!this.has(size)) return false;
    this.at += size;
    return true;
  }

  /** Reads a string of any encoding into `into`; false as with the other readers. */
  string(into: StringSlot): boolean {
    const length = this.length();
    if (length === undefined) return false;
    if (this.isEncoded) return this.#encodedString(length, into);
    if (length > RDB_STRING_BYTES_LIMIT) {
      this.fail(`String of ${length} bytes is too long`);
      return false;
    }
    if (!this.has(length)) return false;
    into.set(this.buf, this.at, length);
    this.at += length;
    return true;
  }

  #encodedString(encoding: number, into: StringSlot): boolean {
    switch (encoding) {
      case STRING_INT8:
        if (!this.has(1)) return false;
        into.setInteger(this.buf.readInt8(this.at));
        this.at += 1;
        return true;
      case STRING_INT16:
        if (!this.has(2)) return false;
        into.setInteger(this.buf.readInt16LE(this.at));
        this.at += 2;
        return true;
      case STRING_INT32:
        if (!this.has(4)) return false;
        into.setInteger(this.buf.readInt32LE(this.at));
        this.at += 4;
        return true;
      case STRING_LZF:
        return this.#lzfString(into);
      default:
        this.fail(`Unknown RDB string encoding type ${encoding}`);
        return false;
    }
  }

  #lzfString(into: StringSlot): boolean {
    const packedSize = this.plainLength();
    if (packedSize === undefined) return false;
    const size = this.plainLength();
    if (size === undefined) return false;
    const sizeMax = Math.min(RDB_STRING_BYTES_LIMIT, packedSize * LZF_GROWTH_LIMIT);
    if (packedSize > RDB_STRING_BYTES_LIMIT || size > sizeMax) {
      this.fail('Invalid LZF compressed string');
      return false;
    }
    if (!this.has(packedSize)) return false;
    const out = into.room(size);
    if (!lzfDecompress(this.buf, this.at, packedSize, out, size)) {
      this.fail('Invalid LZF compressed string');
      return false;
    }
    into.set(out, 0, size);
    this.at += packedSize;
    return true;
  }
}

/** Where a string that was read stands: in the bytes in hand, or expanded in a buffer of its own. */
export class StringSlot implements MutableBytes {
  buf: Buffer = Buffer.alloc(0);
  at = 0;
  size = 0;
  #room: Buffer = Buffer.alloc(64);

  set(buf: Buffer, at: number, size: number): void {
    this.buf = buf;
    this.at = at;
    this.size = size;
  }

  /** Takes a copy of the bytes, for when their own place does not last. */
  setCopy(buf: Buffer, at: number, size: number): void {
    const room = this.room(size);
    // Most are short, and then a loop beats the engine's own copy.
    if (size > SHORT_COPY_BYTES) buf.copy(room, 0, at, at + size);
    else for (let i = 0; i < size; i++) room[i] = buf[at + i]!;
    this.set(room, 0, size);
  }

  setInteger(value: number): void {
    const room = this.room(DIGITS_MAX);
    const at = writeDigits(room, DIGITS_MAX, value);
    this.set(room, at, DIGITS_MAX - at);
  }

  /** A buffer of at least `size` bytes, kept for the next string unless it is large. */
  room(size: number): Buffer {
    if (size > ROOM_KEPT_BYTES) return Buffer.allocUnsafe(size);
    if (this.#room.length < size)
      this.#room = Buffer.allocUnsafe(Math.max(size, 2 * this.#room.length));
    return this.#room;
  }

  copy(): Buffer {
    return Buffer.from(this.buf.subarray(this.at, this.at + this.size));
  }
}

/** The signed integer of two unsigned words. */
export function signed64(high: number, low: number): number | bigint {
  const value = (high | 0) * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high | 0) << 32n) | BigInt(low);
}

const SHORT_COPY_BYTES = 64;
const ROOM_KEPT_BYTES = 1 << 20;
