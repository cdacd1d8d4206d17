/**
 * Goal: a cluster grows by an empty master, to which slots move under load, and by a replica of a chosen master
 * (scenario S5). Method: CLUSTER SETSLOT and MIGRATE as every tool uses them; writers that follow ASK and MOVED.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import { WriteLoad, slotOf, tagIn } from './harness/load.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { moveSlot } from './harness/slots.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 15 * NODE_TIMEOUT_MS;

describe('growth with nodes of ours', () => {
  growth(OUR_SERVER);
});

describeWithRealRedis('growth of our cluster by real nodes', () => {
  growth(required(REAL_SERVER, 'redis-server'));
});

function growth(newcomerExe: string): void {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0 });
  });
  afterAll(() => cluster.stop());

  test('an empty master takes slots under load, and no acknowledged write is lost', async () => {
    const fresh = await cluster.add(newcomerExe);
    await cluster.join(fresh);
    expect((await cluster.myself(fresh)).slots).toEqual([]);
    const source = cluster.node(0);
    const [range = [0, 0]] = (await cluster.myself(source)).slots;
    const load = new WriteLoad(cluster, { writers: 6, slots: range });
    await until(() => load.acknowledgedCount > 600, 20_000, 'the writers are under way');
    // The slots that the first writers use, keys in them and writes to them included.
    const moved = [0, 1, 2, 3].map((index) => slotOf(tagIn(range, index)));
    for (const slot of moved) await moveSlot(cluster, slot, source, fresh);
    const count = load.acknowledgedCount;
    await until(() => load.acknowledgedCount > count + 200, 20_000, 'writes go on');
    await load.stop();
    await cluster.untilAgreed();
    expect(await load.missing()).toEqual([]);
    const owned = (await cluster.myself(fresh)).slots.flatMap(([first]) => first);
    expect(owned.sort((a, b) => a - b)).toEqual(moved.sort((a, b) => a - b));
    for (const slot of moved) {
      expect(await source.call('CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(0);
    }
  });

  test('a replica of a chosen master has its data and serves reads after READONLY', async () => {
    const master = cluster.node(1);
    const replica = await cluster.add(newcomerExe);
    await cluster.join(replica);
    await cluster.replicate(replica, master);
    const [range = [0, 0]] = (await cluster.myself(master)).slots;
    const key = `{${tagIn(range, 0)}}:read`;
    await master.call('SET', key, 'value');
    await until(
      async () => (await replica.call('DBSIZE')) === (await master.call('DBSIZE')),
      BOUND_MS,
      'the replica has as many keys',
    );
    await expect(replica.call('GET', key)).rejects.toThrow(
      `MOVED ${slotOf(key)} 127.0.0.1:${master.port}`,
    );
    await replica.call('READONLY');
    expect(await replica.call('GET', key)).toBe('value');
  });
}
