import { expect, test } from 'vitest';
import { chooseMaster, planRemoval } from './membership-plan.ts';
import { clusterNode, healthyNodes, testId } from './test-cluster.ts';

const nodes = healthyNodes();

test('a new replica goes to the named master, else to the one with the fewest replicas', () => {
  expect(chooseMaster(nodes, '127.0.0.1:7002')).toMatchObject({ master: { port: 7002 } });
  expect(chooseMaster(nodes, testId(1).slice(0, 8))).toMatchObject({ master: { port: 7001 } });
  expect(chooseMaster(nodes, undefined)).toMatchObject({ master: { port: 7000 } });
  const uneven = nodes.filter(({ port }) => port !== 7004);
  expect(chooseMaster(uneven, undefined)).toMatchObject({ master: { port: 7001 } });
});

test('a replica or a stranger is no master to copy', () => {
  expect(chooseMaster(nodes, '127.0.0.1:7003')).toMatchObject({ kind: 'refused' });
  expect(chooseMaster(nodes, 'f'.repeat(40))).toMatchObject({ kind: 'refused' });
  expect(chooseMaster([], undefined)).toMatchObject({ kind: 'refused' });
});

test('a node with slots may not go, one without may', () => {
  expect(planRemoval(nodes, testId(0))).toMatchObject({ kind: 'refused', because: 'nodes' });
  expect(planRemoval(nodes, '127.0.0.1:7003')).toMatchObject({ kind: 'plan', moves: [] });
  expect(planRemoval(nodes, 'nobody')).toMatchObject({ kind: 'refused', because: 'usage' });
});

test('the replicas of a master that goes are shared out among those with the fewest', () => {
  const leaving = [
    ...nodes.slice(0, 5),
    clusterNode(6),
    clusterNode(7, { role: 'replica', masterId: testId(6) }),
    clusterNode(8, { role: 'replica', masterId: testId(6) }),
  ];
  const plan = planRemoval(leaving, testId(6));
  const moves = plan.kind === 'plan' ? plan.moves : [];
  expect(moves.map(({ replica, master }) => [replica.port, master.port])).toEqual([
    [7007, 7002],
    [7008, 7000],
  ]);
});
