/**
 * Doubles as text, as C has them: printf("%.17g") and strtod(), on which the scores of sorted sets
 * and the coordinates of geo commands rest. Source: behaviour of redis-server 7.0.15 with glibc.
 */
import { equalsIgnoreCase } from './text.ts';

/** Integers below this, whatever their sign, are exact and print as their digits. */
const SAFE_INT_LIMIT = 2 ** 53;
/** From here on the language writes exponents where C writes digits. */
const FIXED_LIMIT = 1e21;
/** Significant digits of the output. */
const DIGITS = 17;
/** Numbers from 10^-4 to below 10^17 are written without exponent. */
const PLAIN_EXPONENT_MIN = -4;
/** Between these limits a number with a fraction is written without exponent here and there. */
const PLAIN_MIN = 1e-4;
const PLAIN_LIMIT = 1e16;
/** Whole multiples of 1/1024 below this have at most 16 digits, which are the shortest that mean them, too. */
const SHORT_LIMIT = 1e6;
const SHORT_UNITS = 1024;
/** Digits that tell an exact half from a number just beside it. */
const EXACT_DIGITS = 100;
/** Numbers of at most this many digits are integers that a double holds. */
const FAST_DIGITS_MAX = 15;

/** As many digits, with or without a point, are neither too large a number nor too small a one. */
const PLAIN_DIGITS_MAX = 100;

const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
// A text is read once: no two repetitions side by side could share the same digits.
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NOT_ZERO = /^[+-]?(?:0x[^p]*[1-9a-f]|(?!0x)[^e+-]*[1-9])/i;
const BLANKS = /^[ \t\n\v\f\r]+/;

const DOUBLE_BITS = 53;
const DOUBLE_EXPONENT_MIN = -1074;
/** Exponents beyond this make any number infinite or zero, as long as its digits fit in memory. */
const HEX_EXPONENT_LIMIT = 2 ** 40;

/** `%.17g` of a number that is not NaN; `inf` and `-inf`. */
export function formatDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < SAFE_INT_LIMIT) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(value);
  if (magnitude < SHORT_LIMIT && Number.isInteger(value * SHORT_UNITS)) return String(value);
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_LIMIT && !mayBeHalf(magnitude)) {
    return withoutZeros(value.toPrecision(DIGITS));
  }
  const [mantissa = '', power = ''] = magnitude.toExponential(DIGITS - 1).split('e');
  const exponent = Number(power);
  const rounded = mantissa[0]! + mantissa.slice(2);
  const digits = (isHalfUp(rounded, value) ? oneLess(rounded) : rounded).replace(/0+$/, '');
  return (value < 0 ? '-' : '') + placed(digits, exponent);
}

/** Whether it could end with the 18th digit, so that the 17th is rounded from an exact half. */
function mayBeHalf(magnitude: number): boolean {
  // As many decimals as that: each of them takes a bit behind the point.
  const decimals = DIGITS - Math.floor(Math.log10(magnitude));
  return Number.isInteger(magnitude * 2 ** (decimals + 1));
}

/** A number with a point without the zeros at its end. */
function withoutZeros(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === ZERO) end--;
  if (text.charCodeAt(end - 1) === POINT) end--;
  return text.slice(0, end);
}

/** Whether the digits were rounded up from an exact half to an odd one; C rounds to the even one. */
function isHalfUp(digits: string, value: number): boolean {
  if (digits.charCodeAt(digits.length - 1) % 2 === 0) return false;
  const [exact = ''] = Math.abs(value).toExponential(EXACT_DIGITS).split('e');
  return /^50*$/.test(exact.slice(DIGITS + 1));
}

/** The digits with the last one, which is odd, lower by one. */
function oneLess(digits: string): string {
  return digits.slice(0, -1) + String(Number(digits.at(-1)) - 1);
}

function placed(digits: string, exponent: number): string {
  if (exponent < PLAIN_EXPONENT_MIN || exponent >= DIGITS) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits[0]!}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** `%.Nf`: all digits before the point and `decimals` behind it, an exact half rounded to the even one. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const isHalf = Number.isInteger(value * 2 ** (decimals + 1)) && !Number.isInteger(value);
  if (!isHalf && Math.abs(value) < FIXED_LIMIT) {
    const text = value.toFixed(decimals);
    return Object.is(value, -0) ? `-${text}` : text;
  }
  // value × 2^shift is an integer; as many bits are cut off again once the decimals are in it.
  const shift = Number.isInteger(value) ? 0 : decimals + 1;
  const magnitude = BigInt(Math.abs(value) * 2 ** shift) * 10n ** BigInt(decimals);
  const units = shift === 0 ? magnitude : shiftedRight(magnitude, shift);
  const digits = units.toString().padStart(decimals + 1, '0');
  const sign = value < 0 ? '-' : '';
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/**
 * The number that the bytes are, NaN for none: decimal, hexadecimal or infinite as strtod() has
 * them, without blanks. Too large, or too small to be other than 0, is none too.
 */
