/**
 * Goal: a running cluster moves to servers of the other make with no acknowledged write lost (scenario S4).
 * Method: the newcomer joins as replica, takes over by CLUSTER FAILOVER under a write load, and the old master
 * is forgotten and ended.
 */
import { expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import { WriteLoad } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 15 * NODE_TIMEOUT_MS;

describeWithRealRedis('moving to other servers', () => {
  const real = required(REAL_SERVER, 'redis-server');

  test('real redis-servers replace every master of our cluster under load', () =>
    relocate(OUR_SERVER, real));

  test('our nodes replace every master of a real cluster under load', () =>
    relocate(real, OUR_SERVER));
});

async function relocate(fromExe: string, toExe: string): Promise<void> {
  const cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => fromExe });
  try {
    const load = new WriteLoad(cluster, { writers: 6 });
    await until(() => load.acknowledgedCount > 300, 20_000, 'the writers are under way');
    for (const old of [...cluster.nodes]) await replace(cluster, old, toExe);
    const count = load.acknowledgedCount;
    await until(() => load.acknowledgedCount > count + 200, 20_000, 'writes go on');
    await load.stop();
    await cluster.untilAgreed();
    expect(await load.missing()).toEqual([]);
    expect(cluster.running.map((node) => node.exe)).toEqual([toExe, toExe, toExe]);
  } finally {
    await cluster.stop();
  }
}

async function replace(cluster: Cluster, old: NodeProcess, exe: string): Promise<void> {
  const fresh = await cluster.add(exe);
  await cluster.join(fresh);
  await cluster.replicate(fresh, old);
  await cluster.untilKnownReplica(fresh, old);
  const oldId = await old.text('CLUSTER', 'MYID');
  // On a machine that stands still for a node time-out the master may be held for failed a moment: then it is refused.
  await until(
    async () => (await fresh.text('CLUSTER', 'FAILOVER')) === 'OK',
    BOUND_MS,
    `${fresh.port} begins`,
  );
  await until(() => cluster.isMaster(fresh), BOUND_MS, `${fresh.port} is master`);
  await until(async () => !(await cluster.isMaster(old)), BOUND_MS, `${old.port} is a replica`);
  await cluster.untilAgreed();
  await old.signal('SIGTERM');
  for (const node of cluster.running) await node.call('CLUSTER', 'FORGET', oldId);
}
