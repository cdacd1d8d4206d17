/**
 * Ids of stream entries: two unsigned 64-bit numbers, milliseconds and a sequence. Kept as four
 * 32-bit words, so that all of them are exact and none makes garbage.
 */
import { DIGITS_MAX, writeDigits } from '../base/index.ts';
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import type { BytesView } from './entry.ts';
import type { TreeOrder } from './rank-reader.ts';

const TWO_32 = 0x1_0000_0000;
const DASH = 0x2d;
const ZERO = 0x30;
/** Longest text of an id: two numbers of 20 digits and a dash. */
const STREAM_ID_TEXT_MAX: number = 2 * DIGITS_MAX + 1;
/** Words of an id in a block: high and low of the milliseconds, high and low of the sequence. */
export const ID_WORDS = 4;

/** An unsigned 64-bit number of two words; a `bigint` only beyond the safe integers. */
export function unsigned64(high: number, low: number): number | bigint {
  if (high >>> 0 < 0x20_0000) return high * TWO_32 + (low >>> 0);
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** High word of a 64-bit integer. */
export function highWord(value: number | bigint): number {
  if (typeof value === 'number') return Math.floor(value / TWO_32) | 0;
  return Number(BigInt.asIntN(32, value >> 32n));
}

/** Low word of a 64-bit integer. */
export function lowWord(value: number | bigint): number {
  return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value));
}

