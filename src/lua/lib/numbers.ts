/**
 * Numbers as Lua 5.1 reads and writes them: `%.14g` and strtod() of a C library, of which JavaScript's
 * own conversions differ in exponents, in exact halves and in the names of what is not finite.
 * Source: Lua 5.1 manual, 2.2.1; behaviour of redis-server 7.0.15 with glibc.
 */
import { formatDouble, textDouble } from '../../base/index.ts';
import { POWERS_OF_TEN, quickUnits } from './decimal-digits.ts';
import { formatGeneral } from './number-format.ts';

/** Integers below this have at most 14 digits and print as they are. */
const PLAIN_LIMIT = 1e14;
/** Below this C writes an exponent. */
const PLAIN_MIN = 1e-4;
/** Significant digits of a number as text. */
const DIGITS = 14;
/** Texts of at most so many digits are integers that a double holds. */
const FAST_DIGITS_MAX = 15;

const NOT_A_NUMBER = /^[+-]?nan(?:\(\w*\))?$/i;

/**
 * The text of a number, as tostring() and concatenation have it: C's `%.14g`.
 */
export function numberText(value: number): string {
  if (Number.isInteger(value) && value < PLAIN_LIMIT && value > -PLAIN_LIMIT) {
    return value === 0 && Object.is(value, -0) ? '-0' : String(value);
  }
  const magnitude = Math.abs(value);
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_LIMIT) {
    const text = quickText(magnitude);
    if (text !== undefined) return value < 0 ? `-${text}` : text;
  }
  return formatGeneral(value, DIGITS);
}

/** `%.14g` of a number that needs no exponent; undefined where that takes exact arithmetic. */
function quickText(magnitude: number): string | undefined {
  let decimals = DIGITS - 1;
  if (magnitude >= 10) while (magnitude >= POWERS_OF_TEN[DIGITS - decimals]!) decimals--;
  else for (let scaled = magnitude; scaled < 1; scaled *= 10) decimals++;
  const units = quickUnits(magnitude, decimals);
  // What is rounded up to the limit has an exponent.
  if (units < 0 || (decimals === 0 && units === PLAIN_LIMIT)) return undefined;
  const unit = POWERS_OF_TEN[decimals]!;
  const whole = Math.floor(units / unit);
  let rest = units - whole * unit;
  if (rest === 0) return String(whole);
  let width = decimals;
  for (; rest % 10 === 0; width--) rest /= 10;
  return `${whole}.${String(rest).padStart(width, '0')}`;
}

/** The text of a number with all its digits, `%.17g`, as arguments of redis.call() have it. */
export function preciseNumberText(value: number): string {
  return Number.isNaN(value) ? '-nan' : formatDouble(value);
}

/**
 * The number that a text is, or undefined: decimal or hexadecimal with or without exponent, `inf` and
 * `nan`, white space around it allowed. A zero byte ends the text.
 */
export function textNumber(text: string): number | undefined {
  const { length } = text;
  if (length > 0 && length <= FAST_DIGITS_MAX) {
    let value = 0;
    let at = 0;
    for (; at < length; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === length) return value;
  }
  const bare = withoutBlanks(text);
  const value = textDouble(bare);
  if (!Number.isNaN(value) || NOT_A_NUMBER.test(bare)) return value;
  return undefined;
}

function withoutBlanks(text: string): string {
  const zeroAt = text.indexOf('\0');
  let start = 0;
  let end = zeroAt < 0 ? text.length : zeroAt;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Whether C's isspace() is true of the byte. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
