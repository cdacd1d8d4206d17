/**
 * Goal: slots that move atomically lose no acknowledged write and have one owner, whatever is cut, stopped or killed at
 * whichever step. Method: seeds of faults aimed at moves; and a planted fault, which some seed must find.
 */
import { expect, test } from 'vitest';
import { redisRules } from '../src/cluster/index.ts';
import { runMoveSeed } from './seed-run.ts';

const MINUTE_MS = 60_000;
/** A fault that this many seeds do not show is not found. */
const SEEDS_MAX = 60;

test('a few seeds of moves break nothing', { timeout: MINUTE_MS }, () => {
  const failed = [];
  for (let seed = 1; seed <= 4; seed++) {
    const { violations } = runMoveSeed(seed);
    if (violations.length > 0) failed.push({ seed, violations });
  }
  expect(failed).toEqual([]);
});

test(
  'a planted fault is found: a source that goes on when the connection breaks',
  {
    timeout: MINUTE_MS,
  },
  () => {
    const rules = { ...redisRules, waitsInDoubt: () => false };
    let isFound = false;
    for (let seed = 5; seed <= SEEDS_MAX && !isFound; seed++) {
      const { violations } = runMoveSeed(seed, { rules });
      isFound = violations.some(({ rule }) => rule === 'acknowledgedWriteLost');
    }
    expect(isFound).toBe(true);
  },
);
