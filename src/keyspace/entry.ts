/**
 * Entries: a key with its header and value in one arena block.
 *
 * Layout: type (4 bits) and encoding (4 bits); flags; 3 bytes of LRU clock or LFU state; key size
 * (1 byte, or 4 with KEY_WIDE); expiry (6 bytes, with HAS_EXPIRY); key; value. Numbers are
 * little-endian and unaligned. The value of a string is 8 bytes of integer, or a size (1 or 2
 * bytes, 7 bits each) and the bytes, or (with VALUE_OUT) a ref and a size of 4 bytes each. A small
 * container has the bytes of its packed form like a string; a large one has two words of 4 bytes.
 */
import { DIGITS_MAX, sameBytes, writeDigits } from '../base/index.ts';
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { copyIn, readU32, writeU32 } from './bytes.ts';
import type { KeyHash } from './hash.ts';
import type { ElementKeys } from './table.ts';

/** Bytes somewhere; objects of this type are reused, so read them before the next call. */
export interface BytesView {
  buf: Uint8Array;
  at: number;
  size: number;
}

/** Type numbers, as OBJ_STRING and so on have them. */
export const TYPE_STRING = 0;
export const TYPE_LIST = 1;
export const TYPE_SET = 2;
export const TYPE_ZSET = 3;
export const TYPE_HASH = 4;
export const TYPE_MODULE = 5;
export const TYPE_STREAM = 6;

/** Encoding numbers, as OBJ_ENCODING_RAW and so on have them. */
export const ENCODING_RAW = 0;
export const ENCODING_INT = 1;
export const ENCODING_HASHTABLE = 2;
export const ENCODING_INTSET = 6;
export const ENCODING_SKIPLIST = 7;
export const ENCODING_EMBSTR = 8;
export const ENCODING_QUICKLIST = 9;
export const ENCODING_STREAM = 10;
export const ENCODING_LISTPACK = 11;
/** Encodings of values in two words, as bits. */
const WORDS_MASK: number =
  (1 << ENCODING_HASHTABLE) |
  (1 << ENCODING_SKIPLIST) |
  (1 << ENCODING_QUICKLIST) |
  (1 << ENCODING_STREAM);
const ENCODING_NAMES: readonly (string | undefined)[] = [
  'raw', 'int', 'hashtable', undefined, undefined, undefined, 'intset', 'skiplist', 'embstr',
  'quicklist', 'stream', 'listpack',
]; // prettier-ignore

/** Longest string of encoding embstr. Source: 7.0 object.c, OBJ_ENCODING_EMBSTR_SIZE_LIMIT. */
export const EMBSTR_BYTES_MAX = 44;
/** Longest value that stays inside its entry. */
export const INLINE_BYTES_MAX = 1024;

/** Latest expiry time an entry can have, unix milliseconds: 48 bits. */
export const EXPIRE_AT_MAX: number = 2 ** 48 - 1;

const HAS_EXPIRY = 1;
const KEY_WIDE = 2;
const VALUE_OUT = 4;
/** The expiry time was set by a client of this replica: its master will never delete the key. */
const OWN_EXPIRY = 8;
/** Upper half of the flags: one mark for each of four snapshots. */
export const SNAPSHOT_MARKS: readonly number[] = [0x10, 0x20, 0x40, 0x80];

const AT_FLAGS = 1;
const AT_LRU = 2;
const AT_KEY_SIZE = 5;
const EXPIRY_BYTES = 6;
const INT_BYTES = 8;
/** Bytes of the section of a value that is a block outside. */
export const OUT_BYTES = 8;
/** Bytes of the section of a large value. */
export const WORDS_BYTES = 8;
const TWO_32 = 0x1_0000_0000;

/** Bytes the value section needs for a string of `size` bytes that is not an integer. */
export function stringSectionBytes(size: number): number {
  if (size > INLINE_BYTES_MAX) return OUT_BYTES;
  return size < 128 ? size + 1 : size + 2;
}

