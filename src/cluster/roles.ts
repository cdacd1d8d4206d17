/** Who is a master, who is whose replica, and leaving the table altogether. */
import { invariant } from '../base/index.ts';
import type { ClusterContext } from './context.ts';
import { closeLink } from './links.ts';
import { resetManualFailover } from './manual-reset.ts';
import { unassignAllOf } from './slot-map.ts';
import type { ClusterNode } from './types.ts';

export function addReplica(master: ClusterNode, replica: ClusterNode): void {
  if (master.replicas.includes(replica)) return;
  master.replicas.push(replica);
  master.isMigrationTarget = true;
}

export function removeReplica(master: ClusterNode, replica: ClusterNode): void {
  const at = master.replicas.indexOf(replica);
  if (at < 0) return;
  master.replicas.splice(at, 1);
  if (master.replicas.length === 0) master.isMigrationTarget = false;
}

/** Source: 7.2 cluster.c, clusterSetNodeAsMaster(). */
export function markMaster(c: ClusterContext, node: ClusterNode): void {
  if (node.role === 'master') return;
  if (node.master !== undefined) {
    removeReplica(node.master, node);
    // Whoever was promoted had a master with replicas, so it may receive one again.
    if (node !== c.myself) node.isMigrationTarget = true;
  }
  node.role = 'master';
  node.master = undefined;
  node.promotedAt = c.now.mono;
  c.save('save');
  c.updateWanted = true;
}

/** `node`, not this one, says it is a replica of `masterId` (which we may not know yet). */
export function markReplica(
  c: ClusterContext,
  node: ClusterNode,
  master: ClusterNode | undefined,
): void {
  if (node.role !== 'replica') {
    unassignAllOf(c, node);
    node.role = 'replica';
    node.isMigrationTarget = false;
    c.save('save');
    c.updateWanted = true;
  }
  if (master === undefined || master === node || node.master === master) return;
  if (node.master !== undefined) removeReplica(node.master, node);
  addReplica(master, node);
  node.master = master;
  c.save('save');
}

/** This node becomes a replica of `master`. Source: 7.2 cluster.c, clusterSetMaster(). */
export function becomeReplicaOf(c: ClusterContext, master: ClusterNode): void {
  const { myself } = c;
  invariant(master !== myself, 'no node replicates itself');
  if (myself.role === 'replica') {
    // CLUSTER ADDSLOTS is not refused by a replica, there as here.
    unassignAllOf(c, myself);
    if (myself.master !== undefined) removeReplica(myself.master, myself);
  } else {
    invariant(myself.slotCount === 0, 'a master gives its slots away before it follows');
    myself.role = 'replica';
    myself.isMigrationTarget = false;
    c.migratingTo.clear();
    c.importingFrom.clear();
  }
  myself.master = master;
  myself.shardId = master.shardId;
  addReplica(master, myself);
  c.election = { state: 'idle' };
  c.emit({ kind: 'setMaster', nodeId: master.id, host: master.ip, port: master.port });
  resetManualFailover(c);
}

/** Forgets the node: slots, reports, links and all. */
export function deleteNode(c: ClusterContext, node: ClusterNode): void {
  invariant(node !== c.myself, 'a node never forgets itself');
  unassignAllOf(c, node);
  for (const [index, peer] of c.migratingTo) if (peer === node) c.migratingTo.delete(index);
  for (const [index, peer] of c.importingFrom) if (peer === node) c.importingFrom.delete(index);
  for (const other of c.nodeList) other.failureReports.delete(node);
  for (const replica of node.replicas) replica.master = undefined;
  if (node.master !== undefined) removeReplica(node.master, node);
  if (node.link !== undefined) closeLink(c, node.link);
  if (node.inboundLink !== undefined) closeLink(c, node.inboundLink);
  c.nodes.delete(node.id);
  c.nodeList.splice(c.nodeList.indexOf(node), 1);
  if (c.manualFailover.state === 'serving' && c.manualFailover.replica === node) {
    resetManualFailover(c);
  }
}
