/**
 * The decisions on which safety rests, as pure functions in one object. A simulator overrides one to plant a fault
 * and proves that its checkers notice.
 */

export type VoteRefusal =
  | 'notAVoter'
  | 'staleEpoch'
  | 'alreadyVoted'
  | 'candidateIsMaster'
  | 'masterUnknown'
  | 'masterIsUp'
  | 'votedForMasterRecently'
  | 'staleSlotOwner';

export interface VoteFacts {
  readonly isVoter: boolean;
  readonly requestEpoch: number;
  readonly currentEpoch: number;
  readonly lastVoteEpoch: number;
  readonly candidateIsMaster: boolean;
  readonly isMasterKnown: boolean;
  readonly isMasterFailed: boolean;
  readonly isForced: boolean;
  /** Milliseconds since our last vote about this master; undefined when never. */
  readonly sinceVoteMs: number | undefined;
  readonly nodeTimeoutMs: number;
  /** Whether some claimed slot has an owner with a configEpoch above the request's. */
  readonly hasStaleSlot: boolean;
}

export interface ClusterRules {
  /** Source: Redis Cluster specification, "Masters reply to replica vote request". */
  voteRefusal(facts: VoteFacts): VoteRefusal | undefined;
  /** Whether a claim with `claimEpoch` takes a slot from an owner at `ownerEpoch`. */
  isNewerOwner(claimEpoch: number, ownerEpoch: number): boolean;
  /** Whether a replica at `myOffset` has all that its paused master wrote. */
  isCaughtUp(myOffset: number, masterOffset: number): boolean;
  isElected(votes: number, masterCount: number): boolean;
  /** Whether an acknowledgement sent at `voterEpoch` counts for the election of `electionEpoch`. */
  countsAsVote(voterEpoch: number, electionEpoch: number): boolean;
  /** Whether a master gives its slots to a newer owner, and follows it once the last one is gone. */
  yieldsSlots(): boolean;
  /** Whether the target of an atomic move may still claim the slots, so long after it said that it was ready. */
  mayTakeOver(sinceReadyMs: number, limitMs: number): boolean;
  /** Whether the source of an atomic move that heard nothing of its target asks the majority before it goes on. */
  asksInDoubt(): boolean;
  /** Whether a master that comes back without its data looks for others who have it before it serves. */
  looksForLostData(): boolean;
  /** Whether state is on disk before anything is said of it. */
  persistsBeforeSpeaking(): boolean;
}

/** Majority of `masterCount` voters. */
export function majority(masterCount: number): number {
  return Math.floor(masterCount / 2) + 1;
}

/** The rules as Redis Cluster has them. */
export const redisRules: ClusterRules = {
  voteRefusal(facts) {
    if (!facts.isVoter) return 'notAVoter';
    if (facts.requestEpoch < facts.currentEpoch) return 'staleEpoch';
    if (facts.lastVoteEpoch >= facts.currentEpoch) return 'alreadyVoted';
    if (facts.candidateIsMaster) return 'candidateIsMaster';
    if (!facts.isMasterKnown) return 'masterUnknown';
    if (!facts.isMasterFailed && !facts.isForced) return 'masterIsUp';
    if (facts.sinceVoteMs !== undefined && facts.sinceVoteMs < facts.nodeTimeoutMs * 2) {
      return 'votedForMasterRecently';
    }
    return facts.hasStaleSlot ? 'staleSlotOwner' : undefined;
  },
  isNewerOwner: (claimEpoch, ownerEpoch) => claimEpoch > ownerEpoch,
  isCaughtUp: (myOffset, masterOffset) => myOffset === masterOffset,
  isElected: (votes, masterCount) => votes >= majority(masterCount),
  countsAsVote: (voterEpoch, electionEpoch) => voterEpoch >= electionEpoch,
  yieldsSlots: () => true,
  mayTakeOver: (sinceReadyMs, limitMs) => sinceReadyMs <= limitMs,
  asksInDoubt: () => true,
  looksForLostData: () => true,
  persistsBeforeSpeaking: () => true,
};