/** Bytes an entry needs. */
export function entryBytes(keySize: number, sectionBytes: number, hasExpiry: boolean): number {
  return (
    AT_KEY_SIZE + (keySize < 256 ? 1 : 4) + (hasExpiry ? EXPIRY_BYTES : 0) + keySize + sectionBytes
  );
}

/**
 * Reads and writes the entries of one arena. Everything here takes a live ref; nothing here knows
 * of tables or hooks.
 */
export class Entries implements ElementKeys {
  readonly arena: Arena;
  /**
   * Marks that entries carry which no running snapshot waits for; new entries are born with them.
   */
  marks = 0;
  /** Marks of the running snapshots. */
  activeMarks = 0;
  readonly #hash: KeyHash;
  readonly #digits: Buffer = Buffer.alloc(DIGITS_MAX);
  readonly #key: BytesView = { buf: this.#digits, at: 0, size: 0 };
  readonly #value: BytesView = { buf: this.#digits, at: 0, size: 0 };

  constructor(arena: Arena, hash: KeyHash) {
    this.arena = arena;
    this.#hash = hash;
  }

  /**
   * A new string entry without expiry time or value yet: header, key, and room for `sectionBytes`
   * of value.
   */
  create(key: BytesView, sectionBytes: number, hasExpiry: boolean): Ref {
    const size = key.size;
    const ref = this.arena.alloc(entryBytes(size, sectionBytes, hasExpiry));
    const bytes = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const at = (ref & UNIT_MASK) << 3;
    bytes[at] = TYPE_STRING;
    bytes[at + AT_FLAGS] = this.marks | (hasExpiry ? HAS_EXPIRY : 0) | (size < 256 ? 0 : KEY_WIDE);
    let to = at + AT_KEY_SIZE;
    if (size < 256) bytes[to++] = size;
    else {
      writeU32(bytes, to, size);
      to += 4;
    }
    if (hasExpiry) to += EXPIRY_BYTES;
    this.#copyIn(key, ref, to);
    return ref;
  }

  hashOf(ref: Ref): number {
    const key = this.key(ref);
    return this.#hash.hash(key.buf, key.at, key.size);
  }

  hasKey(ref: Ref, buf: Uint8Array, at: number, size: number): boolean {
    const bytes = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const base = (ref & UNIT_MASK) << 3;
    const flags = bytes[base + AT_FLAGS]!;
    let keyAt = base + AT_KEY_SIZE + 1;
    if ((flags & KEY_WIDE) === 0) {
      if (bytes[base + AT_KEY_SIZE] !== size) return false;
    } else {
      if (readU32(bytes, base + AT_KEY_SIZE) !== size) return false;
      keyAt += 3;
    }
    if ((flags & HAS_EXPIRY) !== 0) keyAt += EXPIRY_BYTES;
    return sameBytes(bytes, keyAt, buf, at, size);
  }

  /** The key's bytes, in a view that the next call reuses. */
  key(ref: Ref): BytesView {
    const view = this.#key;
    view.buf = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const at = (ref & UNIT_MASK) << 3;
    const flags = view.buf[at + AT_FLAGS]!;
    const isWide = (flags & KEY_WIDE) !== 0;
    view.size = isWide ? readU32(view.buf, at + AT_KEY_SIZE) : view.buf[at + AT_KEY_SIZE]!;
    view.at = at + AT_KEY_SIZE + (isWide ? 4 : 1) + ((flags & HAS_EXPIRY) !== 0 ? EXPIRY_BYTES : 0);
    return view;
  }

  type(ref: Ref): number {
    return this.#bytes(ref)[(ref & UNIT_MASK) << 3]! & 15;
  }

  encoding(ref: Ref): number {
    return this.#bytes(ref)[(ref & UNIT_MASK) << 3]! >>> 4;
  }

