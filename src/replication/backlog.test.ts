import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKLOG_BYTES_MIN, Backlog } from './index.ts';

/** All of it, by reading from `offset`. */
function textFrom(backlog: Backlog, offset: number): string {
  const { first, second } = backlog.read(offset);
  return first.toString('latin1') + second.toString('latin1');
}

const step = fc.oneof(
  fc.record({ append: fc.integer({ min: 0, max: 3 * BACKLOG_BYTES_MIN }) }),
  fc.record({ resize: fc.integer({ min: 1, max: 3 * BACKLOG_BYTES_MIN }) }),
);

test('a backlog holds what a string cut to its size would', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const firstOffset = 1000;
      const backlog = new Backlog(BACKLOG_BYTES_MIN, firstOffset);
      let model = '';
      let written = 0;
      for (const one of steps) {
        if ('append' in one) {
          const text = Array.from({ length: one.append }, (_, i) =>
            String.fromCharCode(33 + ((written + i) % 89)),
          ).join('');
          backlog.append(Buffer.from(`xx${text}y`), 2, one.append);
          written += one.append;
          model += text;
        } else {
          backlog.resize(one.resize);
        }
        model = model.slice(Math.max(0, model.length - backlog.bytesMax));
        expect(backlog.size).toBe(model.length);
        expect(backlog.firstOffset).toBe(firstOffset + written - model.length);
        expect(textFrom(backlog, backlog.firstOffset)).toBe(model);
      }
    }),
    { seed: 11, numRuns: 60 },
  );
});

test('the byte after the newest one may be asked for, and no later one', () => {
  const backlog = new Backlog(BACKLOG_BYTES_MIN, 1);
  backlog.append(Buffer.from('abc'), 0, 3);
  expect(backlog.has(4)).toBe(true);
  expect(textFrom(backlog, 4)).toBe('');
  expect(backlog.has(5)).toBe(false);
  expect(backlog.has(0)).toBe(false);
});
