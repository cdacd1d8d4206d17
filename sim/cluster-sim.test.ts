/** Goal: a cluster of whole nodes in virtual time does what operators count on. Method: a story a test, seeded. */
import { expect, test } from 'vitest';
import { createClusterSim } from './cluster-sim.ts';
import { checkData } from './data-check.ts';
import { runSeed } from './seed-run.ts';

const SERVING_MS = 3000;

test('a replica replaces its crashed master, which comes back as its replica', () => {
  const sim = createClusterSim({ seed: 11, masters: 3, replicasPerMaster: 1 });
  sim.run(SERVING_MS);
  sim.crash('m1');
  sim.runUntil((world) => world.masterOf(0) === 'm1r1', { maxSimMs: 10_000 });
  sim.heal();
  sim.expectConverged();
  const [view] = sim.operator.views([sim.machine('m1')]);
  expect(view).toMatchObject({ role: 'replica', masterIp: sim.machine('m1r1').ip });
});

test('masters that fail together are replaced one after the other, and not at a second attempt', () => {
  const sim = createClusterSim({ seed: 13, masters: 5, replicasPerMaster: 1 });
  sim.run(SERVING_MS);
  for (const name of ['m1', 'm2']) sim.machine(name).crash('kill');
  sim.runUntil((world) => world.masterOf(0) === 'm1r1' && world.masterOf(1) === 'm2r1', {
    maxSimMs: 2000,
  });
  expect(sim.checker.elected.size).toBe(2);
});

test('a manual failover under writes loses none that was acknowledged, however slow replication is', () => {
  const sim = createClusterSim({
    seed: 12,
    masters: 3,
    replicasPerMaster: 1,
    nodeTimeoutMs: 5000,
    writers: 3,
    thinkMsMax: 5,
    weather: {
      delayMinUs: 100,
      jitterUs: 1000,
      replicationLagUs: 200_000,
      stallOneIn: 0,
      splitOneIn: 2,
    },
  });
  sim.run(SERVING_MS);
  for (const replica of ['m1r1', 'm2r1', 'm3r1']) {
    sim.operator.send(sim.machine(replica), ['CLUSTER', 'FAILOVER'], () => undefined);
    sim.run(1500);
  }
  sim.runUntil((world) => world.masterOf(2) === 'm3r1', { maxSimMs: 5000 });
  for (const writer of sim.writers) writer.stop();
  sim.run(SERVING_MS);
  checkData(sim, { keepsAcknowledged: true, keepsReplicated: true });
  sim.expectConverged();
  expect(sim.masterOf(0)).toBe('m1r1');
});

test('a master cut off with the minority takes no writes for long, and follows its successor when it is back', () => {
  const sim = createClusterSim({ seed: 13, masters: 3, replicasPerMaster: 1 });
  sim.run(SERVING_MS);
  sim.partition(['m2']);
  sim.runUntil((world) => world.masterOf(1) === 'm2r1', { maxSimMs: 10_000 });
  sim.run(1000);
  const [cutOff] = sim.operator.views([sim.machine('m2')]);
  expect(cutOff).toMatchObject({ role: 'master', state: 'fail' });
  sim.heal();
  sim.expectConverged();
  const [back] = sim.operator.views([sim.machine('m2')]);
  expect(back).toMatchObject({ role: 'replica', masterIp: sim.machine('m2r1').ip });
});

test('a master stopped for longer than the node time-out keeps no write that it takes on waking', () => {
  const sim = createClusterSim({ seed: 14, masters: 3, replicasPerMaster: 1, thinkMsMax: 5 });
  sim.run(SERVING_MS);
  sim.machine('m3').pause();
  sim.runUntil((world) => world.masterOf(2) === 'm3r1', { maxSimMs: 10_000 });
  sim.machine('m3').resume();
  sim.expectConverged();
  for (const writer of sim.writers) writer.stop();
  sim.run(SERVING_MS);
  checkData(sim, { keepsAcknowledged: false, keepsReplicated: true });
  expect(sim.checker.violations).toEqual([]);
});

test('TAKEOVER of a minority gives its slots to the replicas at once', () => {
  const sim = createClusterSim({ seed: 15, masters: 3, replicasPerMaster: 1 });
  sim.run(SERVING_MS);
  for (const master of ['m1', 'm2']) sim.crash(master);
  sim.run(2000);
  for (const replica of ['m1r1', 'm2r1']) {
    sim.operator.send(sim.machine(replica), ['CLUSTER', 'FAILOVER', 'TAKEOVER'], () => undefined);
  }
  sim.runUntil((world) => world.masterOf(0) === 'm1r1' && world.masterOf(1) === 'm2r1', {
    maxSimMs: 1000,
  });
  sim.heal();
  sim.expectConverged();
});

test('a node refuses a torn nodes.conf and starts with the one before', () => {
  const sim = createClusterSim({ seed: 16, masters: 3, replicasPerMaster: 1 });
  sim.run(SERVING_MS);
  const machine = sim.machine('m1r1');
  sim.crash('m1r1');
  const text = machine.files.read('nodes.conf') ?? '';
  machine.files.put('nodes.conf', text.slice(0, 100));
  expect(machine.start()).toMatch(/corrupted cluster config file "nodes.conf", line \d/);
  expect(machine.isRunning).toBe(false);
  machine.files.put('nodes.conf', text);
  sim.heal();
  sim.expectConverged();
});

test('one seed is one history', () => {
  const [first, second] = [runSeed(1), runSeed(1)];
  expect(second.traceHash).toBe(first.traceHash);
  expect(second.events).toBe(first.events);
  expect(runSeed(2).traceHash).not.toBe(first.traceHash);
});

test('a few seeds of faults break nothing', { timeout: 60_000 }, () => {
  const failed = [];
  // In 20064 and 930015 a replica dies of winning, unheard, and comes back without its data.
  // In 41022 a replica follows a node that turns replica itself after the slots have changed hands.
  // In 211365 what a replica said before its takeover comes after it. In 850065 a manual failover is asked for again and
  // again, and its master lets clients write while the replica may still win. In 901912 a silent master without data is
  // made a replica and, by a takeover, a master again before its next tick, and stays silent. In 941375 a winner's word
  // from before its win comes after it, with the epoch of its win. In 950126 a replica is handed the place of a master
  // that it has not copied yet.
  const seeds = [1, 2, 3, 4, 5, 6, 20064, 930015, 41022, 211365, 850065, 901912, 941375, 950126];
  for (const seed of seeds) {
    const { violations } = runSeed(seed);
    if (violations.length > 0) failed.push({ seed, violations });
  }
  expect(failed).toEqual([]);
});
