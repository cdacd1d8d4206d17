import { expect, test } from 'vitest';
import type { Plan, Step } from './plan.ts';
import { testId } from './test-cluster.ts';
import { isOfMoves, undoOf } from './undo.ts';

const [old, fresh, replica] = [testId(0), testId(9), testId(3)];
const relocation: readonly Step[] = [
  { kind: 'join', node: fresh, address: '127.0.0.1:7009' },
  { kind: 'replicate', node: fresh, master: old },
  { kind: 'handOver', node: fresh, master: old },
  { kind: 'forget', node: replica },
];

function planOf(steps: readonly Step[]): Plan {
  return { version: 1, verb: 'relocate', wish: '', members: [old], steps };
}

test('a relocation goes back until a node has left', () => {
  expect(undoOf(planOf(relocation), 2)).toEqual({
    kind: 'steps',
    steps: [
      { kind: 'handOver', node: old, master: fresh },
      { kind: 'forget', node: fresh },
    ],
  });
  expect(undoOf(planOf(relocation), 0)).toMatchObject({ steps: [{ kind: 'forget', node: fresh }] });
  expect(undoOf(planOf(relocation), 3)).toMatchObject({ kind: 'refused' });
});

test('of an upgrade the masters get their places back', () => {
  const upgrade = planOf([
    { kind: 'restart', node: replica, command: 'x' },
    { kind: 'handOver', node: replica, master: old },
    { kind: 'restart', node: old, command: 'x' },
  ]);
  expect(undoOf(upgrade, 2)).toMatchObject({
    steps: [{ kind: 'handOver', node: old, master: replica }],
  });
});

test('a plan of moves alone is known as such', () => {
  expect(isOfMoves(planOf([{ kind: 'moveSlots', moves: [] }]))).toBe(true);
  expect(isOfMoves(planOf(relocation))).toBe(false);
});
