/**
 * Goal: slots that move atomically lose no acknowledged write and have one owner, whatever is cut, stopped or killed at
 * whichever step. Method: seeds of faults aimed at moves; and the story of a target that claims while nobody hears it,
 * with the rules whole and with one of them broken, which must be noticed.
 */
import { expect, test } from 'vitest';
import { type ClusterRules, redisRules } from '../src/cluster/index.ts';
import { type ClusterSim, createClusterSim } from './cluster-sim.ts';
import { checkData } from './data-check.ts';
import { runMoveSeed } from './seed-run.ts';

const MINUTE_MS = 60_000;
const SERVING_MS = 3000;
/** Longer than a source waits for news of its target, shorter than the node time-out. */
const CUT_MS = 3500;

test('a few seeds of moves break nothing', { timeout: MINUTE_MS }, () => {
  const failed = [];
  // In 7114 the source asks a target that is through with the move and knows nothing of it any more.
  for (const seed of [1, 2, 3, 4, 7114]) {
    const { violations } = runMoveSeed(seed);
    if (violations.length > 0) failed.push({ seed, violations });
  }
  expect(failed).toEqual([]);
});

test('a source that cannot hear of a claim takes the slot back, and the claim that comes late loses', () => {
  const sim = unheardClaim(redisRules);
  expect(sim.checker.violations).toEqual([]);
  expect(sim.checker.ownerOf(sim.tags[0]!.slot)).toBe('m1');
});

test('a planted fault is found: a source in doubt that goes on without asking', () => {
  const { violations } = unheardClaim({ ...redisRules, asksInDoubt: () => false }).checker;
  expect(violations.map(({ rule }) => rule)).toContain('acknowledgedWriteLost');
});

test('of two sources with one target, the second holds no writes before the first is through, and nobody sees its keys', () => {
  const sim = createClusterSim({
    seed: 31,
    masters: 3,
    replicasPerMaster: 1,
    nodeTimeoutMs: 5000,
    writers: 3,
    thinkMsMax: 5,
  });
  sim.run(SERVING_MS);
  const steps: string[] = [];
  const seen: unknown[] = [];
  sim.onLog = (machine, text) => {
    const step = /Slot migration \w+ \((\w+)\) is now (promised|draining|success)/.exec(text);
    if (step === null) return;
    steps.push(`${step[1]} ${step[2]}`);
    if (step[2] !== 'promised' || seen.length > 0) return;
    const { slot, tag } = sim.tags.find((each) => sim.checker.ownerOf(each.slot) === 'm1')!;
    const keep = (reply: unknown): void => void seen.push(reply);
    sim.operator.send(machine, ['CLUSTER', 'COUNTKEYSINSLOT', String(slot)], keep);
    sim.operator.send(machine, ['KEYS', `*{${tag}}*`], keep);
  };
  const { id } = sim.layout.seats.find(({ name }) => name === 'm3')!;
  for (const name of ['m1', 'm2']) {
    const { slot } = sim.tags.find((tag) => sim.checker.ownerOf(tag.slot) === name)!;
    const words = ['SLOTSRANGE', String(slot), String(slot), 'NODE', id];
    const command = ['CLUSTER', 'MIGRATESLOTS', ...words];
    sim.operator.send(sim.machine(name), command, () => undefined);
  }
  sim.run(SERVING_MS);
  const begins = steps.flatMap((step, at) => (step === 'EXPORT draining' ? [at] : []));
  expect([begins.length, steps.filter((step) => step.endsWith('success')).length]).toEqual([2, 4]);
  expect(steps.indexOf('IMPORT success')).toBeLessThan(begins[1]!);
  expect(Number(seen[0])).toBeGreaterThan(0);
  expect(seen[1]).toEqual([]);
  expect(sim.checker.violations).toEqual([]);
});

/** From the moment at which the target is about to claim, its words and its replica's reach nobody else. */
function unheardClaim(rules: ClusterRules): ClusterSim {
  const sim = createClusterSim({
    seed: 21,
    masters: 3,
    replicasPerMaster: 1,
    nodeTimeoutMs: 5000,
    writers: 3,
    thinkMsMax: 5,
    rules,
  });
  sim.run(SERVING_MS);
  let isCut = false;
  sim.onLog = (machine, text) => {
    if (machine.name !== 'm2' || !text.endsWith('(IMPORT) is now sharing')) return;
    isCut = true;
    const [shard, others] = [
      [machine, sim.machine('m2r1')],
      ['m1', 'm1r1', 'm3', 'm3r1'],
    ];
    sim.network.separate(
      shard,
      others.map((name) => sim.machine(name)),
      true,
    );
    sim.world.afterMs(CUT_MS, () => sim.network.heal());
  };
  const slot = String(sim.tags[0]!.slot);
  const { id } = sim.layout.seats.find(({ name }) => name === 'm2')!;
  const words = ['CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', slot, slot, 'NODE', id];
  sim.operator.send(sim.machine('m1'), words, () => undefined);
  sim.run(CUT_MS * 2);
  expect(isCut).toBe(true);
  for (const writer of sim.writers) writer.stop();
  sim.heal();
  sim.converge();
  checkData(sim, { keepsAcknowledged: true, keepsReplicated: true });
  return sim;
}
