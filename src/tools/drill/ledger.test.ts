import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judge } from './ledger.ts';

test('every number once and in order is nothing to complain about, nor is one more than was acknowledged', () => {
  expect(judge([1, 2, 3, 4], 3)).toEqual({ lost: [], duplicatedCount: 0, reorderedCount: 0 });
});

test('a number that is gone is lost, one that stands twice is doubled, one behind a larger is out of order', () => {
  expect(judge([1, 2, 5, 4, 4], 5)).toEqual({ lost: [3], duplicatedCount: 1, reorderedCount: 1 });
  expect(judge([], 2)).toEqual({ lost: [1, 2], duplicatedCount: 0, reorderedCount: 0 });
});

test('whatever was taken away is named, and repetitions do not hide it', () => {
  const drawn = fc.tuple(
    fc.integer({ min: 1, max: 200 }),
    fc.array(fc.integer({ min: 0, max: 199 })),
  );
  fc.assert(
    fc.property(drawn, ([count, picks]) => {
      const gone = new Set(picks.map((pick) => (pick % count) + 1));
      const kept = Array.from({ length: count }, (_, n) => n + 1).filter((n) => !gone.has(n));
      const found = kept.flatMap((n) => (n % 3 === 0 ? [n, n] : [n]));
      const verdict = judge(found, count);
      expect(verdict.lost).toEqual([...gone].sort((a, b) => a - b));
      expect(verdict.duplicatedCount).toBe(kept.filter((n) => n % 3 === 0).length);
      expect(verdict.reorderedCount).toBe(0);
    }),
    { seed: 11 },
  );
});
