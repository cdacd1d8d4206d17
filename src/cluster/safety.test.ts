/**
 * Random faults on whole clusters. Safe at every moment: no node votes twice in an epoch, no two elections are won in
 * one. Live after healing: all agree on every slot, and no two masters share a configEpoch.
 * The seeds include 238, in which a fresh winner once voted for a rival in the epoch of its own election.
 */
import { expect, test } from 'vitest';
import { type Rng, seededRng, slot } from '../base/index.ts';
import { decodePacket } from '../bus/index.ts';
import { redisRules } from './rules.ts';
import { type TestNetwork, type TestNode, startTestCluster } from './test-network.ts';

const FAULTS = 12;
const PROBED = [0, 5000, 5461, 9000, 10_922, 16_383].map(slot);
const MODES = ['coordinated', 'coordinated', 'force', 'force', 'takeover'] as const;

function injectFault(net: TestNetwork, rng: Rng): void {
  const node = net.nodes[rng.below(net.nodes.length)]!;
  switch (rng.below(6)) {
    case 0:
      return net.partition([node]);
    case 1:
      return net.partition(net.nodes.filter(() => rng.below(2) === 0));
    case 2:
      return net.heal();
    case 3:
      node.admin({ kind: 'failover', mode: MODES[rng.below(MODES.length)]! });
      return;
    case 4:
      if (node.isPaused) node.resume();
      else node.isPaused = true;
      return;
    default:
      node.write();
  }
}

function hasConverged(net: TestNetwork): boolean {
  if (!net.nodes.every((node) => node.machine.state === 'ok')) return false;
  for (const index of PROBED) {
    if (new Set(net.nodes.map((node) => node.machine.slotOwner(index)?.id)).size !== 1)
      return false;
  }
  const serving = net.nodes.filter((node) => node.machine.myself.slotCount > 0);
  return new Set(serving.map((node) => node.machine.myself.configEpoch)).size === serving.length;
}

/** Epochs in which `node` voted, one entry a vote. */
function votesOf(node: TestNode): number[] {
  return node.effects.flatMap((effect) => {
    if (effect.kind !== 'send' || effect.type !== 'authAck') return [];
    const decoded = decodePacket(effect.bytes);
    return decoded.kind === 'packet' ? [decoded.packet.header.currentEpoch] : [];
  });
}

function wonEpochs(net: TestNetwork): number[] {
  return net.nodes.flatMap((node) =>
    node.effects.flatMap((effect) =>
      effect.kind === 'log' && effect.event.name === 'configEpochAfterFailover'
        ? [effect.event.epoch]
        : [],
    ),
  );
}

test.each([44, 120, 238, 252, 297, 1001, 1002])(
  'random faults, seed %i: safe always, agreed after healing',
  (seed) => {
    const rng = seededRng(seed);
    const extra = Array.from({ length: rng.below(3) }, () => rng.below(3));
    const { net } = startTestCluster({
      seed,
      masterCount: 3,
      replicaOf: [0, 1, 2, ...extra],
      options: { nodeTimeoutMs: 500 + rng.below(1500) },
    });
    for (let i = 0; i < FAULTS; i++) {
      injectFault(net, rng);
      net.run(rng.below(2500));
    }
    net.heal();
    for (const node of net.nodes) if (node.isPaused) node.resume();
    net.runUntil(() => hasConverged(net), 30_000);
    for (const node of net.nodes) {
      const votes = votesOf(node);
      expect(new Set(votes).size).toBe(votes.length);
    }
    const won = wonEpochs(net);
    expect(new Set(won).size).toBe(won.length);
  },
);

test('a planted rule is felt: a master that yields no slots goes on serving beside its successor', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 40,
    masterCount: 3,
    replicaOf: [0, 1, 2],
    rules: { ...redisRules, yieldsSlots: () => false },
  });
  net.partition([masters[0]!]);
  net.runUntil(() => replicas[0]!.machine.myself.role === 'master', 10_000);
  net.heal();
  net.run(6000);
  expect(masters[0]!.machine.isMine(slot(0)) && replicas[0]!.machine.isMine(slot(0))).toBe(true);
});

test('a planted rule is felt: a replica that does not wait for the offset loses an acknowledged write', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 41,
    masterCount: 3,
    replicaOf: [0, 1, 2],
    rules: { ...redisRules, isCaughtUp: () => true },
  });
  masters[0]!.masterPort = undefined;
  replicas[0]!.masterPort = -1;
  masters[0]!.write();
  replicas[0]!.admin({ kind: 'failover', mode: 'coordinated' });
  net.runUntil(() => replicas[0]!.machine.myself.role === 'master', 1000);
  expect(replicas[0]!.offset).toBeLessThan(masters[0]!.offset);
});
