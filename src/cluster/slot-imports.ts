/**
 * The target of an atomic move. It claims the slots only on the source's word, soon after it said that it was ready,
 * its replicas before everybody else; and it serves them once the majority of masters knows the claim, or the source
 * itself shows that it let go. Everything before the claim can be thrown away, and is.
 */
import { type NodeId, slot } from '../base/index.ts';
import { beginRound, isRoundWon, votersNow } from './bus-round.ts';
import { type ClusterContext, slotHolder } from './context.ts';
import { broadcastPong } from './sending.ts';
import { applySlotClaim } from './slot-claims.ts';
import {
  addSlots,
  commonSlots,
  firstNewerSlot,
  hasSlotBit,
  moveSlots,
  slotRanges,
} from './slot-map.ts';
import {
  activeExports,
  activeImports,
  confirmMsMax,
  dropStrays,
  enter,
  holdMsMax,
  markStrays,
  rangesText,
  ownsAll,
  shareOf,
  takeMsMax,
  updateHeld,
} from './slot-transfers.ts';
import type { ImportPhase, SlotImport } from './transfer-types.ts';
import type { ClusterNode } from './types.ts';

/** Asks a target for an import. @returns why not */
export function startImport(
  c: ClusterContext,
  wanted: { readonly name: string; readonly sourceId: string; readonly slots: Uint8Array },
): string | undefined {
  const { name, slots } = wanted;
  const source = c.nodes.get(wanted.sourceId as NodeId);
  const refusal = importRefusal(c, source, slots);
  if (refusal !== undefined || source === undefined) return refusal;
  if (c.transfers.some((each) => each.name === name)) return 'the name is taken';
  markStrays(c, slots);
  const { unix } = c.now;
  const times = { createdAt: unix, updatedAt: unix, ackedAt: unix };
  const phase: ImportPhase = { kind: 'receiving' };
  c.transfers.push({ name, operation: 'IMPORT', slots, source, ...times, phase, message: '' });
  c.emit({ kind: 'shareStrays', slots });
  return undefined;
}

function importRefusal(
  c: ClusterContext,
  source: ClusterNode | undefined,
  slots: Uint8Array,
): string | undefined {
  if (c.myself.role !== 'master') return 'the target is not a master';
  if (c.health !== 'ok') return 'the target finds the cluster down';
  if (source === undefined) return 'the target does not know the source';
  if (!ownsAll(source, slots)) return 'the target knows another owner of the slots';
  if (activeExports(c).length > 0) return 'the target gives slots away itself';
  if (c.migratingTo.size > 0) return 'the target has slots in migrating state';
  for (const [first, last] of slotRanges(slots)) {
    for (let i = first; i <= last; i++) {
      if (c.importingFrom.has(slot(i))) return `the target imports slot ${i} by SETSLOT`;
      if (c.keys.countKeysInSlot(slot(i)) > 0) return `the target still holds keys of slot ${i}`;
    }
  }
  const isTaken = activeImports(c).some((each) => commonSlots(each.slots, slots) !== undefined);
  return isTaken ? 'the target imports these slots already' : undefined;
}

export type ImportEvent =
  /** All keys came, and writes follow. */
  | { readonly kind: 'turnAsked' }
  /** All data came; the source's clients wait. */
  | { readonly kind: 'drainAsked' }
  /** Every connected replica has acknowledged all that was passed on. */
  | { readonly kind: 'replicasCaughtUp' }
  | { readonly kind: 'takeoverAsked'; readonly epoch: number }
  | { readonly kind: 'acknowledged' }
  /** The connection is gone, or a command of the data failed. */
  | { readonly kind: 'broken'; readonly reason: string };

export function importEvent(c: ClusterContext, name: string, event: ImportEvent): void {
  const job = activeImports(c).find((each) => each.name === name);
  if (job === undefined) return;
  const { phase } = job;
  job.ackedAt = c.now.unix;
  switch (event.kind) {
    case 'turnAsked':
      if (phase.kind === 'receiving') enter(c, job, { kind: 'queueing', awaitedAt: undefined });
      return;
    case 'drainAsked':
      if (isBeforeDrain(job)) enter(c, job, { kind: 'draining', isAwaited: false });
      return;
    case 'replicasCaughtUp':
      return replicasCaughtUp(c, job);
    case 'takeoverAsked':
      return share(c, job, event.epoch);
    case 'broken':
      if (phase.kind !== 'sharing' && phase.kind !== 'confirming') fail(c, job, event.reason);
      return;
    case 'acknowledged':
      return;
  }
}

