import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evenRanges, formatRanges, missingRanges, slotCount } from './slot-ranges.ts';

test('three masters get the ranges that redis-cli gives them', () => {
  expect(evenRanges(3)).toEqual([
    [0, 5460],
    [5461, 10922],
    [10923, 16383],
  ]);
});

test('even ranges cover every slot once, with sizes that differ by one at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), (count) => {
      const ranges = evenRanges(count);
      expect(missingRanges(ranges)).toEqual([]);
      expect(slotCount(ranges)).toBe(16384);
      const sizes = ranges.map((range) => slotCount([range]));
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
    { seed: 1, numRuns: 30 },
  );
});

test('missing ranges are what no range holds', () => {
  expect(missingRanges([])).toEqual([[0, 16383]]);
  expect(missingRanges([[1, 16382]])).toEqual([
    [0, 0],
    [16383, 16383],
  ]);
  expect(
    missingRanges([
      [0, 5],
      [3, 9],
      [11, 16383],
    ]),
  ).toEqual([[10, 10]]);
});

test('ranges are written as CLUSTER NODES writes them, cut after a number of them on request', () => {
  expect(formatRanges([])).toBe('-');
  expect(
    formatRanges([
      [0, 5],
      [7, 7],
    ]),
  ).toBe('0-5 7');
  expect(
    formatRanges(
      [
        [0, 5],
        [7, 7],
        [9, 10],
      ],
      1,
    ),
  ).toBe('0-5 +2 more');
});
