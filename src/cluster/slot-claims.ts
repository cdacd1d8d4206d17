/**
 * Claims on slots. The higher configEpoch wins; what follows for us (keys to drop, a new master to follow) is
 * decided here.
 */
import { SLOT_COUNT, type Slot, slot } from '../base/index.ts';
import { type ClusterContext, slotHolder } from './context.ts';
import { becomeReplicaOf } from './roles.ts';
import { assignSlot, nextSlot, unassignSlot } from './slot-map.ts';
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
  const dirty: Slot[] = [];
  let lostCount = 0;
  let claimedCount = 0;
  for (let i = nextSlot(slots, 0); i < SLOT_COUNT; i = nextSlot(slots, i + 1)) {
    claimedCount++;
    const index = slot(i);
    const owner = c.owners[i];
    // A slot that we import changes hands only by SETSLOT: resharding must not end by an epoch in between.
    if (owner === claimant || c.importingFrom.has(index)) continue;
    if (owner !== undefined && !c.rules.isNewerOwner(claimEpoch, owner.configEpoch)) continue;
    if (owner === myself && !c.rules.yieldsSlots()) continue;
    if (owner === myself && c.keys.countKeysInSlot(index) > 0) dirty.push(index);
    if (owner === myMaster) lostCount++;
    unassignSlot(c, index);
    assignSlot(c, claimant, index);
    if (owner === myself) c.migratingTo.delete(index);
    c.save('save');
    c.updateWanted = true;
  }
  const lostLast = lostCount > 0 && myMaster.slotCount === 0;
  const mayFollow = c.options.allowReplicaMigration || claimedCount === lostCount;
  if (lostLast && mayFollow) {
    c.log({ name: 'becameReplicaOf', master: claimant.id });
    becomeReplicaOf(c, claimant);
    c.save('save');
    c.updateWanted = true;
  } else if (leaveChain(c)) {
    c.save('save');
    c.updateWanted = true;
  } else {
    for (const index of dirty) c.emit({ kind: 'deleteKeysInSlot', slot: index });
  }
}

/**
 * Our master became a replica: follow its master, or we would never fail over again. Two replicas of each other
 * (possible after TAKEOVER) are left for the operator.
 */
function leaveChain(c: ClusterContext): boolean {
  const grandmaster = c.myself.master?.master;
  if (grandmaster === undefined || grandmaster === c.myself) return false;
  c.log({ name: 'leftChain', master: grandmaster.id });
  becomeReplicaOf(c, grandmaster);
  return true;
}
