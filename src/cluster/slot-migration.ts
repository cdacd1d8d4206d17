/** CLUSTER SETSLOT: the four moves of a resharding. Source: Redis 7.0 behaviour of the command. */
import { type Slot, assertNever, nodeId } from '../base/index.ts';
import type { AdminError, AdminResult, SlotAction } from './admin-commands.ts';
import type { ClusterContext } from './context.ts';
import { bumpConfigEpoch } from './epochs.ts';
import { becomeReplicaOf } from './roles.ts';
import { broadcastPong } from './sending.ts';
import { assignSlot, slotBitmap, unassignSlot } from './slot-map.ts';
import { clearStray, markGiven } from './slot-transfers.ts';
import type { ClusterNode } from './types.ts';

export function setSlot(c: ClusterContext, index: Slot, action: SlotAction): AdminResult {
  if (c.myself.role === 'replica') return refuse({ reason: 'setSlotOnReplica' });
  const error = apply(c, index, action);
  if (error !== undefined) return refuse(error);
  c.save('save');
  c.updateWanted = true;
  return { ok: true };
}

function refuse(error: AdminError): AdminResult {
  return { ok: false, error };
}

function apply(c: ClusterContext, index: Slot, action: SlotAction): AdminError | undefined {
  switch (action.to) {
    case 'migrating': {
      if (c.owners[index] !== c.myself) return { reason: 'notSlotOwner', slot: index };
      const peer = migrationPeer(c, action.nodeId);
      if ('reason' in peer) return peer;
      c.migratingTo.set(index, peer);
      return undefined;
    }
    case 'importing': {
      if (c.owners[index] === c.myself) return { reason: 'alreadySlotOwner', slot: index };
      const peer = migrationPeer(c, action.nodeId);
      if ('reason' in peer) return peer;
      c.importingFrom.set(index, peer);
      // Replicas learn of it, but none that need not: a real server does not know the word.
      if (clearStray(c, index)) c.emit({ kind: 'shareKeep', slot: index });
      return undefined;
    }
    case 'stable':
      c.migratingTo.delete(index);
      c.importingFrom.delete(index);
      return undefined;
    case 'node':
      return giveSlot(c, index, action.nodeId);
    default:
      return assertNever(action);
  }
}

function migrationPeer(c: ClusterContext, id: string): ClusterNode | AdminError {
  const node = c.nodes.get(nodeId(id));
  if (node === undefined) return { reason: 'unknownMigrationPeer', node: id };
  return node.role === 'replica' ? { reason: 'targetNotMaster' } : node;
}

/** Ends a migration on either side. The importer takes a fresh epoch, so that its claim beats the old owner's. */
function giveSlot(c: ClusterContext, index: Slot, id: string): AdminError | undefined {
  const node = c.nodes.get(nodeId(id));
  if (node === undefined) return { reason: 'unknownNode', node: id };
  if (node.role === 'replica') return { reason: 'targetNotMaster' };
  const { myself } = c;
  const wasMine = c.owners[index] === myself;
  const keyCount = c.keys.countKeysInSlot(index);
  if (wasMine && node !== myself && keyCount > 0) return { reason: 'slotHasKeys', slot: index };
  if (keyCount === 0) c.migratingTo.delete(index);
  unassignSlot(c, index);
  assignSlot(c, node, index);
  if (wasMine && node !== myself) markGiven(c, slotBitmap([[index, index]]));
  if (wasMine && node !== myself && myself.slotCount === 0 && c.options.allowReplicaMigration) {
    c.log({ name: 'becameReplicaOf', master: node.id });
    becomeReplicaOf(c, node);
    c.save('fsync');
  }
  if (node === myself && c.importingFrom.has(index)) {
    if (bumpConfigEpoch(c)) c.log({ name: 'epochAfterImport', slot: index });
    c.importingFrom.delete(index);
    broadcastPong(c, () => true);
  }
  return undefined;
}
