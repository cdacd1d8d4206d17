/**
 * How long a replica waits before it stands, so that its first attempt is likely to succeed and the replica with the most
 * data to win. None of it guards safety: at most one candidate collects a majority in one epoch, whenever it asks.
 * Source: Redis Cluster specification, "Replica rank".
 */
import { addMs } from '../base/index.ts';
import { type ClusterContext, type ScheduledElection, isVotingMaster } from './context.ts';
import { broadcastPong } from './sending.ts';
import type { ClusterNode } from './types.ts';

/** Time for FAIL to reach the voters, and for replicas to exchange offsets. */
const ELECTION_DELAY_MS = 500;
/** Random part, exclusive, so that replicas of equal rank do not split the vote. */
const ELECTION_JITTER_MS = 500;
/** Each replica with a better offset puts us back by this much. */
const RANK_DELAY_MS = 1000;
/**
 * Wait of a replica that has no rival, or whose turn among its rivals has come: FAIL is on its way to the voters.
 * Divergence: the real server always waits 500 to 1000 ms. With nothing left to compare, and a voter that refused
 * because FAIL had not reached it asked again (ASK_AGAIN_MS) within the same epoch, there is nothing to wait for.
 */
const SETTLED_DELAY_MS = 20;
/**
 * Of replicas that have the same data and know it, each waits so long for the one before it, in the order of their ids.
 * Divergence: in the real server chance decides, within 500 ms.
 */
const TURN_DELAY_MS = 150;
/**
 * Masters that fail together, as those of one machine do, are replaced one after the other in the order of their ids: a
 * voter has one vote an epoch, and their replicas would all stand in the same one.
 * Divergence: the real server leaves it to the random part of its delay (Valkey orders them too, by 500 ms, since 8.1).
 */
const SHARD_DELAY_MS = 60;
/** Slack on top of two node time-outs within which a master's silence counts as fresh. */
const FRESH_SILENCE_MS = 1000;

/** What a rival said so shortly before we were ready counts: it may have heard of the failure first. */
const RECENT_MS = 100;

/** Sets the moment at which this replica stands. */
export function schedule(c: ClusterContext): void {
  const isAutomatic = c.manualFailover.state !== 'ready';
  const rank = isAutomatic ? replicaRank(c) : 0;
  const shards = isAutomatic ? shardRank(c) : 0;
  const hasRivals = rivals(c).length > 0;
  const isFresh = isSilenceFresh(c);
  const inShardMs = (): number => (isFresh && !hasRivals ? SETTLED_DELAY_MS : ordinaryMs(c, rank));
  const delayMs = isAutomatic ? shards * SHARD_DELAY_MS + inShardMs() : 0;
  const asksRivals = isAutomatic && isFresh && hasRivals;
  const [since, startAt] = [c.after(-RECENT_MS), c.after(delayMs)];
  c.election = { state: 'scheduled', since, startAt, rank, shards, asksRivals };
  const offset = c.replication.replOffset();
  c.log({ name: 'electionScheduled', delayMs, rank, offset });
  // Rivals learn our offset and can rank themselves.
  const { master } = c.myself;
  broadcastPong(c, (node) => node.role === 'replica' && node.master === master);
}

/** The wait of the specification. */
function ordinaryMs(c: ClusterContext, rank: number): number {
  return ELECTION_DELAY_MS + c.rng.below(ELECTION_JITTER_MS) + rank * RANK_DELAY_MS;
}

/** Looks at the moment again: others may be ahead of us by now, or all rivals may have told their offsets. */
export function reconsider(c: ClusterContext): void {
  if (c.election.state !== 'scheduled' || c.manualFailover.state !== 'idle') return;
  postponeIfOutranked(c, c.election);
  if (c.election.asksRivals) standInTurn(c, c.election);
}

function postponeIfOutranked(c: ClusterContext, election: ScheduledElection): void {
  const rank = Math.max(replicaRank(c), election.rank);
  const shards = Math.max(shardRank(c), election.shards);
  const addedRanks = rank - election.rank;
  const addedShards = shards - election.shards;
  if (addedRanks + addedShards === 0) return;
  const addedMs = addedRanks * RANK_DELAY_MS + addedShards * SHARD_DELAY_MS;
  c.election = { ...election, startAt: addMs(election.startAt, addedMs), rank, shards };
  if (addedRanks > 0) c.log({ name: 'rankUpdated', rank, addedMs });
}

/**
 * Every rival has spoken since: who is first is known, and the time that the offsets were given to spread is over.
 * Divergence: the real server waits for it in any case.
 */
function standInTurn(c: ClusterContext, election: ScheduledElection): void {
  const others = rivals(c);
  if (others.some(({ dataReceivedAt }) => (dataReceivedAt ?? 0) < election.since)) return;
  const offset = c.replication.replOffset();
  const equals = others.filter((node) => node.replOffset === offset && node.id < c.myself.id);
  const rank = replicaRank(c);
  const inShardMs = rank * RANK_DELAY_MS + equals.length * TURN_DELAY_MS;
  const delayMs = SETTLED_DELAY_MS + inShardMs + shardRank(c) * SHARD_DELAY_MS;
  const turnAt = c.after(delayMs);
  const isSooner = turnAt < election.startAt;
  c.election = { ...election, startAt: isSooner ? turnAt : election.startAt, asksRivals: false };
  if (isSooner) c.log({ name: 'offsetsKnown', rank, delayMs });
}

/**
 * The master fell silent only just now: the failure that we were made for. After partitions and stops the silence is
 * longer, views differ, and the ordinary delay lets them settle before anyone asks for votes.
 */
function isSilenceFresh(c: ClusterContext): boolean {
  const silenceMs = c.replication.masterSilenceMs();
  return silenceMs !== undefined && silenceMs <= c.options.nodeTimeoutMs * 2 + FRESH_SILENCE_MS;
}

/** How many replicas of our master are ahead of us and able to stand. */
function replicaRank(c: ClusterContext): number {
  const offset = c.replication.replOffset();
  let rank = 0;
  for (const rival of rivals(c)) if (rival.replOffset > offset) rank++;
  return rank;
}

function rivals(c: ClusterContext): ClusterNode[] {
  const replicas = c.myself.master?.replicas ?? [];
  return replicas.filter(
    (node) => node !== c.myself && !node.hasNoFailover && node.health !== 'fail',
  );
}

/** How many other masters that are failing come before ours. */
function shardRank(c: ClusterContext): number {
  const { master } = c.myself;
  let rank = 0;
  for (const node of c.nodeList) {
    const isFailing = isVotingMaster(node) && node.health !== 'ok';
    if (isFailing && master !== undefined && node.id < master.id) rank++;
  }
  return rank;
}
