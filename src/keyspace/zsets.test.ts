/** Sorted sets against a sorted array, small and large, with snapshots, copies and memory coming back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, seededRng } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { BytesView } from './entry.ts';
import { Keyspace } from './keyspace.ts';
import { ZsetResult } from './zset-result.ts';
import type { LexEnd } from './zsets.ts';

type Pair = readonly [member: string, score: number];

const KEY = view('key');

function view(text: string): BytesView & { readonly buf: Buffer } {
  const buf = Buffer.from(text, 'latin1');
  return { buf, at: 0, size: buf.length };
}

function textOf({ buf, at, size }: BytesView): string {
  return Buffer.from(buf.subarray(at, at + size)).toString('latin1');
}

function compareTexts(a: string, b: string): number {
  return compareBytes(Buffer.from(a, 'latin1'), 0, a.length, Buffer.from(b, 'latin1'), 0, b.length);
}

class Bench {
  readonly keyspace = new Keyspace({
    rng: seededRng(1),
    databases: 2,
    hooks: { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} },
    limits: {
      'hash-max-listpack-entries': 512,
      'hash-max-listpack-value': 64,
      'list-max-listpack-size': -2,
      'set-max-intset-entries': 512,
      'stream-node-max-bytes': 4096,
      'stream-node-max-entries': 100,
      'zset-max-listpack-entries': 12,
      'zset-max-listpack-value': 30,
    },
  });
  readonly db = this.keyspace.db(0);

  get zsets() {
    return this.db.store.zsets;
  }

  find(key: BytesView = KEY): Ref {
    return this.db.find(key.buf as Buffer, 0, key.size);
  }

  put(member: string, score: number): void {
    const { db, zsets } = this;
    const name = view(member);
    const found = this.find();
    const ref = found === NONE ? zsets.create(db, KEY, name.size) : found;
    db.store.beforeChange(ref);
    const isThere = !Number.isNaN(zsets.find(ref, name.buf, 0, name.size));
    const to = isThere ? zsets.setScore(db, ref, score, name) : zsets.insert(db, ref, score, name);
    expect(to).toBe(this.find());
    db.changed(to);
  }

  remove(member: string): void {
    const { db, zsets } = this;
    const ref = this.find();
    if (ref === NONE) return;
    const name = view(member);
    if (Number.isNaN(zsets.find(ref, name.buf, 0, name.size))) return;
    db.store.beforeChange(ref);
    this.#settle(zsets.remove(db, ref));
  }

  removeRange(start: number, end: number): void {
    const { db, zsets } = this;
    const ref = this.find();
    db.store.beforeChange(ref);
    this.#settle(zsets.removeRange(db, ref, start, end));
  }

  #settle(ref: Ref): void {
    this.db.changed(ref);
    if (this.zsets.size(ref) === 0) this.db.drop(ref);
  }

  pairs(ref: Ref = this.find(), zsets = this.zsets): Pair[] {
    const pairs: Pair[] = [];
    if (ref !== NONE) zsets.forEach(ref, (member, score) => pairs.push([textOf(member), score]));
    return pairs;
  }

  drain(): void {
    while (this.keyspace.collect(100));
  }
}

const member = fc.oneof(
  fc.integer({ min: -3, max: 30 }).map(String),
  fc.string({ unit: fc.constantFrom('a', 'b', '\xff', '\0'), maxLength: 5 }),
  fc.constantFrom('x'.repeat(30), 'x'.repeat(31), 'y'.repeat(200)),
);
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0.1, 1e17, -(2 ** 62), 2 ** 63, Infinity, -Infinity, 127, 128, 4096, 70_000, 1e9),
  fc.double({ noNaN: true }).map((value) => value + 0),
);
const step = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'put', 'remove', 'removeRange'),
  member,
  score,
  at: fc.nat({ max: 50 }),
});

function sorted(model: ReadonlyMap<string, number>): Pair[] {
  return [...model].sort(([a, x], [b, y]) => (x === y ? compareTexts(a, b) : x < y ? -1 : 1));
}

/** Looks at a set from all sides. */
function check(bench: Bench, model: readonly Pair[]): void {
  const { zsets } = bench;
  expect(bench.pairs()).toEqual(model);
  const ref = bench.find();
  expect(ref === NONE).toBe(model.length === 0);
  if (ref === NONE) return;
  expect(zsets.size(ref)).toBe(model.length);
  for (const [rank, [name, value]] of model.entries()) {
    const { buf, size } = view(name);
    expect(zsets.rank(ref, buf, 0, size)).toBe(rank);
    expect(zsets.find(ref, buf, 0, size)).toBe(value);
    const others = model.map(([, other]) => other);
    for (const isMinOpen of [false, true]) {
      zsets.boundsByScore(ref, { min: value, max: Infinity, isMinOpen, isMaxOpen: false });
      expect(zsets.end).toBe(model.length);
      expect(zsets.start).toBe(others.filter((x) => (isMinOpen ? x <= value : x < value)).length);
      zsets.boundsByScore(ref, {
        min: -Infinity,
        max: value,
        isMinOpen: false,
        isMaxOpen: isMinOpen,
      });
      expect(zsets.start).toBe(0);
      expect(zsets.end).toBe(others.filter((x) => (isMinOpen ? x < value : x <= value)).length);
    }
  }
  expect(zsets.rank(ref, Buffer.from('none'), 0, 4)).toBe(-1);
  zsets.cursor.seek(ref, model.length - 1);
  for (const [name, value] of model.toReversed()) {
    expect([textOf(zsets.cursor), zsets.cursor.score]).toEqual([name, value]);
    zsets.cursor.previous();
  }
  expect(zsets.cursor.isHere).toBe(false);
}

