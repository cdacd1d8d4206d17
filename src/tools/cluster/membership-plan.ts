/** Who a new replica copies, what may be removed, and where its replicas go. Pure. */
import type { ClusterNode } from './topology.ts';
import { findNode, replicasOf } from './topology.ts';
import { slotCount } from './slot-ranges.ts';

export type MasterChoice =
  | { readonly kind: 'master'; readonly master: ClusterNode }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The master that a new replica copies: the one `reference` means, else the one with the fewest replicas, the first of
 * equals.
 */
export function chooseMaster(
  nodes: readonly ClusterNode[],
  reference: string | undefined,
): MasterChoice {
  if (reference !== undefined) {
    const node = findNode(nodes, reference);
    if (node === undefined) {
      return { kind: 'refused', reason: `"${reference}" is no node of this cluster, or several` };
    }
    if (node.role === 'replica') {
      return { kind: 'refused', reason: `"${reference}" is a replica: name its master` };
    }
    return { kind: 'master', master: node };
  }
  const master = fewestReplicas(nodes, []);
  if (master === undefined)
    return { kind: 'refused', reason: 'no master of this cluster owns slots' };
  return { kind: 'master', master };
}

export interface RemovalPlan {
  readonly kind: 'plan';
  readonly node: ClusterNode;
  /** Replicas that have to copy another master first. */
  readonly moves: readonly { readonly replica: ClusterNode; readonly master: ClusterNode }[];
}

export type RemovalDecision =
  | RemovalPlan
  | { readonly kind: 'refused'; readonly because: 'usage' | 'nodes'; readonly reason: string };

/** How the node that `reference` means leaves, or why it may not. */
export function planRemoval(nodes: readonly ClusterNode[], reference: string): RemovalDecision {
  const node = findNode(nodes, reference);
  if (node === undefined) {
    const reason = `"${reference}" is no node of this cluster, or several: give its id or host:port`;
    return { kind: 'refused', because: 'usage', reason };
  }
  const owned = slotCount(node.slots);
  if (owned > 0) {
    const reason = `${node.host}:${node.port} owns ${owned} slots: move them to other masters first, or fail over to its replica`;
    return { kind: 'refused', because: 'nodes', reason };
  }
  const moves: { replica: ClusterNode; master: ClusterNode }[] = [];
  for (const replica of replicasOf(node, nodes)) {
    const master = fewestReplicas(
      nodes,
      moves.map((move) => move.master.id),
    );
    if (master === undefined) {
      const reason = `no other master owns slots that ${replica.host}:${replica.port} could copy`;
      return { kind: 'refused', because: 'nodes', reason };
    }
    moves.push({ replica, master });
  }
  return { kind: 'plan', node, moves };
}

/** The master with slots that has the fewest replicas, counting those that `planned` (ids, repeated) adds. */
function fewestReplicas(
  nodes: readonly ClusterNode[],
  planned: readonly string[],
): ClusterNode | undefined {
  const masters = nodes.filter(
    ({ role, slots, flags }) => role === 'master' && slots.length > 0 && !flags.includes('fail'),
  );
  const load = (master: ClusterNode): number =>
    replicasOf(master, nodes).length + planned.filter((id) => id === master.id).length;
  return masters.reduce<ClusterNode | undefined>(
    (best, each) => (best === undefined || load(each) < load(best) ? each : best),
    undefined,
  );
}
