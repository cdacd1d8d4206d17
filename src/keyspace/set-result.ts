/**
 * A set that is being made beside the keys, such as the union of others, and then becomes the value
 * of a key or goes away.
 */
import { NOT_INTEGER, parseInt64 } from '../base/index.ts';
import { INTSET_HEADER_BYTES, intsetPut, intsetWidthFor, writeIntsetHeader } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { Database } from './database.ts';
import { type BytesView, ENCODING_HASHTABLE, ENCODING_INTSET, TYPE_SET } from './entry.ts';
import type { Sets } from './sets.ts';
import { HASH_END } from './table.ts';

/** One set in the making; ends with `store` or `discard`. */
export class SetResult {
  readonly #db: Database;
  readonly #sets: Sets;
  readonly #table: number;
  #isAllIntegers = true;

  constructor(db: Database) {
    this.#db = db;
    this.#sets = db.store.sets;
    this.#table = this.#sets.tables.allocate();
  }

  get size(): number {
    return this.#sets.tables.counts[this.#table]!;
  }

  /** Adds a member unless it is there. */
  add({ buf, at, size }: BytesView): void {
    const { tables, elements } = this.#sets;
    const hash = elements.hash(buf, at, size);
    if (tables.find(this.#table, hash, buf, at, size) !== NONE) return;
    if (this.#isAllIntegers) this.#isAllIntegers = parseInt64(buf, at, size) !== NOT_INTEGER;
    tables.insert(this.#table, hash, elements.create(buf, at, size, 0));
  }

  forEach(visit: (member: BytesView) => void): void {
    const { tables, elements } = this.#sets;
    let position = 0;
    while (position < HASH_END) {
      position = tables.scan(this.#table, position, 1000, (ref) => visit(elements.name(ref)));
    }
  }

  /** Makes it, as it has members, the value of a key that is not there. Not counted as a change. */
  store(key: BytesView): Ref {
    if (!this.#isAllIntegers || this.size > this.#db.limits['set-max-intset-entries']) {
      const words = { first: this.#table, second: 0 };
      return this.#db.addLarge(key, TYPE_SET, ENCODING_HASHTABLE, words);
    }
    const integers: (number | bigint)[] = [];
    this.forEach(({ buf, at, size }) => {
      const value = parseInt64(buf, at, size);
      if (value !== NOT_INTEGER) integers.push(value);
    });
    integers.sort((a, b) => (a < b ? -1 : 1));
    const ref = this.#db.addBlob(key, TYPE_SET, ENCODING_INTSET, packed(integers));
    this.discard();
    return ref;
  }

  discard(): void {
    this.#sets.discard(this.#table);
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
