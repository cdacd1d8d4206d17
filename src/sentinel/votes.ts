/** Who leads a failover: one vote for each Sentinel, master and epoch. Source: Redis Sentinel documentation. */
import { type Reply, ReplyError } from '../resp/index.ts';
import { addMs, invariant } from '../base/index.ts';
import type { SentinelContext } from './context.ts';
import type { Master, Peer } from './types.ts';

/** Sentinels that saw a failover begin wait a little differently long before they try themselves. */
const DESYNC_MS = 1000;

export interface Vote {
  readonly leader: string;
  readonly epoch: number;
}

/** Votes for whoever asks first in an epoch, and answers with the vote that stands. */
export function vote(
  c: SentinelContext,
  master: Master,
  request: { readonly epoch: number; readonly id: string },
): Vote | undefined {
  if (request.epoch > c.currentEpoch) {
    c.currentEpoch = request.epoch;
    c.save();
    c.tell('warning', '+new-epoch', String(c.currentEpoch), master);
  }
  const { currentEpoch } = c;
  const { leaderEpoch } = master;
  if (c.rules.mayVote({ requestEpoch: request.epoch, currentEpoch, leaderEpoch })) {
    invariant(currentEpoch >= request.epoch, 'an epoch is known before a vote in it');
    master.leader = request.id;
    master.leaderEpoch = currentEpoch;
    c.save();
    c.tell('warning', '+vote-for-leader', `${request.id} ${currentEpoch}`, master);
    if (request.id !== c.myId) {
      master.failover.startedAt = addMs(c.now.mono, c.rng.below(DESYNC_MS));
    }
  }
  return master.leader === undefined
    ? undefined
    : { leader: master.leader, epoch: master.leaderEpoch };
}

/** The Sentinel that enough others voted for in the epoch, ourselves counted; undefined while there is none. */
export function electedLeader(
  c: SentinelContext,
  master: Master,
  epoch: number,
): string | undefined {
  const votes = new Map<string, number>();
  for (const { leader, leaderEpoch } of master.sentinels.values()) {
    if (leader === undefined || leaderEpoch !== c.currentEpoch) continue;
    votes.set(leader, (votes.get(leader) ?? 0) + 1);
  }
  // With the others where they agree already, else for ourselves.
  const favourite = winnerOf(votes)?.id ?? c.myId;
  const mine = vote(c, master, { epoch, id: favourite });
  if (mine !== undefined && mine.epoch === epoch) {
    votes.set(mine.leader, (votes.get(mine.leader) ?? 0) + 1);
  }
  const winner = winnerOf(votes);
  const voters = master.sentinels.size + 1;
  if (winner === undefined) return undefined;
  return c.rules.isElected(winner.count, voters, master.settings.quorum) ? winner.id : undefined;
}

function winnerOf(votes: ReadonlyMap<string, number>): { id: string; count: number } | undefined {
  let winner: { id: string; count: number } | undefined;
  for (const [id, count] of votes) {
    if (count > (winner?.count ?? 0)) winner = { id, count };
  }
  return winner;
}

/** Another Sentinel's answer: whether it finds the master SDOWN, whom it voted for and in which epoch. */
export function opinionReceived(c: SentinelContext, peer: Peer, reply: Reply): void {
  if (!Array.isArray(reply) || reply instanceof ReplyError || reply.length !== 3) return;
  const [isDown, leader, epoch] = reply as readonly Reply[];
  if (typeof isDown !== 'number' || typeof epoch !== 'number') return;
  if (!Buffer.isBuffer(leader) && typeof leader !== 'string') return;
  peer.lastOpinionAt = c.now.mono;
  peer.saysMasterDown = (isDown & 1) === 1;
  const id = leader.toString('latin1');
  if (id === '*') return;
  if (peer.leaderEpoch !== epoch) c.log('warning', `${peer.name} voted for ${id} ${epoch}`);
  peer.leader = id;
  peer.leaderEpoch = epoch;
}
