/** A failover from its beginning to the new configuration, a state after the other. */
import { type MonoMs, addMs, assertNever, calendarText, earlier, unixMs } from '../base/index.ts';
import { type Reply, ReplyError } from '../resp/index.ts';
import type { SentinelContext } from './context.ts';
import { currentAddress, sayHelloSoon } from './instances.ts';
import { askInfo, request, sendReplicaof } from './links.ts';
import { announceChange } from './scripts.ts';
import { selectReplica } from './selection.ts';
import { switchMaster } from './switch.ts';
import type { FailoverState, Master, Replica } from './types.ts';
import { electedLeader } from './votes.ts';

/** By how much the time that an attempt may take differs, so that the next ones do not begin together. */
const DESYNC_MS = 1000;
/**
 * Sentinels that find a master ODOWN together would each vote for itself, and none be elected. So one goes first, and the
 * others follow only where its request for votes should have been here. Longer than bringing a vote to disk takes.
 * Divergence: the real one leaves it to the chance of its timers.
 */
const RANK_DELAY_MS = 40;
/**
 * A process that was kept waiting finds its timer due while others' requests for votes lie in its sockets. It reads those
 * first: it would vote for itself although it was asked in time, and with a third vote like that nobody is elected.
 */
const READING_MS = 5;
/** How long replicas may take to say how much data they have before one of them is chosen. */
const ANSWER_MS = 300;
/** Failover time-outs between two attempts. */
const RETRY_TIMEOUTS = 2;

/** Begins a failover where the master is ODOWN and none was tried too recently; says whether it did. */
export function startIfNeeded(c: SentinelContext, master: Master): boolean {
  const { failover, odownSince, settings } = master;
  if (odownSince === undefined || failover.state !== 'none') return false;
  const startAt = addMs(odownSince, rankOf(c, master) * RANK_DELAY_MS);
  if (c.now.mono < startAt) {
    c.wakeAt = earlier(startAt, c.wakeAt);
    return false;
  }
  const waitMs = settings.failoverTimeoutMs * RETRY_TIMEOUTS;
  if (failover.startedAt !== undefined && c.since(failover.startedAt) < waitMs) {
    if (failover.delayLoggedFor === failover.startedAt) return false;
    failover.delayLoggedFor = failover.startedAt;
    const at = unixMs(c.now.unix + waitMs - c.since(failover.startedAt));
    const what = 'Next failover delay: I will not start a failover before';
    c.log('warning', `${what} ${calendarText(at)}`);
    return false;
  }
  const retryAt = failover.startedAt === undefined ? startAt : addMs(failover.startedAt, waitMs);
  if (isStillReading(c, master, retryAt > startAt ? retryAt : startAt)) return false;
  startFailover(c, master);
  return true;
}

/** `dueAt`: since when nothing else is in the way. */
function isStillReading(c: SentinelContext, { failover }: Master, dueAt: MonoMs): boolean {
  if (failover.readUntil === undefined || failover.readUntil < dueAt) {
    failover.readUntil = addMs(c.now.mono, READING_MS);
  }
  if (c.now.mono >= failover.readUntil) return false;
  c.wakeAt = earlier(failover.readUntil, c.wakeAt);
  return true;
}

/** How many Sentinels that could begin too have a smaller identity. */
function rankOf(c: SentinelContext, master: Master): number {
  let rank = 0;
  for (const { name, sdownSince } of master.sentinels.values()) {
    if (sdownSince === undefined && name < c.myId) rank++;
  }
  return rank;
}

export function startFailover(c: SentinelContext, master: Master): void {
  const { failover } = master;
  c.currentEpoch++;
  failover.epoch = c.currentEpoch;
  c.tell('warning', '+new-epoch', String(c.currentEpoch), master);
  c.event('warning', '+try-failover', master);
  failover.startedAt = addMs(c.now.mono, c.rng.below(DESYNC_MS));
  enter(c, master, 'waitStart');
  c.save();
}

/** Goes on with a failover as far as it goes now. */
export function advanceFailover(c: SentinelContext, master: Master): void {
  for (;;) {
    const { state } = master.failover;
    step(c, master, state);
    // A state that ends at once is followed by the next one; nothing is gained by waiting.
    if (master.failover.state === state || master.failover.state === 'none') return;
  }
}

function step(c: SentinelContext, master: Master, state: FailoverState): void {
  switch (state) {
    case 'waitStart':
      return waitForElection(c, master);
    case 'selectReplica':
      return choose(c, master);
    case 'handOver':
      return handOver(c, master);
    case 'sendReplicaofNoOne':
      return promote(c, master);
    case 'waitPromotion':
      return abortIfLate(c, master);
    case 'reconfigureReplicas':
      return reconfigure(c, master);
    case 'updateConfig':
      return finish(c, master);
    case 'none':
      return;
    default:
      return assertNever(state);
  }
}

