/** Many byte strings in one buffer, so that no object stands for one: what SORT sorts, what a geo search finds. */
import { compareBytes, copyBytes } from '../base/index.ts';
import type { BytesView } from '../keyspace/index.ts';

// Most that is sorted is small, and what begins small is cheap to begin.
const BYTES_MIN = 256;
const COUNT_MIN = 8;
/** Bytes whose number a double holds exactly. */
const KEY_BYTES = 6;

/** Byte strings one behind the other; some of them may be absent. */
export class PackedTexts {
  count = 0;
  #bytes: Buffer = Buffer.allocUnsafe(BYTES_MIN);
  #used = 0;
  /** Where each ends, and where the next begins; doubled when full. */
  #ends: Float64Array;
  #isAbsent: Uint8Array;
  readonly #view: BytesView = { buf: this.#bytes, at: 0, size: 0 };

  /** `countHint`: how many there will be, if that is known. */
  constructor(countHint: number = COUNT_MIN) {
    const room = Math.max(countHint, COUNT_MIN);
    this.#ends = new Float64Array(room);
    this.#isAbsent = new Uint8Array(room);
  }

  add({ buf, at, size }: Readonly<BytesView>): void {
    if (this.#used + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#used + size, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    copyBytes(buf, at, this.#bytes, this.#used, size);
    this.#used += size;
    this.#close(0);
  }

  addAbsent(): void {
    this.#close(1);
  }

  isAbsent(index: number): boolean {
    return this.#isAbsent[index] === 1;
  }

  /** The bytes of one, in a view that the next call reuses. */
  view(index: number): BytesView {
    const view = this.#view;
    view.buf = this.#bytes;
    view.at = this.#startOf(index);
    view.size = this.#ends[index]! - view.at;
    return view;
  }

  /** The order of two by their bytes; absent ones come first. */
  compare(a: number, b: number): number {
    if (this.isAbsent(a) || this.isAbsent(b)) return this.#isAbsent[b]! - this.#isAbsent[a]!;
    const bytes = this.#bytes;
    const aAt = this.#startOf(a);
    const bAt = this.#startOf(b);
    return compareBytes(bytes, aAt, this.#ends[a]! - aAt, bytes, bAt, this.#ends[b]! - bAt);
  }

  /** The order of two as texts of C, which end at a zero byte; absent ones come first. */
  collate(a: number, b: number): number {
    if (this.isAbsent(a) || this.isAbsent(b)) return this.#isAbsent[b]! - this.#isAbsent[a]!;
    const bytes = this.#bytes;
    const aEnd = this.#ends[a]!;
    const bEnd = this.#ends[b]!;
    for (let aAt = this.#startOf(a), bAt = this.#startOf(b); ; aAt++, bAt++) {
      const first = aAt < aEnd ? bytes[aAt]! : 0;
      const second = bAt < bEnd ? bytes[bAt]! : 0;
      if (first !== second || first === 0) return first - second;
    }
  }

  /**
   * A number for each text, in their order as far as they differ early: what comes behind the bytes that all begin with,
   * up to a zero byte. Texts of the same number are to be compared.
   */
  textKeys(): Float64Array {
    const shared = this.#sharedBytes();
    const keys = new Float64Array(this.count);
    for (let i = 0; i < keys.length; i++)
      keys[i] = this.isAbsent(i) ? -1 : this.#keyFrom(i, shared);
    return keys;
  }

  #keyFrom(index: number, offset: number): number {
    const end = this.#ends[index]!;
    let key = 0;
    let isOver = false;
    for (let at = this.#startOf(index) + offset, i = 0; i < KEY_BYTES; at++, i++) {
      const byte: number = isOver || at >= end ? 0 : this.#bytes[at]!;
      isOver ||= byte === 0;
      key = key * 256 + byte;
    }
    return key;
  }

  /** How many bytes all texts begin with, none of them zero. */
  #sharedBytes(): number {
    const bytes = this.#bytes;
    let first = -1;
    let shared = Infinity;
    for (let i = 0; i < this.count && shared > 0; i++) {
      if (this.isAbsent(i)) continue;
      const start = this.#startOf(i);
      if (first < 0) first = start;
      const sizeMax = Math.min(shared, this.#ends[i]! - start);
      let size = 0;
      while (size < sizeMax && bytes[start + size] === bytes[first + size]) {
        if (bytes[start + size] === 0) break;
        size++;
      }
      shared = size;
    }
    return shared === Infinity ? 0 : shared;
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  #close(isAbsent: number): void {
    if (this.count === this.#ends.length) {
      const ends = new Float64Array(this.count * 2);
      ends.set(this.#ends);
      this.#ends = ends;
      const marks = new Uint8Array(this.count * 2);
      marks.set(this.#isAbsent);
      this.#isAbsent = marks;
    }
    this.#isAbsent[this.count] = isAbsent;
    this.#ends[this.count++] = this.#used;
  }
}
