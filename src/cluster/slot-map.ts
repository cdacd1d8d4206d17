/** Who owns which slot: the moves on the map, with no rules about who may make them. */
import { SLOT_COUNT, type Slot, invariant, slot } from '../base/index.ts';
import { SLOT_BITMAP_SIZE } from '../bus/index.ts';
import type { ClusterContext } from './context.ts';
import type { ClusterNode } from './types.ts';

const NO_SLOTS: Uint8Array = new Uint8Array(SLOT_BITMAP_SIZE);

export function hasSlotBit(slots: Uint8Array, index: number): boolean {
  return (slots[index >> 3]! & (1 << (index & 7))) !== 0;
}

export function assignSlot(c: ClusterContext, node: ClusterNode, index: Slot): void {
  invariant(c.owners[index] === undefined, 'a slot has one owner');
  node.slots[index >> 3]! |= 1 << (index & 7);
  noteFirstSlots(c, node);
  node.slotCount++;
  c.owners[index] = node;
}

/** Returns the owner until now. */
export function unassignSlot(c: ClusterContext, index: Slot): ClusterNode | undefined {
  const owner = c.owners[index];
  if (owner === undefined) return undefined;
  owner.slots[index >> 3]! &= ~(1 << (index & 7));
  owner.slotCount--;
  c.owners[index] = undefined;
  return owner;
}

export function unassignAllOf(c: ClusterContext, node: ClusterNode): void {
  if (node.slotCount > 0) moveSlots(c, node.slots.slice(), { from: node, to: undefined });
}

/**
 * Moves many slots at once: a failover moves thousands in every node at the same moment, mostly by code that has never
 * run before, so it touches bytes and ranges and not each slot. All of `slots` are of `from`; undefined is nobody.
 */
export function moveSlots(
  c: ClusterContext,
  slots: Uint8Array,
  owners: { readonly from: ClusterNode | undefined; readonly to: ClusterNode | undefined },
): void {
  const { from, to } = owners;
  let count = 0;
  for (const [first, last] of slotRanges(slots)) {
    invariant(c.owners[first] === from && c.owners[last] === from, 'slots move from their owner');
    c.owners.fill(to, first, last + 1);
    count += last + 1 - first;
  }
  if (from !== undefined) {
    removeSlots(from.slots, slots);
    from.slotCount -= count;
  }
  if (to === undefined || count === 0) return;
  addSlots(to.slots, slots);
  noteFirstSlots(c, to);
  to.slotCount += count;
}

/** Slots of both bitmaps, in a bitmap of its own; undefined when there is none. */
export function commonSlots(a: Uint8Array, b: Uint8Array): Uint8Array | undefined {
  let common: Uint8Array | undefined;
  for (let i = 0; i < a.length; i++) {
    const byte = a[i]! & b[i]!;
    if (byte !== 0) (common ??= new Uint8Array(a.length))[i] = byte;
  }
  return common;
}

export function addSlots(slots: Uint8Array, added: Uint8Array): void {
  for (let i = 0; i < slots.length; i++) slots[i]! |= added[i]!;
}

export function removeSlots(slots: Uint8Array, removed: Uint8Array): void {
  for (let i = 0; i < slots.length; i++) slots[i]! &= ~removed[i]!;
}

export function countSlots(slots: Uint8Array): number {
  return slotRanges(slots).reduce((count, [first, last]) => count + last + 1 - first, 0);
}

/** The first of `slots` that another node than `claimant` owns since a later epoch than `epoch`. */
export function firstNewerSlot(
  c: ClusterContext,
  slots: Uint8Array,
  claim: { readonly epoch: number; readonly claimant: ClusterNode | undefined },
): Slot | undefined {
  let first: number | undefined;
  for (const owner of c.nodeList) {
    if (owner.slotCount === 0 || owner.configEpoch <= claim.epoch) continue;
    if (owner === claim.claimant) continue;
    const common = commonSlots(slots, owner.slots);
    if (common !== undefined && owner.disowned !== undefined) removeSlots(common, owner.disowned);
    const range = slotRanges(common ?? NO_SLOTS)[0];
    if (range !== undefined && (first === undefined || range[0] < first)) first = range[0];
  }
  return first === undefined ? undefined : slot(first);
}

/** Slots of a bitmap as ranges, both ends included. */
export function slotRanges(slots: Uint8Array): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  let from = -1;
  for (let i = 0; i < SLOT_COUNT; i++) {
    const byte = slots[i >> 3]!;
    // Eight slots at once where they are all alike: maps are mostly long runs.
    if ((i & 7) === 0 && ((byte === 0 && from < 0) || (byte === 255 && from >= 0))) {
      i += 7;
      continue;
    }
    const isSet = (byte & (1 << (i & 7))) !== 0;
    if (isSet && from < 0) from = i;
    if (!isSet && from >= 0) {
      ranges.push([from, i - 1]);
      from = -1;
    }
  }
  if (from >= 0) ranges.push([from, SLOT_COUNT - 1]);
  return ranges;
}

/** The bitmap of ranges, both ends included, all in [0, 16384). */
export function slotBitmap(ranges: readonly (readonly [number, number])[]): Uint8Array {
  const slots = new Uint8Array(SLOT_BITMAP_SIZE);
  for (const [first, last] of ranges) {
    for (let i = first; i <= last; i++) slots[i >> 3]! |= 1 << (i & 7);
  }
  return slots;
}

export function sameSlots(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * A master that gets its first slots may receive replicas if anyone has replicas to give.
 * Source: 7.2 cluster.c, clusterNodeSetSlotBit().
 */
function noteFirstSlots(c: ClusterContext, node: ClusterNode): void {
  if (node.slotCount > 0) return;
  if (c.nodeList.some((other) => other.replicas.length > 0)) node.isMigrationTarget = true;
}
