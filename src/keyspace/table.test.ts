/** Tables against a Map, and what a cursor promises while they grow and shrink. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import type { BytesView } from './entry.ts';
import { type ElementKeys, HASH_END, TableSet } from './table.ts';

/** Elements of 8 bytes whose key is a 32-bit number; `bits` of its mixed value make the hash. */
class NumberKeys implements ElementKeys {
  readonly arena = new Arena();
  readonly #mask: number;
  constructor(mask: number) {
    this.#mask = mask;
  }
  hash(key: number): number {
    return Math.imul(key ^ (key >>> 15), 0x2c1b3c6d) & this.#mask;
  }
  keyOf(ref: Ref): number {
    return this.arena.i32[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1]!;
  }
  hashOf(ref: Ref): number {
    return this.hash(this.keyOf(ref));
  }
  hasKey(ref: Ref, buf: Uint8Array, at: number): boolean {
    return this.keyOf(ref) === Buffer.from(buf).readInt32LE(at);
  }
}

class NumberSet {
  readonly keys: NumberKeys;
  readonly tables: TableSet;
  readonly #buf = Buffer.alloc(4);
  constructor(mask = -1, tables = 1) {
    this.keys = new NumberKeys(mask);
    this.tables = new TableSet(this.keys.arena, this.keys, tables);
  }
  find(key: number, table = 0): Ref {
    this.#buf.writeInt32LE(key);
    return this.tables.find(table, this.keys.hash(key), this.#buf, 0, 4);
  }
  add(key: number, table = 0): void {
    if (this.find(key, table) !== NONE) return;
    const ref = this.keys.arena.alloc(8);
    this.keys.arena.i32[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1] = key;
    this.tables.insert(table, this.keys.hash(key), ref);
  }
  /** Adds keys as one batch; says which were refused. */
  addBatch(numbers: readonly number[]): number[] {
    const { arena } = this.keys;
    const refs = Int32Array.from(numbers, (key) => {
      const ref = arena.alloc(8);
      arena.i32[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1] = key;
      return ref;
    });
    const hashes = Int32Array.from(numbers, (key) => this.keys.hash(key));
    const order = Uint16Array.from(numbers.keys()).sort(
      (a, b) => (hashes[a]! >>> 0) - (hashes[b]! >>> 0),
    );
    const batch = { hashes, refs, order, refused: [] as number[] };
    const key = (ref: Ref): BytesView => {
      this.#buf.writeInt32LE(this.keys.keyOf(ref));
      return { buf: this.#buf, at: 0, size: 4 };
    };
    this.tables.insertBatch(0, batch, { from: 0, end: numbers.length }, { key });
    for (const at of batch.refused) arena.free(refs[at]!);
    return batch.refused.map((at) => numbers[at]!);
  }
  delete(key: number, table = 0): void {
    const ref = this.find(key, table);
    if (ref === NONE) return;
    this.tables.remove(table, this.keys.hash(key), ref);
    this.keys.arena.free(ref);
  }
  scan(cursor: number, count: number, visit: (key: number) => void, table = 0): number {
    return this.tables.scan(table, cursor, count, (ref) => visit(this.keys.keyOf(ref)));
  }
}

test.each([
  ['spread', -1],
  ['all equal', 0],
  ['equal in their upper half', 0xffff],
  ['equal in their lower half', 0xffff0000 | 0],
])('a table answers as a set does when hashes are %s', (_name, mask) => {
  const step = fc.tuple(fc.boolean(), fc.nat({ max: 2000 }), fc.nat({ max: 700 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: mask === -1 ? 12 : 6 }), (steps) => {
      const set = new NumberSet(mask);
      const model = new Set<number>();
      for (const [isAdd, from, count] of steps) {
        for (let key = from; key < from + count; key++) {
          if (isAdd) set.add(key);
          else set.delete(key);
          if (isAdd) model.add(key);
          else model.delete(key);
        }
        expect(set.tables.size).toBe(model.size);
        for (let key = 0; key < 2700; key += 13) {
          expect(set.find(key) !== NONE).toBe(model.has(key));
        }
        const seen: number[] = [];
        expect(set.scan(0, 1e9, (key) => seen.push(key))).toBe(HASH_END);
        expect(seen.sort((a, b) => a - b)).toEqual([...model].sort((a, b) => a - b));
      }
      for (const key of model) set.delete(key);
      expect(set.keys.arena.usedBytes).toBe(0);
    }),
    { seed: 1, numRuns: mask === -1 ? 15 : 5 },
  );
});

test.each([
  ['spread', -1, 3000],
  ['all equal', 0, 300],
  ['equal in their upper half', 0xffff, 3000],
  ['equal in their lower half', 0xffff0000 | 0, 3000],
])('of a batch those are in whose keys are new when hashes are %s', (_name, mask, keyMax) => {
  const batch = fc.tuple(fc.nat({ max: keyMax }), fc.nat({ max: keyMax / 3 }), fc.nat({ max: 9 }));
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 8 }), fc.boolean(), (batches, isReserved) => {
      const set = new NumberSet(mask);
      if (isReserved) set.tables.reserve(0, 2000);
      const model = new Set<number>();
      for (const [from, count, twice] of batches) {
        const numbers = Array.from({ length: count }, (_, i) => from + i);
        numbers.push(...numbers.slice(0, twice));
        const known = numbers.filter((key) => {
          const isKnown = model.has(key);
          model.add(key);
          return isKnown;
        });
        const byNumber = (a: number, b: number): number => a - b;
        expect(set.addBatch(numbers).sort(byNumber)).toEqual(known.sort(byNumber));
        expect(set.tables.size).toBe(model.size);
        const seen: number[] = [];
        set.scan(0, 1e9, (key) => seen.push(key));
        expect(seen.sort(byNumber)).toEqual([...model].sort(byNumber));
        expect([...model].filter((key) => set.find(key) === NONE)).toEqual([]);
      }
    }),
    { seed: 1, numRuns: 5 },
  );
});

