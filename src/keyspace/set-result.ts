/**
 * A set that is being made beside the keys, such as the union of others, and then becomes the value
 * of a key or goes away.
 */
import { DIGITS_MAX, NOT_INTEGER, parseInt64, writeDigits } from '../base/index.ts';
import { INTSET_HEADER_BYTES, intsetPut, intsetWidthFor, writeIntsetHeader } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { Database } from './database.ts';
import { type BytesView, ENCODING_HASHTABLE, ENCODING_INTSET, TYPE_SET } from './entry.ts';
import type { Sets } from './sets.ts';
import { HASH_END } from './table.ts';

/** Integers that are kept as such, repeated ones included; more go into a table. */
const INTEGERS_MAX = 1024;

/** One set in the making; ends with `store` or `discard`. */
export class SetResult {
  readonly #db: Database;
  readonly #sets: Sets;
  /** While all members are integers and not many: in any order, some of them perhaps repeatedly. */
  #integers: number[] | undefined = [];
  #areIntegersSorted = true;
  /** Then they are in a table. */
  #table: number = NONE;
  #isAllIntegers = true;

  constructor(db: Database) {
    this.#db = db;
    this.#sets = db.store.sets;
  }

  get size(): number {
    return this.#sortedIntegers()?.length ?? this.#sets.tables.counts[this.#table]!;
  }

  /** Adds a member unless it is there. */
  add({ buf, at, size }: BytesView): void {
    if (this.#integers !== undefined) {
      const value = this.#sets.integerOf(buf, at, size);
      if (typeof value === 'number' && this.#integers.length < INTEGERS_MAX) {
        this.#integers.push(value);
        this.#areIntegersSorted = false;
        return;
      }
      this.#spread();
    }
    this.#addToTable(buf, at, size);
  }

  forEach(visit: (member: BytesView) => void): void {
    const integers = this.#sortedIntegers();
    if (integers !== undefined) return forEachDigits(integers, visit);
    const { tables, elements } = this.#sets;
    let position = 0;
    while (position < HASH_END) {
      position = tables.scan(this.#table, position, 1000, (ref) => visit(elements.name(ref)));
    }
  }

  /** Makes it, as it has members, the value of a key that is not there. Not counted as a change. */
  store(key: BytesView): Ref {
    const isIntset = this.#isAllIntegers && this.size <= this.#db.limits['set-max-intset-entries'];
    if (isIntset) {
      const view = packed(this.#sortedIntegers() ?? this.#tableIntegers());
      const ref = this.#db.addBlob(key, TYPE_SET, ENCODING_INTSET, view);
      this.discard();
      return ref;
    }
    this.#spread();
    const words = { first: this.#table, second: 0 };
    return this.#db.addLarge(key, TYPE_SET, ENCODING_HASHTABLE, words);
  }

  /** Makes it no intset, even if all its members are integers. */
  becomeTable(): void {
    this.#spread();
    this.#isAllIntegers = false;
  }

  discard(): void {
    if (this.#integers === undefined) this.#sets.discard(this.#table);
  }

  /** The integers are no longer kept as such. */
  #spread(): void {
    const integers = this.#sortedIntegers();
    if (integers === undefined) return;
    this.#integers = undefined;
    this.#table = this.#sets.tables.allocate();
    forEachDigits(integers, ({ buf, at, size }) => this.#addToTable(buf, at, size));
  }

  #addToTable(buf: Uint8Array, at: number, size: number): void {
    const { tables, elements } = this.#sets;
    const hash = elements.hash(buf, at, size);
    if (tables.find(this.#table, hash, buf, at, size) !== NONE) return;
    if (this.#isAllIntegers) this.#isAllIntegers = parseInt64(buf, at, size) !== NOT_INTEGER;
    tables.insert(this.#table, hash, elements.create(buf, at, size, 0));
  }

  /** The integers while they are kept as such, each once and rising. */
  #sortedIntegers(): readonly number[] | undefined {
    const integers = this.#integers;
    if (integers === undefined || this.#areIntegersSorted) return integers;
    integers.sort((a, b) => a - b);
    this.#integers = integers.filter((value, i) => i === 0 || value !== integers[i - 1]);
    this.#areIntegersSorted = true;
    return this.#integers;
  }

  #tableIntegers(): readonly (number | bigint)[] {
    const integers: (number | bigint)[] = [];
    this.forEach(({ buf, at, size }) => {
      const value = parseInt64(buf, at, size);
      if (value !== NOT_INTEGER) integers.push(value);
    });
    return integers.toSorted((a, b) => (a < b ? -1 : 1));
  }
}

function forEachDigits(integers: readonly number[], visit: (member: BytesView) => void): void {
  const buf = Buffer.allocUnsafe(DIGITS_MAX);
  for (const value of integers) {
    const at = writeDigits(buf, DIGITS_MAX, value);
    visit({ buf, at, size: DIGITS_MAX - at });
  }
}

/** An intset of integers that rise. */
function packed(integers: readonly (number | bigint)[]): BytesView {
  const first = intsetWidthFor(integers[0]!);
  const width = Math.max(first, intsetWidthFor(integers.at(-1)!));
  const size = INTSET_HEADER_BYTES + integers.length * width;
  const buf = Buffer.alloc(size);
  writeIntsetHeader(buf, 0, width, integers.length);
  for (const [i, value] of integers.entries()) intsetPut(buf, 0, width, i, value);
  return { buf, at: 0, size };
}
