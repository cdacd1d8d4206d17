/** Decimal digits of integers, written without making a string where the number allows it. */

const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1_000_000_000;

/** The digits of 00 to 99: two a step take half the divisions. */
const PAIRS = Uint8Array.from({ length: 200 }, (_, i) =>
  i % 2 === 0 ? ZERO + Math.floor(i / 20) : ZERO + (((i - 1) / 2) % 10),
);

/** Bytes enough for any signed 64-bit integer. */
export const DIGITS_MAX = 20;

/** How many digits an integer in [0, 2^31) has. */
export function countDigits(value: number): number {
  if (value < 100_000) {
    if (value < 100) return value < 10 ? 1 : 2;
    if (value < 10_000) return value < 1000 ? 3 : 4;
    return 5;
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7;
  if (value < BILLION) return value < 100_000_000 ? 8 : 9;
  return 10;
}

/** Writes `value`, an integer in [0, 2^31), so that it ends before `end`, and returns where it starts. */
export function writeShortDigits(out: Uint8Array, end: number, value: number): number {
  // As a 32-bit integer, the compiler divides it by multiplying; it would divide a number as a double.
  let rest = value | 0;
  let at = end;
  while (rest >= 10) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) << 1;
    at -= 2;
    out[at] = PAIRS[pair]!;
    out[at + 1] = PAIRS[pair + 1]!;
    rest = next;
  }
  if (rest > 0 || at === end) out[--at] = ZERO + rest;
  return at;
}

/** Writes `value` right-aligned so that it ends before `end`, and returns where it starts. */
export function writeDigits(out: Uint8Array, end: number, value: number | bigint): number {
  if (typeof value === 'bigint') return writeText(out, end, value.toString());
  const isNegative = value < 0;
  let rest = isNegative ? -value : value;
  let at = end;
  if (rest >= BILLION) {
    const high = Math.floor(rest / BILLION);
    at = writeShortDigits(out, end, rest - high * BILLION);
    while (at > end - 9) out[--at] = ZERO;
    rest = high;
  }
  at = writeShortDigits(out, at, rest);
  if (isNegative) out[--at] = MINUS;
  return at;
}

function writeText(out: Uint8Array, end: number, text: string): number {
  const start = end - text.length;
  for (let i = 0; i < text.length; i++) out[start + i] = text.charCodeAt(i);
  return start;
}
