/**
 * Ziplist, the packed form before listpack: whole size (4 bytes), offset of the last entry (4), number of entries (2,
 * 65535: unknown), little-endian; the entries; 0xff. An entry is the size of the one before (1 byte, or 254 and 4),
 * its encoding, its data. Source: the format as Redis 2.8 to 6.2 wrote it. Only read: nothing writes it any more.
 */
import { DIGITS_MAX, writeDigits } from '../base/index.ts';

const HEADER_BYTES = 10;
const EMPTY_BYTES = 11;
const END = 0xff;
const WIDE_PREVIOUS = 254;
const COUNT_UNKNOWN = 0xffff;

const INT16 = 0xc0;
const INT32 = 0xd0;
const INT64 = 0xe0;
const INT24 = 0xf0;
const INT8 = 0xfe;
/** 0xf1 to 0xfd are the integers 0 to 12 themselves. */
const SMALL_INT_MIN = 0xf1;
const SMALL_INT_MAX = 0xfd;

/** Walks a ziplist from a stranger entry by entry; every step is checked. */
export class ZiplistReader {
  /** The entry's bytes: in the ziplist, or the digits of an integer. */
  buf: Buffer;
  at = 0;
  size = 0;
  #list: Buffer;
  #pos = 0;
  #last = 0;
  #end = 0;
  #previousSize = 0;
  #isSound = false;
  #statedCount = 0;
  #count = 0;
  readonly #digits: Buffer = Buffer.alloc(DIGITS_MAX);

  constructor() {
    this.buf = this.#digits;
    this.#list = this.#digits;
  }

  /** Begins at the ziplist in `buf[at, at + size)`. */
  open(buf: Buffer, at: number, size: number): void {
    this.#list = buf;
    this.#isSound =
      size >= EMPTY_BYTES && buf.readUInt32LE(at) === size && buf[at + size - 1] === END;
    if (!this.#isSound) return;
    this.#pos = at + HEADER_BYTES;
    this.#end = at + size - 1;
    this.#last = at + buf.readUInt32LE(at + 4);
    this.#statedCount = buf.readUInt16LE(at + 8);
    this.#previousSize = 0;
    this.#count = 0;
    if (this.#pos === this.#end)
      this.#isSound = this.#last === this.#pos && this.#statedCount === 0;
  }

  /** Reads the next entry; false at the end, or when the bytes are no ziplist (`isSound` says which). */
  next(): boolean {
    if (!this.#isSound || this.#pos === this.#end) return false;
    this.#isSound = this.#entry();
    return this.#isSound;
  }

  /** Whether what was read so far is a ziplist, once `next` answered false the whole. */
  get isSound(): boolean {
    return this.#isSound;
  }

  #entry(): boolean {
    const list = this.#list;
    const from = this.#pos;
    let pos = from;
    let previous = list[pos++]!;
    if (previous === WIDE_PREVIOUS) {
      if (pos + 4 > this.#end) return false;
      previous = list.readUInt32LE(pos);
      pos += 4;
    }
    if (previous !== this.#previousSize || pos >= this.#end) return false;
    const dataEnd = this.#data(pos);
    if (dataEnd < 0 || dataEnd > this.#end) return false;
    this.#previousSize = dataEnd - from;
    this.#pos = dataEnd;
    this.#count++;
    if (dataEnd < this.#end) return true;
    // The last one: what the header says of the whole must be true.
    const isCounted = this.#statedCount === COUNT_UNKNOWN || this.#statedCount === this.#count;
    return isCounted && this.#last === from;
  }

  /** Takes encoding and data at `pos`; where they end, or -1. */
  #data(pos: number): number {
    const list = this.#list;
    const first = list[pos]!;
    switch (first >> 6) {
      case 0:
        return this.#bytes(pos + 1, first & 63);
      case 1:
        if (pos + 2 > this.#end) return -1;
        return this.#bytes(pos + 2, ((first & 63) << 8) | list[pos + 1]!);
      case 2:
        if (pos + 5 > this.#end) return -1;
        return this.#bytes(pos + 5, list.readUInt32BE(pos + 1));
      default:
        return this.#int(first, pos + 1);
    }
  }

  #bytes(at: number, size: number): number {
    this.buf = this.#list;
    this.at = at;
    this.size = size;
    return at + size;
  }

  #int(encoding: number, at: number): number {
    const list = this.#list;
    if (encoding >= SMALL_INT_MIN && encoding <= SMALL_INT_MAX) {
      return this.#digitsOf(encoding - SMALL_INT_MIN, at);
    }
    const size = intBytes(encoding);
    if (size === 0 || at + size > this.#end) return -1;
    const value = size === 8 ? list.readBigInt64LE(at) : list.readIntLE(at, size);
    return this.#digitsOf(value, at + size);
  }

  #digitsOf(value: number | bigint, end: number): number {
    this.buf = this.#digits;
    this.at = writeDigits(this.#digits, DIGITS_MAX, value);
    this.size = DIGITS_MAX - this.at;
    return end;
  }
}

function intBytes(encoding: number): number {
  switch (encoding) {
    case INT8:
      return 1;
    case INT16:
      return 2;
    case INT24:
      return 3;
    case INT32:
      return 4;
    case INT64:
      return 8;
    default:
      return 0;
  }
}
