/** What operators ask for with CLUSTER and DEBUG, and why it may be refused. */
import { type NodeId, SLOT_COUNT, assertNever, nodeId, randomHex, slot } from '../base/index.ts';
import type { AdminCommand, AdminResult, LinkDirection, SlotError } from './admin-commands.ts';
import { FORGET_MS, type ClusterContext } from './context.ts';
import { bumpConfigEpoch } from './epochs.ts';
import { startHandshake } from './handshake.ts';
import { closeLink } from './links.ts';
import { requestFailover } from './manual-failover.ts';
import { resetManualFailover } from './manual-reset.ts';
import { becomeReplicaOf, deleteNode, markMaster } from './roles.ts';
import { assignSlot, unassignAllOf, unassignSlot } from './slot-map.ts';
import { cancelExports, startExports } from './slot-exports.ts';
import { startImport } from './slot-imports.ts';
import { setSlot } from './slot-migration.ts';
import { isHandoverOpen } from './slot-transfers.ts';

const DONE: AdminResult = { ok: true };

/** What would change owners or epochs under a handover that is under way; it lasts moments. */
const NOT_IN_HANDOVER: ReadonlySet<AdminCommand['kind']> = new Set<AdminCommand['kind']>([
  'addSlots',
  'delSlots',
  'flushSlots',
  'setSlot',
  'reset',
  'bumpEpoch',
  'setConfigEpoch',
]);

export function runAdmin(c: ClusterContext, command: AdminCommand): AdminResult {
  if (NOT_IN_HANDOVER.has(command.kind) && isHandoverOpen(c)) {
    return refuse({ reason: 'handoverOpen' });
  }
  switch (command.kind) {
    case 'meet': {
      const refusal = startHandshake(c, command);
      return refusal === undefined
        ? DONE
        : refuse({ reason: refusal, ip: command.ip, port: String(command.port) });
    }
    case 'forget':
      return forget(c, command.nodeId);
    case 'replicate':
      return replicate(c, command.nodeId);
    case 'failover': {
      const refusal = requestFailover(c, command.mode);
      return refusal === undefined ? DONE : refuse({ reason: refusal });
    }
    case 'addSlots':
      return changeSlots(c, command.slots, true);
    case 'delSlots':
      return changeSlots(c, command.slots, false);
    case 'flushSlots':
      return flushSlots(c);
    case 'setSlot':
      return setSlot(c, slot(command.slot), command.action);
    case 'migrateSlots': {
      const refusal = startExports(c, command.moves);
      return refusal === undefined ? DONE : refuse({ reason: refusal });
    }
    case 'cancelSlotMigrations':
      cancelExports(c);
      return DONE;
    case 'importSlots': {
      const why = startImport(c, command);
      return why === undefined ? DONE : refuse({ reason: 'importRefused', why });
    }
    case 'reset':
      return reset(c, command.isHard);
    case 'setConfigEpoch':
      return setConfigEpoch(c, command.epoch);
    case 'bumpEpoch': {
      const isBumped = bumpConfigEpoch(c);
      return { ok: true, isBumped, epoch: c.myself.configEpoch };
    }
    case 'saveConfig':
      c.save('fsync');
      return DONE;
    case 'dropPackets':
      c.droppedTypeNumber = command.typeNumber;
      return DONE;
    case 'killLinks':
      return killLinks(c, command.nodeId, command.direction);
    default:
      return assertNever(command);
  }
}

function refuse(error: SlotError | Exclude<AdminResult, { ok: true }>['error']): AdminResult {
  return { ok: false, error };
}

/**
 * Removes a node, and for a minute refuses to learn of it again from gossip. Beside nodes that pass that on, somebody may
 * have been quicker.
 */
function forget(c: ClusterContext, id: string): AdminResult {
  const node = c.nodes.get(nodeId(id));
  if (node === undefined) {
    const isGone = c.myself.shardId !== undefined && c.forgotten.has(id);
    return isGone ? DONE : refuse({ reason: 'unknownNode', node: id });
  }
  if (node === c.myself) return refuse({ reason: 'forgetMyself' });
  if (c.myself.role === 'replica' && c.myself.master === node) {
    return refuse({ reason: 'forgetMyMaster' });
  }
  c.forgotten.set(node.id, c.after(FORGET_MS));
  deleteNode(c, node);
  c.save('save');
  c.updateWanted = true;
  return DONE;
}