function enter(c: SentinelContext, master: Master, state: FailoverState): void {
  master.failover.state = state;
  master.failover.stateChangedAt = c.now.mono;
}

function waitForElection(c: SentinelContext, master: Master): void {
  const { failover, settings } = master;
  const isLeader = electedLeader(c, master, failover.epoch) === c.myId || failover.isForced;
  // An epoch that is not on disk could be taken a second time, for another master, after a restart.
  if (!isLeader || c.isUnsaved) {
    const waitMs = Math.min(c.periods.electionTimeout, settings.failoverTimeoutMs);
    if (c.since(failover.startedAt) > waitMs) abort(c, master, '-failover-abort-not-elected');
    return;
  }
  c.event('warning', '+elected-leader', master);
  if (c.crashPoints.has('crash-after-election')) c.do({ kind: 'crash' });
  enter(c, master, 'selectReplica');
  c.event('warning', '+failover-state-select-slave', master);
  for (const replica of master.replicas.values()) askInfo(c, replica);
}

function choose(c: SentinelContext, master: Master): void {
  const { failover } = master;
  // Who has the most data is best decided by what they say now.
  if (c.since(failover.stateChangedAt) < ANSWER_MS && isAnswerDue(master)) return;
  const replica = selectReplica(c, master);
  if (replica === undefined) return abort(c, master, '-failover-abort-no-good-slave');
  c.event('warning', '+selected-slave', replica);
  replica.isPromoted = true;
  failover.promoted = replica;
  if (failover.isCoordinated) return enter(c, master, 'handOver');
  enter(c, master, 'sendReplicaofNoOne');
  c.event('notice', '+failover-state-send-slaveof-noone', replica);
}

function isAnswerDue({ replicas }: Master): boolean {
  for (const { link, sdownSince } of replicas.values()) {
    const isAsked = link.command?.expected.some(({ kind }) => kind === 'info') === true;
    if (isAsked && sdownSince === undefined) return true;
  }
  return false;
}

/** Asks the master to change places with the replica once that has everything. */
function handOver(c: SentinelContext, master: Master): void {
  const { promoted } = master.failover;
  if (promoted === undefined) return;
  const { address } = promoted;
  const timeoutMs = String(master.settings.failoverTimeoutMs);
  const args = ['FAILOVER', 'TO', c.announced(address), String(address.port), 'TIMEOUT', timeoutMs];
  if (!request(c, master, args, { kind: 'handover', master })) {
    return abort(c, master, '-failover-abort-master-unreachable');
  }
  c.event('notice', '+failover-state-send-failover', master);
  enter(c, master, 'waitPromotion');
  c.event('notice', '+failover-state-wait-promotion', promoted);
}

/** The master's answer to FAILOVER. Where it refuses all stays as it was. */
export function handoverAnswered(c: SentinelContext, master: Master, reply: Reply): void {
  const { failover } = master;
  if (!(reply instanceof ReplyError)) return;
  if (!failover.isCoordinated || failover.state !== 'waitPromotion') return;
  c.log('warning', `Master '${master.name}' refused FAILOVER: ${reply.message}`);
  abort(c, master, '-failover-abort-master-refused');
}

function promote(c: SentinelContext, master: Master): void {
  const { promoted } = master.failover;
  if (promoted === undefined) return;
  if (!sendReplicaof(c, promoted, undefined)) return abortIfLate(c, master);
  // Its role shows in the very next answer; waiting for the period would only keep clients without a master.
  askInfo(c, promoted);
  enter(c, master, 'waitPromotion');
  c.event('notice', '+failover-state-wait-promotion', promoted);
}

function abortIfLate(c: SentinelContext, master: Master): void {
  const { failover, settings } = master;
  if (c.since(failover.stateChangedAt) <= settings.failoverTimeoutMs) return;
  if (failover.isCoordinated) request(c, master, ['FAILOVER', 'ABORT']);
  abort(c, master, '-failover-abort-slave-timeout');
}

