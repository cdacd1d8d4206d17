/**
 * Listpack: a run of small strings and integers in one piece of bytes, readable from both ends.
 * Total size (4 bytes) and number of elements (2 bytes, 65535: unknown), little-endian; the
 * elements; 0xff. An element is its encoding byte(s), its data, and the size of these two again, to
 * be read backwards. Source: the listpack specification; checked against DUMP of redis-server 7.0.15.
 *
 * Functions here trust their bytes: what comes from outside goes through `isListpackSound` first.
 */
import {
  DIGITS_MAX,
  copyBytes,
  copyIn,
  NOT_INTEGER,
  parseInt64,
  readU32,
  sameBytes,
  writeDigits,
  writeU32,
} from '../base/index.ts';

export const LISTPACK_HEADER_BYTES = 6;
export const LISTPACK_END = 0xff;
/** An empty listpack. */
export const EMPTY_LISTPACK_BYTES = 7;
const COUNT_UNKNOWN = 0xffff;
/** A position where there is no element. */
export const NOWHERE = -1;

const INT16 = 0xf1;
const INT24 = 0xf2;
const INT32 = 0xf3;
const INT64 = 0xf4;
const STRING_32_BIT = 0xf0;
const TWO_32 = 0x1_0000_0000;
/** Largest sizes whose backward form has 1 to 4 bytes. */
const BACK_1_MAX = 127;
const BACK_2_MAX = 16_382;
const BACK_3_MAX = 2_097_150;
const BACK_4_MAX = 268_435_454;

/** Bytes of the backward form of an element of `size` bytes. */
export function listpackBackBytes(size: number): number {
  if (size <= BACK_1_MAX) return 1;
  if (size <= BACK_2_MAX) return 2;
  if (size <= BACK_3_MAX) return 3;
  return size <= BACK_4_MAX ? 4 : 5;
}

/** Bytes of encoding and data of the element at `pos`, without its backward size: its body. */
export function listpackBodyBytes(buf: Uint8Array, pos: number): number {
  const first = buf[pos]!;
  if (first < 0x80) return 1;
  if (first < 0xc0) return 1 + (first & 63);
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 2 + (((first & 15) << 8) | buf[pos + 1]!);
  switch (first) {
    case INT16:
      return 3;
    case INT24:
      return 4;
    case INT32:
      return 5;
    case INT64:
      return 9;
    default:
      return 5 + readU32(buf, pos + 1);
  }
}

/** Position of the element behind the one at `pos`, or of the end mark. */
export function listpackNext(buf: Uint8Array, pos: number): number {
  const first = buf[pos]!;
  // A short string or a small integer, as most are: one byte before and one behind.
  if (first < 0xc0) return pos + 2 + (first < 0x80 ? 0 : first & 63);
  const size = listpackBodyBytes(buf, pos);
  return pos + size + listpackBackBytes(size);
}

/** Position of the element before `pos` (an element's or the end mark's), which is not the first. */
export function listpackPrevious(buf: Uint8Array, pos: number): number {
  let at = pos - 1;
  if (buf[at]! < 128) return at - buf[at]!;
  let size = buf[at]! & 127;
  for (let scale = 128; (buf[at]! & 128) !== 0; scale *= 128) size += (buf[--at]! & 127) * scale;
  return at - size;
}

/** Whether `pos` is where the elements end. */
export function isListpackEnd(buf: Uint8Array, pos: number): boolean {
  return buf[pos] === LISTPACK_END;
}

/** Number of elements of the listpack at `at`; counts them when its header does not know. */
export function listpackCount(buf: Uint8Array, at: number): number {
  const count = buf[at + 4]! | (buf[at + 5]! << 8);
  if (count !== COUNT_UNKNOWN) return count;
  let counted = 0;
  let pos = at + LISTPACK_HEADER_BYTES;
  for (; buf[pos] !== LISTPACK_END; pos = listpackNext(buf, pos)) counted++;
  return counted;
}

/** Writes the header: the whole size and the number of elements. */
export function writeListpackHeader(
  buf: Uint8Array,
  at: number,
  size: number,
  count: number,
): void {
  writeU32(buf, at, size);
  const shown = Math.min(count, COUNT_UNKNOWN);
  buf[at + 4] = shown;
  buf[at + 5] = shown >>> 8;
}

/** Position of element `index` (negative: from the end, -1 the last), or NOWHERE. */
export function listpackSeek(buf: Uint8Array, at: number, size: number, index: number): number {
  const count = listpackCount(buf, at);
  const wanted = index < 0 ? count + index : index;
  if (wanted < 0 || wanted >= count) return NOWHERE;
  if (wanted * 2 <= count) {
    let pos = at + LISTPACK_HEADER_BYTES;
    for (let i = 0; i < wanted; i++) pos = listpackNext(buf, pos);
    return pos;
  }
  let pos = at + size - 1;
  for (let i = count; i > wanted; i--) pos = listpackPrevious(buf, pos);
  return pos;
}

