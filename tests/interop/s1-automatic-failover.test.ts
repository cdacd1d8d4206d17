/**
 * Goal: a replica replaces its crashed master, and the master comes back as its replica (scenario S1).
 * Method: three masters with a replica each under a write load; kill -9, then SHUTDOWN. Counted are the writes that
 * WAIT confirmed on a replica, because that is what Redis promises to survive a crash.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import { WriteLoad } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { until } from './harness/until.ts';

/** Detection, the delay of the election and the vote, with room for a busy machine. */
const FAILOVER_BOUND_MS = 15 * NODE_TIMEOUT_MS;

describe('automatic failover', () => {
  let cluster: Cluster;
  let master: NodeProcess;
  let replica: NodeProcess;

  beforeAll(async () => {
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1 });
    master = cluster.node(0);
    replica = cluster.node(3);
  });
  afterAll(() => cluster.stop());

  test('kill -9 of a master under load loses no write that a replica had', async () => {
    const epochBefore = currentEpoch(replica);
    const replidBefore = (await master.facts('INFO', 'replication')).get('master_replid');
    const load = new WriteLoad(cluster, { needsReplica: true });
    await until(() => load.acknowledgedCount > 200, 20_000, 'the writers are under way');
    await master.kill();
    await until(() => cluster.isMaster(replica), FAILOVER_BOUND_MS, 'the replica is master');
    await cluster.untilAgreed();

    await master.start();
    await until(
      async () => !(await cluster.isMaster(master)),
      FAILOVER_BOUND_MS,
      'the old master is a replica',
    );
    await cluster.untilSynced(master);
    const countBefore = load.acknowledgedCount;
    await until(() => load.acknowledgedCount > countBefore + 100, 20_000, 'writes go on');
    await load.stop();
    await cluster.untilAgreed();

    expect(await load.missing()).toEqual([]);
    expect(currentEpoch(replica)).toBeGreaterThan(epochBefore);
    const facts = await replica.facts('INFO', 'replication');
    expect(facts.get('master_replid2')).toBe(replidBefore);
    expect(facts.get('master_replid')).not.toBe(replidBefore);
    await until(
      async () => (await master.call('DBSIZE')) === (await replica.call('DBSIZE')),
      10_000,
      'both have the same number of keys',
    );
  });

  test('SHUTDOWN of the new master gives the slots back', async () => {
    await cluster.untilSynced(master);
    const id = await master.text('CLUSTER', 'MYID');
    await replica.call('SHUTDOWN', 'NOSAVE').catch(() => 'the connection closes without a reply');
    await replica.ended();
    await until(() => cluster.isMaster(master), FAILOVER_BOUND_MS, 'the first master serves again');
    await cluster.untilAgreed();
    await replica.start();
    await until(
      async () => (await cluster.myself(replica)).masterId === id,
      FAILOVER_BOUND_MS,
      'the one that was shut down is its replica',
    );
  });
});

/** As the node recorded it on disk. */
function currentEpoch(node: NodeProcess): number {
  return Number(/^vars currentEpoch (\d+)/m.exec(node.file('nodes.conf'))?.[1]);
}