test('a sorted set is what a sorted array is', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = new Bench();
      const model = new Map<string, number>();
      for (const { kind, member: name, score: value, at } of steps) {
        if (kind === 'put') {
          bench.put(name, value);
          model.set(name, value);
        } else if (kind === 'remove') {
          bench.remove(name);
          model.delete(name);
        } else if (at < model.size) {
          bench.removeRange(at, Math.min(at + 3, model.size));
          for (const [gone] of sorted(model).slice(at, at + 3)) model.delete(gone);
        }
        check(bench, sorted(model));
      }
      bench.db.flush();
    }),
    { seed: 4, numRuns: 150 },
  );
});

test('memory comes back when members go', () => {
  const bench = new Bench();
  const { arena } = bench.db.store;
  for (let i = 0; i < 5000; i++) bench.put(`member ${(i * 7919) % 5000}`, i % 37);
  expect(bench.pairs().length).toBe(5000);
  for (let i = 0; i < 5000; i++) bench.remove(`member ${i}`);
  expect(bench.find()).toBe(NONE);
  bench.drain();
  expect(arena.usedBytes).toBe(0);
});

test('a large set that is deleted goes in slices', () => {
  const bench = new Bench();
  const { store } = bench.db;
  for (let i = 0; i < 5000; i++) bench.put(`member ${i}`, i);
  bench.db.delete(bench.find());
  expect(store.rubbish.pendingCount).toBe(1);
  bench.drain();
  expect(store.arena.usedBytes).toBe(0);
});

test('a copy is equal and apart, in the same database and in another one', () => {
  for (const count of [5, 1000]) {
    const bench = new Bench();
    for (let i = 0; i < count; i++) bench.put(`member ${(i * 7919) % count}`, i / 3);
    const expected = bench.pairs();
    const other = bench.keyspace.db(1);
    const to = view('copy');
    bench.db.copyTo(bench.find(), bench.db, to.buf, 0, to.size);
    bench.db.copyTo(bench.find(), other, to.buf, 0, to.size);
    bench.removeRange(0, count);
    bench.drain();
    expect(bench.pairs(bench.find(to))).toEqual(expected);
    expect(bench.pairs(other.find(to.buf, 0, to.size), other.store.zsets)).toEqual(expected);
  }
});

test('a snapshot has a set as it was', () => {
  for (const count of [5, 1000]) {
    const bench = new Bench();
    for (let i = 0; i < count; i++) bench.put(`member ${i}`, i);
    const expected = bench.pairs();
    const seen: Pair[][] = [];
    const snapshot = bench.keyspace.startSnapshot((_db, _entries, ref) => {
      seen.push(bench.pairs(ref));
    });
    bench.put('member 0', 9999);
    bench.removeRange(0, 3);
    while (snapshot!.next(10));
    expect(seen).toEqual([expected]);
  }
});

test('a result becomes a listpack or a skiplist by the limits', () => {
  for (const [count, long, encoding] of [
    [12, '', 'listpack'],
    [13, '', 'skiplist'],
    [2, 'x'.repeat(31), 'skiplist'],
    // More than are kept aside without a tree, in number and in bytes.
    [40, '', 'skiplist'],
    [10, 'x'.repeat(1000), 'skiplist'],
  ] as const) {
    const bench = new Bench();
    const result = new ZsetResult(bench.db);
    const model = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const name = `${i}${long}`;
      result.add(0, view(name));
      result.put(100 - i, view(name));
      model.set(name, 100 - i);
    }
    expect(result.size).toBe(count);
    expect(result.scoreOf(view(`1${long}`))).toBe(99);
    result.store(KEY);
    expect(bench.db.entries.encodingName(bench.find())).toBe(encoding);
    check(bench, sorted(model));
  }
});

test('members between two others by their bytes', () => {
  const end = (text: string, isOpen: boolean): LexEnd => ({
    ...view(text.length === 1 && '-+'.includes(text) ? '' : text),
    infinity: text === '-' ? -1 : text === '+' ? 1 : 0,
    isOpen,
  });
  for (const count of [10, 26]) {
    const bench = new Bench();
    const letters = Array.from({ length: count }, (_, i) => String.fromCharCode(0x61 + i));
    for (const letter of letters) bench.put(letter, 0);
    const ref = bench.find();
    const { zsets } = bench;
    for (const isReverse of [false, true]) {
      const found = (min: LexEnd, max: LexEnd): string => {
        zsets.boundsByLex(ref, { min, max }, isReverse);
        return letters.slice(zsets.start, zsets.end).join('');
      };
      expect(found(end('c', false), end('e', false))).toBe('cde');
      expect(found(end('c', true), end('e', true))).toBe('d');
      expect(found(end('cc', false), end('ee', true))).toBe('de');
      expect(found(end('-', false), end('b', false))).toBe('ab');
      expect(found(end('h', false), end('+', false))).toBe(letters.slice(7).join(''));
      expect(found(end('+', false), end('-', false))).toBe('');
      expect(found(end('e', false), end('c', false))).toBe('');
      expect(found(end('c', true), end('c', false))).toBe('');
    }
  }
});
