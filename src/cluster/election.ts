/**
 * A replica's side of an election: when it may stand, how long it waits, how it asks, and what winning means.
 * Source: Redis Cluster specification, "Replica election and promotion"; 7.2 cluster.c, clusterHandleSlaveFailover().
 */
import { type MonoMs, invariant } from '../base/index.ts';
import { type ClusterContext, type Election, isVotingMaster, slotHolder } from './context.ts';
import { takeElectionEpoch } from './epochs.ts';
import { reconsider, schedule } from './election-delay.ts';
import { updateHealth } from './health.ts';
import type { CannotFailoverReason, LogEvent } from './log-events.ts';
import { endDataSearch } from './lost-data.ts';
import { resetManualFailover } from './manual-reset.ts';
import { markMaster } from './roles.ts';
import { broadcastAuthRequest, broadcastPong, sendAuthRequest } from './sending.ts';
import { applySharedTakeover, dropOutdoneTakeover } from './slot-imports.ts';
import { moveSlots } from './slot-map.ts';
import { dropStrays } from './slot-transfers.ts';
import type { ClusterNode } from './types.ts';

/**
 * Voters that have not answered are asked again after this long, only while currentEpoch is still the election's: a
 * vote belongs to the epoch of its request, so votes of two epochs never add up.
 */
const ASK_AGAIN_MS = 100;
const AUTH_TIMEOUT_MIN_MS = 2000;
/** How often the same reason for not failing over is logged. Source: CLUSTER_CANT_FAILOVER_RELOG_PERIOD, 10 s. */
const RELOG_MS = 10_000;

/** Moves the election as far as it goes at this moment. Safe to call at any time. */
export function handleElection(c: ClusterContext): void {
  c.failoverWanted = false;
  const isManual = c.manualFailover.state === 'ready';
  if (!mayStand(c, isManual)) {
    c.election = { state: 'idle' };
    c.lastCannotFailover = undefined;
    return;
  }
  if (!isManual && isDataTooOld(c)) return cannotFailover(c, 'dataTooOld');
  if (c.election.state === 'idle') schedule(c);
  else if (isOver(c, c.election)) schedule(c);
  else reconsider(c);
  proceed(c, c.election);
}

function proceed(c: ClusterContext, election: Election): void {
  if (election.state === 'idle') return;
  if (election.state === 'scheduled') {
    if (c.now.mono < election.startAt) return cannotFailover(c, 'waitingDelay');
    return startElection(c);
  }
  if (c.since(election.startAt) > authTimeoutMs(c)) return cannotFailover(c, 'expired');
  if (isOutdone(c, election.epoch)) {
    c.election = { state: 'idle' };
    return cannotFailover(c, 'outdone');
  }
  if (c.rules.isElected(countVotes(election.voters), c.size)) return win(c, election.epoch);
  if (isEpochTaken(c, election.epoch)) {
    // Its winner's voters have none to give in it, but all have one in the next.
    schedule(c);
    return;
  }
  askAgain(c);
  cannotFailover(c, 'waitingVotes');
}

/**
 * Whether our master took a newer epoch since it was thought to have failed. Votes that come late would make this node
 * its successor in its own eyes only, and what it took from clients until it hears better would be lost.
 * Divergence: the real server counts on.
 */
function isOutdone(c: ClusterContext, epoch: number): boolean {
  return slotHolder(c.myself).configEpoch > epoch;
}

/** Whether a replica of another shard was elected in the epoch that we stand in. */
function isEpochTaken(c: ClusterContext, epoch: number): boolean {
  return c.nodeList.some((node) => node !== c.myself && node.configEpoch === epoch);
}

/** When the election wants to be looked at again. */
export function electionWake(c: ClusterContext): MonoMs | undefined {
  switch (c.election.state) {
    case 'idle':
      return undefined;
    case 'scheduled':
      return c.election.startAt;
    case 'requesting':
      return c.since(c.election.startAt) > authTimeoutMs(c) ? undefined : c.election.askAgainAt;
  }
}

/** A voter's acknowledgement. Each voter counts once, however often it answers. */
export function voteReceived(c: ClusterContext, voter: ClusterNode, voterEpoch: number): void {
  if (c.election.state !== 'requesting' || !isVotingMaster(voter)) return;
  if (!c.rules.countsAsVote(voterEpoch, c.election.epoch)) return;
  c.election.voters.add(voter);
  c.failoverWanted = true;
}

/**
 * Votes of those who are masters with slots at this moment: a seat whose holder changed meanwhile counts once.
 * Divergence: the real server adds up votes as they come.
 */
function countVotes(voters: ReadonlySet<ClusterNode>): number {
  let count = 0;
  for (const voter of voters) if (isVotingMaster(voter)) count++;
  return count;
}