test('a scan visits every element that stays, whatever grows and shrinks between its calls', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 20, max: 300 }), (seed, count) => {
      const rng = seededRng(seed);
      const set = new NumberSet();
      const stays = 400;
      for (let key = 0; key < stays; key++) set.add(key);
      const seen = new Set<number>();
      let cursor = 0;
      let from = stays;
      let to = stays;
      while (cursor < HASH_END) {
        cursor = set.scan(cursor, count, (key) => seen.add(key));
        const isGrowing = rng.below(2) === 0;
        for (let i = rng.below(800); i > 0; i--) {
          if (isGrowing) set.add(to++);
          else if (from < to) set.delete(from++);
        }
      }
      for (let key = 0; key < stays; key++) expect(seen.has(key)).toBe(true);
    }),
    { seed: 2, numRuns: 10 },
  );
});

test('a scan of a table that stands still visits each element once, about as many a call as asked', () => {
  const set = new NumberSet();
  for (let key = 0; key < 20_000; key++) set.add(key);
  let visited = 0;
  let calls = 0;
  for (let cursor = 0; cursor < HASH_END; calls++) cursor = set.scan(cursor, 10, () => visited++);
  expect(visited).toBe(20_000);
  expect(calls).toBeGreaterThan(1900);
  expect(calls).toBeLessThanOrEqual(2001);
});

test('the visitor of a scan may remove what it is given', () => {
  const set = new NumberSet();
  for (let key = 0; key < 5000; key++) set.add(key);
  for (let cursor = 0; cursor < HASH_END;) cursor = set.scan(cursor, 64, (key) => set.delete(key));
  expect(set.tables.size).toBe(0);
  expect(set.keys.arena.usedBytes).toBe(0);
});

function takeApart(tables: TableSet, table: number): void {
  const count = tables.counts[table]!;
  let visited = 0;
  for (let at = 0; at < HASH_END;) at = tables.dismantle(table, at, 100, () => visited++);
  expect(visited).toBe(count);
}

