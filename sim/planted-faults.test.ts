/**
 * Goal: the checkers see. Method: break one rule of the cluster at a time; some seed among the first few must find it,
 * and the same seed must be clean with the rules whole.
 */
import { expect, test } from 'vitest';
import { type ClusterRules, redisRules } from '../src/cluster/index.ts';
import type { Violation } from './safety-checker.ts';
import { runSeed } from './seed-run.ts';

const MINUTE_MS = 60_000;
/** A fault that this many seeds do not show is not found. */
const SEEDS_MAX = 60;

interface PlantedFault {
  readonly name: string;
  readonly rules: Partial<ClusterRules>;
  readonly foundAs: readonly Violation['rule'][];
}

const FAULTS: readonly PlantedFault[] = [
  {
    name: 'a vote given twice in an epoch',
    rules: {
      voteRefusal: (facts) =>
        redisRules.voteRefusal({ ...facts, lastVoteEpoch: 0, sinceVoteMs: undefined }),
    },
    foundAs: ['votedTwice'],
  },
  {
    name: 'a vote sent before it is saved',
    rules: { persistsBeforeSpeaking: () => false },
    foundAs: ['epochForgotten', 'votedTwice'],
  },
  {
    name: "no waiting for the master's offset",
    rules: { isCaughtUp: () => true },
    foundAs: ['acknowledgedWriteLost'],
  },
  {
    name: 'a stale configEpoch accepted',
    rules: { isNewerOwner: () => true },
    foundAs: ['yieldedToOlder'],
  },
  {
    name: 'a demoted master that keeps taking writes',
    rules: { yieldsSlots: () => false },
    foundAs: ['writeAfterNewerOwner'],
  },
];

test.each(FAULTS)(
  'a planted fault is found: $name',
  ({ rules, foundAs }) => {
    let foundBy: number | undefined;
    for (let seed = 1; seed <= SEEDS_MAX && foundBy === undefined; seed++) {
      const { violations } = runSeed(seed, { rules: { ...redisRules, ...rules } });
      if (violations.some(({ rule }) => foundAs.includes(rule))) foundBy = seed;
    }
    expect(foundBy, 'a seed that shows it').toBeDefined();
    expect(runSeed(foundBy!).violations).toEqual([]);
  },
  MINUTE_MS,
);
