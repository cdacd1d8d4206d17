import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedIndexes } from './sort-indexes.ts';

test('indexes are sorted by their keys, then as told, and equal ones stay in their order', () => {
  const pair = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 300 }), fc.boolean(), (pairs, isDescending) => {
      const keys = Float64Array.from(pairs, ([key]) => key);
      const compareEqual = (a: number, b: number): number => pairs[a]![1] - pairs[b]![1];
      const direction = isDescending ? -1 : 1;
      const expected = [...pairs.keys()].toSorted(
        (a, b) => direction * (keys[a]! - keys[b]! || compareEqual(a, b)),
      );
      const order = sortedIndexes(pairs.length, { keys, compareEqual, isDescending });
      expect([...order]).toEqual(expected);
    }),
  );
});
