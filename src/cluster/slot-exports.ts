/**
 * The source of an atomic move. It gives the slots away only when the target has everything, and after that word it
 * never serves them again on its own account: it learns from the bus that they were taken, or makes sure by the
 * majority and a newer epoch that they cannot be.
 */
import { type MonoMs, type NodeId, randomHex } from '../base/index.ts';
import type { MigrateSlots, PlainReason } from './admin-commands.ts';
import { beginReturnRound, beginRound, isRoundWon, votersNow } from './bus-round.ts';
import type { ClusterContext } from './context.ts';
import { bumpConfigEpoch, highestEpoch } from './epochs.ts';
import { broadcastPong } from './sending.ts';
import { commonSlots } from './slot-map.ts';
import {
  activeExports,
  activeImports,
  doubtMs,
  enter,
  holdMsMax,
  isEnded,
  markStrays,
  ownsAll,
  shareOf,
  updateHeld,
} from './slot-transfers.ts';
import type { BusRound, ExportPhase, SlotExport } from './transfer-types.ts';
import type { ClusterNode } from './types.ts';

/** CLUSTER MIGRATESLOTS: all of them begin, or none. */
export function startExports(
  c: ClusterContext,
  wanted: readonly MigrateSlots[],
): PlainReason | undefined {
  const taken: Uint8Array[] = activeExports(c).map(({ slots }) => slots);
  for (const { slots, targetId } of wanted) {
    const refusal = refusalOf(c, slots, c.nodes.get(targetId as NodeId), taken);
    if (refusal !== undefined) return refusal;
    taken.push(slots);
  }
  for (const { slots, targetId } of wanted) {
    const target = c.nodes.get(targetId as NodeId)!;
    const { unix } = c.now;
    const name = randomHex(c.rng, 40);
    const times = { createdAt: unix, updatedAt: unix, ackedAt: unix };
    const phase: ExportPhase = { kind: 'connecting' };
    c.transfers.push({ name, operation: 'EXPORT', slots, target, ...times, phase, message: '' });
    c.emit({ kind: 'startExport', name, slots, host: target.ip, port: target.port });
  }
  return undefined;
}

function refusalOf(
  c: ClusterContext,
  slots: Uint8Array,
  target: ClusterNode | undefined,
  taken: readonly Uint8Array[],
): PlainReason | undefined {
  if (c.myself.role !== 'master') return 'migrateOnReplica';
  if (c.health !== 'ok') return 'migrateWhileDown';
  if (target === undefined || target.hasNoAddress) return 'migrateTargetUnknown';
  if (target === c.myself) return 'migrateToMyself';
  if (target.role !== 'master') return 'migrateTargetNotMaster';
  if (!ownsAll(c.myself, slots)) return 'migrateSlotsNotMine';
  // A node whose epoch rises by taking slots would outdo the claim on those that it gives.
  if (activeImports(c).length > 0 || c.importingFrom.size > 0) return 'migrateWhileImporting';
  for (const index of c.migratingTo.keys()) {
    if ((slots[index >> 3]! & (1 << (index & 7))) !== 0) return 'migrateSlotsOpen';
  }
  return taken.some((other) => commonSlots(other, slots) !== undefined)
    ? 'migrateSlotsTwice'
    : undefined;
}

/** CLUSTER CANCELSLOTMIGRATIONS: those that are not given away yet. */
export function cancelExports(c: ClusterContext): void {
  for (const job of activeExports(c)) if (!isGivenAway(job)) end(c, job, 'cancelled', 'cancelled');
}

export type ExportEvent =
  /** The target takes the slots' data. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'acknowledged' }
  /** All keys are there, and few writes under way. */
  | { readonly kind: 'copied' }
  /** Nobody else hands over to the target, and its replicas have all but the last writes. */
  | { readonly kind: 'turn' }
  /** The target and its replicas have everything; with its current epoch. */
  | { readonly kind: 'ready'; readonly epoch: number }
  /** The target said no, or the connection broke, or the data cannot be sent. */
  | { readonly kind: 'broken'; readonly reason: string };

export function exportEvent(c: ClusterContext, name: string, event: ExportEvent): void {
  const job = activeExports(c).find((each) => each.name === name);
  if (job === undefined) return;
  const { phase } = job;
  switch (event.kind) {
    case 'accepted':
      if (phase.kind === 'connecting') enter(c, job, { kind: 'copying' });
      break;
    case 'copied':
      if (phase.kind !== 'copying') break;
      enter(c, job, { kind: 'waiting', hasTurn: false });
      c.emit({ kind: 'askTurn', name });
      break;
    case 'turn':
      if (phase.kind === 'waiting') job.phase = { kind: 'waiting', hasTurn: true };
      break;
    case 'ready':
      if (phase.kind === 'draining') fence(c, job, phase.heldAt, event.epoch);
      break;
    case 'broken':
      // Behind the order to take over, no word of the target is worth more than the majority's: it may have taken over,
      // and have forgotten the move since.
      if (!isGivenAway(job)) end(c, job, 'failed', event.reason);
      break;
    case 'acknowledged':
      break;
  }
  job.ackedAt = c.now.unix;
}

