/**
 * Atomic moves of slots: what both ends know of one, and the marks that both leave on the map.
 * A move is an export at its source and an import at its target. Neither outlives the process; what has to, the
 * strays, stands in nodes.conf.
 */
import { SLOT_COUNT, type Slot, slot } from '../base/index.ts';
import { SLOT_BITMAP_SIZE } from '../bus/index.ts';
import { type ClusterContext, slotHolder } from './context.ts';
import {
  addSlots,
  commonSlots,
  hasSlotBit,
  removeSlots,
  sameSlots,
  slotRanges,
} from './slot-map.ts';
import type { SlotExport, SlotImport } from './transfer-types.ts';
import type { ClusterNode } from './types.ts';

export function isEnded(transfer: SlotExport | SlotImport): boolean {
  const { kind } = transfer.phase;
  return kind === 'success' || kind === 'failed' || kind === 'cancelled';
}

export function activeExports(c: ClusterContext): SlotExport[] {
  return c.transfers.filter((each) => each.operation === 'EXPORT');
}

export function activeImports(c: ClusterContext): SlotImport[] {
  return c.transfers.filter((each) => each.operation === 'IMPORT');
}

/** How long the target may wait between being ready and claiming, and between being ready and being confirmed. */
export function takeMsMax(c: ClusterContext): number {
  return Math.min(1000, c.options.nodeTimeoutMs / 4);
}

export function confirmMsMax(c: ClusterContext): number {
  return Math.min(1500, c.options.nodeTimeoutMs / 2);
}

/** When the source may ask who owns the slots: later than any target confirms, however far the clocks' rates are apart. */
export function doubtMs(c: ClusterContext): number {
  return confirmMsMax(c) * 1.5;
}

/** How long writes may wait before the takeover is sent. */
export function holdMsMax(c: ClusterContext): number {
  return Math.min(5000, c.options.nodeTimeoutMs / 2);
}

/**
 * Whether an epoch of ours must stay as it is, because a takeover is under way whose claim it would outdo, or which it
 * would lift above what the other end can outdo.
 */
export function isHandoverOpen(c: ClusterContext): boolean {
  return c.transfers.some(({ phase: { kind } }) =>
    ['fencing', 'handing', 'asking', 'reclaiming', 'ready', 'sharing', 'confirming'].includes(kind),
  );
}

export function ownsAll(node: ClusterNode, slots: Uint8Array): boolean {
  return shareOf(node, slots) === 'all';
}

/** Moves on, and with it what waits. */
export function enter<T extends SlotExport | SlotImport>(
  c: ClusterContext,
  transfer: T,
  phase: T['phase'],
  message: string = '',
): void {
  transfer.phase = phase;
  transfer.message = message;
  transfer.updatedAt = c.now.unix;
  const { name, operation } = transfer;
  c.log({ name: 'slotTransfer', transfer: name, operation, state: phase.kind, message });
  if (isEnded(transfer)) {
    c.transfers.splice(c.transfers.indexOf(transfer), 1);
    c.endedTransfers.push(transfer);
  }
  updateHeld(c);
}

/** What a node has of these slots. */
export function shareOf(node: ClusterNode, slots: Uint8Array): 'all' | 'some' | 'none' {
  const common = commonSlots(node.slots, slots);
  if (common === undefined) return 'none';
  return sameSlots(common, slots) ? 'all' : 'some';
}

/** Which slots' writes wait: those under way that are still this node's. The clients of others are let go. */
export function updateHeld(c: ClusterContext): void {
  const before = c.heldSlots;
  c.heldSlots = heldSlots(c);
  if (before !== undefined && !(c.heldSlots !== undefined && sameSlots(before, c.heldSlots))) {
    c.emit({ kind: 'releaseSlots' });
  }
}

const HELD: ReadonlySet<string> = new Set([
  'draining',
  'fencing',
  'handing',
  'asking',
  'reclaiming',
  'confirming',
]);

function heldSlots(c: ClusterContext): Uint8Array | undefined {
  let held: Uint8Array | undefined;
  for (const transfer of c.transfers) {
    const { kind } = transfer.phase;
    if (!HELD.has(kind) || (transfer.operation === 'IMPORT' && kind !== 'confirming')) continue;
    addSlots((held ??= new Uint8Array(SLOT_BITMAP_SIZE)), transfer.slots);
  }
  return held && commonSlots(held, c.myself.slots);
}

/** Under way and ended ones, as far as they are remembered: the oldest that ended are forgotten first. */
export function listTransfers(c: ClusterContext): readonly (SlotExport | SlotImport)[] {
  const surplus = c.endedTransfers.length - c.options.slotMigrationLogLength;
  if (surplus > 0) c.endedTransfers.splice(0, surplus);
  return [...c.transfers, ...c.endedTransfers.toReversed()];
}

/** From now on what this node holds of these slots is rubbish wherever they are not its own, also after a restart. */
export function markStrays(
  c: ClusterContext,
  slots: Uint8Array,
  how: 'save' | 'fsync' = 'fsync',
): void {
  c.strays ??= new Uint8Array(SLOT_BITMAP_SIZE);
  addSlots(c.strays, slots);
  c.save(how);
}

/**
 * Slots that went to somebody else, which our replicas mark by themselves when they hear of it: should one come back by
 * SETSLOT, they have to be told that what comes of it is theirs to keep.
 */
export function markGiven(c: ClusterContext, slots: Uint8Array): void {
  if (c.myself.replicas.length > 0) markStrays(c, slots, 'save');
}

/** A slot that comes the other way, by SETSLOT, is nobody's rubbish. Answers whether it was. */
export function clearStray(c: ClusterContext, index: Slot): boolean {
  if (c.strays === undefined || !hasSlotBit(c.strays, index)) return false;
  c.strays[index >> 3]! &= ~(1 << (index & 7));
  c.save('fsync');
  return true;
}

const NO_SLOTS: ReadonlySet<number> = new Set<number>();

/** Strays that are not the shard's own. */
export function hiddenSlots(c: ClusterContext): ReadonlySet<number> {
  if (c.strays === undefined) return NO_SLOTS;
  const theirs = c.strays.slice();
  removeSlots(theirs, slotHolder(c.myself).slots);
  const hidden = new Set<number>();
  for (const [first, last] of slotRanges(theirs)) {
    for (let i = first; i <= last; i++) hidden.add(i);
  }
  return hidden;
}

/** Deletes what is left of moves that came to nothing, or went away. Only for masters: replicas are told. */
export function dropStrays(c: ClusterContext): void {
  if (c.strays === undefined || c.myself.role === 'replica') return;
  const theirs = c.strays.slice();
  removeSlots(theirs, c.myself.slots);
  for (const transfer of activeImports(c)) removeSlots(theirs, transfer.slots);
  for (let i = 0; i < SLOT_COUNT; i++) {
    const index = slot(i);
    if (!hasSlotBit(theirs, index) || c.importingFrom.has(index)) continue;
    if (c.keys.countKeysInSlot(index) > 0) c.emit({ kind: 'deleteKeysInSlot', slot: index });
  }
}

/** Ranges as CLUSTER GETSLOTMIGRATIONS shows them: `0-5 7-7`. */
export function rangesText(slots: Uint8Array): string {
  return slotRanges(slots)
    .map(([first, last]) => `${first}-${last}`)
    .join(' ');
}
