import { expect, test } from 'vitest';
import { encodeDump } from '../../rdb/index.ts';
import { compareExpiry, comparePortraits } from './differences.ts';
import { type Portrait, PortraitPainter } from './portrait.ts';

const LIST = 1;
const HASH = 4;
const painter = new PortraitPainter(true);

function painted(type: number, words: readonly string[], count: number): Portrait {
  const payload = encodeDump((writer) => {
    writer.type(type);
    writer.length(count);
    for (const word of words) writer.string(Buffer.from(word), 0, word.length);
  });
  const portrait = painter.paint(payload, 0, payload.length);
  if (portrait === undefined) throw new Error('Cannot paint the payload');
  return portrait;
}

test('a list differs by index, and a longer one by what it has more', () => {
  const source = painted(LIST, ['a', 'b', 'c'], 3);
  expect(comparePortraits(source, painted(LIST, ['a', 'b', 'c'], 3))).toBeUndefined();
  expect(comparePortraits(source, painted(LIST, ['b', 'a', 'c', 'd'], 4))).toEqual({
    kind: 'value',
    type: 'list',
    partCount: 3,
    parts: [
      { part: '0', source: 'a', target: 'b' },
      { part: '1', source: 'b', target: 'a' },
      { part: '3', source: undefined, target: 'd' },
    ],
  });
});

test('the order of the fields of a hash means nothing, another type everything', () => {
  const source = painted(HASH, ['f', '1', 'g', '2'], 2);
  expect(comparePortraits(source, painted(HASH, ['g', '2', 'f', '1'], 2))).toBeUndefined();
  expect(comparePortraits(source, painted(LIST, ['f'], 1))?.kind).toBe('type');
});

test('a payload of an unknown type has no portrait', () => {
  const payload = encodeDump((writer) => writer.type(7));
  expect(painter.paint(payload, 0, payload.length)).toBeUndefined();
});

test('expiry times are equal within the tolerance, and none is equal to none only', () => {
  expect(compareExpiry(1000, 1500, 500)).toBeUndefined();
  expect(compareExpiry(-1, -1, 0)).toBeUndefined();
  expect(compareExpiry(1000, 1501, 500)?.kind).toBe('ttl');
  expect(compareExpiry(-1, 0, 5000)?.kind).toBe('ttl');
});
