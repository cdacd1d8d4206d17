/** Which slots `reshard` and `rebalance` move, from what the masters own. Pure. */
import { planByLoad } from './load-plan.ts';
import type { SlotMove } from './plan.ts';
import { rangesOf, slotCount, slotsOf } from './slot-ranges.ts';
import { type ClusterNode, findNode } from './topology.ts';

export type MovesDecision =
  | { readonly kind: 'moves'; readonly moves: readonly SlotMove[] }
  | { readonly kind: 'refused'; readonly reason: string };

export interface ReshardWish {
  /** References to masters, or `all`. */
  readonly from: readonly string[];
  /** Reference to the master that gets them. */
  readonly to: string;
  readonly slots: number;
}

export interface RebalanceWish {
  /** Weight by reference to a master; 1 where nothing is said, 0 takes all slots away. */
  readonly weights: ReadonlyMap<string, number>;
  /** Masters without slots get some too. */
  readonly usesEmptyMasters: boolean;
  /** Nothing moves while no master is off by more than this, percent of its share. */
  readonly thresholdPercent: number;
  /** What is shared out. */
  readonly by: 'slots' | 'keys' | 'memory';
}

/** Each source gives in proportion to what it owns, its lowest slots first, as redis-cli does. */
export function planReshard(nodes: readonly ClusterNode[], wish: ReshardWish): MovesDecision {
  const target = findNode(nodes, wish.to);
  const flaw = masterFlaw(target, wish.to);
  if (target === undefined || flaw !== undefined) return refused(flaw ?? '');
  const sources: ClusterNode[] = [];
  for (const reference of wish.from.includes('all') ? [] : wish.from) {
    const source = findNode(nodes, reference);
    const reason = masterFlaw(source, reference);
    if (source === undefined || reason !== undefined) return refused(reason ?? '');
    if (source.id === target.id) return refused(`"${reference}" would give slots to itself`);
    if (!sources.includes(source)) sources.push(source);
  }
  if (wish.from.includes('all')) {
    sources.push(
      ...nodes.filter((node) => node.role === 'master' && node.id !== target.id && owns(node) > 0),
    );
  }
  const owned = sources.reduce((sum, node) => sum + owns(node), 0);
  if (wish.slots < 1) return refused('no slots to move: say how many');
  if (wish.slots > owned) {
    return refused(`the sources own ${owned} slots, which is less than ${wish.slots}`);
  }
  const moves = shares(
    wish.slots,
    sources.map((node) => owns(node)),
  ).map((count, index): SlotMove => {
    const source = sources[index] ?? target;
    const slots = slotsOf(source.slots).sort((a, b) => a - b);
    return { from: source.id, to: target.id, slots: rangesOf(slots.slice(0, count)) };
  });
  return { kind: 'moves', moves: moves.filter(({ slots }) => slots.length > 0) };
}

/**
 * Moves as few slots as possible until each master has its share by weight. `loadOf` answers the keys or bytes of a slot
 * where those are shared out.
 */
export function planRebalance(
  nodes: readonly ClusterNode[],
  wish: RebalanceWish,
  loadOf: (slot: number) => number = () => 1,
): MovesDecision {
  const weights = new Map<string, number>();
  for (const [reference, weight] of wish.weights) {
    const node = findNode(nodes, reference);
    const reason = masterFlaw(node, reference);
    if (node === undefined || reason !== undefined) return refused(reason ?? '');
    weights.set(node.id, weight);
  }
  const masters = nodes.filter(
    (node) =>
      node.role === 'master' && (wish.usesEmptyMasters || owns(node) > 0 || weights.has(node.id)),
  );
  const weightOf = (node: ClusterNode): number => weights.get(node.id) ?? 1;
  if (!masters.some((node) => weightOf(node) > 0)) return refused('every weight is 0');
  if (wish.by !== 'slots') {
    const weighted = masters.map((node) => ({ node, weight: weightOf(node) }));
    return { kind: 'moves', moves: planByLoad(weighted, loadOf, wish.thresholdPercent) };
  }
  const total = masters.reduce((sum, node) => sum + owns(node), 0);
  const wanted = shares(total, masters.map(weightOf));
  const isOff = masters.some((node, index) => {
    const share = wanted[index] ?? 0;
    const difference = Math.abs(owns(node) - share);
    // One slot more or less is what dividing leaves over, not an imbalance.
    return share === 0 ? difference > 0 : difference > 1 && isAbove(difference, share, wish);
  });
  if (!isOff) return { kind: 'moves', moves: [] };
  return { kind: 'moves', moves: balance(masters, wanted) };
}

function isAbove(difference: number, share: number, { thresholdPercent }: RebalanceWish): boolean {
  return (difference / share) * 100 > thresholdPercent;
}

/** Whoever has too many gives its highest slots to those that have too few, the neediest first. */
function balance(masters: readonly ClusterNode[], wanted: readonly number[]): SlotMove[] {
  const spare = masters.map((node, index) => {
    const slots = slotsOf(node.slots).sort((a, b) => a - b);
    return { node, slots: slots.slice(Math.min(wanted[index] ?? 0, slots.length)) };
  });
  const needs = masters
    .map((node, index) => ({ node, count: (wanted[index] ?? 0) - owns(node) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  const moves: SlotMove[] = [];
  for (const need of needs) {
    for (const giver of spare) {
      const taken = giver.slots.splice(0, need.count);
      if (taken.length === 0) continue;
      need.count -= taken.length;
      moves.push({ from: giver.node.id, to: need.node.id, slots: rangesOf(taken) });
    }
  }
  return moves;
}

/** `total` cut in proportion to `weights`, whole numbers whose sum is `total`: the largest rests round up. */
function shares(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const cut = exact.map((share) => Math.floor(share));
  const left = total - cut.reduce((a, b) => a + b, 0);
  const byRest = exact
    .map((share, index) => ({ index, rest: share - Math.floor(share) }))
    .sort((a, b) => b.rest - a.rest);
  for (const { index } of byRest.slice(0, left)) cut[index] = (cut[index] ?? 0) + 1;
  return cut;
}

function masterFlaw(node: ClusterNode | undefined, reference: string): string | undefined {
  if (node === undefined) return `"${reference}" is no node of this cluster, or several`;
  if (node.role === 'replica') return `"${reference}" is a replica: name its master`;
  if (node.flags.includes('fail')) return `"${reference}" is marked FAIL`;
  return undefined;
}

function owns(node: ClusterNode): number {
  return slotCount(node.slots);
}

function refused(reason: string): MovesDecision {
  return { kind: 'refused', reason };
}
