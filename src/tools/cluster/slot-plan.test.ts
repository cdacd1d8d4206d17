import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLOT_COUNT } from '../../base/index.ts';
import type { SlotMove } from './plan.ts';
import { evenRanges, slotCount, slotsOf } from './slot-ranges.ts';
import { type MovesDecision, planRebalance, planReshard } from './slot-plan.ts';
import { clusterNode, healthyNodes, testId } from './test-cluster.ts';
import type { ClusterNode } from './topology.ts';

const nodes = healthyNodes();
const EVENLY = {
  weights: new Map<string, number>(),
  usesEmptyMasters: false,
  by: 'slots' as const,
  thresholdPercent: 2,
};

test('each source gives in proportion, and together they give what was asked for', () => {
  const moves = movesOf(planReshard(nodes, { from: ['all'], to: testId(2), slots: 1001 }));
  expect(moves.map(({ slots }) => slotCount(slots))).toEqual([500, 501]);
  expect(moves.map(({ from }) => from)).toEqual([testId(0), testId(1)]);
  expect(moves[0]?.slots).toEqual([[0, 499]]);
});

test('a reshard that cannot be meant is refused', () => {
  const wishes = [
    { from: ['all'], to: testId(3), slots: 1 },
    { from: ['zz'], to: testId(0), slots: 1 },
    { from: [testId(0)], to: testId(0), slots: 1 },
    { from: [testId(1)], to: testId(0), slots: 5463 },
    { from: [testId(1)], to: testId(0), slots: 0 },
  ];
  for (const wish of wishes) expect(planReshard(nodes, wish).kind).toBe('refused');
});

test('rebalance leaves alone what is balanced, and masters without slots unless told', () => {
  expect(movesOf(planRebalance(nodes, EVENLY))).toEqual([]);
  const withEmpty = [...nodes, clusterNode(6)];
  expect(movesOf(planRebalance(withEmpty, EVENLY))).toEqual([]);
  const moves = movesOf(planRebalance(withEmpty, { ...EVENLY, usesEmptyMasters: true }));
  expect(moves.reduce((sum, { slots }) => sum + slotCount(slots), 0)).toBe(4096);
});

test('weight 0 empties a master', () => {
  const weights = new Map([[testId(0), 0]]);
  const moves = movesOf(planRebalance(nodes, { ...EVENLY, weights }));
  expect(moves.every(({ from }) => from === testId(0))).toBe(true);
  expect(moves.reduce((sum, { slots }) => sum + slotCount(slots), 0)).toBe(5461);
});

test('after a rebalance every slot has one owner and each master its share', () => {
  const weightsOf = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 7 });
  fc.assert(
    fc.property(weightsOf, (list) => {
      fc.pre(list.some((weight) => weight > 0));
      const ranges = evenRanges(list.length);
      const masters = list.map((_, n) => clusterNode(n, { slots: [ranges[n] ?? [0, 0]] }));
      const weights = new Map(list.map((weight, n) => [testId(n), weight]));
      const wish = { weights, usesEmptyMasters: true, by: 'slots' as const, thresholdPercent: 0 };
      const owned = applied(masters, movesOf(planRebalance(masters, wish)));
      const total = list.reduce((a, b) => a + b, 0);
      expect([...owned.values()].reduce((sum, slots) => sum + slots.size, 0)).toBe(SLOT_COUNT);
      for (const [n, weight] of list.entries()) {
        const off = (owned.get(testId(n))?.size ?? 0) - (SLOT_COUNT * weight) / total;
        expect(Math.abs(off)).toBeLessThanOrEqual(2);
      }
    }),
    { numRuns: 30 },
  );
});

function movesOf(decision: MovesDecision): readonly SlotMove[] {
  if (decision.kind === 'moves') return decision.moves;
  throw new Error(decision.reason);
}

/** Who owns what after `moves`; each slot has to be where it is taken from. */
function applied(
  masters: readonly ClusterNode[],
  moves: readonly SlotMove[],
): Map<string, Set<number>> {
  const owned = new Map(masters.map(({ id, slots }) => [id, new Set(slotsOf(slots))]));
  for (const { from, to, slots } of moves) {
    for (const slot of slotsOf(slots)) {
      expect(owned.get(from)?.delete(slot)).toBe(true);
      owned.get(to)?.add(slot);
    }
  }
  return owned;
}
