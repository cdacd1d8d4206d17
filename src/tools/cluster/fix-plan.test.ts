import { expect, test } from 'vitest';
import { SLOT_COUNT } from '../../base/index.ts';
import { type Holdings, planFix } from './fix-plan.ts';
import type { Step } from './plan.ts';
import { clusterNode, healthyNodes, reportOn, testId } from './test-cluster.ts';
import type { ClusterNode, OpenSlot } from './topology.ts';

const nodes = healthyNodes();
const [A, B, C] = [testId(0), testId(1), testId(2)];

test('a healthy cluster needs nothing', () => {
  expect(stepsFor(nodes)).toEqual([]);
});

test('a move that both ends know of is finished; one that only the source knows of is called off', () => {
  const opened = withOpen(
    { 0: [open(5, 'migrating', B), open(6, 'migrating', B)], 1: [open(5, 'importing', A)] },
    nodes,
  );
  expect(stepsFor(opened)).toEqual([
    { kind: 'closeSlots', node: A, slots: [[6, 6]] },
    { kind: 'moveSlots', moves: [{ from: A, to: B, slots: [[5, 5]] }] },
  ]);
});

test('an import that the owner knows nothing of is called off, its keys go to the owner', () => {
  const opened = withOpen({ 1: [open(5, 'importing', A), open(6, 'importing', A)] }, nodes);
  expect(stepsFor(opened, { [B]: { 6: 3 } })).toEqual([
    { kind: 'closeSlots', node: B, slots: [[5, 5]] },
    { kind: 'gatherKeys', slot: 6, owner: A, holder: B },
  ]);
});

test('a slot without an owner goes to whoever has most of its keys, else to who owns least', () => {
  const shrunk = nodes.with(0, clusterNode(0, { slots: [[2, 5460]] }));
  expect(stepsFor(shrunk, { [B]: { 0: 1 }, [C]: { 0: 2 } })).toEqual([
    { kind: 'assignSlots', node: C, slots: [[0, 0]] },
    { kind: 'assignSlots', node: A, slots: [[1, 1]] },
    { kind: 'gatherKeys', slot: 0, owner: C, holder: B },
  ]);
});

test('of several owners the one with most keys stays', () => {
  const claimed = nodes.with(1, clusterNode(1, { slots: [[5460, 10922]] }));
  expect(stepsFor(claimed, { [A]: { 5460: 9 }, [B]: { 5460: 1 } })).toEqual([
    { kind: 'settleSlot', slot: 5460, owner: A, others: [B] },
    { kind: 'gatherKeys', slot: 5460, owner: A, holder: B },
  ]);
});

test('a master that cannot be reached keeps its slots unless told otherwise', () => {
  const report = reportOn(nodes, { own: { 1: undefined } });
  expect(planFix(report, new Map(), { usesUnreachable: false }).kind).toBe('refused');
  const decision = planFix(report, new Map(), { usesUnreachable: true });
  const given = decision.kind === 'steps' ? decision.steps : [];
  expect(given.map(({ kind }) => kind)).toEqual(['assignSlots', 'assignSlots']);
});

function stepsFor(
  cluster: readonly ClusterNode[],
  keys: Readonly<Record<string, Readonly<Record<number, number>>>> = {},
): readonly Step[] {
  const holdings: Holdings = new Map(
    cluster.map(({ id }) => {
      const counts = new Uint32Array(SLOT_COUNT);
      for (const [slot, count] of Object.entries(keys[id] ?? {})) counts[Number(slot)] = count;
      return [id, counts];
    }),
  );
  const decision = planFix(reportOn(cluster), holdings, { usesUnreachable: false });
  if (decision.kind === 'steps') return decision.steps;
  throw new Error(decision.reason);
}

function withOpen(
  openOf: Readonly<Record<number, readonly OpenSlot[]>>,
  cluster: readonly ClusterNode[],
): ClusterNode[] {
  return cluster.map((node, n) => ({ ...node, open: openOf[n] ?? [] }));
}

function open(slot: number, direction: OpenSlot['direction'], peerId: string): OpenSlot {
  return { slot, direction, peerId };
}
