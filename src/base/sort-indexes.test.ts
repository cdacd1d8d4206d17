import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortIndexes } from './sort-indexes.ts';

test('indexes are sorted by their keys, then as told, and equal ones stay in their order', () => {
  const pair = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 300 }), (pairs) => {
      const keys = Float64Array.from(pairs, ([key]) => key);
      const compareEqual = (a: number, b: number): number => pairs[a]![1] - pairs[b]![1];
      const order = Uint32Array.from(pairs.keys());
      sortIndexes(order, { keys, compareEqual });
      const expected = [...pairs.keys()].toSorted(
        (a, b) => keys[a]! - keys[b]! || compareEqual(a, b),
      );
      expect([...order]).toEqual(expected);
    }),
  );
});