  /** The encoding as OBJECT ENCODING names it. */
  encodingName(ref: Ref): string {
    // 7.0 knows lists of one kind only, whatever their size.
    if (this.type(ref) === TYPE_LIST) return 'quicklist';
    return ENCODING_NAMES[this.encoding(ref)] ?? 'unknown';
  }

  /** Whether the value is two words that lead to its blocks. */
  isLarge(ref: Ref): boolean {
    return ((WORDS_MASK >>> this.encoding(ref)) & 1) !== 0;
  }

  /** First word of a large value. */
  firstWord(ref: Ref): number {
    return readU32(this.#bytes(ref), this.sectionAt(ref)) | 0;
  }

  secondWord(ref: Ref): number {
    return readU32(this.#bytes(ref), this.sectionAt(ref) + 4) | 0;
  }

  putFirstWord(ref: Ref, word: number): void {
    writeU32(this.#bytes(ref), this.sectionAt(ref), word);
  }

  putSecondWord(ref: Ref, word: number): void {
    writeU32(this.#bytes(ref), this.sectionAt(ref) + 4, word);
  }

  /** Says what the value is; its section already fits that. */
  setKind(ref: Ref, type: number, encoding: number): void {
    this.#bytes(ref)[(ref & UNIT_MASK) << 3] = type | (encoding << 4);
    if (((WORDS_MASK >>> encoding) & 1) !== 0) this.#setOut(ref, false);
  }

  /** Makes the entry a string of this encoding. */
  setEncoding(ref: Ref, encoding: number): void {
    this.#bytes(ref)[(ref & UNIT_MASK) << 3] = TYPE_STRING | (encoding << 4);
  }

  isInt(ref: Ref): boolean {
    return this.#bytes(ref)[(ref & UNIT_MASK) << 3] === (TYPE_STRING | (ENCODING_INT << 4));
  }

  /** The integer of an entry that `isInt`; a `bigint` only beyond the safe integers. */
  intValue(ref: Ref): number | bigint {
    const at = this.sectionAt(ref);
    const bytes = this.#bytes(ref);
    const low = readU32(bytes, at);
    const high = readU32(bytes, at + 4) | 0;
    if (high >= -0x20_0000 && high < 0x20_0000) {
      const value = high * TWO_32 + low;
      if (Number.isSafeInteger(value)) return value;
    }
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** Writes the integer; the section has 8 bytes. */
  putInt(ref: Ref, value: number | bigint): void {
    const at = this.sectionAt(ref);
    const bytes = this.#bytes(ref);
    if (typeof value === 'number') {
      writeU32(bytes, at, value >>> 0);
      writeU32(bytes, at + 4, Math.floor(value / TWO_32));
    } else {
      writeU32(bytes, at, Number(value & 0xffff_ffffn));
      writeU32(bytes, at + 4, Number(value >> 32n));
    }
    this.#setOut(ref, false);
    this.setEncoding(ref, ENCODING_INT);
  }

  /**
   * Writes a string's bytes; the section has `stringSectionBytes(value.size)` and holds no block.
   */
  putString(ref: Ref, value: BytesView, encoding: number): void {
    this.setEncoding(ref, encoding);
    if (value.size > INLINE_BYTES_MAX) {
      const block = this.arena.alloc(value.size);
      const at = (block & UNIT_MASK) << 3;
      this.#copyIn(value, block, at);
      this.putOut(ref, block, value.size);
      return;
    }
    this.#setOut(ref, false);
    const to = this.putInlineSize(ref, value.size);
    this.#copyIn(value, ref, to);
  }

  #copyIn(value: BytesView, block: Ref, at: number): void {
    const view = this.arena.views[block >>> SLAB_SHIFT]!;
    copyIn(value.buf, value.at, this.#bytes(block), view, at, value.size);
  }

  /** Makes the value an outside block that has `size` bytes of it. */
  putOut(ref: Ref, block: Ref, size: number): void {
    this.#setOut(ref, true);
    const at = this.sectionAt(ref);
    writeU32(this.#bytes(ref), at, block);
    writeU32(this.#bytes(ref), at + 4, size);
  }

  /** Writes the size of an inline string and returns where in the slab its bytes start. */
  putInlineSize(ref: Ref, size: number): number {
    const bytes = this.#bytes(ref);
    const at = this.sectionAt(ref);
    if (size < 128) {
      bytes[at] = size;
      return at + 1;
    }
    bytes[at] = (size & 127) | 128;
    bytes[at + 1] = size >>> 7;
    return at + 2;
  }

  isOut(ref: Ref): boolean {
    return (this.#bytes(ref)[((ref & UNIT_MASK) << 3) + AT_FLAGS]! & VALUE_OUT) !== 0;
  }

  /** The block of an outside value. */
  outBlock(ref: Ref): Ref {
    return readU32(this.#bytes(ref), this.sectionAt(ref)) | 0;
  }

  /** A string's bytes (digits of an integer), in a view that the next call reuses. */
  stringView(ref: Ref): BytesView {
    const view = this.#value;
    if (this.isInt(ref)) {
      view.buf = this.#digits;
      view.at = writeDigits(this.#digits, DIGITS_MAX, this.intValue(ref));
      view.size = DIGITS_MAX - view.at;
      return view;
    }
    const bytes = this.#bytes(ref);
    const at = this.sectionAt(ref);
    if (this.isOut(ref)) {
      const block = readU32(bytes, at) | 0;
      view.buf = this.#bytes(block);
      view.at = (block & UNIT_MASK) << 3;
      view.size = readU32(bytes, at + 4);
      return view;
    }
    const first = bytes[at]!;
    view.buf = bytes;
    view.at = first < 128 ? at + 1 : at + 2;
    view.size = first < 128 ? first : (first & 127) | (bytes[at + 1]! << 7);
    return view;
  }

  stringSize(ref: Ref): number {
    return this.stringView(ref).size;
  }

  /** Where in its slab the value section starts. */
  sectionAt(ref: Ref): number {
    // As `key` computes it, but without writing the view, which nearly every command would do here.
    const bytes = this.arena.u8[ref >>> SLAB_SHIFT]!;
    const at = (ref & UNIT_MASK) << 3;
    const flags = bytes[at + AT_FLAGS]!;
    const expiryBytes = (flags & HAS_EXPIRY) !== 0 ? EXPIRY_BYTES : 0;
    if ((flags & KEY_WIDE) !== 0) {
      return at + AT_KEY_SIZE + 4 + expiryBytes + readU32(bytes, at + AT_KEY_SIZE);
    }
    return at + AT_KEY_SIZE + 1 + expiryBytes + bytes[at + AT_KEY_SIZE]!;
  }

  /** Bytes of the value section in use. */
  sectionBytes(ref: Ref): number {
    if (this.isInt(ref)) return INT_BYTES;
    if (this.isOut(ref)) return OUT_BYTES;
    if (this.isLarge(ref)) return WORDS_BYTES;
    const view = this.stringView(ref);
    return view.at + view.size - this.sectionAt(ref);
  }

  hasExpiry(ref: Ref): boolean {
    return (this.#bytes(ref)[((ref & UNIT_MASK) << 3) + AT_FLAGS]! & HAS_EXPIRY) !== 0;
  }

  /** Unix time in milliseconds at which the key expires, or -1. */
  expireAt(ref: Ref): number {
    if (!this.hasExpiry(ref)) return -1;
    const bytes = this.#bytes(ref);
    const at = this.key(ref).at - EXPIRY_BYTES;
    return readU32(bytes, at) + (bytes[at + 4]! | (bytes[at + 5]! << 8)) * TWO_32;
  }

  /** Whether a client of this replica set the expiry time. */
  hasOwnExpiry(ref: Ref): boolean {
    return (this.#bytes(ref)[((ref & UNIT_MASK) << 3) + AT_FLAGS]! & OWN_EXPIRY) !== 0;
  }

  /**
   * Writes the expiry time of an entry that has room for one. Divergence: times before 1970 are
   * kept as 0 and times after the year 10889 as EXPIRE_AT_MAX; Redis keeps 64 bits.
   */
  putExpiry(ref: Ref, unixTimeMs: number, isOwn: boolean): void {
    const bytes = this.#bytes(ref);
    const flagsAt = ((ref & UNIT_MASK) << 3) + AT_FLAGS;
    bytes[flagsAt] = isOwn ? bytes[flagsAt]! | OWN_EXPIRY : bytes[flagsAt]! & ~OWN_EXPIRY;
    const at = this.key(ref).at - EXPIRY_BYTES;
    const expireAtUnixMs = Math.min(Math.max(unixTimeMs, 0), EXPIRE_AT_MAX);
    const high = Math.floor(expireAtUnixMs / TWO_32);
    writeU32(bytes, at, expireAtUnixMs >>> 0);
    bytes[at + 4] = high;
    bytes[at + 5] = high >>> 8;
  }

  /** The 24 bits of LRU clock or LFU state. */
  lru(ref: Ref): number {
    const bytes = this.#bytes(ref);
    const at = ((ref & UNIT_MASK) << 3) + AT_LRU;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  }

  setLru(ref: Ref, lru: number): void {
    const bytes = this.#bytes(ref);
    const at = ((ref & UNIT_MASK) << 3) + AT_LRU;
    bytes[at] = lru;
    bytes[at + 1] = lru >>> 8;
    bytes[at + 2] = lru >>> 16;
  }

  /** Marks of running snapshots that still wait for this entry. */
  pendingMarks(ref: Ref): number {
    const flags = this.#bytes(ref)[((ref & UNIT_MASK) << 3) + AT_FLAGS]!;
    return (flags ^ this.marks) & this.activeMarks;
  }

  /** Notes that the snapshot with this mark has the entry. */
  setMark(ref: Ref, mark: number): void {
    const bytes = this.#bytes(ref);
    const at = ((ref & UNIT_MASK) << 3) + AT_FLAGS;
    bytes[at] = (bytes[at]! & ~mark) | (this.marks & mark);
  }

  /**
   * Copies type, encoding, place of the value, LRU bits, expiry (when `to` has room) and value
   * section, not the marks.
   */
  copyRest(from: Ref, to: Ref): void {
    const section = this.sectionBytes(from);
    const bytes = this.#bytes(from);
    const toBytes = this.#bytes(to);
    toBytes[(to & UNIT_MASK) << 3] = bytes[(from & UNIT_MASK) << 3]!;
    this.#setOut(to, this.isOut(from));
    this.setLru(to, this.lru(from));
    if (this.hasExpiry(from) && this.hasExpiry(to)) {
      this.putExpiry(to, this.expireAt(from), this.hasOwnExpiry(from));
    }
    const at = this.sectionAt(from);
    bytes.copy(toBytes, this.sectionAt(to), at, at + section);
  }

  /**
   * Bytes the entry and its value take, with the index's share; of a large value only the entry.
   * Source: measured, `table.ts`.
   */
  memoryUsage(ref: Ref): number {
    const outside = this.isOut(ref) ? this.arena.capacity(this.outBlock(ref)) : 0;
    return this.arena.capacity(ref) + outside + (this.hasExpiry(ref) ? 14 : 7);
  }

  #bytes(ref: Ref): Buffer {
    return this.arena.u8[ref >>> SLAB_SHIFT]!;
  }

  #setOut(ref: Ref, isOut: boolean): void {
    const bytes = this.#bytes(ref);
    const at = ((ref & UNIT_MASK) << 3) + AT_FLAGS;
    bytes[at] = isOut ? bytes[at]! | VALUE_OUT : bytes[at]! & ~VALUE_OUT;
  }
}
