/**
 * The 80-bit extended floats of x86, exactly: 64 bits of mantissa, round half to even. INCRBYFLOAT computes in them, and
 * clients see their rounding. Source: behaviour of redis-server 7.0.15 on x86-64; strtold() and "%.17Lf" of C.
 */
import { bitLength, shiftedRight } from '../base/index.ts';

/** mantissa × 2^exponent, the mantissa of at most 64 bits and a sign; an infinite exponent is infinity. */
export interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const MANTISSA_BITS = 64;
/** Values from 2^16384 on are infinite. */
const EXPONENT_LIMIT = 16384;
/** Values below 2^-16446 (half of the smallest one) are 0. */
const EXPONENT_MIN = -16446;
/** Powers of ten beyond these are out of range whatever the digits are, as long as the first is not 0. */
const DECIMAL_LIMIT = 4940;
const DECIMAL_MIN = -4970;
/** Longest text that is taken for a number. Source: 7.0 util.h, MAX_LONG_DOUBLE_CHARS. */
export const LONG_DOUBLE_TEXT_MAX: number = 5 * 1024 - 1;
/** Decimals of the output. */
const DECIMALS = 17;

const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;
const HEXADECIMAL = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

export const LONG_DOUBLE_ZERO: LongDouble = { mantissa: 0n, exponent: 0 };

/** The number that the whole text means; undefined for none, and for one too large or too small. */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length > LONG_DOUBLE_TEXT_MAX) return undefined;
  if (INFINITE.test(text)) return { mantissa: 1n, exponent: Number.POSITIVE_INFINITY };
  const hex = HEXADECIMAL.exec(text);
  const parts = hex ?? DECIMAL.exec(text);
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = parts;
  if (whole.length + fraction.length === 0) return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return LONG_DOUBLE_ZERO;
  const value = hex
    ? fromHex(digits, Number(power) - 4 * fraction.length)
    : fromDecimal(digits, Number(power) - fraction.length);
  if (value === undefined) return undefined;
  return sign === '-' ? { mantissa: -value.mantissa, exponent: value.exponent } : value;
}

/** The rounded sum; undefined when it is not finite. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  if (!Number.isFinite(a.exponent) || !Number.isFinite(b.exponent)) return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum =
    (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  return sum < 0n ? negated(rounded(-sum, exponent)) : rounded(sum, exponent);
}

/** The rounded product with an integer; undefined when it is not finite. */
export function timesInteger(value: LongDouble, factor: bigint): LongDouble | undefined {
  const { mantissa, exponent } = value;
  if (!Number.isFinite(exponent)) return undefined;
  const product = mantissa * factor;
  return product < 0n ? negated(rounded(-product, exponent)) : rounded(product, exponent);
}

/** Decimal text with up to 17 decimals, without exponent and trailing zeros. */
export function formatLongDouble(value: LongDouble): string {
  const isNegative = value.mantissa < 0n;
  const mantissa = isNegative ? -value.mantissa : value.mantissa;
  const scaled = mantissa * 10n ** BigInt(DECIMALS);
  const units =
    value.exponent >= 0 ? scaled << BigInt(value.exponent) : shiftedRight(scaled, -value.exponent);
  const digits = units.toString().padStart(DECIMALS + 1, '0');
  const whole = digits.slice(0, -DECIMALS);
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  const text = fraction === '' ? whole : `${whole}.${fraction}`;
  return isNegative && text !== '0' ? `-${text}` : text;
}

function fromHex(digits: string, exponent: number): LongDouble | undefined {
  if (exponent > EXPONENT_LIMIT || exponent < EXPONENT_MIN - 4 * digits.length) return undefined;
  return inRange(rounded(BigInt(`0x${digits}`), exponent));
}

function fromDecimal(digits: string, power: number): LongDouble | undefined {
  const magnitude = digits.length + power;
  if (magnitude > DECIMAL_LIMIT || magnitude < DECIMAL_MIN) return undefined;
  const value = BigInt(digits);
  if (power >= 0) return inRange(rounded(value * 10n ** BigInt(power), 0));
  const divisor = 10n ** BigInt(-power);
  // Enough bits that the rest of the division only tells on which side of a half the value lies.
  const shift = Math.max(0, MANTISSA_BITS + 4 + bitLength(divisor) - bitLength(value));
  const dividend = value << BigInt(shift);
  const isExact = dividend % divisor === 0n;
  return inRange(rounded((dividend / divisor) | (isExact ? 0n : 1n), -shift));
}

function inRange(value: LongDouble | undefined): LongDouble | undefined {
  if (value === undefined) return undefined;
  return bitLength(value.mantissa) + value.exponent < EXPONENT_MIN ? undefined : value;
}

/** A magnitude cut to 64 bits; undefined when it is infinite. */
function rounded(magnitude: bigint, exponent: number): LongDouble | undefined {
  const excess = Math.max(0, bitLength(magnitude) - MANTISSA_BITS);
  const mantissa = excess === 0 ? magnitude : shiftedRight(magnitude, excess);
  const result = { mantissa, exponent: exponent + excess };
  return bitLength(mantissa) + result.exponent > EXPONENT_LIMIT ? undefined : result;
}

function negated(value: LongDouble | undefined): LongDouble | undefined {
  return value === undefined ? undefined : { ...value, mantissa: -value.mantissa };
}