function replicate(c: ClusterContext, id: string): AdminResult {
  const node = c.nodes.get(nodeId(id));
  const { myself } = c;
  if (node === undefined) return refuse({ reason: 'unknownNode', node: id });
  if (node === myself) return refuse({ reason: 'replicateMyself' });
  if (node.role === 'replica') return refuse({ reason: 'replicateReplica' });
  if (myself.role === 'master' && (myself.slotCount > 0 || c.keys.dbSize() > 0)) {
    return refuse({ reason: 'notEmpty' });
  }
  becomeReplicaOf(c, node);
  c.save('save');
  c.updateWanted = true;
  return DONE;
}

/** All of them or none. */
function changeSlots(c: ClusterContext, slots: readonly number[], isAdding: boolean): AdminResult {
  const seen = new Set<number>();
  for (const index of slots) {
    const isBusy = c.owners[index] !== undefined;
    if (isAdding && isBusy) return refuse({ reason: 'slotBusy', slot: index });
    if (!isAdding && !isBusy) return refuse({ reason: 'slotUnassigned', slot: index });
    if (seen.has(index)) return refuse({ reason: 'slotRepeated', slot: index });
    seen.add(index);
  }
  for (const index of seen) {
    if (isAdding) {
      // Ownership ends an import that was under way.
      c.importingFrom.delete(slot(index));
      assignSlot(c, c.myself, slot(index));
    } else {
      unassignSlot(c, slot(index));
    }
  }
  c.save('save');
  c.updateWanted = true;
  return DONE;
}

function flushSlots(c: ClusterContext): AdminResult {
  if (c.keys.dbSize() > 0) return refuse({ reason: 'flushSlotsNotEmpty' });
  unassignAllOf(c, c.myself);
  c.save('save');
  c.updateWanted = true;
  return DONE;
}

/** Source: 7.2 cluster.c, clusterReset(). */
function reset(c: ClusterContext, isHard: boolean): AdminResult {
  const { myself } = c;
  if (myself.role === 'master' && c.keys.dbSize() > 0) return refuse({ reason: 'resetWithKeys' });
  if (myself.role === 'replica') {
    markMaster(c, myself);
    c.emit({ kind: 'promote' });
    c.emit({ kind: 'resetKeyspace' });
  }
  c.election = { state: 'idle' };
  c.migratingTo.clear();
  c.importingFrom.clear();
  c.ranOut.clear();
  resetManualFailover(c);
  for (let i = 0; i < SLOT_COUNT; i++) unassignSlot(c, slot(i));
  for (const node of [...c.nodeList]) if (node !== myself) deleteNode(c, node);
  myself.shardId = undefined;
  if (isHard) {
    c.currentEpoch = 0;
    c.lastVoteEpoch = 0;
    myself.configEpoch = 0;
    c.log({ name: 'epochReset' });
    const id: NodeId = nodeId(randomHex(c.rng, 40));
    c.renameNode(myself, id);
    c.log({ name: 'hardReset', id });
  }
  c.save('fsync');
  c.updateWanted = true;
  return DONE;
}

function setConfigEpoch(c: ClusterContext, epoch: number): AdminResult {
  if (!Number.isSafeInteger(epoch) || epoch < 0) {
    return refuse({ reason: 'invalidEpoch', epoch: String(epoch) });
  }
  if (c.nodeList.length > 1) return refuse({ reason: 'epochWithPeers' });
  if (c.myself.configEpoch !== 0) return refuse({ reason: 'epochAlreadySet' });
  c.myself.configEpoch = epoch;
  c.log({ name: 'epochSetByCommand', epoch });
  c.currentEpoch = Math.max(c.currentEpoch, epoch);
  c.save('save');
  c.updateWanted = true;
  return DONE;
}

function killLinks(c: ClusterContext, id: string, direction: LinkDirection): AdminResult {
  const node = c.nodes.get(nodeId(id));
  if (node === undefined) return refuse({ reason: 'unknownNode', node: id });
  if (direction !== 'from' && node.link !== undefined) closeLink(c, node.link);
  if (direction !== 'to' && node.inboundLink !== undefined) closeLink(c, node.inboundLink);
  return DONE;
}
