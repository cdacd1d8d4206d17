/** Scores of sorted sets as text. */

const INFINITE = /^[+-]?inf(inity)?$/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Longer than any score that Redis writes. */
const TEXT_BYTES_MAX = 128;

/** The score that the text at (buf, at, size) says, or NaN when it says none. */
export function parseScore(buf: Uint8Array, at: number, size: number): number {
  if (size === 0 || size > TEXT_BYTES_MAX) return Number.NaN;
  let text = '';
  for (let i = 0; i < size; i++) text += String.fromCharCode(buf[at + i]!);
  if (NUMBER.test(text)) return Number(text);
  if (!INFINITE.test(text)) return Number.NaN;
  return text.startsWith('-') ? -Infinity : Infinity;
}
