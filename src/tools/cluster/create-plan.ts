/**
 * What `create` will do, from what the nodes say of themselves: who becomes master of which slots, who copies whom.
 * Pure. Masters are spread over the hosts in turn; a replica avoids its master's host and those of its siblings.
 */
import { type SlotRange, evenRanges } from './slot-ranges.ts';

/** What a node says of itself before it is in a cluster. */
export interface NodeFacts {
  /** As the user wrote it, `host:port`. */
  readonly name: string;
  /** IP address under which the other nodes will meet it. */
  readonly ip: string;
  readonly port: number;
  readonly busPort: number;
  readonly id: string;
  readonly isClusterEnabled: boolean;
  /** Nodes it knows, itself included. */
  readonly knownNodes: number;
  readonly slotsOwned: number;
  readonly keys: number;
}

export interface PlannedMaster {
  readonly node: NodeFacts;
  readonly slots: SlotRange;
}

export interface PlannedReplica {
  readonly node: NodeFacts;
  readonly master: NodeFacts;
}

export interface CreatePlan {
  readonly masters: readonly PlannedMaster[];
  readonly replicas: readonly PlannedReplica[];
  /** What the user should know: hosts whose loss takes a master together with its replica. */
  readonly warnings: readonly string[];
}

export type CreateDecision =
  | { readonly kind: 'plan'; readonly plan: CreatePlan }
  /** `usage`: other arguments are needed; `nodes`: the nodes are not in the state for it. */
  | { readonly kind: 'refused'; readonly because: 'usage' | 'nodes'; readonly reason: string };

/** Fewer cannot agree on a failover when one is lost. Source: redis-cli --cluster create. */
export const MASTERS_MIN = 3;

/** Whether so many nodes with `replicas` each make a cluster; the reason when not. */
export function countsRefusal(nodes: number, replicas: number): string | undefined {
  const groupSize = replicas + 1;
  const masters = Math.floor(nodes / groupSize);
  if (masters < MASTERS_MIN) {
    const wanted = MASTERS_MIN * groupSize;
    return `${nodes} nodes with ${replicas} replicas each make ${masters} masters, at least ${MASTERS_MIN} are needed: name ${wanted} nodes`;
  }
  if (nodes % groupSize === 0) return undefined;
  const less = masters * groupSize;
  return `${nodes} nodes cannot be shared out with ${replicas} replicas for each master: name ${less} or ${less + groupSize} nodes`;
}

/** The plan for `nodes` in the order given, or why there is none. `replicas` is for each master. */
export function planCreate(nodes: readonly NodeFacts[], replicas: number): CreateDecision {
  const counts = countsRefusal(nodes.length, replicas);
  if (counts !== undefined) return { kind: 'refused', because: 'usage', reason: counts };
  const state = stateRefusal(nodes);
  if (state !== undefined) return { kind: 'refused', because: 'nodes', reason: state };
  const ordered = interleaveByHost(nodes);
  const masterCount = nodes.length / (replicas + 1);
  const masters = ordered.slice(0, masterCount);
  const ranges = evenRanges(masterCount);
  const pairs = placeReplicas(masters, ordered.slice(masterCount), replicas);
  const planned = masters.map((node, index) => ({
    node,
    slots: ranges[index] ?? ([0, 0] as const),
  }));
  return {
    kind: 'plan',
    plan: { masters: planned, replicas: pairs, warnings: hostWarnings(nodes, pairs) },
  };
}

function stateRefusal(nodes: readonly NodeFacts[]): string | undefined {
  const byId = new Map<string, NodeFacts>();
  for (const node of nodes) {
    const reason = nodeRefusal(node);
    if (reason !== undefined) return reason;
    const twin = byId.get(node.id);
    if (twin !== undefined)
      return `${twin.name} and ${node.name} are the same node: name each once`;
    byId.set(node.id, node);
  }
  const local = nodes.find((node) => isLoopback(node.ip));
  const remote = nodes.find((node) => !isLoopback(node.ip));
  if (local === undefined || remote === undefined) return undefined;
  return `${local.name} is a loopback address that ${remote.name} cannot reach: name every node by the address the others use`;
}

/** Why a node cannot become part of a cluster; undefined when it can. */
export function nodeRefusal(node: NodeFacts): string | undefined {
  if (!node.isClusterEnabled) {
    return `${node.name} has cluster support off: start it with "cluster-enabled yes"`;
  }
  if (node.knownNodes > 1) {
    return `${node.name} already knows ${node.knownNodes - 1} other nodes: run CLUSTER RESET on it if it may leave them`;
  }
  if (node.slotsOwned > 0) {
    return `${node.name} already owns ${node.slotsOwned} slots: run CLUSTER RESET on it first`;
  }
  if (node.keys > 0) {
    return `${node.name} is not empty, it holds ${node.keys} keys in database 0: run FLUSHALL on it if they may go`;
  }
  return undefined;
}

export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/** One node of each host in turn, hosts and their nodes in the order given. */
function interleaveByHost(nodes: readonly NodeFacts[]): NodeFacts[] {
  const byHost = new Map<string, NodeFacts[]>();
  for (const node of nodes) {
    const group = byHost.get(node.ip);
    if (group === undefined) byHost.set(node.ip, [node]);
    else group.push(node);
  }
  const ordered: NodeFacts[] = [];
  for (let turn = 0; ordered.length < nodes.length; turn++) {
    for (const group of byHost.values()) {
      const node = group[turn];
      if (node !== undefined) ordered.push(node);
    }
  }
  return ordered;
}

function placeReplicas(
  masters: readonly NodeFacts[],
  spare: readonly NodeFacts[],
  replicas: number,
): PlannedReplica[] {
  const left = [...spare];
  const pairs: { node: NodeFacts; master: NodeFacts }[] = [];
  for (let round = 0; round < replicas; round++) {
    for (const master of masters) {
      const siblings = pairs.filter((pair) => pair.master === master).map(({ node }) => node.ip);
      const rank = ({ ip }: NodeFacts): number =>
        (ip === master.ip ? 2 : 0) + (siblings.includes(ip) ? 1 : 0);
      const best = left.reduce((a, b) => (rank(b) < rank(a) ? b : a), left[0] ?? master);
      left.splice(left.indexOf(best), 1);
      pairs.push({ node: best, master });
    }
  }
  swapOffMastersHost(pairs);
  return pairs;
}

/** The last in turn may have been left with their own master's host: exchange them with someone who does not mind. */
function swapOffMastersHost(pairs: { node: NodeFacts; master: NodeFacts }[]): void {
  for (const bad of pairs.filter(({ node, master }) => node.ip === master.ip)) {
    const other = pairs.find(
      ({ node, master }) => node.ip !== bad.master.ip && master.ip !== bad.node.ip,
    );
    if (other === undefined) continue;
    [bad.node, other.node] = [other.node, bad.node];
  }
}

function hostWarnings(nodes: readonly NodeFacts[], pairs: readonly PlannedReplica[]): string[] {
  // On one machine there is nothing to avoid, and whoever does that knows.
  if (new Set(nodes.map(({ ip }) => ip)).size === 1) return [];
  return pairs
    .filter(({ node, master }) => node.ip === master.ip)
    .map(({ node, master }) => `${node.name} copies ${master.name} on the same host ${node.ip}`);
}
