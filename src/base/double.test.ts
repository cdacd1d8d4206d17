/** Doubles as text, against what printf("%.17g") and strtod() of glibc give. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDouble, formatFixed, parseBound, parseDouble } from './double.ts';

function parsed(text: string): number {
  return parseDouble(Buffer.from(text), 0, text.length);
}

function bound(text: string): number {
  return parseBound(Buffer.from(text), 0, text.length);
}

test.each([
  [0, '0'],
  [-0, '-0'],
  [1.1, '1.1000000000000001'],
  [-0.1, '-0.10000000000000001'],
  [3.5, '3.5'],
  [100, '100'],
  [2 ** 53, '9007199254740992'],
  [2 ** 56, '72057594037927936'],
  [1e17, '1e+17'],
  [123456789012345680000, '1.2345678901234568e+20'],
  [0.0001, '0.0001'],
  [0.00001, '1.0000000000000001e-05'],
  [5e-324, '4.9406564584124654e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [1e100, '1e+100'],
  [Infinity, 'inf'],
  [-Infinity, '-inf'],
])('%d is written as %s', (value, text) => {
  expect(formatDouble(value)).toBe(text);
});

test('an exact half is rounded to the even digit', () => {
  // 0.500003814697265625 and 0.500011444091796875.
  expect(formatDouble(131073 / 2 ** 18)).toBe('0.50000381469726562');
  expect(formatDouble(131075 / 2 ** 18)).toBe('0.50001144409179688');
});

test.each([
  [181, 6, '181.000000'],
  [181.0078125, 6, '181.007812'],
  [181.0234375, 6, '181.023438'],
  [-0.00005, 4, '-0.0001'],
  [0.00003, 4, '0.0000'],
  [-0, 2, '-0.00'],
  [0.5, 1, '0.5'],
  [2 ** 70, 1, '1180591620717411303424.0'],
  [13.361389338970184, 17, '13.36138933897018433'],
  [Infinity, 6, 'inf'],
])('%d with %d decimals is %s', (value, decimals, text) => {
  expect(formatFixed(value, decimals)).toBe(text);
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      expect(parsed(formatDouble(value))).toBe(value);
    }),
    { seed: 1 },
  );
});

test.each([
  ['5.', 5],
  ['.5', 0.5],
  ['+5', 5],
  ['-0', -0],
  ['1e5', 1e5],
  ['1E-3', 0.001],
  ['0.1', 0.1],
  ['1234567890123.25', 1234567890123.25],
  ['00000000000000000000001', 1],
  ['0e-999', 0],
  ['-0x0p-1076', -0],
  ['0x.8', 0.5],
  ['-0X1.8P+1', -3],
  ['0x1.fffffffffffff8p0', 2],
  ['0x1.fffffffffffff7p0', 1.9999999999999998],
  ['0x1p-1074', 5e-324],
  ['0x3p-1075', 1e-323],
  ['0x1.fffffffffffffp1023', Number.MAX_VALUE],
  ['inf', Infinity],
  ['+INF', Infinity],
  ['-inF', -Infinity],
  ['-Infinity', -Infinity],
  ['4.9e-324', 5e-324],
])('%s is read as %d', (text, value) => {
  expect(parsed(text)).toBe(value);
  expect(bound(text)).toBe(value);
});

test.each([
  '', '.', '-', '1e', '0x', '0x.', '0x1p', 'nan', '5 ', '1_0', '--5', '+-5', '1.5.5', '0x1..2', 'infinit', '5a', '+-inf', 'inf ', 'in',
])('"%s" is no number', (text) => {
  expect(parsed(text)).toBeNaN();
  if (text !== '') expect(bound(text)).toBeNaN();
}); // prettier-ignore

test.each([
  ['1e400', Infinity],
  ['-1e400', -Infinity],
  ['1e-400', 0],
  ['0x1p-1075', 0],
  ['0x1p1024', Infinity],
  ['0x1p99999999999999999999', Infinity],
  ['', 0],
  [' 5', 5],
  ['7\0x', 7],
])('"%s" is no number but an end of a range, %d', (text, value) => {
  expect(parsed(text)).toBeNaN();
  expect(bound(text)).toBe(value);
});
