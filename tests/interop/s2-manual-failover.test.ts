/**
 * Goal: CLUSTER FAILOVER hands a master's place to its replica without losing an acknowledged write (scenario S2).
 * Method: a write load over the master's slots during the hand-over, there and back; the log in Redis's words.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import { WriteLoad } from './harness/load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { until } from './harness/until.ts';

const HANDOVER_BOUND_MS = 10_000;
/** A manual failover that gets no offset gives up after 5 s. Source: Redis Cluster specification. */
const MANUAL_TIMEOUT_BOUND_MS = 8000;
/** Real servers need some 20 ms; a busy machine may need a few times more, a lost election would need a second. */
const WRITE_GAP_BOUND_MS = 900;

describe('manual failover between nodes of ours', () => {
  handover(() => OUR_SERVER);

  test('it times out when the master does not answer, and nothing changes', async () => {
    const cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1 });
    try {
      const [master, replica] = [cluster.node(0), cluster.node(3)];
      // Otherwise the crash failover would come first.
      await replica.call('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes');
      master.freeze();
      expect(await replica.text('CLUSTER', 'FAILOVER')).toBe('OK');
      await until(
        () => replica.log().includes('Manual failover timed out.'),
        MANUAL_TIMEOUT_BOUND_MS,
        'the replica gives up',
      );
      expect(await cluster.isMaster(replica)).toBe(false);
      master.thaw();
      await cluster.untilAgreed();
      expect(await cluster.isMaster(master)).toBe(true);
    } finally {
      await cluster.stop();
    }
  });
});

describeWithRealRedis('manual failover from a real master to our replica', () => {
  handover((index) => (index === 0 ? required(REAL_SERVER, 'redis-server') : OUR_SERVER));
});

describeWithRealRedis('manual failover from our master to a real replica', () => {
  handover((index) => (index === 3 ? required(REAL_SERVER, 'redis-server') : OUR_SERVER));
});

/** Node 0 is the master and node 3 its replica. */
function handover(exeOf: (index: number) => string): void {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1, exeOf });
  });
  afterAll(() => cluster.stop());

  test('the replica takes over under load and no acknowledged write is lost', async () => {
    const [master, replica] = [cluster.node(0), cluster.node(3)];
    await handOver(cluster, master, replica);
    const log = replica.log();
    for (const line of [
      /Manual failover user request accepted\.$/m,
      /Received replication offset for paused master manual failover: \d+$/m,
      /All master replication stream processed, manual failover can start\.$/m,
      /Start of election delayed for 0 milliseconds \(rank #0, offset \d+\)\.$/m,
      /Starting a failover election for epoch \d+\.$/m,
      /Failover election won: I'm the new master\.$/m,
    ]) {
      expect(log).toMatch(line);
    }
    expect(master.log()).toContain('Manual failover requested by replica');
  });

  test('the old master takes its place back the same way', async () => {
    await handOver(cluster, cluster.node(3), cluster.node(0));
  });
}

async function handOver(cluster: Cluster, from: NodeProcess, to: NodeProcess): Promise<void> {
  await cluster.untilSynced(to);
  await cluster.untilKnownReplica(to, from);
  const [slots] = (await cluster.myself(from)).slots;
  const epochBefore = (await cluster.myself(from)).configEpoch;
  const load = new WriteLoad(cluster, slots === undefined ? {} : { slots });
  await until(() => load.acknowledgedCount > 200, 20_000, 'the writers are under way');
  expect(await to.text('CLUSTER', 'FAILOVER')).toBe('OK');
  await until(() => cluster.isMaster(to), HANDOVER_BOUND_MS, 'the replica is master');
  await until(
    async () => (await cluster.myself(from)).masterId === (await to.text('CLUSTER', 'MYID')),
    10 * NODE_TIMEOUT_MS,
    'the old master follows the new one',
  );
  const count = load.acknowledgedCount;
  await until(() => load.acknowledgedCount > count + 100, 20_000, 'writes go on');
  await load.stop();
  await cluster.untilAgreed();
  expect(await load.missing()).toEqual([]);
  expect(load.longestGapMs).toBeLessThan(WRITE_GAP_BOUND_MS);
  expect((await cluster.myself(to)).configEpoch).toBeGreaterThan(epochBefore);
}
