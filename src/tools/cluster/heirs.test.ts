import { expect, test } from 'vitest';
import { movesNow } from './heirs.ts';
import type { SlotMove } from './plan.ts';
import { clusterNode, healthyNodes, reportOn, testId } from './test-cluster.ts';

const move: SlotMove = { from: testId(0), to: testId(1), slots: [[0, 9]] };

test('moves between masters that are there stay as they are', () => {
  expect(movesNow([move], reportOn(healthyNodes()))).toEqual([move]);
});

test('what the source had not given yet comes from the one that took over from it', () => {
  const nodes = healthyNodes();
  nodes[0] = clusterNode(0, { flags: ['master', 'fail'] });
  nodes[1] = clusterNode(1, {
    slots: [
      [0, 3],
      [5461, 10922],
    ],
  });
  nodes[3] = clusterNode(3, { slots: [[4, 5460]] });
  const report = reportOn(nodes, { own: { 0: undefined }, seed: 1 });
  expect(movesNow([move], report)).toEqual([{ from: testId(3), to: testId(1), slots: [[4, 9]] }]);
});

test('a target that is a replica by now means its master, one that is gone the owner of what has moved', () => {
  const nodes = healthyNodes();
  nodes[0] = clusterNode(0, { slots: [[5, 5460]] });
  nodes[1] = clusterNode(1, { role: 'replica', masterId: testId(4) });
  nodes[4] = clusterNode(4, {
    slots: [
      [0, 4],
      [5461, 10922],
    ],
  });
  const now = [{ ...move, to: testId(4) }];
  expect(movesNow([move], reportOn(nodes))).toEqual(now);
  expect(movesNow([move], reportOn(nodes, { own: { 1: undefined } }))).toEqual(now);
});

test('a target that is gone before anything moved has no heir', () => {
  const report = reportOn(healthyNodes(), { own: { 1: undefined } });
  expect(movesNow([move], report)).toEqual([move]);
});