/** Positions of the first elements of a listpack of pairs. */
export function listpackPairs(buf: Uint8Array, at: number): Int32Array {
  const positions = new Int32Array(listpackCount(buf, at) >>> 1);
  let pos = at + LISTPACK_HEADER_BYTES;
  for (let i = 0; i < positions.length; i++) {
    positions[i] = pos;
    pos = listpackNext(buf, listpackNext(buf, pos));
  }
  return positions;
}

/**
 * Position of the pair of elements whose first one is `probe[0, bytes)`, an element as it is written, in the listpack of
 * pairs at `at`; NOWHERE if there is none. Equal elements are equal bytes, because each has only one form.
 */
export function listpackFindPair(
  buf: Uint8Array,
  at: number,
  probe: Uint8Array,
  bytes: number,
): number {
  const first = probe[0];
  // Names often begin alike and seldom end so.
  const lastAt = listpackBodyBytes(probe, 0) - 1;
  const last = probe[lastAt];
  let pos = at + LISTPACK_HEADER_BYTES;
  for (let element; (element = buf[pos]) !== LISTPACK_END;) {
    if (element === first && buf[pos + lastAt] === last && sameBytes(buf, pos, probe, 0, bytes)) {
      return pos;
    }
    pos = listpackNext(buf, listpackNext(buf, pos));
  }
  return NOWHERE;
}

/**
 * Whether bytes from a stranger are a listpack: sizes that agree, elements inside, a count that is
 * true.
 */
export function isListpackSound(buf: Uint8Array, at: number, size: number): boolean {
  if (!hasListpackFrame(buf, at, size)) return false;
  const end = at + size - 1;
  let count = 0;
  let pos = at + LISTPACK_HEADER_BYTES;
  for (; pos >= 0 && pos < end; count++) pos = soundListpackNext(buf, pos, end);
  return pos === end && isListpackCount(buf, at, count);
}

/** Whether any bytes begin and end as a listpack of their size does. */
export function hasListpackFrame(buf: Uint8Array, at: number, size: number): boolean {
  if (size < EMPTY_LISTPACK_BYTES || readU32(buf, at) !== size) return false;
  return buf[at + size - 1] === LISTPACK_END;
}

/** Whether the header's number of elements is this one, or unknown. */
export function isListpackCount(buf: Uint8Array, at: number, count: number): boolean {
  const stated = buf[at + 4]! | (buf[at + 5]! << 8);
  return stated === COUNT_UNKNOWN || stated === count;
}

/** Position behind the element at `pos` of any bytes that end before `end`; -1 when it is no sound element. */
export function soundListpackNext(buf: Uint8Array, pos: number, end: number): number {
  const first = buf[pos]!;
  if (first > INT64) return -1;
  const headBytes = first === STRING_32_BIT ? 5 : first >= 0xe0 && first < 0xf0 ? 2 : 1;
  if (pos + headBytes > end) return -1;
  const next = listpackNext(buf, pos);
  return next > end || listpackPrevious(buf, next) !== pos ? -1 : next;
}

/** The integer that the body at `pos` is; undefined when it is a string. */
export function listpackInt(buf: Uint8Array, pos: number): number | bigint | undefined {
  const first = buf[pos]!;
  if (first < 0x80) return first;
  if (first < 0xc0) return undefined;
  if (first < 0xe0) {
    const value = ((first & 31) << 8) | buf[pos + 1]!;
    return value >= 4096 ? value - 8192 : value;
  }
  switch (first) {
    case INT16:
      return ((buf[pos + 1]! | (buf[pos + 2]! << 8)) << 16) >> 16;
    case INT24:
      return ((buf[pos + 1]! | (buf[pos + 2]! << 8) | (buf[pos + 3]! << 16)) << 8) >> 8;
    case INT32:
      return readU32(buf, pos + 1) | 0;
    case INT64:
      return wideInt(readU32(buf, pos + 1), readU32(buf, pos + 5) | 0);
    default:
      return undefined;
  }
}

/** Reads elements; one object for many, its fields valid until the next `read`. */
export class ListpackReader {
  /** The element's bytes: in the listpack, or the digits of an integer. */
  buf: Uint8Array;
  at = 0;
  size = 0;
  /** Whether it is stored as an integer, which is then `int`. */
  isInt = false;
  int: number | bigint = 0;
  readonly #digits: Buffer = Buffer.alloc(DIGITS_MAX);

  constructor() {
    this.buf = this.#digits;
  }

  /** Reads the element at `pos` and returns the position behind it. */
  read(buf: Uint8Array, pos: number): number {
    const first = buf[pos]!;
    if (first >= 0x80 && first < 0xc0) {
      const size = first & 63;
      return this.#setBytes(buf, pos + 1, size, pos + size + 2);
    }
    const end = this.readBody(buf, pos);
    return end + listpackBackBytes(end - pos);
  }

  /** Reads the body at `pos` and returns the position behind it: the element without its backward size. */
  readBody(buf: Uint8Array, pos: number): number {
    const first = buf[pos]!;
    const body = listpackBodyBytes(buf, pos);
    const next = pos + body;
    if (first < 0x80) return this.#setInt(first, next);
    if (first < 0xc0) return this.#setBytes(buf, pos + 1, first & 63, next);
    if (first >= 0xe0 && first < 0xf0) return this.#setBytes(buf, pos + 2, body - 2, next);
    const int = listpackInt(buf, pos);
    if (int !== undefined) return this.#setInt(int, next);
    return this.#setBytes(buf, pos + 5, body - 5, next);
  }

