/**
 * A replica of a master that has several moves to a master that has lost all of its own.
 * Source: Redis Cluster specification, "Replica migration"; 7.2 cluster.c, clusterHandleSlaveMigration().
 */
import type { ClusterContext } from './context.ts';
import { becomeReplicaOf } from './roles.ts';
import type { ClusterNode } from './types.ts';

/** A master is orphaned for this long before anyone moves: its replica may only be restarting. */
const ORPHANED_MS = 5000;

export function considerMigration(c: ClusterContext): void {
  const mine = c.myself.master;
  if (c.myself.role !== 'replica' || mine === undefined) return;
  let most = 0;
  let hasOrphan = false;
  for (const node of c.nodeList) {
    const count = countHealthyReplicas(node);
    if (node.role === 'master' && node.health !== 'fail') most = Math.max(most, count);
    if (!isOrphan(node, count)) node.orphanedAt = undefined;
    else if (node.slotCount > 0) {
      node.orphanedAt ??= c.now.mono;
      hasOrphan = true;
    }
  }
  if (!hasOrphan || !c.options.allowReplicaMigration || c.health !== 'ok') return;
  const ownCount = countHealthyReplicas(mine);
  if (most < 2 || ownCount !== most || ownCount <= c.options.migrationBarrier) return;
  const target = c.nodeList.find(
    (node) => node.orphanedAt !== undefined && c.since(node.orphanedAt) > ORPHANED_MS,
  );
  if (target === undefined || !isLowestCandidate(c, most)) return;
  c.log({ name: 'migratingToOrphan', master: target.id });
  becomeReplicaOf(c, target);
  c.save('fsync');
  c.updateWanted = true;
}

export function countHealthyReplicas(master: ClusterNode): number {
  let count = 0;
  for (const replica of master.replicas) if (replica.health === 'ok') count++;
  return count;
}

function isOrphan(node: ClusterNode, healthyReplicas: number): boolean {
  return (
    node.role === 'master' &&
    node.health !== 'fail' &&
    node.isMigrationTarget &&
    healthyReplicas === 0
  );
}

/** Among the replicas of the masters with most replicas, the smallest id moves: all compute the same one. */
function isLowestCandidate(c: ClusterContext, most: number): boolean {
  for (const node of c.nodeList) {
    if (node.role !== 'master' || countHealthyReplicas(node) !== most) continue;
    for (const replica of node.replicas) {
      if (replica.health === 'ok' && replica.id < c.myself.id) return false;
    }
  }
  return true;
}
