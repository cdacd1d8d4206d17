/**
 * CLUSTER FAILOVER: the master stops writes and tells its offset, the replica catches up to exactly that offset and
 * then asks for votes without delay. Nothing acknowledged is lost, because nothing is acknowledged in between.
 */
import type { ClusterContext } from './context.ts';
import { takeMastersPlace } from './election.ts';
import { bumpConfigEpoch, reserveEpoch } from './epochs.ts';
import { resetManualFailover } from './manual-reset.ts';
import { sendMfstart, sendPing } from './sending.ts';
import { applySharedTakeover } from './slot-imports.ts';
import { isHandoverOpen } from './slot-transfers.ts';
import type { ClusterNode, Link } from './types.ts';

/** Time for the whole manual failover. Source: Redis 7.0, CLUSTER_MF_TIMEOUT. */
export const MANUAL_FAILOVER_MS = 5000;
/** A master that does not answer, because slots change hands or a script is under way, is asked again after this long. */
const ASK_AGAIN_MS = 500;
/** The master's writes pause twice as long, so that a late winner still meets a silent master. */
const PAUSE_FACTOR = 2;

export type FailoverRefusal = 'iAmMaster' | 'masterUnknown' | 'masterDown';

/** Source: 7.2 cluster.c, the FAILOVER subcommand. */
export function requestFailover(
  c: ClusterContext,
  mode: 'coordinated' | 'force' | 'takeover',
): FailoverRefusal | undefined {
  const { master } = c.myself;
  if (c.myself.role === 'master') return 'iAmMaster';
  if (master === undefined) return 'masterUnknown';
  if (mode === 'coordinated' && (master.health === 'fail' || master.link === undefined)) {
    return 'masterDown';
  }
  resetManualFailover(c);
  // Each request is an election of its own: votes and delays of an earlier one do not count.
  c.election = { state: 'idle' };
  const deadline = c.after(MANUAL_FAILOVER_MS);
  switch (mode) {
    case 'takeover':
      c.log({ name: 'takeover' });
      applySharedTakeover(c);
      bumpConfigEpoch(c);
      takeMastersPlace(c, []);
      break;
    case 'force':
      c.log({ name: 'forcedFailoverAccepted' });
      c.manualFailover = { state: 'ready', deadline, mode: 'force' };
      c.failoverWanted = true;
      break;
    case 'coordinated':
      c.log({ name: 'manualFailoverAccepted' });
      c.manualFailover = { state: 'awaitingMasterOffset', deadline, askedAt: c.now.mono };
      reserveEpoch(c);
      sendMfstart(c, master);
      break;
  }
  return undefined;
}

/** A replica of ours asks us to hand over. The ping that answers carries the paused offset. */
export function mfstartReceived(c: ClusterContext, replica: ClusterNode, link: Link): void {
  if (c.myself.role !== 'master' || replica.master !== c.myself) return;
  // Slots that change hands at this moment must not change them twice, and a script that is under way would be answered as
  // if it had done something; the replica asks again.
  if (isHandoverOpen(c) || c.keys.isInScript()) return;
  const { manualFailover: failover } = c;
  if (failover.state !== 'serving' || failover.replica !== replica) {
    resetManualFailover(c);
    c.log({ name: 'manualFailoverRequested', replica: replica.id });
  }
  // Writes stay paused for as long as the replica may want our place after the newest of its requests.
  c.manualFailover = { state: 'serving', deadline: c.after(MANUAL_FAILOVER_MS), replica };
  c.emit({ kind: 'pauseWrites', until: c.after(MANUAL_FAILOVER_MS * PAUSE_FACTOR) });
  sendPing(c, link, 'ping');
}

/** At each tick, while the master has not answered. */
export function askMasterAgain(c: ClusterContext): void {
  const { manualFailover: failover } = c;
  const { master } = c.myself;
  if (failover.state !== 'awaitingMasterOffset' || c.since(failover.askedAt) < ASK_AGAIN_MS) return;
  c.manualFailover = { ...failover, askedAt: c.now.mono };
  if (master !== undefined) sendMfstart(c, master);
}

/** The paused master told its offset. */
export function masterOffsetReceived(c: ClusterContext, offset: number): void {
  if (c.manualFailover.state !== 'awaitingMasterOffset') return;
  const { deadline } = c.manualFailover;
  c.manualFailover = { state: 'catchingUp', deadline, masterOffset: offset };
  c.log({ name: 'masterOffsetReceived', offset });
  checkCaughtUp(c);
}

/** Called whenever the offset may have moved; the election begins in the same step. */
export function checkCaughtUp(c: ClusterContext): void {
  const failover = c.manualFailover;
  if (failover.state !== 'catchingUp') return;
  // Without a copy of this master's data an equal offset is chance: both are 0 at first, whatever the master holds.
  // Divergence: the real server compares the offsets alone.
  if (c.replication.masterSilenceMs() === undefined) return;
  if (!c.rules.isCaughtUp(c.replication.replOffset(), failover.masterOffset)) return;
  c.manualFailover = { state: 'ready', deadline: failover.deadline, mode: 'coordinated' };
  c.log({ name: 'masterStreamProcessed' });
  c.failoverWanted = true;
}

/** The replica that we are handing over to gets a ping with the offset at each tick, in case one was lost. */
export function pingSuccessor(c: ClusterContext): void {
  const failover = c.manualFailover;
  if (failover.state !== 'serving') return;
  if (failover.replica.link !== undefined) sendPing(c, failover.replica.link, 'ping');
}
