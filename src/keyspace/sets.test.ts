/** Sets against JavaScript's own, with snapshots, copies and memory coming back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import { SetResult } from './set-result.ts';
import { KEY, ValueBench, textOf, view } from './test-values.ts';

class Bench extends ValueBench {
  get sets() {
    return this.db.store.sets;
  }

  add(text: string): boolean {
    const { db, sets } = this;
    const { buf, size } = view(text);
    const found = this.find();
    const ref = found === NONE ? sets.create(db, KEY, buf, 0, size) : found;
    const to = sets.add(db, ref, buf, 0, size);
    expect(to).toBe(this.find());
    return sets.isChanged;
  }

  remove(text: string): boolean {
    const { db, sets } = this;
    const { buf, size } = view(text);
    const ref = this.find();
    if (ref === NONE) return false;
    const to = sets.remove(db, ref, buf, 0, size);
    const { isChanged } = sets;
    if (sets.size(to) === 0) db.drop(to);
    return isChanged;
  }

  members(ref: Ref = this.find()): string[] {
    const found: string[] = [];
    if (ref !== NONE) this.sets.forEach(ref, (member) => found.push(textOf(member)));
    return found.sort();
  }
}

const members = fc.oneof(
  fc.integer({ min: -5, max: 20 }).map(String),
  fc.constantFrom('70000', '-70000', '5000000000', '9223372036854775807', '-9223372036854775808'),
  fc.integer({ min: 0, max: 400 }).map((i) => `member:${i}`),
  fc.constantFrom('', '01', '-0', 'x'.repeat(200)),
);

test('a set is what JavaScript says it is, whatever its encoding', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), members), { maxLength: 400 });
  fc.assert(
    fc.property(steps, (list) => {
      const bench = new Bench();
      const model = new Set<string>();
      const emptyBytes = bench.keyspace.memory.usedBytes;
      for (const [isAdding, member] of list) {
        if (isAdding) {
          expect(bench.add(member)).toBe(!model.has(member));
          model.add(member);
        } else expect(bench.remove(member)).toBe(model.delete(member));
        if (model.size > 0) expect(bench.sets.size(bench.find())).toBe(model.size);
      }
      expect(bench.members()).toEqual([...model].sort());
      if (model.size > 0) {
        const { buf, size } = view([...model][0]!);
        expect(bench.sets.has(bench.find(), buf, 0, size)).toBe(true);
        bench.db.delete(bench.find());
      }
      bench.drain();
      expect(bench.keyspace.memory.usedBytes).toBe(emptyBytes);
    }),
  );
});

test('a copy and a snapshot keep what they took', () => {
  for (const texts of [['1', '2'], Array.from({ length: 600 }, (_, i) => `m${i}`)]) {
    const bench = new Bench();
    for (const text of texts) bench.add(text);
    const before = bench.members();
    let seen: string[] = [];
    const snapshot = bench.keyspace.startSnapshot((_index, _entries, ref) => {
      seen = bench.members(ref);
    });
    const other = bench.keyspace.db(1);
    const copy = bench.db.copyTo(bench.find(), other, KEY.buf, 0, KEY.size);
    bench.add('new');
    bench.remove(texts[0]!);
    while (snapshot!.next(100));
    expect(seen).toEqual(before);
    const copied: string[] = [];
    other.store.sets.forEach(copy, (member) => copied.push(textOf(member)));
    expect(copied.sort()).toEqual(before);
  }
});

test('a walk that sees changes still visits every member that stays', () => {
  const bench = new Bench();
  const stay = Array.from({ length: 500 }, (_, i) => `stay${i}`);
  for (const member of stay) bench.add(member);
  const seen = new Set<string>();
  let cursor = 0;
  let round = 0;
  do {
    cursor = bench.sets.scan(bench.find(), cursor, 7, (member) => seen.add(textOf(member)));
    for (let i = 0; i < 50; i++) bench.add(`extra${round}-${i}`);
    if (round > 3) for (let i = 0; i < 50; i++) bench.remove(`extra${round - 3}-${i}`);
    round++;
  } while (cursor !== 0);
  expect(stay.every((member) => seen.has(member))).toBe(true);
});

test('every member is drawn as often as the others', () => {
  for (const texts of [
    ['1', '2', '3', '4', '5'],
    Array.from({ length: 50 }, (_, i) => `m${i}`),
    Array.from({ length: 3000 }, (_, i) => `m${i}`),
  ]) {
    const bench = new Bench();
    for (const text of texts) bench.add(text);
    const rng = seededRng(7);
    const counts = new Map<string, number>();
    const draws = texts.length * 100;
    for (let i = 0; i < draws; i++) {
      const text = textOf(bench.sets.random(bench.find(), rng));
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    let chiSquare = 0;
    for (const text of texts) chiSquare += ((counts.get(text) ?? 0) - 100) ** 2 / 100;
    const freedom = texts.length - 1;
    // Five standard deviations of the chi-square distribution.
    expect(chiSquare).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
  }
});

test('a result becomes an intset or a table, or goes without a trace', () => {
  const bench = new Bench();
  const { usedBytes } = bench.keyspace.memory;
  const result = new SetResult(bench.db);
  for (const text of ['3', '70000', '-1', '3']) result.add(view(text));
  expect(result.size).toBe(3);
  const ref = result.store(KEY);
  expect(bench.db.entries.encodingName(ref)).toBe('intset');
  const found: string[] = [];
  bench.sets.forEach(ref, (member) => found.push(textOf(member)));
  expect(found).toEqual(['-1', '3', '70000']);
  bench.db.delete(ref);
  const mixed = new SetResult(bench.db);
  for (const text of ['3', 'x']) mixed.add(view(text));
  const large = mixed.store(KEY);
  expect(bench.db.entries.encodingName(large)).toBe('hashtable');
  bench.db.delete(large);
  const asTable = new SetResult(bench.db);
  asTable.becomeTable();
  asTable.add(view('3'));
  const three = asTable.store(KEY);
  expect(bench.db.entries.encodingName(three)).toBe('hashtable');
  bench.db.delete(three);
  const lost = new SetResult(bench.db);
  lost.add(view('x'));
  lost.discard();
  expect(bench.keyspace.memory.usedBytes).toBe(usedBytes);
});
