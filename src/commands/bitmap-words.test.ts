import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countOnes, firstOther } from './bitmap-words.ts';

/** Strings of few different bytes, short and long, anywhere in a larger piece of memory, and a range of them. */
const ranges = fc
  .record({
    bytes: fc.array(fc.constantFrom(0, 0, 0, 0, 255, 1, 0x5a), { maxLength: 40 }),
    repeats: fc.integer({ min: 1, max: 40 }),
    before: fc.integer({ min: 0, max: 9 }),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    to: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ bytes, repeats, before, from, to }) => {
    const whole = Array.from({ length: repeats }, () => bytes).flat();
    const buf = Buffer.from([...Array<number>(before).fill(77), ...whole, 99]);
    const ends = [Math.floor(from * whole.length), Math.floor(to * whole.length)];
    const [start, end] = [Math.min(...ends), Math.max(...ends)];
    return {
      view: { buf, at: before, size: whole.length },
      part: whole.slice(start, end),
      start,
      end,
    };
  });

test('bits are counted as one by one', () => {
  fc.assert(
    fc.property(ranges, ({ view, part, start, end }) => {
      let ones = 0;
      for (const byte of part) for (let bit = 0; bit < 8; bit++) ones += (byte >>> bit) & 1;
      expect(countOnes(view, start, end)).toBe(ones);
    }),
  );
});

test('the first byte that differs is found as one by one', () => {
  fc.assert(
    fc.property(ranges, fc.constantFrom(0, 255), ({ view, part, start, end }, byte) => {
      const found = part.findIndex((other) => other !== byte);
      expect(firstOther(view, byte, start, end)).toBe(found < 0 ? end : start + found);
    }),
  );
});