/** The replica says that it is a master: from here on the failover only goes forward. */
export function promotionSeen(c: SentinelContext, replica: Replica): void {
  const { master } = replica;
  const { failover } = master;
  master.configEpoch = failover.epoch;
  c.knownHellos.clear();
  enter(c, master, 'reconfigureReplicas');
  c.save();
  c.event('warning', '+promoted-slave', replica);
  if (c.crashPoints.has('crash-after-promotion')) c.do({ kind: 'crash' });
  c.event('warning', '+failover-state-reconf-slaves', master);
  if (failover.isCoordinated) settleHandover(c, master, replica);
  announceChange(c, master, { as: 'leader', from: master.address, to: replica.address });
  sayHelloSoon(c, master);
}

/** Nodes that changed places did so by themselves; their files do not know yet, nor do the old master's clients. */
function settleHandover(c: SentinelContext, master: Master, promoted: Replica): void {
  // A promoted node that restarts with its old file would follow the one that follows it.
  for (const node of [promoted, master]) request(c, node, ['CONFIG', 'REWRITE']);
  for (const type of ['normal', 'pubsub']) request(c, master, ['CLIENT', 'KILL', 'TYPE', type]);
}

function reconfigure(c: SentinelContext, master: Master): void {
  const { promoted } = master.failover;
  if (promoted === undefined) return;
  let busy = 0;
  for (const { reconfiguration } of master.replicas.values()) {
    if (reconfiguration === 'sent' || reconfiguration === 'inProgress') busy++;
  }
  const { address } = promoted;
  const to = { host: c.announced(address), port: address.port };
  for (const replica of master.replicas.values()) {
    if (busy >= master.settings.parallelSyncs) break;
    if (replica.isPromoted || replica.reconfiguration === 'done') continue;
    if (isOverdue(c, replica)) {
      c.event('notice', '-slave-reconf-sent-timeout', replica);
      replica.reconfiguration = 'done';
      continue;
    }
    if (replica.reconfiguration !== 'none' || !sendReplicaof(c, replica, to)) continue;
    replica.reconfiguration = 'sent';
    replica.reconfigurationSentAt = c.now.mono;
    c.event('notice', '+slave-reconf-sent', replica);
    askInfo(c, replica);
    busy++;
  }
  checkEnd(c, master, promoted);
}

function isOverdue(
  c: SentinelContext,
  { reconfiguration, reconfigurationSentAt }: Replica,
): boolean {
  return (
    reconfiguration === 'sent' && c.since(reconfigurationSentAt) > c.periods.reconfigurationTimeout
  );
}

/** What INFO of a replica says about its way to the new master. */
export function reconfigurationSeen(c: SentinelContext, replica: Replica): void {
  const { promoted } = replica.master.failover;
  if (promoted === undefined) return;
  const { ip, hostname, port } = promoted.address;
  const isThere =
    replica.masterPort === port && (replica.masterHost === ip || replica.masterHost === hostname);
  if (replica.reconfiguration === 'sent' && isThere) {
    replica.reconfiguration = 'inProgress';
    c.event('notice', '+slave-reconf-inprog', replica);
  }
  if (replica.reconfiguration === 'inProgress' && replica.isMasterLinkUp) {
    replica.reconfiguration = 'done';
    c.event('notice', '+slave-reconf-done', replica);
  }
}

/** The failover ends when all replicas follow, or after its time with those that did not sent on their way. */
function checkEnd(c: SentinelContext, master: Master, promoted: Replica): void {
  if (promoted.sdownSince !== undefined) return;
  const { failover, settings } = master;
  const missing = [...master.replicas.values()].filter(
    ({ isPromoted, reconfiguration, sdownSince }) =>
      !isPromoted && reconfiguration !== 'done' && sdownSince === undefined,
  );
  const isLate = c.since(failover.stateChangedAt) > settings.failoverTimeoutMs;
  if (missing.length > 0 && !isLate) return;
  if (isLate) c.event('warning', '+failover-end-for-timeout', master);
  c.event('warning', '+failover-end', master);
  enter(c, master, 'updateConfig');
  if (!isLate) return;
  const { address } = promoted;
  for (const replica of master.replicas.values()) {
    if (replica.isPromoted || replica.reconfiguration !== 'none') continue;
    const isSent = sendReplicaof(c, replica, { host: c.announced(address), port: address.port });
    if (isSent) c.event('notice', '+slave-reconf-sent-be', replica);
  }
}

function finish(c: SentinelContext, master: Master): void {
  switchMaster(c, master, { as: 'leader', from: master.address, to: currentAddress(master) });
}

function abort(c: SentinelContext, master: Master, type: string): void {
  const { failover } = master;
  c.event('warning', type, master);
  failover.isForced = false;
  failover.isCoordinated = false;
  enter(c, master, 'none');
  if (failover.promoted !== undefined) failover.promoted.isPromoted = false;
  failover.promoted = undefined;
}