/**
 * Gives out the epoch of the claim and raises everybody's to the one behind it: whoever is elected from now on stands in
 * a later epoch than the claim's, and a voter that has just heard this node will elect nobody in its place before the
 * node time-out is over.
 */
function fence(c: ClusterContext, job: SlotExport, heldAt: MonoMs, theirs: number): void {
  const epoch = Math.max(highestEpoch(c), theirs) + 1;
  c.currentEpoch = epoch + 1;
  c.save('fsync');
  const round = beginRound(c, votersNow(c));
  enter(c, job, { kind: 'fencing', heldAt, readyAt: c.now.mono, epoch, round });
}

/** What time and the bus have brought about. */
export function stepExports(c: ClusterContext): void {
  for (const job of activeExports(c)) stepExport(c, job);
}

function stepExport(c: ClusterContext, job: SlotExport): void {
  const { phase, target } = job;
  const isOpen = !isGivenAway(job);
  const share = shareOf(c.myself, job.slots);
  if (share === 'none' || (share === 'some' && isOpen)) return lost(c, job);
  // The target has taken all and moved some of it on, and that we heard first: the rest waits until we hear of it too.
  if (share === 'some') updateHeld(c);
  if (isOpen && (target.role !== 'master' || target.health === 'fail' || !c.nodes.has(target.id))) {
    return end(c, job, 'failed', 'the target is no reachable master any more');
  }
  switch (phase.kind) {
    case 'waiting':
      if (phase.hasTurn && mayHandOver(c)) {
        enter(c, job, { kind: 'draining', heldAt: c.now.mono });
        c.emit({ kind: 'drainExport', name: job.name });
      }
      return;
    case 'draining':
    case 'fencing':
      if (c.health !== 'ok') return end(c, job, 'failed', 'the cluster is down');
      if (c.manualFailover.state !== 'idle') return end(c, job, 'failed', 'a failover began');
      if (c.since(phase.heldAt) > holdMsMax(c)) {
        return end(c, job, 'failed', 'the target did not catch up in time');
      }
      if (phase.kind === 'fencing' && isRoundWon(c, phase.round)) giveAway(c, job, phase);
      return;
    case 'handing':
      if (c.since(phase.readyAt) <= doubtMs(c)) return;
      if (c.rules.asksInDoubt()) return ask(c, job, false);
      return end(c, job, 'failed', 'the target did not answer');
    case 'asking':
      if (isStuck(c, phase.round)) return ask(c, job, false);
      if (c.health !== 'ok' || !isRoundWon(c, phase.round)) return;
      return phase.isReturn ? reclaim(c, job) : ask(c, job, true);
    case 'reclaiming':
      if (isRoundWon(c, phase.round)) return end(c, job, 'failed', 'the target did not take over');
      if (isStuck(c, phase.round)) {
        enter(c, job, { kind: 'reclaiming', round: beginRound(c, votersNow(c)) });
      }
      return;
    default:
      return;
  }
}

/** One at a time, and not while a replica of ours takes this node's place. */
function mayHandOver(c: ClusterContext): boolean {
  if (c.health !== 'ok' || c.manualFailover.state !== 'idle') return false;
  return activeExports(c).every(({ phase: { kind } }) =>
    ['connecting', 'copying', 'waiting'].includes(kind),
  );
}

function giveAway(
  c: ClusterContext,
  job: SlotExport,
  phase: Extract<ExportPhase, { kind: 'fencing' }>,
): void {
  markStrays(c, job.slots);
  c.emit({ kind: 'shareStrays', slots: job.slots });
  enter(c, job, { kind: 'handing', readyAt: phase.readyAt });
  c.emit({ kind: 'sendTakeover', name: job.name, epoch: phase.epoch });
}

function ask(c: ClusterContext, job: SlotExport, isReturn: boolean): void {
  const round = isReturn ? beginReturnRound(c, votersNow(c)) : beginRound(c, votersNow(c));
  enter(c, job, { kind: 'asking', round, isReturn });
}

/** Answers that are old say nothing of now. */
function isStuck(c: ClusterContext, round: BusRound): boolean {
  return c.since(round.startedAt) > c.options.nodeTimeoutMs;
}

function reclaim(c: ClusterContext, job: SlotExport): void {
  bumpConfigEpoch(c);
  broadcastPong(c, () => true);
  enter(c, job, { kind: 'reclaiming', round: beginRound(c, votersNow(c)) });
}

function lost(c: ClusterContext, job: SlotExport): void {
  if (shareOf(job.target, job.slots) !== 'none') return end(c, job, 'success', '');
  end(c, job, 'failed', 'the slots went to another node');
}

function end(
  c: ClusterContext,
  job: SlotExport,
  result: 'success' | 'failed' | 'cancelled',
  message: string,
): void {
  if (isEnded(job)) return;
  enter(c, job, { kind: result }, message);
  c.emit({ kind: 'endExport', name: job.name });
}

/** Whether the target may have taken the slots. */
function isGivenAway({ phase: { kind } }: SlotExport): boolean {
  return kind === 'handing' || kind === 'asking' || kind === 'reclaiming';
}
