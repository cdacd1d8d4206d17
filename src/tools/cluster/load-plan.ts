/** Which slots `rebalance` moves when keys or memory shall be shared out, not slots. Pure. */
import type { SlotMove } from './plan.ts';
import { rangesOf, slotsOf } from './slot-ranges.ts';
import type { ClusterNode } from './topology.ts';

/** A master and how much of the whole it shall have. */
export interface Share {
  readonly node: ClusterNode;
  /** 0 empties it, slots without keys too. */
  readonly weight: number;
}

interface Holder {
  readonly id: string;
  readonly weight: number;
  readonly wanted: number;
  load: number;
  /** The heaviest first: the fewest slots move. */
  readonly slots: { readonly slot: number; readonly load: number }[];
}

/**
 * Moves until each master has its share, as well as whole slots allow; nothing while no master is off by more than
 * `thresholdPercent` of its share. `loadOf` answers the keys or bytes of a slot.
 */
export function planByLoad(
  masters: readonly Share[],
  loadOf: (slot: number) => number,
  thresholdPercent: number,
): SlotMove[] {
  const holders = holdersOf(masters, loadOf);
  if (!holders.some((holder) => isOff(holder, thresholdPercent))) return [];
  const moved = new Map<Holder, Map<Holder, number[]>>();
  for (const giver of holders) {
    for (const { slot, load } of giver.slots) {
      const taker = takerOf(giver, load, holders);
      if (taker === undefined) continue;
      giver.load -= load;
      taker.load += load;
      const ways = moved.get(giver) ?? new Map<Holder, number[]>();
      ways.set(taker, [...(ways.get(taker) ?? []), slot]);
      moved.set(giver, ways);
    }
  }
  return [...moved].flatMap(([giver, ways]) =>
    [...ways].map(([taker, slots]) => ({
      from: giver.id,
      to: taker.id,
      slots: rangesOf(slots),
    })),
  );
}

function holdersOf(masters: readonly Share[], loadOf: (slot: number) => number): Holder[] {
  const loaded = masters.map(({ node, weight }) => {
    const slots = slotsOf(node.slots).map((slot) => ({ slot, load: loadOf(slot) }));
    slots.sort((a, b) => b.load - a.load);
    return { id: node.id, weight, slots, load: slots.reduce((sum, { load }) => sum + load, 0) };
  });
  const total = loaded.reduce((sum, { load }) => sum + load, 0);
  const weights = loaded.reduce((sum, { weight }) => sum + weight, 0);
  return loaded.map((each) => ({ ...each, wanted: (total * each.weight) / weights }));
}

function isOff({ load, wanted, weight, slots }: Holder, thresholdPercent: number): boolean {
  if (weight === 0) return slots.length > 0;
  return Math.abs(load - wanted) > (wanted * thresholdPercent) / 100;
}

/** Whoever lacks most, when it is better off with the slot and the giver without it. */
function takerOf(giver: Holder, load: number, holders: readonly Holder[]): Holder | undefined {
  const takers = holders.filter((holder) => holder !== giver && holder.weight > 0);
  const neediest = takers.reduce<Holder | undefined>(
    (best, each) => (best === undefined || lack(each) > lack(best) ? each : best),
    undefined,
  );
  if (neediest === undefined || giver.weight === 0) return neediest;
  // Both come nearer to their share, even if they end on its other side.
  const helps = load > 0 && load < 2 * Math.min(-lack(giver), lack(neediest));
  return helps ? neediest : undefined;
}

function lack({ wanted, load }: Holder): number {
  return wanted - load;
}
