/** Who owns which slot: the moves on the map, with no rules about who may make them. */
import { SLOT_COUNT, type Slot, invariant, slot } from '../base/index.ts';
import type { ClusterContext } from './context.ts';
import type { ClusterNode } from './types.ts';

export function hasSlotBit(slots: Uint8Array, index: number): boolean {
  return (slots[index >> 3]! & (1 << (index & 7))) !== 0;
}

/** The first claimed slot from `from` on; SLOT_COUNT when there is none. Skips empty bytes whole. */
export function nextSlot(slots: Uint8Array, from: number): number {
  for (let i = from; i < SLOT_COUNT; i++) {
    if (slots[i >> 3] === 0) i |= 7;
    else if (hasSlotBit(slots, i)) return i;
  }
  return SLOT_COUNT;
}

export function assignSlot(c: ClusterContext, node: ClusterNode, index: Slot): void {
  invariant(c.owners[index] === undefined, 'a slot has one owner');
  node.slots[index >> 3]! |= 1 << (index & 7);
  node.slotCount++;
  c.owners[index] = node;
  // A master that gets its first slot may receive replicas if anyone has replicas to give.
  // Source: 7.2 cluster.c, clusterNodeSetSlotBit().
  if (node.slotCount === 1 && c.nodeList.some((other) => other.replicas.length > 0)) {
    node.isMigrationTarget = true;
  }
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
  for (let i = 0; i < SLOT_COUNT && node.slotCount > 0; i++) {
    if (c.owners[i] === node) unassignSlot(c, slot(i));
  }
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

export function sameSlots(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
