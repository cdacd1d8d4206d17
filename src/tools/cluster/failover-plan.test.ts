import { expect, test } from 'vitest';
import { planFailover } from './failover-plan.ts';
import { clusterNode, healthyNodes, reportOn, testId } from './test-cluster.ts';

const nodes = [
  ...healthyNodes(),
  clusterNode(6, { role: 'replica', masterId: testId(0) }),
  clusterNode(7, { role: 'replica', masterId: testId(0) }),
];

test('a replica that is named takes over itself', () => {
  const plan = planFailover(reportOn(nodes, { seed: 3 }), 'coordinated');
  expect(plan).toMatchObject({
    replica: { node: { port: 7003 } },
    master: { node: { port: 7000 } },
    isChosen: false,
  });
});

test('of the replicas of a named master the most up-to-date with a link is taken', () => {
  const own = { 3: { offset: 5 }, 6: { offset: 9 }, 7: { offset: 99, isLinkUp: false } };
  const plan = planFailover(reportOn(nodes, { own }), 'coordinated');
  expect(plan).toMatchObject({ replica: { node: { port: 7006 } }, isChosen: true });
});

test('a replica without a link cannot take over in agreement with its master, but by force', () => {
  const report = reportOn(nodes, { seed: 3, own: { 3: { isLinkUp: false } } });
  expect(planFailover(report, 'coordinated')).toMatchObject({ kind: 'refused' });
  expect(planFailover(report, 'force')).toMatchObject({ kind: 'plan' });
  expect(planFailover(report, 'takeover')).toMatchObject({ kind: 'plan' });
});

test('a master whose replicas do not answer has nobody to take over', () => {
  const report = reportOn(nodes, { seed: 1, own: { 4: undefined } });
  const decision = planFailover(report, 'coordinated');
  expect(decision.kind === 'refused' ? decision.reason : '').toContain(
    'has no replica that answers',
  );
});
