/**
 * Goal: what a master takes in by SETSLOT of a slot that it gave away before is kept by its replicas, which hold that slot
 * for rubbish since they heard that it went. Method: a slot goes to and fro, and the effects.
 */
import { expect, test } from 'vitest';
import { slot } from '../base/index.ts';
import { type TestNode, startTestCluster } from './test-network.ts';

const SLOT = 5;

function set(node: TestNode, to: 'importing' | 'migrating' | 'node', other: TestNode): void {
  const action = { to, nodeId: other.id };
  expect(node.admin({ kind: 'setSlot', slot: SLOT, action })).toEqual({ ok: true });
}

function give(from: TestNode, to: TestNode): void {
  set(to, 'importing', from);
  set(from, 'migrating', to);
  set(to, 'node', to);
  set(from, 'node', to);
}

function kept(node: TestNode): number[] {
  return node.effects.flatMap((effect) => (effect.kind === 'shareKeep' ? [effect.slot] : []));
}

test('replicas are told to keep what comes of a slot that was given away by SETSLOT', () => {
  const { net, masters } = startTestCluster({ seed: 81, masterCount: 3, replicaOf: [0] });
  const [giver, taker, alone] = [masters[0]!, masters[1]!, masters[2]!];
  give(giver, taker);
  net.run(3000);
  expect(kept(taker)).toEqual([]);
  set(giver, 'importing', taker);
  expect(kept(giver)).toEqual([slot(SLOT)]);
  expect(giver.effects.map(({ kind }) => kind)).not.toContain('deleteKeysInSlot');
  giver.admin({ kind: 'setSlot', slot: SLOT, action: { to: 'stable' } });
  // Without replicas there is nobody to tell.
  give(taker, alone);
  net.run(3000);
  set(taker, 'importing', alone);
  expect(kept(taker)).toEqual([]);
});

test('replicas are told to keep what comes of a slot that was lost to a newer claim', () => {
  const { net, masters } = startTestCluster({ seed: 82, masterCount: 3, replicaOf: [0] });
  const [loser, winner] = [masters[0]!, masters[1]!];
  set(winner, 'importing', loser);
  set(winner, 'node', winner);
  net.run(3000);
  expect(loser.machine.slotOwner(slot(SLOT))?.id).toBe(winner.id);
  set(loser, 'importing', winner);
  expect(kept(loser)).toEqual([slot(SLOT)]);
});

test('a replica promoted while its master took in a slot has not dropped what came', () => {
  const { net, masters, replicas } = startTestCluster({ seed: 83, masterCount: 3, replicaOf: [0] });
  const [master, other, replica] = [masters[0]!, masters[1]!, replicas[0]!];
  give(master, other);
  net.run(3000);
  expect(replica.machine.hiddenSlots).toContain(SLOT);
  set(master, 'importing', other);
  for (const index of kept(master)) replica.step({ kind: 'keepShared', slot: slot(index) });
  replica.keysIn.set(SLOT, 1);
  expect(replica.machine.hiddenSlots).not.toContain(SLOT);
  net.crash(master);
  net.runUntil(() => replica.machine.myself.role === 'master', 20_000);
  net.run(3000);
  expect(replica.keysIn.get(SLOT)).toBe(1);
});
