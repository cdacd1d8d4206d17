/**
 * The 80-bit extended floats of x86, exactly: 64 bits of mantissa, round half to even. INCRBYFLOAT computes in them, and
 * clients see their rounding. Source: behaviour of redis-server 7.0.15 on x86-64; strtold() and "%.17Lf" of C.
 */
import { bitLength, shiftedRight } from '../base/index.ts';
import type { BytesView } from '../keyspace/index.ts';

/** mantissa × 2^exponent, the mantissa of at most 64 bits and a sign; an infinite exponent is infinity. */
export interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
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

/** The number that is not there yet. */
export const ZERO_VIEW: BytesView = { buf: Buffer.from('0'), at: 0, size: 1 };

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

/**
 * The text of the sum of two numbers in plain decimal notation, where it can be told without computing in 80 bits, as it
 * can for most numbers that people add: undefined elsewhere. The result is that of `addLongDoubles`, because either
 * everything is exact in 80 bits, or its errors (2^-64 of each operand and of the sum) are below half of the last decimal
 * that is shown.
 */
export function plainSum(a: BytesView, b: BytesView): string | undefined {
  if (!readPlain(a, LEFT) || !readPlain(b, RIGHT)) return undefined;
  const decimals = Math.max(LEFT.decimals, RIGHT.decimals);
  const unit = 10 ** decimals;
  const left = LEFT.digits * 10 ** (decimals - LEFT.decimals);
  const right = RIGHT.digits * 10 ** (decimals - RIGHT.decimals);
  const sum = left + right;
  const magnitude = Math.abs(left) + Math.abs(right) + Math.abs(sum);
  if (magnitude > Number.MAX_SAFE_INTEGER) return undefined;
  const fives = 5 ** decimals;
  const isExact = left % fives === 0 && right % fives === 0;
  if (!isExact && magnitude > PLAIN_MAGNITUDE_MAX * unit) return undefined;
  return plainText(sum, decimals);
}

/** Operands and sum together: 2^-64 of it is half of 10^-17. */
const PLAIN_MAGNITUDE_MAX = 90;
/** 5^n and 10^n are exact doubles, and so are the digits. */
const PLAIN_DIGITS_MAX = 15;

interface PlainNumber {
  /** Without the point, with the sign. */
  digits: number;
  /** How many stand behind the point. */
  decimals: number;
}

// Scratch: used within one call.
const LEFT: PlainNumber = { digits: 0, decimals: 0 };
const RIGHT: PlainNumber = { digits: 0, decimals: 0 };

/** Whether `plainSum` takes the text for a number. */
export function isPlainNumber(view: BytesView): boolean {
  return readPlain(view, LEFT);
}

/** Whether the text is a number in plain decimal notation with few digits. */
function readPlain({ buf, at, size }: BytesView, to: PlainNumber): boolean {
  const isNegative = buf[at] === MINUS;
  const end = at + size;
  let digits = 0;
  let count = 0;
  let pointAt = end;
  for (let i = isNegative ? at + 1 : at; i < end; i++) {
    const digit = buf[i]! - ZERO;
    if (digit >= 0 && digit <= 9 && count < PLAIN_DIGITS_MAX) {
      digits = digits * 10 + digit;
      count++;
    } else if (buf[i] === POINT && pointAt === end) pointAt = i;
    else return false;
  }
  to.digits = isNegative ? -digits : digits;
  to.decimals = Math.max(0, end - 1 - pointAt);
  return count > 0;
}

function plainText(sum: number, decimals: number): string {
  if (sum === 0) return '0';
  const all = String(Math.abs(sum)).padStart(decimals + 1, '0');
  let end = all.length;
  const point = all.length - decimals;
  while (end > point && all.codePointAt(end - 1) === ZERO) end--;
  const text =
    end === point ? all.slice(0, point) : `${all.slice(0, point)}.${all.slice(point, end)}`;
  return sum < 0 ? `-${text}` : text;
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
