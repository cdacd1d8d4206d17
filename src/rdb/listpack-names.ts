/** Whether the elements of a listpack, or every second of them, differ from one another. */
import { listpackNext, ListpackReader } from './listpack.ts';

/** Up to so many a hash table is used, whose worst case (made on purpose) compares each with each. */
const HASHED_COUNT_MAX = 1024;

/** Keeps its working space for the next listpack. */
export class ListpackNames {
  readonly #one: ListpackReader = new ListpackReader();
  readonly #other: ListpackReader = new ListpackReader();
  readonly #seen: Int32Array = new Int32Array(2 * HASHED_COUNT_MAX);

  /**
   * Looks at `count` elements of a sound listpack whose first is at `first`; of each `step` (1 or 2) elements the
   * first counts.
   */
  differ(buf: Uint8Array, first: number, count: number, step: 1 | 2): boolean {
    return count <= HASHED_COUNT_MAX
      ? this.#differHashed(buf, first, count, step)
      : this.#differSorted(buf, first, count, step);
  }

  #differHashed(buf: Uint8Array, first: number, count: number, step: 1 | 2): boolean {
    let slots = 8;
    while (slots < 2 * count) slots *= 2;
    const seen = this.#seen;
    // Most are small, and then a loop is faster than a call of the engine's own.
    for (let i = 0; i < slots; i++) seen[i] = -1;
    let pos = first;
    for (let i = 0; i < count; i++) {
      const next = this.#one.read(buf, pos);
      let slot = hash(this.#one) & (slots - 1);
      for (let before = seen[slot]!; before >= 0; before = seen[slot]!) {
        this.#other.read(buf, before);
        if (this.#one.is(this.#other.buf, this.#other.at, this.#other.size)) return false;
        slot = (slot + 1) & (slots - 1);
      }
      seen[slot] = pos;
      pos = step === 2 ? listpackNext(buf, next) : next;
    }
    return true;
  }

  /** Takes n log n comparisons whatever the names are. */
  #differSorted(buf: Uint8Array, first: number, count: number, step: 1 | 2): boolean {
    const places = new Uint32Array(count);
    let pos = first;
    for (let i = 0; i < count; i++) {
      places[i] = pos;
      const next = listpackNext(buf, pos);
      pos = step === 2 ? listpackNext(buf, next) : next;
    }
    places.sort((a, b) => this.#compare(buf, a, b));
    for (let i = 1; i < count; i++) {
      if (this.#compare(buf, places[i - 1]!, places[i]!) === 0) return false;
    }
    return true;
  }

  #compare(buf: Uint8Array, a: number, b: number): number {
    this.#one.read(buf, a);
    this.#other.read(buf, b);
    return compareElements(this.#one, this.#other);
  }
}

/** Order of two elements by their bytes, as sorted sets have them. */
export function compareElements(a: ListpackReader, b: ListpackReader): number {
  const size = Math.min(a.size, b.size);
  for (let i = 0; i < size; i++) {
    const difference = a.buf[a.at + i]! - b.buf[b.at + i]!;
    if (difference !== 0) return difference;
  }
  return a.size - b.size;
}

function hash({ buf, at, size }: ListpackReader): number {
  let value = size;
  for (let i = 0; i < size; i++) value = Math.imul(value ^ buf[at + i]!, 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
