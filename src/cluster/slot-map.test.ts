import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasSlotBit, slotRanges } from './slot-map.ts';

test('slotRanges says exactly the slots of the bitmap, in order, no two ranges touching', () => {
  const ends = fc.tuple(fc.integer({ min: 0, max: 16383 }), fc.integer({ min: 0, max: 300 }));
  fc.assert(
    fc.property(fc.array(ends, { maxLength: 8 }), (runs) => {
      const slots = new Uint8Array(2048);
      const model = new Set<number>();
      for (const [from, size] of runs) {
        for (let i = from; i <= Math.min(from + size, 16383); i++) {
          slots[i >> 3]! |= 1 << (i & 7);
          model.add(i);
        }
      }
      const ranges = slotRanges(slots);
      const listed = ranges.flatMap(([from, to]) =>
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
      );
      expect(new Set(listed)).toEqual(model);
      for (const index of listed) expect(hasSlotBit(slots, index)).toBe(true);
      for (let i = 1; i < ranges.length; i++) {
        expect(ranges[i]![0]).toBeGreaterThan(ranges[i - 1]![1] + 1);
      }
    }),
    { seed: 7, numRuns: 60 },
  );
});

test('slotRanges of all slots is one range, of none is none', () => {
  expect(slotRanges(new Uint8Array(2048).fill(255))).toEqual([[0, 16383]]);
  expect(slotRanges(new Uint8Array(2048))).toEqual([]);
});
