/** Heads of RESP values: a type, a count and the end of line. */
import { countDigits, writeShortDigits } from '../base/index.ts';

const CR = 0x0d;
const LF = 0x0a;

/**
 * Writes `type`, a count in [0, 2^31) and the end of line at `from`, where there must be room; returns where they end.
 */
export function writeHead(buf: Uint8Array, from: number, type: number, count: number): number {
  const end = from + 1 + countDigits(count);
  buf[from] = type;
  writeShortDigits(buf, end, count);
  buf[end] = CR;
  buf[end + 1] = LF;
  return end + 2;
}
