/** Goal: a table holds what was put into it, whatever keys come in whatever order. Method: random steps against a Map. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TableStore } from './table-store.ts';

type Key = string | number;

const keys = fc.oneof(
  fc.integer({ min: -2, max: 40 }),
  fc.constantFrom<Key>(
    'a',
    'b',
    'c',
    'd',
    'e',
    'f',
    'g',
    'h',
    'i',
    'j',
    'k',
    '__proto__',
    'length',
  ),
  fc.constantFrom<Key>(0.5, 1.5, 1e15, Infinity, -0, 2 ** 31),
);
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('set'),
      key: keys,
      value: fc.option(fc.nat(), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant('fill'), key: fc.integer({ min: 1, max: 60 }), value: fc.nat() }),
    fc.record({ kind: fc.constant('empty'), key: fc.nat({ max: 1 }), value: fc.nat() }),
  ),
  { maxLength: 80 },
);

function walked(table: TableStore<Key>): [Key, Key][] {
  const found: [Key, Key][] = [];
  for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
    found.push(entry);
  }
  return found;
}

function byText(entries: Iterable<readonly [Key, Key]>): string[] {
  return [...entries].map(([key, value]) => `${typeof key}:${key}=${value}`).sort();
}

test('a table is a map whose length is a border', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const table = new TableStore<Key>();
      const model = new Map<Key, Key>();
      const put = (key: Key, value: Key | undefined): void => {
        table.set(key, value);
        if (value === undefined) model.delete(key);
        else model.set(key, value);
      };
      for (const { kind, key, value } of all) {
        if (kind === 'set') put(key, value);
        else if (kind === 'fill') {
          for (let index = Number(key); index > 0; index--) put(index, value);
        } else {
          // A table may be emptied while it is walked.
          for (
            let entry = table.next(undefined);
            entry !== undefined;
            entry = table.next(entry[0])
          ) {
            put(entry[0], undefined);
          }
        }
        expect(byText(walked(table))).toEqual(byText(model));
        const { length } = table;
        expect(length === 0 || model.has(length)).toBe(true);
        expect(model.has(length + 1)).toBe(false);
        for (const each of [key, 1, 2, 'a', 1.5]) expect(table.get(each)).toBe(model.get(each));
      }
    }),
    { numRuns: 300 },
  );
});

test('insertAt and removeAt move what is behind', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 2 }), fc.nat(), fc.nat(), (list, place, value) => {
      const table = new TableStore<number>().adoptList([undefined, ...list]);
      const at = (place % (list.length - 1)) + 1;
      // The place behind the end may be taken already, past a gap.
      table.set(list.length + 2, 7);
      table.insertAt(at, value);
      const model = [...list];
      model.splice(at - 1, 0, value);
      expect(model.map((_each, index) => table.get(index + 1))).toEqual(model);
      expect(table.length).toBe(list.length + 2);
      table.removeAt(at);
      expect(list.map((_each, index) => table.get(index + 1))).toEqual(list);
    }),
  );
});

test('keys are told apart as in Lua', () => {
  const table = new TableStore<Key>();
  table.set(1, 'number');
  table.set('1', 'string');
  table.set(-0, 'zero');
  expect([table.get(1), table.get('1'), table.get(0)]).toEqual(['number', 'string', 'zero']);
});

test('next refuses keys that never were', () => {
  const table = new TableStore<Key>();
  expect(() => table.next('a')).toThrow("invalid key to 'next'");
  expect(() => table.next(1)).toThrow("invalid key to 'next'");
});

test('numbers that are mostly there live in a list, in whatever order they come', () => {
  const table = new TableStore<number>();
  for (let index = 1000; index > 1; index--) table.set(index, index);
  expect(table.keys.length).toBeLessThan(10);
  for (let index = 1; index < 1000; index++) table.set(2 ** 20 + index * 1000, index);
  expect(table.length).toBe(1000);
  expect(table.keys.length).toBeGreaterThan(990);
});
