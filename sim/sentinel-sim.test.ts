/**
 * Goal: Sentinels keep their promises through faults, and the checkers see. Method: a few seeds as they are; then one rule
 * broken at a time, which some seed among the first few must find, and the same seed is clean with the rules whole.
 */
import { expect, test } from 'vitest';
import { redisRules } from '../src/sentinel/index.ts';
import type { Weather } from './network.ts';
import type { Violation } from './safety-checker.ts';
import { type SentinelSeedOptions, runSentinelSeed } from './sentinel-run.ts';
import type { SentinelFault, SentinelSwarm } from './sentinel-swarm.ts';

const MINUTE_MS = 60_000;
/** A fault that this many seeds do not show is not found. */
const SEEDS_MAX = 20;

interface PlantedFault {
  readonly name: string;
  readonly swarm: (swarm: SentinelSwarm) => SentinelSwarm;
  readonly fault: SentinelSeedOptions;
  readonly foundAs: readonly Violation['rule'][];
}

/** Slow enough for Sentinels to begin failovers beside each other. */
const SLOW: Weather = {
  ...{ delayMinUs: 5000, jitterUs: 150_000, replicationLagUs: 0 },
  ...{ stallOneIn: 0, splitOneIn: 0 },
};

/** Only these faults strike, more often than usual. */
function only(
  kind: SentinelSwarm['kind'],
  ...faults: readonly SentinelFault[]
): (swarm: SentinelSwarm) => SentinelSwarm {
  return (swarm) => ({
    ...swarm,
    ...{ kind, quorum: 2, writers: 1, thinkMsMax: 400, faultGapMsMax: 3000, weather: SLOW },
    faults: faults.map((fault) => ({ kind: fault, weight: 1 })),
  });
}

const FAULTS: readonly PlantedFault[] = [
  {
    name: 'a vote given twice in an epoch',
    swarm: only('storm', 'crash', 'pause'),
    fault: {
      rules: { ...redisRules, mayVote: (facts) => facts.requestEpoch >= facts.currentEpoch },
    },
    foundAs: ['votedTwice', 'electedTwice'],
  },
  {
    name: 'a vote that leaves before it is on disk',
    swarm: only('storm', 'crash'),
    fault: { isDiskForgetful: true },
    foundAs: ['votedTwice', 'epochForgotten'],
  },
  {
    name: 'ODOWN without the quorum',
    swarm: only('storm', 'partition'),
    fault: { rules: { ...redisRules, isOdown: () => true } },
    foundAs: ['odownBelowQuorum'],
  },
  {
    name: 'a leader without the majority',
    swarm: only('storm', 'crash', 'pause'),
    fault: { rules: { ...redisRules, isElected: (votes) => votes > 0 } },
    foundAs: ['electedTwice', 'promotedTwice'],
  },
  {
    name: 'an older configuration taken for a newer one',
    swarm: only('storm', 'partition', 'crash'),
    fault: { rules: { ...redisRules, isNewerConfig: (heard, own) => heard !== own } },
    foundAs: ['yieldedToOlder'],
  },
  {
    name: 'a failover that does not wait for the replica',
    swarm: only('calm', 'coordinated'),
    fault: { adjust: only('calm', 'forced') },
    foundAs: ['acknowledgedWriteLost'],
  },
];

test.each(FAULTS)(
  'a planted fault is found: $name',
  ({ swarm, fault, foundAs }) => {
    let foundBy: number | undefined;
    for (let seed = 1; seed <= SEEDS_MAX && foundBy === undefined; seed++) {
      const { violations } = runSentinelSeed(seed, { adjust: swarm, ...fault });
      if (violations.some(({ rule }) => foundAs.includes(rule))) foundBy = seed;
    }
    expect(foundBy, 'a seed that shows it').toBeDefined();
    expect(runSentinelSeed(foundBy!, { adjust: swarm }).violations).toEqual([]);
  },
  MINUTE_MS,
);

test('one seed is one history', () => {
  const [first, second] = [runSentinelSeed(1), runSentinelSeed(1)];
  expect(second.traceHash).toBe(first.traceHash);
  expect(second.events).toBe(first.events);
});

test('a few seeds of faults break nothing', { timeout: MINUTE_MS }, () => {
  const failed = [];
  for (let seed = 1; seed <= 3; seed++) {
    const { violations } = runSentinelSeed(seed);
    if (violations.length > 0) failed.push({ seed, violations });
  }
  expect(failed).toEqual([]);
});