function replicasCaughtUp(c: ClusterContext, job: SlotImport): void {
  const { name, phase } = job;
  if (phase.kind === 'queueing' && phase.awaitedAt !== undefined) {
    enter(c, job, { kind: 'promised', since: c.now.mono });
    c.emit({ kind: 'grantTurn', name });
  } else if (phase.kind === 'draining' && phase.isAwaited) {
    enter(c, job, { kind: 'ready', readyAt: c.now.mono });
    c.emit({ kind: 'importReady', name, epoch: c.currentEpoch });
  } else if (phase.kind === 'sharing') takeOver(c, job, phase);
}

/** The replicas hear of it first: whoever is promoted in this node's place must know what it holds. */
function share(c: ClusterContext, job: SlotImport, epoch: number): void {
  const { phase } = job;
  if (phase.kind !== 'ready') return fail(c, job, 'the takeover came out of turn');
  const { readyAt } = phase;
  const flaw = takeoverFlaw(c, job, { readyAt, epoch });
  if (flaw !== undefined) return fail(c, job, flaw);
  enter(c, job, { kind: 'sharing', readyAt, epoch });
  c.emit({ kind: 'shareTakeover', name: job.name, slots: job.slots, epoch });
}

function takeoverFlaw(
  c: ClusterContext,
  { source, slots }: SlotImport,
  { readyAt, epoch }: Pick<Extract<ImportPhase, { kind: 'sharing' }>, 'readyAt' | 'epoch'>,
): string | undefined {
  if (!c.rules.mayTakeOver(c.since(readyAt), takeMsMax(c))) return 'the takeover came too late';
  if (c.health !== 'ok') return 'the target finds the cluster down';
  // Its replica stands in an epoch that the claim would outdo.
  if (c.manualFailover.state !== 'idle') return 'a failover of the target began';
  if (!ownsAll(source, slots)) return 'the source lost the slots';
  if (source.health === 'fail') return 'the source failed';
  const isNewest = epoch > c.myself.configEpoch && epoch > source.configEpoch;
  return isNewest ? undefined : 'the epoch of the takeover is not the newest';
}

function takeOver(
  c: ClusterContext,
  job: SlotImport,
  phase: Extract<ImportPhase, { kind: 'sharing' }>,
): void {
  const flaw = takeoverFlaw(c, job, phase);
  if (flaw !== undefined) return fail(c, job, flaw);
  // As they are before the claim: the source counts the same ones, so that the two majorities meet.
  const voters = votersNow(c);
  const { myself } = c;
  moveSlots(c, job.slots, { from: job.source, to: myself });
  myself.configEpoch = phase.epoch;
  c.currentEpoch = Math.max(c.currentEpoch, phase.epoch);
  c.save('fsync');
  c.updateWanted = true;
  const round = beginRound(c, voters);
  broadcastPong(c, (node) => !voters.includes(node));
  enter(c, job, { kind: 'confirming', readyAt: phase.readyAt, round }, missingCopies(c, job));
  c.emit({ kind: 'importTaken', name: job.name });
}

/** A replica that the majority has given up was not waited for; back again, it may be elected without these keys. */
function missingCopies(c: ClusterContext, { slots }: SlotImport): string {
  const failed = c.myself.replicas.filter(({ health }) => health === 'fail').length;
  if (failed === 0) return '';
  return `slots ${rangesText(slots)} have no copy at ${failed} failed ${failed === 1 ? 'replica' : 'replicas'}`;
}

/** A replica of the target hears what its master is about to claim, or (undefined) that this is over. */
export function takeoverShared(
  c: ClusterContext,
  claim: { readonly slots: Uint8Array; readonly epoch: number } | undefined,
): void {
  if (c.myself.role === 'replica') c.sharedTakeover = claim;
}

/** The source, or somebody after it, has taken a newer epoch: what our master was about to claim is not to be had. */
export function dropOutdoneTakeover(c: ClusterContext): void {
  const { sharedTakeover: shared } = c;
  if (shared === undefined) return;
  const claimant = slotHolder(c.myself);
  const newer = firstNewerSlot(c, shared.slots, { epoch: shared.epoch, claimant });
  if (newer !== undefined) c.sharedTakeover = undefined;
}

/**
 * Taking its master's place, a replica claims what the master may have claimed and nobody else heard. If it had not, the
 * source has taken a newer epoch, and the voters, who were asked for these slots too, have refused.
 */
