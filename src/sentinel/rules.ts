/**
 * The decisions on which safety rests, as pure functions in one object. A simulator overrides one to plant a fault
 * and proves that its checkers notice. Source: Redis Sentinel documentation, "Quorum" and "Configuration epochs".
 */

export interface VoteFacts {
  readonly requestEpoch: number;
  readonly currentEpoch: number;
  /** Epoch of our last vote about this master. */
  readonly leaderEpoch: number;
}

/** A replica as the choice of the next master sees it. */
export interface CandidateFacts {
  readonly priority: number;
  readonly replOffset: number;
  readonly runId: string;
  readonly isUp: boolean;
  readonly isConnected: boolean;
  readonly isAnnounced: boolean;
  readonly sinceAvailableMs: number;
  /** Undefined when INFO was never answered. */
  readonly sinceInfoMs: number | undefined;
  readonly masterLinkDownMs: number;
}

export interface CandidateLimits {
  readonly sinceAvailableMsMax: number;
  readonly sinceInfoMsMax: number;
  readonly masterLinkDownMsMax: number;
}

export interface SentinelRules {
  /** Whether a vote may be given now: one for each master and epoch. */
  mayVote(facts: VoteFacts): boolean;
  isOdown(downCount: number, quorum: number): boolean;
  /** Whether so many of `voters` elect a leader. */
  isElected(votes: number, voters: number, quorum: number): boolean;
  isNewerConfig(heardEpoch: number, ownEpoch: number): boolean;
  isCandidate(facts: CandidateFacts, limits: CandidateLimits): boolean;
  /** Negative when `a` is the better master. */
  compareCandidates(a: CandidateFacts, b: CandidateFacts): number;
}

/** Majority of `count` voters. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** The rules as Redis Sentinel has them. */
export const redisRules: SentinelRules = {
  mayVote: ({ requestEpoch, currentEpoch, leaderEpoch }) =>
    leaderEpoch < requestEpoch && currentEpoch <= requestEpoch,
  isOdown: (downCount, quorum) => downCount >= quorum,
  isElected: (votes, voters, quorum) => votes >= majority(voters) && votes >= quorum,
  isNewerConfig: (heardEpoch, ownEpoch) => heardEpoch > ownEpoch,
  isCandidate: (facts, limits) =>
    facts.isUp &&
    facts.isConnected &&
    facts.isAnnounced &&
    facts.priority !== 0 &&
    facts.sinceAvailableMs <= limits.sinceAvailableMsMax &&
    facts.sinceInfoMs !== undefined &&
    facts.sinceInfoMs <= limits.sinceInfoMsMax &&
    facts.masterLinkDownMs <= limits.masterLinkDownMsMax,
  compareCandidates(a, b) {
    if (a.priority !== b.priority) return a.priority - b.priority;
    if (a.replOffset !== b.replOffset) return b.replOffset - a.replOffset;
    if (a.runId === '' || b.runId === '') return Number(a.runId === '') - Number(b.runId === '');
    const [first, second] = [a.runId.toLowerCase(), b.runId.toLowerCase()];
    return first < second ? -1 : first > second ? 1 : 0;
  },
};
