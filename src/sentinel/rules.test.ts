/** Goal: the rules of Sentinel decide as documented. Method: by hand, and order laws on random candidates. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CandidateFacts, redisRules as rules } from './rules.ts';

const candidate: CandidateFacts = {
  ...{ priority: 100, replOffset: 50, runId: 'b', isUp: true, isConnected: true },
  ...{ isAnnounced: true, sinceAvailableMs: 10, sinceInfoMs: 20, masterLinkDownMs: 0 },
};
const limits = { sinceAvailableMsMax: 5000, sinceInfoMsMax: 5000, masterLinkDownMsMax: 10_000 };

test('a vote is given once for each epoch, and never for one that is past', () => {
  const facts = { requestEpoch: 5, currentEpoch: 5, leaderEpoch: 4 };
  expect(rules.mayVote(facts)).toBe(true);
  expect(rules.mayVote({ ...facts, leaderEpoch: 5 })).toBe(false);
  expect(rules.mayVote({ ...facts, currentEpoch: 6 })).toBe(false);
});

test('a leader needs the majority of all Sentinels, and the quorum where that is more', () => {
  expect(rules.isElected(2, 3, 1)).toBe(true);
  expect(rules.isElected(1, 3, 1)).toBe(false);
  expect(rules.isElected(2, 4, 2)).toBe(false);
  expect(rules.isElected(3, 5, 4)).toBe(false);
});

test('a replica that is down, silent, stale, hidden or of priority 0 is no candidate', () => {
  expect(rules.isCandidate(candidate, limits)).toBe(true);
  const flaws: readonly Partial<CandidateFacts>[] = [
    ...[{ isUp: false }, { isConnected: false }, { isAnnounced: false }, { priority: 0 }],
    ...[{ sinceAvailableMs: 5001 }, { sinceInfoMs: undefined }, { sinceInfoMs: 5001 }],
    { masterLinkDownMs: 10_001 },
  ];
  for (const flaw of flaws) {
    expect(rules.isCandidate({ ...candidate, ...flaw }, limits)).toBe(false);
  }
});

test('the best candidate has the smallest priority, then the most data, then the smallest run id', () => {
  const better: readonly Partial<CandidateFacts>[] = [
    { priority: 10, replOffset: 0 },
    { replOffset: 51 },
    { runId: 'A' },
  ];
  for (const facts of better) {
    expect(rules.compareCandidates({ ...candidate, ...facts }, candidate)).toBeLessThan(0);
    expect(rules.compareCandidates(candidate, { ...candidate, ...facts })).toBeGreaterThan(0);
  }
  expect(rules.compareCandidates({ ...candidate, runId: '' }, candidate)).toBeGreaterThan(0);
});

test('the choice does not depend on the order of the candidates', () => {
  const some = fc.record({
    priority: fc.integer({ min: 1, max: 3 }),
    replOffset: fc.integer({ min: 0, max: 3 }),
    runId: fc.constantFrom('', 'a', 'b', 'c'),
  });
  fc.assert(
    fc.property(some, some, some, (a, b, c) => {
      const sorted = (list: readonly (typeof a)[]): string =>
        JSON.stringify(
          list
            .map((facts) => ({ ...candidate, ...facts }))
            .toSorted((x, y) => rules.compareCandidates(x, y)),
        );
      expect(sorted([c, a, b])).toBe(sorted([b, c, a]));
    }),
    { seed: 3 },
  );
});
