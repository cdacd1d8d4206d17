/** Hashes against JavaScript's maps, with snapshots, copies and memory coming back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { isListpackSound } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { KEY, ValueBench, textOf, view } from './test-values.ts';

class Bench extends ValueBench {
  get hashes() {
    return this.db.store.hashes;
  }

  set(field: string, value: string): boolean {
    const { db, hashes } = this;
    const found = this.find();
    const ref = found === NONE ? hashes.create(db, KEY) : found;
    const to = hashes.set(db, ref, view(field), view(value));
    expect(to).toBe(this.find());
    return hashes.isChanged;
  }

  get(field: string): string | undefined {
    const { buf, size } = view(field);
    const ref = this.find();
    const value = ref === NONE ? undefined : this.hashes.get(ref, buf, 0, size);
    return value === undefined ? undefined : textOf(value);
  }

  remove(field: string): boolean {
    const { db, hashes } = this;
    const { buf, size } = view(field);
    const ref = this.find();
    if (ref === NONE) return false;
    const to = hashes.remove(db, ref, buf, 0, size);
    const { isChanged } = hashes;
    if (hashes.size(to) === 0) db.drop(to);
    return isChanged;
  }

  pairs(ref: Ref = this.find()): [string, string][] {
    const found: [string, string][] = [];
    if (ref === NONE) return found;
    this.hashes.forEach(ref, (field, value) => found.push([textOf(field), textOf(value)]));
    return found;
  }

  expectSound(): void {
    const ref = this.find();
    if (ref === NONE || this.db.entries.isLarge(ref)) return;
    const { buf, at, size } = this.db.entries.stringView(ref);
    expect(isListpackSound(buf, at, size)).toBe(true);
  }
}

const texts = fc.oneof(
  fc.integer({ min: -300, max: 300 }).map(String),
  fc.constantFrom('', '01', 'abc', 'x'.repeat(8), 'x'.repeat(9), 'y'.repeat(300)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
);
const fields = fc.oneof(
  fc.integer({ min: 0, max: 8 }).map((i) => `f${i}`),
  texts,
);

test('a hash is what a map says it is, whatever its encoding', () => {
  const step = fc.record({ isSetting: fc.boolean(), field: fields, value: texts });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bench = new Bench();
      const model = new Map<string, string>();
      const { usedBytes } = bench.keyspace.memory;
      for (const { isSetting, field, value } of steps) {
        if (isSetting) {
          expect(bench.set(field, value)).toBe(!model.has(field));
          model.set(field, value);
        } else expect(bench.remove(field)).toBe(model.delete(field));
        bench.expectSound();
        expect(bench.get(field)).toBe(model.get(field));
      }
      if (model.size > 0) {
        const ref = bench.find();
        if (!bench.db.entries.isLarge(ref)) expect(bench.pairs()).toEqual([...model]);
        expect(new Map(bench.pairs())).toEqual(model);
        expect(bench.hashes.size(ref)).toBe(model.size);
        bench.db.delete(ref);
      }
      bench.drain();
      expect(bench.keyspace.memory.usedBytes).toBe(usedBytes);
    }),
  );
});

test('many fields or a long one make a table', () => {
  const bench = new Bench();
  for (let i = 0; i < 4; i++) bench.set(`f${i}`, 'v');
  expect(bench.db.entries.encodingName(bench.find())).toBe('listpack');
  bench.set('f4', 'v');
  expect(bench.db.entries.encodingName(bench.find())).toBe('hashtable');
  bench.db.delete(bench.find());
  bench.set('f', 'x'.repeat(9));
  expect(bench.db.entries.encodingName(bench.find())).toBe('hashtable');
});

test('pairs that make a hash in one go make the same as one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fields, texts), { minLength: 1, maxLength: 6 }), (pairs) => {
      const single = new Bench();
      for (const [field, value] of pairs) single.set(field, value);
      const bench = new Bench();
      const pieces = pairs.flat().map((text) => Buffer.from(text, 'latin1'));
      const buf = Buffer.concat(pieces);
      const size = Int32Array.from(pieces, (piece) => piece.length);
      const at = Int32Array.from(pieces, (_, i) =>
        pieces.slice(0, i).reduce((sum, piece) => sum + piece.length, 0),
      );
      bench.hashes.createWith(bench.db, KEY, { buf, at, size }, 0, pieces.length);
      if (!bench.hashes.isChanged) for (const [field, value] of pairs) bench.set(field, value);
      bench.expectSound();
      expect(new Map(bench.pairs())).toEqual(new Map(single.pairs()));
      const name = bench.db.entries.encodingName(bench.find());
      expect(name).toBe(single.db.entries.encodingName(single.find()));
    }),
  );
});

test('a copy and a snapshot keep what they took', () => {
  for (const count of [3, 600]) {
    const bench = new Bench();
    for (let i = 0; i < count; i++) bench.set(`f${i}`, `v${i}`.repeat(i % 3));
    const before = new Map(bench.pairs());
    let seen = new Map<string, string>();
    const snapshot = bench.keyspace.startSnapshot((_index, _entries, ref) => {
      seen = new Map(bench.pairs(ref));
    });
    const other = bench.keyspace.db(1);
    const copy = bench.db.copyTo(bench.find(), other, KEY.buf, 0, KEY.size);
    bench.set('f0', 'changed');
    bench.remove('f1');
    while (snapshot!.next(100));
    expect(seen).toEqual(before);
    const copied = new Map<string, string>();
    other.store.hashes.forEach(copy, (field, value) => copied.set(textOf(field), textOf(value)));
    expect(copied).toEqual(before);
  }
});

test('a field is drawn with its value, each as often as the others', () => {
  for (const count of [4, 200]) {
    const bench = new Bench();
    for (let i = 0; i < count; i++) bench.set(`f${i}`, `v${i}`);
    const rng = seededRng(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < count * 100; i++) {
      bench.hashes.random(bench.find(), rng);
      const field = textOf(bench.hashes.field);
      expect(textOf(bench.hashes.value)).toBe(`v${field.slice(1)}`);
      counts.set(field, (counts.get(field) ?? 0) + 1);
    }
    let chiSquare = 0;
    for (let i = 0; i < count; i++) chiSquare += ((counts.get(`f${i}`) ?? 0) - 100) ** 2 / 100;
    // Five standard deviations of the chi-square distribution.
    expect(chiSquare).toBeLessThan(count - 1 + 5 * Math.sqrt(2 * (count - 1)));
  }
});
