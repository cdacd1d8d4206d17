/** Heads of RESP values: a type, a count and the end of line. */

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

/**
 * Writes `type`, a count in [0, 2^31) and the end of line at `from`, where there must be room; returns where they end.
 * Counts of one or two digits, which most are, take no loop.
 */
export function writeHead(buf: Uint8Array, from: number, type: number, count: number): number {
  let at = from;
  buf[at++] = type;
  if (count < 10) {
    buf[at++] = ZERO + count;
  } else if (count < 100) {
    const tens = (count / 10) | 0;
    buf[at++] = ZERO + tens;
    buf[at++] = ZERO + count - tens * 10;
  } else {
    let digits = 3;
    for (let bound = 1000; bound <= count; bound *= 10) digits++;
    let rest = count;
    for (let i = at + digits - 1; i >= at; i--) {
      const next = (rest / 10) | 0;
      buf[i] = ZERO + rest - next * 10;
      rest = next;
    }
    at += digits;
  }
  buf[at++] = CR;
  buf[at++] = LF;
  return at;
}
