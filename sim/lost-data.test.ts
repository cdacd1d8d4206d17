/**
 * Goal: a master that comes back without its data takes nobody else's along, and a cluster whose nodes have all lost
 * theirs comes up all the same. Method: a story a test, seeded; one of them with the rule broken, which must be noticed.
 */
import { expect, test } from 'vitest';
import { type ClusterRules, redisRules } from '../src/cluster/index.ts';
import { type ClusterSim, createClusterSim } from './cluster-sim.ts';
import { checkData } from './data-check.ts';

const SERVING_MS = 3000;

test('a master restarted at once without its data lets its replica take its place', () => {
  const sim = restartedMaster(redisRules);
  expect(sim.checker.violations).toEqual([]);
  expect(sim.masterOf(0)).toBe('m1r1');
});

test('masters that have all lost their data let their replicas take their places', () => {
  const sim = newSim(redisRules);
  sim.run(SERVING_MS);
  const masters = ['m1', 'm2', 'm3'].map((name) => sim.machine(name));
  for (const master of masters) master.crash('kill');
  for (const master of masters) sim.start(master);
  finish(sim);
  expect(sim.checker.violations).toEqual([]);
  expect([0, 1, 2].map((shard) => sim.masterOf(shard))).toEqual(['m1r1', 'm2r1', 'm3r1']);
});

test('a planted fault is found: a master without data that serves at once', () => {
  const { violations } = restartedMaster({ ...redisRules, looksForLostData: () => false }).checker;
  expect(violations.map(({ rule }) => rule)).toContain('acknowledgedWriteLost');
});

test('a replica that dies of winning, unheard, comes back as the replica that it was', () => {
  const sim = newSim(redisRules);
  sim.run(SERVING_MS);
  const replica = sim.machine('m1r1');
  sim.onLog = (_, text) => {
    if (!text.startsWith('Failover auth granted')) return;
    sim.onLog = undefined;
    // Its next promise is that it is the master.
    replica.crashAt('afterReplace', 'kill');
  };
  sim.operator.send(replica, ['CLUSTER', 'FAILOVER'], () => undefined);
  sim.runUntil(() => !replica.isRunning, { maxSimMs: 2000 });
  sim.start(replica);
  finish(sim);
  expect(sim.checker.violations).toEqual([]);
  expect(sim.masterOf(0)).toBe('m1');
});

test('a cluster whose nodes all lost their data serves again within seconds', () => {
  const sim = newSim(redisRules);
  sim.run(SERVING_MS);
  for (const { name } of sim.machines) sim.crash(name);
  sim.heal();
  sim.run(4000);
  expect(isServing(sim)).toBe(true);
});

test('a master without data whose replica is gone serves again, empty', () => {
  const sim = newSim(redisRules);
  sim.run(SERVING_MS);
  sim.crash('m1r1');
  sim.crash('m1');
  sim.start(sim.machine('m1'));
  sim.run(8000);
  expect(isServing(sim)).toBe(true);
});

function restartedMaster(rules: ClusterRules): ClusterSim {
  const sim = newSim(rules);
  sim.run(SERVING_MS);
  const master = sim.machine('m1');
  master.crash('kill');
  sim.run(200);
  sim.start(master);
  finish(sim);
  return sim;
}

function newSim(rules: ClusterRules): ClusterSim {
  return createClusterSim({ seed: 31, masters: 3, replicasPerMaster: 1, rules });
}

/** Replicas had every write that they acknowledged. */
function finish(sim: ClusterSim): void {
  sim.expectConverged();
  for (const writer of sim.writers) writer.stop();
  sim.run(SERVING_MS);
  checkData(sim, { keepsAcknowledged: false, keepsReplicated: true });
}

function isServing(sim: ClusterSim): boolean {
  const views = sim.operator.views(sim.machines.filter(({ isRunning }) => isRunning));
  return views.every(({ state }) => state === 'ok');
}
