/** Goal: numbers read and write as in C. Method: texts seen from redis-server 7.0.15; C's round trip as a law. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NumberSpec, formatFloat, formatInteger, formatUnsigned } from './number-format.ts';
import { numberText, preciseNumberText, textNumber } from './numbers.ts';

describe('numberText is %.14g', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [3, '3'],
    [-42, '-42'],
    [0.1, '0.1'],
    [1 / 3, '0.33333333333333'],
    [-1 / 3, '-0.33333333333333'],
    [2 / 3, '0.66666666666667'],
    [1e-4, '0.0001'],
    [1e-5, '1e-05'],
    [0.00001234, '1.234e-05'],
    [5e-324, '4.9406564584125e-324'],
    [99999999999999, '99999999999999'],
    [1e14, '1e+14'],
    [100000000000005, '1e+14'],
    [100000000000015, '1.0000000000002e+14'],
    [123456789012345, '1.2345678901234e+14'],
    [1234567890123.25, '1234567890123.2'],
    [1234567890123.75, '1234567890123.8'],
    [2 ** 53, '9.007199254741e+15'],
    [1e100, '1e+100'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [Number.NaN, '-nan'],
    [Math.PI, '3.1415926535898'],
    [999999999999999, '1e+15'],
    [-99999999999999.53, '-1e+14'],
    [9.99999999999999, '10'],
  ])('%d', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  test('the text is within half a unit of its last digit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const back = textNumber(numberText(value));
        const error = Math.abs(back! - value);
        expect(error).toBeLessThanOrEqual(Math.abs(value) * 5.1e-14 + 5e-324);
      }),
    );
  });

  test('the short way and the general one agree', () => {
    const plain = { ...SPEC, precision: 14 };
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 8 }), (units, decimals) => {
        const value = units / 10 ** decimals;
        expect(numberText(value)).toBe(formatFloat(plain, 'g', value));
      }),
    );
    const any = fc.double({ noNaN: true });
    const usual = fc.double({ min: -1e14, max: 1e14, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(any, usual), (value) => {
        expect(numberText(value)).toBe(formatFloat(plain, 'g', value));
      }),
    );
  });
});

test('preciseNumberText names the number exactly', () => {
  expect(preciseNumberText(0.1)).toBe('0.10000000000000001');
  expect(preciseNumberText(Number.NaN)).toBe('-nan');
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      expect(textNumber(preciseNumberText(value))).toBe(value);
    }),
  );
});

describe('textNumber is strtod()', () => {
  test.each<[string, number | undefined]>([
    ['10', 10],
    [' 10 ', 10],
    ['\v5\f', 5],
    ['', undefined],
    [' ', undefined],
    ['1e', undefined],
    ['1e5', 1e5],
    ['1e5x', undefined],
    ['- 5', undefined],
    ['+5', 5],
    ['-0', -0],
    ['.', undefined],
    ['.5', 0.5],
    ['5.', 5],
    ['1e400', Infinity],
    ['1e-400', 0],
    ['inf', Infinity],
    ['-Infinity', -Infinity],
    ['infi', undefined],
    ['nan', Number.NaN],
    ['NAN(123)', Number.NaN],
    ['nan(', undefined],
    ['nan(a-b)', undefined],
    ['0x', undefined],
    ['0x10', 16],
    ['-0x10', -16],
    ['0x1p4', 16],
    ['0x1p', undefined],
    ['0x.8', 0.5],
    ['0xffffffffffffffffff', 2 ** 72],
    ['1\0', 1],
    ['1 \0x', 1],
    ['1_000', undefined],
    ['123456789012345678', 123456789012345680],
    ['0b1', undefined],
  ])('%j', (text, value) => {
    expect(textNumber(text)).toBe(value);
  });

  test('a long text that is no number is found out at once', () => {
    const digits = '1'.repeat(1 << 20);
    expect(textNumber(`${digits}x`)).toBeUndefined();
    expect(textNumber(`0x${digits}x`)).toBeUndefined();
    expect(textNumber(`${' '.repeat(1 << 20)}x`)).toBeUndefined();
    expect(textNumber(digits)).toBe(Infinity);
  });
});

const SPEC: NumberSpec = {
  isLeft: false,
  isZeroPadded: false,
  isAlternate: false,
  plus: '',
  width: 0,
  precision: -1,
};

describe('printf', () => {
  test.each<[Partial<NumberSpec>, string, number, string]>([
    [{ precision: 0 }, 'f', 0.5, '0'],
    [{ precision: 0 }, 'f', 1.5, '2'],
    [{ precision: 0 }, 'f', 2.5, '2'],
    [{ precision: 1 }, 'f', 0.25, '0.2'],
    [{ precision: 1 }, 'f', 2.25, '2.2'],
    [{ precision: 2 }, 'f', 2.675, '2.67'],
    [{ precision: 20 }, 'f', 0.1, '0.10000000000000000555'],
    [{ precision: 0 }, 'f', 2 ** 53 + 1, '9007199254740992'],
    [{ precision: 3 }, 'f', 1e21, '1000000000000000000000.000'],
    [{ precision: 0, isAlternate: true }, 'f', 1, '1.'],
    [{}, 'g', 100000, '100000'],
    [{}, 'g', 1e6, '1e+06'],
    [{}, 'g', 1e-4, '0.0001'],
    [{}, 'g', 1e-5, '1e-05'],
    [{}, 'g', 123456789, '1.23457e+08'],
    [{ isAlternate: true }, 'g', 1e10, '1.00000e+10'],
    [{ precision: 3, width: 5, isAlternate: true }, 'g', 1, ' 1.00'],
    [{ precision: 0 }, 'g', 25, '2e+01'],
    [{ precision: 0 }, 'e', 25, '2e+01'],
    [{ precision: 0, isAlternate: true }, 'e', 25, '2.e+01'],
    [{ precision: 0 }, 'e', 1.5e22, '2e+22'],
    [{ precision: 0 }, 'e', 2.5e22, '2e+22'],
    [{}, 'e', 0, '0.000000e+00'],
    [{ precision: 3 }, 'e', 9.9996, '1.000e+01'],
    [{ precision: 3 }, 'g', 9.9996, '10'],
    [{ precision: 3 }, 'g', 99999, '1e+05'],
    [{}, 'G', 1e-10, '1E-10'],
    [{}, 'E', -Infinity, '-INF'],
    [{}, 'g', Number.NaN, '-nan'],
    [{ width: 10, isZeroPadded: true }, 'f', Infinity, '       inf'],
    [{ width: 10, isLeft: true }, 'f', Infinity, 'inf       '],
    [{ plus: '+' }, 'f', Infinity, '+inf'],
    [{ plus: ' ' }, 'f', Infinity, ' inf'],
    [{ plus: ' ' }, 'g', 5, ' 5'],
    [{ plus: '+', precision: 3 }, 'e', 12345.678, '+1.235e+04'],
    [{ precision: 3, width: 12, isLeft: true }, 'e', 12345.678, '1.235e+04   '],
    [{ precision: 3, width: 12, isZeroPadded: true }, 'e', -12345.678, '-001.235e+04'],
  ])('%j %s of %d', (spec, conversion, value, text) => {
    expect(formatFloat({ ...SPEC, ...spec }, conversion, value)).toBe(text);
  });

  test('%f gives the digits of toFixed, but for exact halves', () => {
    const usual = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(usual, fc.integer({ min: 0, max: 30 }), (value, precision) => {
        fc.pre((value * 2 ** (precision + 1)) % 2 !== 1);
        const text = formatFloat({ ...SPEC, precision }, 'f', value);
        expect(text).toBe(value.toFixed(precision));
      }),
    );
  });

  test('the longest texts have their exact length', () => {
    const fixed = formatFloat({ ...SPEC, precision: 99, width: 99 }, 'f', 1e308);
    expect(fixed).toHaveLength(409);
    expect(formatFloat({ ...SPEC, precision: 99 }, 'f', 0.1)).toBe(
      '0.100000000000000005551115123125782702118158340454101562500000000000000000000000000000000000000000000',
    );
  });

  test.each<[Partial<NumberSpec>, number, string]>([
    [{ width: 5, isZeroPadded: true }, -42, '-0042'],
    [{ plus: '+', width: 12, isZeroPadded: true }, 5, '+00000000005'],
    [{ plus: ' ', width: 12, isZeroPadded: true }, 5, ' 00000000005'],
    [{ plus: '+', width: 12, isLeft: true }, 5, '+5          '],
    [{ precision: 3 }, 5, '005'],
    [{ precision: 3, width: 8, isZeroPadded: true }, 5, '     005'],
    [{ precision: 0 }, 0, ''],
    [{ precision: 0, plus: '+' }, 0, '+'],
    [{}, -3.7, '-3'],
    [{}, -0, '0'],
    [{}, 2 ** 53, '9007199254740992'],
    [{}, 2 ** 63, '-9223372036854775808'],
    [{}, -(2 ** 63), '-9223372036854775808'],
    [{}, Number.NaN, '-9223372036854775808'],
    [{}, Infinity, '-9223372036854775808'],
  ])('%j d of %d', (spec, value, text) => {
    expect(formatInteger({ ...SPEC, ...spec }, value)).toBe(text);
  });

  test.each<[Partial<NumberSpec>, string, number, string]>([
    [{}, 'u', -1, '18446744073709551615'],
    [{}, 'u', 2 ** 63 + 2048, '9223372036854777856'],
    [{}, 'u', -(2 ** 64), '9223372036854775808'],
    [{ plus: '+' }, 'u', 3, '3'],
    [{}, 'x', 255, 'ff'],
    [{}, 'X', 255, 'FF'],
    [{}, 'x', -1, 'ffffffffffffffff'],
    [{}, 'x', 2 ** 63, '8000000000000000'],
    [{}, 'x', 2 ** 64, '0'],
    [{}, 'x', Infinity, '0'],
    [{}, 'x', -Infinity, '8000000000000000'],
    [{}, 'x', Number.NaN, '8000000000000000'],
    [{ isAlternate: true }, 'x', 255, '0xff'],
    [{ isAlternate: true }, 'X', 0, '0'],
    [{ isAlternate: true, precision: 5 }, 'x', 255, '0x000ff'],
    [{ isAlternate: true, width: 8, isZeroPadded: true }, 'x', 255, '0x0000ff'],
    [{ isAlternate: true, width: 8, isLeft: true }, 'x', 255, '0xff    '],
    [{}, 'o', 8, '10'],
    [{ isAlternate: true }, 'o', 8, '010'],
    [{ isAlternate: true, precision: 2 }, 'o', 8, '010'],
    [{ isAlternate: true, precision: 5 }, 'o', 8, '00010'],
    [{ isAlternate: true, precision: 0 }, 'o', 0, '0'],
    [{ precision: 0, width: 5 }, 'x', 0, '     '],
  ])('%j %s of %d', (spec, conversion, value, text) => {
    expect(formatUnsigned({ ...SPEC, ...spec }, conversion, value)).toBe(text);
  });
});
