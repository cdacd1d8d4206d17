import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addLongDoubles, formatLongDouble, parseLongDouble, plainSum } from './long-double.ts';

function sum(a: string, b: string): string | undefined {
  const x = parseLongDouble(a);
  const y = parseLongDouble(b);
  if (x === undefined || y === undefined) return undefined;
  const value = addLongDoubles(x, y);
  return value === undefined ? 'infinite' : formatLongDouble(value);
}

// Each row was asked of redis-server 7.0.15 on x86-64 with INCRBYFLOAT.
test('sums are those of 80-bit floats', () => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ['0', '1e-17', '0.00000000000000001'],
    ['3.0e3', '200', '3200'],
    ['0.1', '0.2', '0.3'],
    ['0', '123456789012345678901234567890', '123456789012345678899921813504'],
    ['0', '1e-4960', undefined],
    ['0', '2e4932', undefined],
    ['0', '0x1.8p-1', '0.75'],
    ['0', '-1e-20', '0'],
    ['0', 'INF', 'infinite'],
    ['0', 'nan', undefined],
    ['0', '1 ', undefined],
    ['0', '1e', undefined],
    ['0', '.', undefined],
    ['0', '5.', '5'],
    ['0', '+.5', '0.5'],
  ];
  for (const [a, b, expected] of rows) expect(sum(a, b), `${a} + ${b}`).toBe(expected);
});

test('integers of 64 bits add up exactly while the sum fits 64 bits', () => {
  const half = fc.bigInt({ min: -(1n << 62n), max: 1n << 62n });
  fc.assert(
    fc.property(half, half, (a, b) => {
      expect(sum(String(a), String(b))).toBe(String(a + b));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('any text is a number or refused, never an exception, and a result reads back as itself', () => {
  const text = fc.string({
    unit: fc.constantFrom(...'0123456789.e+-xp inf'.split('')),
    maxLength: 12,
  });
  fc.assert(
    fc.property(text, (input) => {
      const value = parseLongDouble(input);
      if (value === undefined || !Number.isFinite(value.exponent)) return;
      const shown = formatLongDouble(value);
      expect(formatLongDouble(parseLongDouble(shown)!)).toBe(shown);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('a sum that needs no 80 bits is the one that they would give', () => {
  const view = (text: string): { buf: Buffer; at: number; size: number } => ({
    buf: Buffer.from(`<${text}>`),
    at: 1,
    size: text.length,
  });
  const digits = (max: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), maxLength: max });
  const number = fc
    .tuple(fc.constantFrom('', '-', '+'), digits(9), fc.constantFrom('', '.'), digits(9))
    .map((parts) => parts.join(''));
  let plainCount = 0;
  const check = (a: string, b: string): void => {
    const plain = plainSum(view(a), view(b));
    if (plain === undefined) return;
    plainCount++;
    expect(plain, `${a} + ${b}`).toBe(sum(a, b));
  };
  fc.assert(fc.property(number, number, check), { seed: 1, numRuns: 5000 });
  for (const a of [
    '89.999999999999999',
    '0.1',
    '-0.3',
    '1234.5',
    '45.00000000000001',
    '.5',
    '-',
    '.',
    '-.',
    '',
  ]) {
    for (const b of [
      '0.2',
      '-0.1',
      '0.000000000000001',
      '44.99999999999999',
      '1.1',
      '2.25',
      '-1234.5',
      '1e3',
    ]) {
      check(a, b);
    }
  }
  expect(plainCount).toBeGreaterThan(500);
  expect(plainSum(view('1234.56'), view('7.89'))).toBeUndefined();
});
