/** Decimal digits of integers, written without making a string where the number allows it. */

const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1_000_000_000;

/** Bytes enough for any signed 64-bit integer. */
export const DIGITS_MAX = 20;

/** Writes `value` right-aligned so that it ends before `end`, and returns where it starts. */
export function writeDigits(out: Uint8Array, end: number, value: number | bigint): number {
  if (typeof value === 'bigint') return writeText(out, end, value.toString());
  const isNegative = value < 0;
  let rest = isNegative ? -value : value;
  let at = end;
  if (rest >= BILLION) {
    const high = Math.floor(rest / BILLION);
    let low = (rest - high * BILLION) | 0;
    for (let i = 0; i < 9; i++) {
      const tenth = (low / 10) | 0;
      out[--at] = ZERO + low - tenth * 10;
      low = tenth;
    }
    rest = high;
  }
  let low = rest | 0;
  do {
    const tenth = (low / 10) | 0;
    out[--at] = ZERO + low - tenth * 10;
    low = tenth;
  } while (low > 0);
  if (isNegative) out[--at] = MINUS;
  return at;
}

function writeText(out: Uint8Array, end: number, text: string): number {
  const start = end - text.length;
  for (let i = 0; i < text.length; i++) out[start + i] = text.charCodeAt(i);
  return start;
}