  /** Whether the element last read is these bytes. */
  is(buf: Uint8Array, at: number, size: number): boolean {
    if (this.size !== size) return false;
    for (let i = 0; i < size; i++) if (this.buf[this.at + i] !== buf[at + i]) return false;
    return true;
  }

  #setBytes(buf: Uint8Array, at: number, size: number, next: number): number {
    this.isInt = false;
    this.buf = buf;
    this.at = at;
    this.size = size;
    return next;
  }

  #setInt(value: number | bigint, next: number): number {
    this.isInt = true;
    this.int = value;
    this.buf = this.#digits;
    this.at = writeDigits(this.#digits, DIGITS_MAX, value);
    this.size = DIGITS_MAX - this.at;
    return next;
  }
}

function wideInt(low: number, high: number): number | bigint {
  const value = high * TWO_32 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}

/** One element on its way into a listpack: set, then ask for its size, make room, and write. */
export class ListpackElement {
  /** Bytes it takes, backward size included. */
  bytes = 0;
  /** Bytes of its body alone. */
  bodyBytes = 0;
  /** Whether it becomes an integer, and which one. */
  isInt = false;
  int: number | bigint = 0;
  #buf: Uint8Array = Buffer.alloc(0);
  #at = 0;
  #size = 0;

  /** Takes bytes, which are read again when it is written; what reads as an integer becomes one. */
  set(buf: Uint8Array, at: number, size: number): void {
    const int = size <= DIGITS_MAX ? parseInt64(buf, at, size) : NOT_INTEGER;
    if (int !== NOT_INTEGER) return this.setInt(int);
    this.isInt = false;
    this.#buf = buf;
    this.#at = at;
    this.#size = size;
    this.bodyBytes = size + (size < 64 ? 1 : size < 4096 ? 2 : 5);
    this.bytes = this.bodyBytes + listpackBackBytes(this.bodyBytes);
  }

  setInt(int: number | bigint): void {
    this.isInt = true;
    this.int = int;
    this.bodyBytes = intBytes(int);
    this.bytes = this.bodyBytes + 1;
  }

  /** Writes it and returns where what follows starts; faster with a view of what it is written to. */
  write(to: Uint8Array, at: number, view?: DataView): number {
    return writeListpackBack(to, this.writeBody(to, at, view), this.bodyBytes);
  }

  /** Writes its body alone and returns where what follows starts. */
  writeBody(to: Uint8Array, at: number, view?: DataView): number {
    if (this.isInt) writeInt(to, at, this.int, this.bodyBytes);
    else this.#writeString(to, at, view);
    return at + this.bodyBytes;
  }

  #writeString(to: Uint8Array, start: number, view: DataView | undefined): void {
    const size = this.#size;
    let at = start;
    if (size < 64) to[at++] = 0x80 | size;
    else if (size < 4096) {
      to[at++] = 0xe0 | (size >>> 8);
      to[at++] = size & 255;
    } else {
      to[at++] = STRING_32_BIT;
      writeU32(to, at, size);
      at += 4;
    }
    if (view === undefined) copyBytes(this.#buf, this.#at, to, at, size);
    else copyIn(this.#buf, this.#at, to, view, at, size);
  }
}

function intBytes(int: number | bigint): number {
  if (typeof int === 'bigint') return 9;
  if (int >= 0 && int < 128) return 1;
  if (int >= -4096 && int < 4096) return 2;
  if (int >= -0x8000 && int < 0x8000) return 3;
  if (int >= -0x80_0000 && int < 0x80_0000) return 4;
  return int >= -0x8000_0000 && int < 0x8000_0000 ? 5 : 9;
}

function writeInt(to: Uint8Array, at: number, int: number | bigint, body: number): void {
  if (body === 1) to[at] = Number(int);
  else if (body === 2) {
    const bits = Number(int) & 0x1fff;
    to[at] = 0xc0 | (bits >>> 8);
    to[at + 1] = bits & 255;
  } else if (body === 9) {
    to[at] = INT64;
    const isWide = typeof int === 'bigint';
    writeU32(to, at + 1, isWide ? Number(int & 0xffff_ffffn) : int >>> 0);
    writeU32(to, at + 5, isWide ? Number(int >> 32n) : Math.floor(int / TWO_32));
  } else {
    to[at] = body === 3 ? INT16 : body === 4 ? INT24 : INT32;
    const bits = Number(int);
    for (let i = 1; i < body; i++) to[at + i] = bits >> ((i - 1) * 8);
  }
}

/** Writes the backward size behind a body of `size` bytes and returns where what follows starts. */
export function writeListpackBack(to: Uint8Array, at: number, size: number): number {
  const bytes = listpackBackBytes(size);
  let rest = size;
  for (let i = bytes - 1; i >= 0; i--) {
    to[at + i] = (rest & 127) | (i > 0 ? 128 : 0);
    rest >>>= 7;
  }
  return at + bytes;
}