/**
 * This node takes the slots of its master and says so to everyone, to the old master first: its clients wait to hear
 * where to go, and nodes that share a machine would wake up beside it. By then it is on disk; what the change means in
 * here, and the story of it, follow in the same step.
 */
export function takeMastersPlace(c: ClusterContext, story: readonly LogEvent[]): void {
  const { master } = c.myself;
  if (c.myself.role === 'master' || master === undefined) return;
  // It may have been a master without data a moment ago; by the word of an operator it is one again, and no silent one.
  endDataSearch(c);
  markMaster(c, c.myself);
  moveSlots(c, master.slots.slice(), { from: master, to: c.myself });
  c.election = { state: 'idle' };
  // A master that was never in doubt serves at once: the delay after a start is for those who come back.
  const before = c.effects;
  c.effects = [];
  updateHealth(c);
  const healthEffects = c.effects;
  c.effects = before;
  c.save('fsync');
  resetManualFailover(c);
  broadcastPong(c, (node) => node === master);
  for (const event of story) c.log(event);
  c.emit({ kind: 'promote' });
  dropStrays(c);
  c.effects.push(...healthEffects);
  broadcastPong(c, (node) => node !== master);
}

function mayStand(c: ClusterContext, isManual: boolean): boolean {
  const { master } = c.myself;
  if (c.myself.role === 'master' || master === undefined || master.slotCount === 0) return false;
  return isManual || (master.health === 'fail' && !c.options.replicaNoFailover);
}

/** Whether our copy is older than cluster-replica-validity-factor allows. */
function isDataTooOld(c: ClusterContext): boolean {
  const { replicaValidityFactor, nodeTimeoutMs, replPingReplicaPeriodMs } = c.options;
  if (replicaValidityFactor === 0) return false;
  const silenceMs = c.replication.masterSilenceMs() ?? Number.POSITIVE_INFINITY;
  // The time that it took to notice the failure is not held against us.
  const ageMs = silenceMs > nodeTimeoutMs ? silenceMs - nodeTimeoutMs : silenceMs;
  return ageMs > replPingReplicaPeriodMs + nodeTimeoutMs * replicaValidityFactor;
}

/** An election that nobody won may be tried again after twice its time. */
function isOver(c: ClusterContext, election: { readonly startAt: MonoMs }): boolean {
  return c.since(election.startAt) > authTimeoutMs(c) * 2;
}

function authTimeoutMs(c: ClusterContext): number {
  return Math.max(c.options.nodeTimeoutMs * 2, AUTH_TIMEOUT_MIN_MS);
}

function startElection(c: ClusterContext): void {
  invariant(c.election.state === 'scheduled', 'an election is scheduled before it starts');
  dropOutdoneTakeover(c);
  const epoch = takeElectionEpoch(c);
  const { startAt } = c.election;
  c.election = {
    state: 'requesting',
    epoch,
    startAt,
    voters: new Set<ClusterNode>(),
    askAgainAt: c.after(ASK_AGAIN_MS),
  };
  c.log({ name: 'electionStarted', epoch });
  c.updateWanted = true;
  broadcastAuthRequest(c);
}

function askAgain(c: ClusterContext): void {
  if (c.election.state !== 'requesting' || c.now.mono < c.election.askAgainAt) return;
  const { epoch, voters } = c.election;
  const isAutomatic = c.manualFailover.state === 'idle';
  c.election = {
    ...c.election,
    askAgainAt: c.after(isAutomatic ? ASK_AGAIN_MS : ASK_AGAIN_MS * 5),
  };
  if (c.currentEpoch !== epoch) return;
  for (const node of c.nodeList) {
    if (node === c.myself || !isVotingMaster(node) || voters.has(node)) continue;
    // One that is failing for want of data votes too.
    if (node.link?.isOpen === true) sendAuthRequest(c, node.link);
  }
}

function win(c: ClusterContext, epoch: number): void {
  const { myself } = c;
  const story: LogEvent[] = [{ name: 'electionWon' }];
  applySharedTakeover(c);
  if (myself.configEpoch < epoch) {
    myself.configEpoch = epoch;
    story.push({ name: 'configEpochAfterFailover', epoch });
  }
  takeMastersPlace(c, story);
}

/** Says once in a while why nothing happens; nothing while the failure is too fresh to speak of. */
function cannotFailover(c: ClusterContext, reason: CannotFailoverReason): void {
  const isRepeated = c.lastCannotFailover === reason;
  if (isRepeated && c.lastCannotFailoverAt !== undefined) {
    if (c.since(c.lastCannotFailoverAt) < RELOG_MS) return;
  }
  c.lastCannotFailover = reason;
  const failedAt = c.myself.master?.failedAt;
  const quietMs = c.options.nodeTimeoutMs + 5000;
  if (failedAt !== undefined && c.since(failedAt) < quietMs) return;
  c.lastCannotFailoverAt = c.now.mono;
  c.log({ name: 'cannotFailover', reason });
}