export function parseDouble(buf: Uint8Array, at: number, size: number): number {
  const end = at + size;
  let i = at;
  const isNegative = buf[i] === 0x2d;
  if (isNegative) i++;
  let value = 0;
  let digits = 0;
  let pointAt = end;
  for (; i < end; i++) {
    const digit = buf[i]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (buf[i] === POINT && pointAt === end) pointAt = i;
    else break;
  }
  if (i === end && digits > FAST_DIGITS_MAX && digits <= PLAIN_DIGITS_MAX) {
    return Number(textOf(buf, at, size));
  }
  if (i < end || i === at || digits === 0 || digits > FAST_DIGITS_MAX) {
    const signBytes = isNegative || buf[at] === PLUS ? 1 : 0;
    if (equalsIgnoreCase(buf, at + signBytes, size - signBytes, 'inf')) {
      return isNegative ? -Infinity : Infinity;
    }
    return parseStrict(textOf(buf, at, size));
  }
  // Both are exact, so their quotient is rounded once, as it should.
  if (pointAt < end - 1) value /= POWERS_OF_TEN[end - 1 - pointAt]!;
  return isNegative ? -value : value;
}

const POWERS_OF_TEN: Float64Array = Float64Array.from(
  { length: FAST_DIGITS_MAX + 1 },
  (_, i) => 10 ** i,
);

/**
 * The end of a range of scores, NaN for none: as `parseDouble`, but blanks may come first, nothing
 * at all is 0, a zero byte ends the text, and what is out of range is infinite or 0.
 */
export function parseBound(buf: Uint8Array, at: number, size: number): number {
  const strict = size === 0 ? 0 : parseDouble(buf, at, size);
  if (!Number.isNaN(strict)) return strict;
  const [text = ''] = textOf(buf, at, size).split('\0', 1);
  return text === '' ? 0 : textDouble(text.replace(BLANKS, ''));
}

function textOf(buf: Uint8Array, at: number, size: number): string {
  return Buffer.from(buf.buffer, buf.byteOffset + at, size).toString('latin1');
}

function parseStrict(text: string): number {
  const value = textDouble(text);
  if (value === 0 && NOT_ZERO.test(text)) return Number.NaN;
  if (!Number.isFinite(value) && !INFINITE.test(text)) return Number.NaN;
  return value;
}

/** As `parseDouble` of a text, but what is out of range is infinite or 0; NaN for none. */
export function textDouble(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const hex = HEXADECIMAL.exec(text);
  if (hex === null) return Number.NaN;
  const [, sign = '', whole = '', fraction = '', power = '0'] = hex;
  if (whole.length + fraction.length === 0) return Number.NaN;
  const shift = Math.max(-HEX_EXPONENT_LIMIT, Math.min(HEX_EXPONENT_LIMIT, Number(power)));
  const value = scaled(BigInt(`0x${whole}${fraction}`), shift - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

/** The double nearest to mantissa × 2^exponent, half to even. */
function scaled(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = bitLength(mantissa);
  if (bits + exponent > 1025) return Infinity;
  if (bits + exponent < DOUBLE_EXPONENT_MIN) return 0;
  const excess = Math.max(0, bits - DOUBLE_BITS, DOUBLE_EXPONENT_MIN - exponent);
  const cut = excess === 0 ? mantissa : shiftedRight(mantissa, excess);
  const power = exponent + excess;
  // In two steps, because 2^power alone may be out of range.
  const half = Math.trunc(power / 2);
  return Number(cut) * 2 ** half * 2 ** (power - half);
}

/** magnitude / 2^bits, rounded half to even; `bits` above 0. */
export function shiftedRight(magnitude: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  const quotient = magnitude >> shift;
  const rest = magnitude - (quotient << shift);
  const half = 1n << (shift - 1n);
  const isUp = rest > half || (rest === half && (quotient & 1n) === 1n);
  return isUp ? quotient + 1n : quotient;
}

/** Bits of a magnitude up to its highest one; 0 for 0. */
export function bitLength(magnitude: bigint): number {
  if (magnitude === 0n) return 0;
  DOUBLE[0] = Number(magnitude);
  if (DOUBLE[0] === Infinity) {
    const hex = magnitude.toString(16);
    return hex.length * 4 + 28 - Math.clz32(Number.parseInt(hex[0]!, 16));
  }
  const bits = (DOUBLE_WORDS[1]! >>> 20) - 1022;
  // Rounding may have made it the next power of two.
  return magnitude >> BigInt(bits - 1) === 0n ? bits - 1 : bits;
}

// Scratch: a double, and its two halves (the machines that this runs on have the low one first).
const DOUBLE = new Float64Array(1);
const DOUBLE_WORDS = new Uint32Array(DOUBLE.buffer);