export function applySharedTakeover(c: ClusterContext): void {
  const { sharedTakeover: shared } = c;
  const master = slotHolder(c.myself);
  if (shared === undefined || master === c.myself) return;
  c.sharedTakeover = undefined;
  master.configEpoch = Math.max(master.configEpoch, shared.epoch);
  const claimed = master.slots.slice();
  addSlots(claimed, shared.slots);
  applySlotClaim(c, master, shared.epoch, claimed);
}

/** A master tells of itself: does the source of an import, or whoever took its place, show that it let go? */
export function noteClaim(c: ClusterContext, node: ClusterNode, slots: Uint8Array): void {
  for (const job of activeImports(c)) {
    if (job.phase.kind !== 'confirming') continue;
    if (node !== job.source && job.source.master !== node) continue;
    if (commonSlots(slots, job.slots) === undefined) succeed(c, job);
  }
}

export function stepImports(c: ClusterContext): void {
  for (const job of activeImports(c)) stepImport(c, job);
}

function stepImport(c: ClusterContext, job: SlotImport): void {
  const { phase, source } = job;
  if (c.myself.role !== 'master') return fail(c, job, 'the target is not a master any more');
  if (phase.kind === 'confirming') {
    const share = shareOf(c.myself, job.slots);
    if (share === 'none') return fail(c, job, 'the slots went to another node');
    // The source took all back and moved some of it on, and that we heard first: the rest is still nobody's to serve.
    if (share === 'some') updateHeld(c);
    const isInTime = c.since(phase.readyAt) <= confirmMsMax(c);
    if (isInTime && isRoundWon(c, phase.round)) succeed(c, job);
    return;
  }
  if (!ownsAll(source, job.slots)) return fail(c, job, 'the source lost the slots');
  if (source.health === 'fail') return fail(c, job, 'the source failed');
  const isLate =
    (phase.kind === 'ready' || phase.kind === 'sharing') &&
    !c.rules.mayTakeOver(c.since(phase.readyAt), takeMsMax(c));
  if (isLate) return fail(c, job, 'the takeover did not come in time');
  if (phase.kind === 'queueing' && phase.awaitedAt !== undefined) {
    if (c.since(phase.awaitedAt) <= holdMsMax(c)) return;
    return fail(c, job, 'the replicas of the target did not catch up in time');
  }
  const isWaiting = phase.kind === 'queueing' || (phase.kind === 'draining' && !phase.isAwaited);
  if (!isWaiting || !isTurnOf(c, job)) return;
  job.phase =
    phase.kind === 'queueing'
      ? { kind: 'queueing', awaitedAt: c.now.mono }
      : { kind: 'draining', isAwaited: true };
  c.emit({ kind: 'awaitReplicas', name: job.name });
}

function isBeforeDrain({ phase: { kind } }: SlotImport): boolean {
  return kind === 'receiving' || kind === 'queueing' || kind === 'promised';
}

/**
 * One after the other: each claim has an epoch of its own. A source holds its clients' writes only when it is its turn;
 * one that does not use it for so long that it may have lost sight of it, holds up nobody.
 */
function isTurnOf(c: ClusterContext, job: SlotImport): boolean {
  return activeImports(c).every((other) => {
    const { phase } = other;
    if (other === job || phase.kind === 'receiving') return true;
    if (phase.kind === 'queueing') return phase.awaitedAt === undefined;
    if (phase.kind === 'promised') return c.since(phase.since) > holdMsMax(c);
    // Clients wait for that one: it goes first.
    return phase.kind === 'draining' && !phase.isAwaited && job.phase.kind === 'draining';
  });
}

function succeed(c: ClusterContext, job: SlotImport): void {
  enter(c, job, { kind: 'success' }, job.message);
  c.emit({ kind: 'endImport', name: job.name, reason: '', isShared: true });
}

function fail(c: ClusterContext, job: SlotImport, message: string): void {
  const isShared = job.phase.kind === 'sharing' || job.phase.kind === 'confirming';
  enter(c, job, { kind: 'failed' }, message);
  c.emit({ kind: 'endImport', name: job.name, reason: message, isShared });
  dropStrays(c);
}

/** Whether keys of a slot come from an import that has not claimed it yet: they are the source's, and expire there. */
export function isImported(c: ClusterContext, index: number): boolean {
  return activeImports(c).some(
    ({ slots, phase }) => phase.kind !== 'confirming' && hasSlotBit(slots, index),
  );
}
