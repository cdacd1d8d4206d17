/**
 * Goal: a pattern as code finds what the matcher finds step by step, captures and places included. Method: patterns and
 * subjects made of few characters at random, so that runs, ways back and captures meet; the matcher, which follows the manual
 * item by item, is the judge.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LuaValue } from '../values.ts';
import { finderOf, places } from './pattern-code.ts';
import { itemsOf } from './pattern-items.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import { foundCapture } from './pattern-search.ts';

const ONE = fc.constantFrom('a', 'b', '.', '%a', '%d', '%s', '%W', '[ab]', '[^a]', '[%w_.-]', '-');
const REPETITION = fc.constantFrom('', '', '*', '+', '-', '?');
const PIECE = fc
  .tuple(ONE, REPETITION, fc.constantFrom('', '', '()', '(', '('))
  .map(([one, repetition, capture]) =>
    capture === '(' ? `(${one}${repetition})` : capture + one + repetition,
  );
const PATTERN = fc
  .tuple(fc.array(PIECE, { maxLength: 6 }), fc.constantFrom('', '', '$'))
  .map(([pieces, end]) => pieces.join('') + end);
const SUBJECT = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', ' ', '-', '_', '\0', '\xe9'), { maxLength: 14 })
  .map((characters) => characters.join(''));

/** What is found from an index on: where it begins and ends, and the captures. */
function stepwise(subject: string, pattern: string, from: number, last: number): LuaValue[] {
  const matcher = new PatternMatcher(subject, pattern);
  for (let start = from; start <= last; start++) {
    const end = matcher.matchAt(start);
    if (end < 0) continue;
    const captures = Array.from({ length: matcher.captureCount }, (_, at) => matcher.capture(at));
    return [start, end, ...captures];
  }
  return [];
}

test.each([true, false])('code finds what the matcher finds, anchored %s', (isAnchored) => {
  fc.assert(
    fc.property(
      PATTERN,
      fc.array(SUBJECT, { maxLength: 6 }),
      fc.nat(3),
      (pattern, subjects, at) => {
        const items = itemsOf(pattern)!;
        const find = finderOf(items, isAnchored)!;
        const captureCount = items.filter(({ kind }) => kind === 'open').length;
        for (const subject of subjects) {
          const from = Math.min(at, subject.length);
          const start = find(subject, from);
          const captures = Array.from({ length: captureCount }, (_, index) =>
            foundCapture(subject, index),
          );
          const found = start < 0 ? [] : [start, places[0], ...captures];
          const last = isAnchored ? from : subject.length;
          expect(found, JSON.stringify([pattern, subject])).toEqual(
            stepwise(subject, pattern, from, last),
          );
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('what has no code is left to others', () => {
  for (const pattern of ['%bxy', '%f[a]', '(a)%1', '(a', 'a)', '[a', 'a%', '()'.repeat(33)]) {
    expect(itemsOf(pattern), pattern).toBeUndefined();
  }
  expect(finderOf(itemsOf('a?'.repeat(13))!, false)).toBeUndefined();
  expect(finderOf(itemsOf('a'.repeat(101))!, false)).toBeUndefined();
  expect(finderOf(itemsOf('a'.repeat(100))!, false)!('b'.repeat(9) + 'a'.repeat(100), 0)).toBe(9);
});
