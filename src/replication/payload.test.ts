import fc from 'fast-check';
import { expect, test } from 'vitest';
import { payloadReader } from './payload.ts';

const MARK = `${'ab'.repeat(19)}aa`;

function feed(
  line: string,
  bytes: string,
  cuts: readonly number[],
): { out: string; rest: string } | undefined {
  const payload = payloadReader(line);
  if (!payload) return undefined;
  let out = '';
  let from = 0;
  for (const cut of [
    ...cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ]) {
    if (payload.isDone) break;
    const chunk = Buffer.from(`--${bytes.slice(from, cut)}`, 'latin1');
    from += payload.push(chunk, 2, chunk.length - 2, (buf, at, size) => {
      out += buf.toString('latin1', at, at + size);
    });
  }
  expect(payload.receivedBytes).toBe(out.length);
  return payload.isDone ? { out, rest: bytes.slice(from) } : undefined;
}

test('a mark is found across any cut, and false beginnings of it are data', () => {
  // Pieces of the mark itself make near misses likely.
  const piece = fc.constantFrom('a', 'b', 'ab', MARK.slice(0, 39), MARK.slice(1), 'xyz');
  const data = fc.array(piece, { maxLength: 8 }).map((pieces) => `${pieces.join('')}x`);
  fc.assert(
    fc.property(data, fc.array(fc.nat(), { maxLength: 10 }), (snapshot, cuts) => {
      fc.pre(!snapshot.includes(MARK));
      const found = feed(`$EOF:${MARK}`, `${snapshot}${MARK}*1`, cuts);
      expect(found).toEqual({ out: snapshot, rest: '*1' });
    }),
    { seed: 21, numRuns: 500 },
  );
});

test('a sized payload takes its bytes and no more', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.array(fc.nat(), { maxLength: 5 }), (size, cuts) => {
      const bytes = 'r'.repeat(size);
      expect(feed(`$${size}`, `${bytes}tail`, cuts)).toEqual({ out: bytes, rest: 'tail' });
    }),
    { seed: 22, numRuns: 100 },
  );
});

test.each(['', '*3', '-ERR no', '$', '$-1', '$12x', '$EOF:short', `$EOF:${MARK}a`])(
  'the line %j announces no snapshot',
  (line) => {
    expect(payloadReader(line)).toBeUndefined();
  },
);
