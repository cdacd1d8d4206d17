/**
 * Goal: a master that hangs for twice the node timeout comes back as what the others made of it, and keeps no write
 * that it took in between. Method: SIGSTOP, a write waiting in its socket, the failover, SIGCONT.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import { WriteLoad, tagIn } from './harness/load.ts';
import { RespConnection } from './harness/resp-connection.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 15 * NODE_TIMEOUT_MS;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1 });
});
afterAll(() => cluster.stop());

test('a hung master returns as replica without the writes of its sleep', async () => {
  const [master, replica] = [cluster.node(0), cluster.node(3)];
  const [range = [0, 0]] = (await cluster.myself(master)).slots;
  const key = `{${tagIn(range, 0)}}:asleep`;
  const load = new WriteLoad(cluster, { needsReplica: true });
  await until(() => load.acknowledgedCount > 100, 20_000, 'the writers are under way');
  const sleeper = await RespConnection.open(master.port);
  master.freeze();
  const frozenAt = performance.now();
  const lateWrite = sleeper.call('SET', key, 'taken asleep').catch((error: unknown) => error);
  await until(() => cluster.isMaster(replica), BOUND_MS, 'the replica is master');
  await until(
    () => performance.now() - frozenAt > 2 * NODE_TIMEOUT_MS,
    BOUND_MS,
    'it slept enough',
  );
  master.thaw();
  await lateWrite;
  await until(async () => !(await cluster.isMaster(master)), BOUND_MS, 'the sleeper is a replica');
  await cluster.untilSynced(master);
  await load.stop();
  await cluster.untilAgreed();
  expect((await cluster.myself(master)).masterId).toBe(await replica.text('CLUSTER', 'MYID'));
  expect(await load.missing()).toEqual([]);
  expect(await replica.call('GET', key)).toBe(null);
  await until(
    async () => (await master.call('DBSIZE')) === (await replica.call('DBSIZE')),
    BOUND_MS,
    'both have the same number of keys',
  );
  await master.call('READONLY');
  expect(await master.call('GET', key)).toBe(null);
  sleeper.close();
});
