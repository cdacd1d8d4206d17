/**
 * Claims on slots. The higher configEpoch wins; what follows for us (keys to drop, a new master to follow) is
 * decided here.
 */
import { slot } from '../base/index.ts';
import { type ClusterContext, slotHolder } from './context.ts';
import { becomeReplicaOf } from './roles.ts';
import {
  commonSlots,
  countSlots,
  hasSlotBit,
  moveSlots,
  removeSlots,
  slotRanges,
} from './slot-map.ts';
import { markGiven, markStrays } from './slot-transfers.ts';
import type { ClusterNode } from './types.ts';

/**
 * `claimant` says it owns `slots` since `claimEpoch`. Slots whose owner is older change hands; a master (or a replica
 * whose master) that lost its last slot this way follows the winner.
 * Source: 7.2 cluster.c, clusterUpdateSlotsConfigWith().
 */
export function applySlotClaim(
  c: ClusterContext,
  claimant: ClusterNode,
  claimEpoch: number,
  slots: Uint8Array,
): void {
  const { myself } = c;
  if (claimant === myself) return c.log({ name: 'updateAboutMyself' });
  const myMaster = slotHolder(myself);
  /** What this node owned until now, and what its master did. */
  let lostByMe: Uint8Array | undefined;
  let lost: Uint8Array | undefined;
  for (const { owner, taken } of takings(c, claimant, claimEpoch, slots)) {
    if (owner === myself) lostByMe = taken;
    if (owner === myMaster) lost = taken;
    moveSlots(c, taken, { from: owner, to: claimant });
    c.save('save');
    c.updateWanted = true;
  }
  const lostLast = lost !== undefined && myMaster.slotCount === 0;
  const mayFollow =
    c.options.allowReplicaMigration ||
    (lost !== undefined && countSlots(lost) === countSlots(slots));
  for (const index of c.migratingTo.keys()) {
    if (lostByMe !== undefined && hasSlotBit(lostByMe, index)) c.migratingTo.delete(index);
  }
  if (lostLast && mayFollow) {
    c.log({ name: 'becameReplicaOf', master: claimant.id });
    becomeReplicaOf(c, claimant);
    c.save('save');
    c.updateWanted = true;
  } else if (leaveChain(c)) {
    return;
  } else if (lostByMe !== undefined) {
    markGiven(c, lostByMe);
    deleteKeysIn(c, lostByMe);
  } else if (lost !== undefined) {
    // A replica may be promoted before it is told what to delete.
    markStrays(c, lost, 'save');
  }
}

interface Taking {
  /** Undefined: nobody. */
  readonly owner: ClusterNode | undefined;
  readonly taken: Uint8Array;
}

/** Which slots the claim takes, and from whom. */
function takings(
  c: ClusterContext,
  claimant: ClusterNode,
  claimEpoch: number,
  slots: Uint8Array,
): Taking[] {
  const all: Taking[] = [];
  const claimed = slots.slice();
  // A slot that we import changes hands only by SETSLOT: resharding must not end by an epoch in between.
  for (const index of c.importingFrom.keys()) claimed[index >> 3]! &= ~(1 << (index & 7));
  const unowned = claimed.slice();
  for (const owner of c.nodeList) {
    const taken = owner.slotCount === 0 ? undefined : commonSlots(claimed, owner.slots);
    if (taken === undefined) continue;
    removeSlots(unowned, taken);
    if (owner === claimant) continue;
    if (!c.rules.isNewerOwner(claimEpoch, owner.configEpoch)) {
      // Divergence: the real server keeps them for an owner that does not want them, for good.
      const free = owner.disowned === undefined ? undefined : commonSlots(taken, owner.disowned);
      if (free !== undefined) all.push({ owner, taken: free });
      continue;
    }
    if (owner === c.myself && !c.rules.yieldsSlots()) continue;
    all.push({ owner, taken });
  }
  if (countSlots(unowned) > 0) all.push({ owner: undefined, taken: unowned });
  return all;
}

function deleteKeysIn(c: ClusterContext, lost: Uint8Array): void {
  for (const [first, last] of slotRanges(lost)) {
    for (let i = first; i <= last; i++) {
      const index = slot(i);
      if (c.keys.countKeysInSlot(index) > 0) c.emit({ kind: 'deleteKeysInSlot', slot: index });
    }
  }
}

/**
 * Our master became a replica: follow its master, or we would never fail over again. Two replicas of each other
 * (possible after TAKEOVER) are left for the operator, and a chain that has not come to rest goes on first.
 * Divergence: the real server looks only when slots change hands, and stays for good where it hears of its master's
 * new role later (redis/redis issue 15472, mended after 7.0).
 */
export function leaveChain(c: ClusterContext): boolean {
  const grandmaster = c.myself.master?.master;
  if (grandmaster?.role !== 'master' || grandmaster === c.myself) return false;
  c.log({ name: 'leftChain', master: grandmaster.id });
  becomeReplicaOf(c, grandmaster);
  c.save('save');
  c.updateWanted = true;
  return true;
}