test('tables are made and given back one by one', () => {
  const set = new NumberSet(-1, 0);
  const tables = Array.from({ length: 40 }, () => set.tables.allocate());
  expect(new Set(tables).size).toBe(40);
  for (const table of tables) for (let key = 0; key < 300; key++) set.add(key, table);
  for (const table of tables.slice(10)) {
    takeApart(set.tables, table);
    set.tables.release(table);
  }
  expect(set.find(299, tables[9])).not.toBe(NONE);
  expect(set.tables.size).toBe(3000);
  expect(tables.slice(10)).toContain(set.tables.allocate());
});

test('tables of a set are apart, and taking one apart leaves the others', () => {
  const set = new NumberSet(-1, 3);
  for (let key = 0; key < 2000; key++) set.add(key, key % 3);
  expect(set.find(4, 1)).not.toBe(NONE);
  expect(set.find(4, 0)).toBe(NONE);
  takeApart(set.tables, 1);
  expect([...set.tables.counts]).toEqual([667, 0, 666]);
  expect(set.find(4, 1)).toBe(NONE);
  expect(set.find(5, 2)).not.toBe(NONE);
  takeApart(set.tables, 0);
  takeApart(set.tables, 2);
  expect(set.keys.arena.usedBytes).toBe(2000 * 8);
});

test('the index costs less than seven bytes an element', () => {
  const set = new NumberSet();
  for (let key = 0; key < 300_000; key++) set.add(key);
  expect((set.keys.arena.usedBytes - 300_000 * 8) / 300_000).toBeLessThan(7);
});

test('random elements come from all over the table', () => {
  const set = new NumberSet();
  for (let key = 0; key < 1000; key++) set.add(key);
  const rng = seededRng(7);
  const times = new Int32Array(1000);
  for (let i = 0; i < 100_000; i++) times[set.keys.keyOf(set.tables.random(0, rng))]!++;
  // Five standard deviations of a fair draw.
  expect(Math.min(...times)).toBeGreaterThan(50);
  expect(Math.max(...times)).toBeLessThan(150);
});

test('a table that grows far and shrinks again loses nothing on the way', () => {
  const set = new NumberSet();
  const size = 60_000;
  for (let key = 0; key < size; key++) set.add(key);
  for (let left = size; left > 0; left = Math.floor(left / 3)) {
    for (let key = left; key < left * 3 + 3 && key < size; key++) set.delete(key);
    const seen: number[] = [];
    for (let at = 0; at < HASH_END;) at = set.scan(at, 500, (key) => seen.push(key));
    expect(seen.length).toBe(left);
    expect(new Set(seen).size).toBe(left);
    expect(seen.every((key) => key < left && set.find(key) !== NONE)).toBe(true);
  }
  set.delete(0);
  expect(set.keys.arena.usedBytes).toBe(0);
});

test('elements of equal hash come in one call, so that a cursor never stands still', () => {
  const set = new NumberSet(0);
  for (let key = 0; key < 300; key++) set.add(key);
  let visited = 0;
  expect(set.scan(0, 10, () => visited++)).toBe(HASH_END);
  expect(visited).toBe(300);
});

test.each([0, 1, 239, 240, 1000, 100_000])(
  'a table with room for %i takes fewer and more',
  (room) => {
    for (const count of [0, 1, Math.floor(room / 50), Math.floor(room * 1.3)]) {
      const set = new NumberSet();
      set.tables.reserve(0, room);
      for (let key = 0; key < count; key++) set.add(key);
      expect(set.tables.size).toBe(count);
      for (let key = 0; key < count; key++) expect(set.find(key)).not.toBe(NONE);
      expect(set.find(count)).toBe(NONE);
      let seen = 0;
      expect(set.scan(0, count + 1, () => seen++)).toBe(HASH_END);
      expect(seen).toBe(count);
      if (count > 0) expect(set.tables.random(0, seededRng(1))).not.toBe(NONE);
      for (let key = 0; key < count; key++) set.delete(key);
      expect(set.tables.size).toBe(0);
    }
  },
);
