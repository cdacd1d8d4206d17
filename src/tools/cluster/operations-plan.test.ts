import { expect, test } from 'vitest';
import type { NodeFacts } from './create-plan.ts';
import type { ClusterReport } from './inspect.ts';
import {
  type StepsDecision,
  planRelocation,
  planReplacement,
  planSwitchover,
  planTakeover,
  planUpgrade,
} from './operations-plan.ts';
import { healthyNodes, reportOn, testId } from './test-cluster.ts';

const report = reportOn(healthyNodes());

test('a switchover hands each shard over to its freshest replica, or one shard', () => {
  expect(kinds(planSwitchover(report, undefined))).toEqual(['handOver', 'handOver', 'handOver']);
  expect(planSwitchover(report, testId(4))).toEqual({
    kind: 'steps',
    steps: [{ kind: 'handOver', node: testId(4), master: testId(1) }],
  });
  const broken = reportOn(healthyNodes(), { own: { 4: { isLinkUp: false } } });
  expect(planSwitchover(broken, undefined)).toMatchObject({ kind: 'refused', because: 'nodes' });
});

test('an upgrade restarts only replicas', () => {
  expect(kinds(planUpgrade(report, 'restart'))).toEqual([
    ...['restart', 'restart', 'restart'],
    ...['handOver', 'restart', 'handOver', 'restart', 'handOver', 'restart'],
  ]);
});

test('a takeover is for masters that are gone', () => {
  expect(planTakeover(report, [testId(3)], false)).toMatchObject({ because: 'nodes' });
  expect(kinds(planTakeover(report, [testId(3)], true))).toEqual(['takeOver']);
  const gone = reportOn(healthyNodes(), { own: { 0: undefined } });
  expect(kinds(planTakeover(gone, [testId(3)], false))).toEqual(['takeOver']);
  expect(planTakeover(gone, [testId(3), testId(3)], false)).toMatchObject({ because: 'usage' });
  expect(planTakeover(gone, [testId(1)], false)).toMatchObject({ because: 'usage' });
});

test('a relocation joins, copies, hands over and forgets replicas before masters', () => {
  const fresh = Array.from({ length: 6 }, (_, n) => factsOf(8 + n));
  expect(planRelocation(report, fresh.slice(0, 4))).toMatchObject({ because: 'usage' });
  const decision = planRelocation(report, fresh);
  const byKind = new Map<string, number>();
  for (const kind of kinds(decision)) byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
  expect([...byKind]).toEqual([
    ['join', 6],
    ['replicate', 6],
    ['handOver', 3],
    ['forget', 6],
  ]);
  const steps = decision.kind === 'steps' ? decision.steps : [];
  expect(steps.at(-6)).toEqual({ kind: 'forget', node: testId(3) });
});

const without = (...gone: readonly number[]): ClusterReport =>
  reportOn(healthyNodes(), { own: Object.fromEntries(gone.map((n) => [n, undefined])), seed: 1 });

test('the place of a replica that is gone is taken by a copy of its master', () => {
  expect(planReplacement(without(3), testId(3), factsOf(9), false)).toMatchObject({
    steps: [
      { kind: 'join', node: testId(9) },
      { kind: 'replicate', node: testId(9), master: testId(0) },
      { kind: 'forget', node: testId(3) },
    ],
  });
});

test('the place of a master that is gone is taken by its replica first, and the new node copies that', () => {
  expect(planReplacement(without(0), testId(0), factsOf(9), false)).toMatchObject({
    steps: [
      { kind: 'takeOver', node: testId(3), master: testId(0) },
      { kind: 'join', node: testId(9) },
      { kind: 'replicate', node: testId(9), master: testId(3) },
      { kind: 'forget', node: testId(0) },
    ],
  });
});

test('slots that nobody has the keys of come back empty only when that is accepted', () => {
  const alone = without(0, 3);
  expect(planReplacement(alone, testId(0), factsOf(9), false)).toMatchObject({ because: 'nodes' });
  const steps = ['join', 'assignSlots', 'forget'];
  expect(kinds(planReplacement(alone, testId(0), factsOf(9), true))).toEqual(steps);
});

test('a node that answers is not replaced', () => {
  expect(planReplacement(report, testId(0), factsOf(9), false)).toMatchObject({ because: 'nodes' });
});

function kinds(decision: StepsDecision): string[] {
  return decision.kind === 'steps' ? decision.steps.map(({ kind }) => kind) : [decision.reason];
}

function factsOf(n: number): NodeFacts {
  return {
    name: `node ${n}`,
    ip: '127.0.0.1',
    port: 7000 + n,
    busPort: 17_000 + n,
    id: testId(n),
    isClusterEnabled: true,
    knownNodes: 1,
    slotsOwned: 0,
    keys: 0,
  };
}
