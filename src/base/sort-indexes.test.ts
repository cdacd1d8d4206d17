import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortIndexes } from './sort-indexes.ts';

test('indexes are sorted as the engine sorts them, equal ones in their old order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 300 }), (values) => {
      const compare = (a: number, b: number): number => values[a]! - values[b]!;
      const order = Uint32Array.from(values.keys());
      sortIndexes(order, compare);
      expect([...order]).toEqual([...values.keys()].toSorted(compare));
    }),
  );
});
