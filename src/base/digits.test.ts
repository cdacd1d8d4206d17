import { expect, test } from 'vitest';
import { countDigits, DIGITS_MAX, writeDigits, writeShortDigits } from './digits.ts';

const BYTES = Buffer.alloc(DIGITS_MAX);

/** Around each power of ten, and within. */
const SHORT = [0, 5, 42, 123, 2_147_483_647].concat(
  Array.from({ length: 9 }, (_, i) => 10 ** (i + 1)).flatMap((each) => [each - 1, each, each + 7]),
);

test.each(SHORT)('%d has as many digits as its text, and the same', (value) => {
  const text = String(value);
  expect(countDigits(value)).toBe(text.length);
  const at = writeShortDigits(BYTES, 15, value);
  expect(BYTES.toString('latin1', at, 15)).toBe(text);
});

test.each([
  ...SHORT,
  -1,
  -100,
  -2_147_483_648,
  2_147_483_648,
  1_000_000_000_000,
  5_000_000_007,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  9_223_372_036_854_775_807n,
  -9_223_372_036_854_775_808n,
])('%d is written as its text', (value) => {
  const at = writeDigits(BYTES, DIGITS_MAX, value);
  expect(BYTES.toString('latin1', at, DIGITS_MAX)).toBe(String(value));
});
