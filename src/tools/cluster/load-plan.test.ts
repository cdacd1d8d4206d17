import { expect, test } from 'vitest';
import { planByLoad } from './load-plan.ts';
import { slotCount, slotsOf } from './slot-ranges.ts';
import { clusterNode, testId } from './test-cluster.ts';

const masters = [
  { node: clusterNode(0, { slots: [[0, 99]] }), weight: 1 },
  { node: clusterNode(1, { slots: [[100, 199]] }), weight: 1 },
];

test('a few heavy slots go where there is less, and only those', () => {
  const loadOf = (slot: number): number => (slot < 4 ? 1000 : 1);
  const moves = planByLoad(masters, loadOf, 2);
  const given = moves
    .filter(({ from }) => from === testId(0))
    .flatMap(({ slots }) => slotsOf(slots));
  expect(given.filter((slot) => slot < 4)).toHaveLength(2);
  const moved = moves.flatMap(({ slots }) => slotsOf(slots));
  expect(moved.length).toBeLessThan(6);
});

test('nothing moves while nobody is off by more than the threshold', () => {
  expect(planByLoad(masters, (slot) => (slot === 0 ? 2 : 1), 2)).toEqual([]);
});

test('a slot that is heavier than the difference stays where it is', () => {
  const moves = planByLoad(masters, (slot) => (slot === 0 ? 1_000_000 : 1), 2);
  expect(moves.flatMap(({ slots }) => slotsOf(slots))).not.toContain(0);
});

test('a master of weight 0 loses every slot, empty ones too', () => {
  const emptied = [{ ...masters[0]!, weight: 0 }, masters[1]!];
  const moves = planByLoad(emptied, () => 0, 2);
  expect(moves.map(({ slots }) => slotCount(slots))).toEqual([100]);
});