/** The signed 64-bit integer in the words `at` (high) and `at + 1`. */
export function readInt64(words: Int32Array, at: number): number | bigint {
  const high = words[at]!;
  const low = words[at + 1]! >>> 0;
  if (high >= -0x20_0000 && high < 0x20_0000) {
    const value = high * TWO_32 + low;
    if (Number.isSafeInteger(value)) return value;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Writes a 64-bit integer into the words `at` (high) and `at + 1`. */
export function writeInt64(words: Int32Array, at: number, value: number | bigint): void {
  words[at] = highWord(value);
  words[at + 1] = lowWord(value);
}

/** Adds 1 to the 64-bit integer in the words `at` (high) and `at + 1`. */
export function increment64(words: Int32Array, at: number): void {
  const low = (words[at + 1]! + 1) | 0;
  words[at + 1] = low;
  if (low === 0) words[at] = words[at]! + 1;
}

/** One id, to be changed in place. */
export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;
  /** The text, its dash in a fixed place, and room to write the sequence's digits. */
  readonly #text: Buffer = Buffer.alloc(STREAM_ID_TEXT_MAX + DIGITS_MAX);
  /** The milliseconds that the text has; none while the view is empty. */
  #shownHigh = 0;
  #shownLow = 0;
  readonly #view: BytesView = { buf: this.#text, at: 0, size: 0 };

  /** Takes another id's value. */
  set(other: StreamId): this {
    this.msHigh = other.msHigh;
    this.msLow = other.msLow;
    this.seqHigh = other.seqHigh;
    this.seqLow = other.seqLow;
    return this;
  }

  /** The smallest id, which no entry has. */
  setZero(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = 0;
    return this;
  }

  /** The greatest id. */
  setMax(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = -1;
    return this;
  }

  setMs(ms: number | bigint): this {
    this.msHigh = highWord(ms);
    this.msLow = lowWord(ms);
    return this;
  }

  setSeq(seq: number | bigint): this {
    this.seqHigh = highWord(seq);
    this.seqLow = lowWord(seq);
    return this;
  }

  /** Milliseconds; a `bigint` only beyond the safe integers. */
  get ms(): number | bigint {
    return unsigned64(this.msHigh, this.msLow);
  }

  get seq(): number | bigint {
    return unsigned64(this.seqHigh, this.seqLow);
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0;
  }

  /** Whether no id with these milliseconds comes after it. */
  get isLastSeq(): boolean {
    return (this.seqHigh & this.seqLow) === -1;
  }

  get isMax(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1;
  }

  /** Reads it from words of a block. */
  read(words: Int32Array, at: number): this {
    this.msHigh = words[at]!;
    this.msLow = words[at + 1]!;
    this.seqHigh = words[at + 2]!;
    this.seqLow = words[at + 3]!;
    return this;
  }

  write(words: Int32Array, at: number): void {
    words[at] = this.msHigh;
    words[at + 1] = this.msLow;
    words[at + 2] = this.seqHigh;
    words[at + 3] = this.seqLow;
  }

  /** Below 0 when it comes before the other, 0 when they are the same, above 0 when behind. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return order(this.msHigh, other.msHigh);
    if (this.msLow !== other.msLow) return order(this.msLow, other.msLow);
    if (this.seqHigh !== other.seqHigh) return order(this.seqHigh, other.seqHigh);
    if (this.seqLow !== other.seqLow) return order(this.seqLow, other.seqLow);
    return 0;
  }

  /** Compares it with an id in a block. */
  compareAt(words: Int32Array, at: number): number {
    if (this.msHigh !== words[at]) return order(this.msHigh, words[at]!);
    if (this.msLow !== words[at + 1]) return order(this.msLow, words[at + 1]!);
    if (this.seqHigh !== words[at + 2]) return order(this.seqHigh, words[at + 2]!);
    if (this.seqLow !== words[at + 3]) return order(this.seqLow, words[at + 3]!);
    return 0;
  }

  /** Whether the milliseconds are the other's. */
  hasMsOf(other: StreamId): boolean {
    return this.msHigh === other.msHigh && this.msLow === other.msLow;
  }

  /** Goes to the next id; false (and 0-0) behind the last one. */
  increment(): boolean {
    this.seqLow = (this.seqLow + 1) | 0;
    if (this.seqLow !== 0) return true;
    this.seqHigh = (this.seqHigh + 1) | 0;
    if (this.seqHigh !== 0) return true;
    this.msLow = (this.msLow + 1) | 0;
    if (this.msLow !== 0) return true;
    this.msHigh = (this.msHigh + 1) | 0;
    return this.msHigh !== 0;
  }

  /** Goes to the id before; false (and the greatest) before the first one. */
  decrement(): boolean {
    this.seqLow = (this.seqLow - 1) | 0;
    if (this.seqLow !== -1) return true;
    this.seqHigh = (this.seqHigh - 1) | 0;
    if (this.seqHigh !== -1) return true;
    this.msLow = (this.msLow - 1) | 0;
    if (this.msLow !== -1) return true;
    this.msHigh = (this.msHigh - 1) | 0;
    return this.msHigh !== -1;
  }

  /** Adds two 64-bit differences, as entries of a block have them. */
  addDeltas(ms: number | bigint, seq: number | bigint): void {
    const msSum = (this.msLow >>> 0) + (lowWord(ms) >>> 0);
    this.msHigh = (this.msHigh + highWord(ms) + (msSum >= TWO_32 ? 1 : 0)) | 0;
    this.msLow = msSum | 0;
    const seqSum = (this.seqLow >>> 0) + (lowWord(seq) >>> 0);
    this.seqHigh = (this.seqHigh + highWord(seq) + (seqSum >= TWO_32 ? 1 : 0)) | 0;
    this.seqLow = seqSum | 0;
  }

  /** The text `ms-seq`, in a view that the next call reuses. */
  view(): BytesView {
    const text = this.#text;
    // Entries that follow each other often have the same milliseconds.
    if (this.msLow !== this.#shownLow || this.msHigh !== this.#shownHigh || this.#view.size === 0) {
      this.#shownLow = this.msLow;
      this.#shownHigh = this.msHigh;
      this.#view.at = writeDigits(text, DIGITS_MAX, this.ms);
      text[DIGITS_MAX] = DASH;
    }
    let end = DIGITS_MAX + 1;
    if (this.seqHigh === 0 && this.seqLow >>> 0 < 10) text[end++] = ZERO + this.seqLow;
    else {
      const from = writeDigits(text, STREAM_ID_TEXT_MAX + DIGITS_MAX, this.seq);
      for (let i = from; i < STREAM_ID_TEXT_MAX + DIGITS_MAX; i++) text[end++] = text[i]!;
    }
    this.#view.size = end - this.#view.at;
    return this.#view;
  }

  /** The text `ms-seq`. */
  text(): string {
    const { at, size } = this.view();
    return this.#text.toString('latin1', at, at + size);
  }
}

/** The order of two different unsigned words. */
function order(a: number, b: number): number {
  return a >>> 0 < b >>> 0 ? -1 : 1;
}

/** The signed 64-bit difference of two unsigned 64-bit numbers, each a high and a low word. */
export function difference64(
  high: number,
  low: number,
  fromHigh: number,
  fromLow: number,
): number | bigint {
  const lowest = (low >>> 0) - (fromLow >>> 0);
  const highest = (high - fromHigh - (lowest < 0 ? 1 : 0)) | 0;
  if (highest >= -0x20_0000 && highest < 0x20_0000) {
    const value = highest * TWO_32 + (lowest >>> 0);
    if (Number.isSafeInteger(value)) return value;
  }
  return (BigInt(highest) << 32n) | BigInt(lowest >>> 0);
}

/** The order of blocks of an arena that begin with an id. */
export class IdOrder implements TreeOrder {
  /** What is compared with them. */
  readonly probe: StreamId = new StreamId();
  readonly #views: Int32Array[];

  constructor(arena: Arena) {
    this.#views = arena.i32;
  }

  compare(ref: Ref): number {
    return this.probe.compareAt(this.#views[ref >>> SLAB_SHIFT]!, (ref & UNIT_MASK) << 1);
  }
}
