/** Bytes and text without allocation where it matters. Text of the protocol is one byte a character (latin1). */

const LOWER_BIT = 0x20;
/** Bytes that a loop compares before the engine's own comparison is worth its call. */
const NEAR_BYTES = 64;

/** Whether the bytes equal `word` (ASCII, given in lower case), letters compared without case. */
export function equalsIgnoreCase(buf: Uint8Array, at: number, size: number, word: string): boolean {
  if (size !== word.length) return false;
  for (let i = 0; i < size; i++) {
    let byte = buf[at + i]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= LOWER_BIT;
    if (byte !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether two byte ranges of equal `size` hold the same bytes. */
export function sameBytes(
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  size: number,
): boolean {
  for (let i = 0; i < size; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** As much of a text as C shows of it: up to a zero byte. */
export function upToZero(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** Below 0 when `a` comes before `b` in the order of bytes, 0 when they are the same, above 0 behind it. */
export function compareBytes(
  a: Uint8Array,
  aAt: number,
  aSize: number,
  b: Uint8Array,
  bAt: number,
  bSize: number,
): number {
  const size = aSize < bSize ? aSize : bSize;
  const near = size < NEAR_BYTES ? size : NEAR_BYTES;
  for (let i = 0; i < near; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!;
    if (difference !== 0) return difference;
  }
  if (near === size) return aSize - bSize;
  return Buffer.compare(a.subarray(aAt, aAt + aSize), b.subarray(bAt, bAt + bSize));
}

/** Result of a parse that found no integer of the strict decimal form that Redis accepts. */
export const NOT_INTEGER: unique symbol = Symbol('not an integer');

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

/**
 * The signed 64-bit integer written in the bytes, strictly: no blanks, no plus, no leading zeros, no "-0".
 * A `number` when it is a safe integer, else a `bigint`. Source: behaviour of Redis 7 integer arguments.
 */
export function parseInt64(
  buf: Uint8Array,
  at: number,
  size: number,
): number | bigint | typeof NOT_INTEGER {
  if (size === 0 || size > 20) return NOT_INTEGER;
  const isNegative = buf[at] === 0x2d;
  let i = isNegative ? at + 1 : at;
  const end = at + size;
  if (i === end) return NOT_INTEGER;
  const first = buf[i]!;
  if (first === 0x30) return size === 1 ? 0 : NOT_INTEGER;
  if (end - i > 15) return parseLong(buf, at, i, end);
  let value = 0;
  for (; i < end; i++) {
    const digit = buf[i]! - 0x30;
    if (digit < 0 || digit > 9) return NOT_INTEGER;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

function parseLong(
  buf: Uint8Array,
  at: number,
  firstDigit: number,
  end: number,
): number | bigint | typeof NOT_INTEGER {
  for (let i = firstDigit; i < end; i++) {
    const digit = buf[i]! - 0x30;
    if (digit < 0 || digit > 9) return NOT_INTEGER;
  }
  let text = '';
  for (let i = at; i < end; i++) text += String.fromCharCode(buf[i]!);
  const value = BigInt(text);
  if (value > INT64_MAX || value < INT64_MIN) return NOT_INTEGER;
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}
