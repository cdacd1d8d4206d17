/** A master's side of an election: one vote an epoch, on disk before it leaves. */
import { MESSAGE_FLAG, type PacketHeader } from '../bus/index.ts';
import { type ClusterContext, isMute, isVotingMaster } from './context.ts';
import type { VoteFacts, VoteRefusal } from './rules.ts';
import { sendAuthAck } from './sending.ts';
import { firstNewerSlot } from './slot-map.ts';
import type { ClusterNode } from './types.ts';

/**
 * Answers a request for our vote with an acknowledgement, or not at all.
 * @returns why not
 * Source: 7.2 cluster.c, clusterSendFailoverAuthIfNeeded().
 */
export function voteRequested(
  c: ClusterContext,
  candidate: ClusterNode,
  request: PacketHeader,
): VoteRefusal | undefined {
  const { master } = candidate;
  const staleSlot = firstStaleSlot(c, request);
  const facts: VoteFacts = {
    isVoter: isVotingMaster(c.myself),
    requestEpoch: request.currentEpoch,
    currentEpoch: c.currentEpoch,
    lastVoteEpoch: c.lastVoteEpoch,
    candidateIsMaster: candidate.role === 'master',
    isMasterKnown: master !== undefined,
    // One that follows us by now, whom we still hold for a replica of the master that failed before us, wants our place.
    isMasterFailed:
      request.masterId === c.myself.id
        ? isMute(c)
        : master !== undefined && master.health === 'fail',
    isForced: (request.messageFlags & MESSAGE_FLAG.forceAck) !== 0,
    sinceVoteMs: master?.votedAt === undefined ? undefined : c.since(master.votedAt),
    nodeTimeoutMs: c.options.nodeTimeoutMs,
    hasStaleSlot: staleSlot !== undefined,
  };
  const refusal = c.rules.voteRefusal(facts);
  if (refusal !== undefined) {
    const because = refusalText(refusal, facts, staleSlot);
    if (because !== '') c.log({ name: 'voteDenied', candidate: candidate.id, because });
    return refusal;
  }
  if (master !== undefined) master.votedAt = c.now.mono;
  c.lastVoteEpoch = c.currentEpoch;
  c.save('fsync');
  sendAuthAck(c, candidate);
  c.log({ name: 'voteGranted', candidate: candidate.id, epoch: c.currentEpoch });
  return undefined;
}

interface StaleSlot {
  readonly slot: number;
  readonly ownerEpoch: number;
  readonly requestEpoch: number;
}

/** A claimed slot whose owner is newer than the claim: the candidate missed a change. */
function firstStaleSlot(c: ClusterContext, request: PacketHeader): StaleSlot | undefined {
  const requestEpoch = request.configEpoch;
  const first = firstNewerSlot(c, request.slots, { epoch: requestEpoch, claimant: undefined });
  if (first === undefined) return undefined;
  return { slot: first, ownerEpoch: c.owners[first]!.configEpoch, requestEpoch };
}

/** The real server's words; empty where it keeps silent. */
function refusalText(refusal: VoteRefusal, facts: VoteFacts, stale: StaleSlot | undefined): string {
  switch (refusal) {
    case 'notAVoter':
      return '';
    case 'staleEpoch':
      return `reqEpoch (${facts.requestEpoch}) < curEpoch(${facts.currentEpoch})`;
    case 'alreadyVoted':
      return `already voted for epoch ${facts.currentEpoch}`;
    case 'candidateIsMaster':
      return 'it is a master node';
    case 'masterUnknown':
      return "I don't know its master";
    case 'masterIsUp':
      return 'its master is up';
    case 'votedForMasterRecently': {
      const leftMs = facts.nodeTimeoutMs * 2 - (facts.sinceVoteMs ?? 0);
      return `can't vote about this master before ${leftMs} milliseconds`;
    }
    case 'staleSlotOwner':
      return stale === undefined
        ? ''
        : `slot ${stale.slot} epoch (${stale.ownerEpoch}) > reqEpoch (${stale.requestEpoch})`;
  }
}
