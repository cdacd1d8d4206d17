import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKLOG_BYTES_MIN, Backlog } from './index.ts';

/** All of it, by reading from `offset`. */
function textFrom(backlog: Backlog, offset: number): string {
  let text = '';
  for (let at = offset; ;) {
    const piece = backlog.pieceAt(at);
    if (piece.length === 0) return text;
    text += piece.toString('latin1');
    at += piece.length;
  }
}

const SIZES = { min: 1, max: 3 * BACKLOG_BYTES_MIN };
const step = fc.oneof(
  fc.record({ append: fc.integer({ ...SIZES, min: 0 }) }),
  fc.record({ resize: fc.integer(SIZES) }),
  /** A replica has still to get so many bytes, at most. */
  fc.record({ need: fc.integer({ min: 0, max: 5 * BACKLOG_BYTES_MIN }) }),
);

test('a backlog holds the end of what was written: its size of it, what is needed, and little more', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 16 }), (steps) => {
      const firstOffset = 1000;
      const backlog = new Backlog(BACKLOG_BYTES_MIN, firstOffset);
      let written = '';
      let kept = 0;
      let neededFrom = Infinity;
      let bytesMax = BACKLOG_BYTES_MIN;
      for (const one of steps) {
        if ('append' in one) {
          const text = Array.from({ length: one.append }, (_, i) =>
            String.fromCharCode(33 + ((written.length + i) % 89)),
          ).join('');
          backlog.append(Buffer.from(`xx${text}y`), 2, one.append);
          written += text;
          kept += one.append;
        } else if ('resize' in one) {
          backlog.resize(one.resize);
          bytesMax = Math.max(one.resize, BACKLOG_BYTES_MIN);
        } else {
          neededFrom = firstOffset + written.length - Math.min(one.need, kept);
        }
        backlog.trim(neededFrom);
        const needed = Math.max(0, firstOffset + written.length - neededFrom);
        expect(backlog.size).toBeGreaterThanOrEqual(Math.min(kept, Math.max(bytesMax, needed)));
        // Never what was gone before, and at most a block that is needed or filled in part.
        expect(backlog.size).toBeLessThanOrEqual(
          Math.min(kept, Math.max(bytesMax, needed) + BACKLOG_BYTES_MIN),
        );
        kept = backlog.size;
        expect(backlog.bytesMax).toBe(bytesMax);
        expect(backlog.heldBytes).toBeGreaterThanOrEqual(kept);
        expect(backlog.heldBytes).toBeLessThanOrEqual(kept + 2 * BACKLOG_BYTES_MIN);
        if (needed <= bytesMax) expect(backlog.outgrownBytes).toBe(0);
        expect(backlog.outgrownBytes).toBeLessThanOrEqual(needed);
        expect(backlog.firstOffset).toBe(firstOffset + written.length - kept);
        expect(textFrom(backlog, backlog.firstOffset)).toBe(written.slice(written.length - kept));
      }
    }),
    { seed: 11, numRuns: 200 },
  );
});

test('a backlog that was much larger lets go as closely as one that never was', () => {
  const backlog = new Backlog(256 * BACKLOG_BYTES_MIN, 1);
  backlog.append(Buffer.alloc(10 * BACKLOG_BYTES_MIN), 0, 10 * BACKLOG_BYTES_MIN);
  backlog.resize(BACKLOG_BYTES_MIN);
  expect(backlog.size).toBe(10 * BACKLOG_BYTES_MIN);
  backlog.trim(Infinity);
  expect(backlog.size).toBeLessThan(1.3 * BACKLOG_BYTES_MIN);
  expect(backlog.has(10 * BACKLOG_BYTES_MIN + 1)).toBe(true);
});

test('the byte after the newest one may be asked for, and no later one', () => {
  const backlog = new Backlog(BACKLOG_BYTES_MIN, 1);
  expect(backlog.has(1)).toBe(true);
  expect(textFrom(backlog, 1)).toBe('');
  backlog.append(Buffer.from('abc'), 0, 3);
  expect(backlog.has(4)).toBe(true);
  expect(textFrom(backlog, 4)).toBe('');
  expect(backlog.has(5)).toBe(false);
  expect(backlog.has(0)).toBe(false);
});
