/**
 * Goal: what Sentinels look after moves into a cluster, also when they fail their master over meanwhile, and the cluster's
 * data moves back to where they say. Method: real servers and Sentinels, a writer at the master, kill -9, `verify`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { isFollowing } from './harness/migration.ts';
import { MixedLoad } from './harness/mixed-load.ts';
import type { NodeProcess } from './harness/node-process.ts';
import {
  OUR_SENTINEL,
  REAL_SENTINEL,
  REAL_SERVER,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { fillWithEverything } from './harness/samples.ts';
import { MASTER_NAME, Sentinels } from './harness/sentinels.ts';
import { runSlotline, startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 40_000;

describeWithRealRedis('migrate and Sentinels', () => {
  let dir: string;
  let set: Sentinels;
  let cluster: Cluster;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-migrate-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const real = required(REAL_SENTINEL, 'redis-sentinel');
    set = await Sentinels.start({ node: exe, sentinels: [OUR_SENTINEL, real, OUR_SENTINEL] });
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
  });

  afterAll(async () => {
    await Promise.all([set.stop(), cluster.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  const sentinelsAt = (): string => set.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const clusterAt = (): string => `127.0.0.1:${cluster.node(0).port}`;

  async function writeTo(node: NodeProcess, untilDone: () => Promise<unknown>): Promise<void> {
    const load = new MixedLoad((...args) => node.call(...args), { isOneSlotEach: false });
    try {
      await load.untilCount(200);
      await untilDone();
    } finally {
      await load.stop();
    }
  }

  test('into a cluster, through a failover', async () => {
    await fillWithEverything((...args) => set.master.call(...args));
    const ends = [sentinelsAt(), clusterAt(), '--source-master', MASTER_NAME];
    const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', join(dir, 'in'));
    await writeTo(set.master, () =>
      until(() => isFollowing(run), BOUND_MS, 'the master is followed'),
    );
    const old = set.master.port;
    await set.master.kill();
    const [watcher = set.master] = set.sentinels;
    await until(
      async () => (await set.masterPort(watcher)) !== old,
      BOUND_MS,
      'there is a new master',
    );
    const port = await set.masterPort(watcher);
    const successor = set.nodes.find((node) => node.port === port) ?? set.master;
    await writeTo(successor, async () => {
      await successor.call('SET', 'after the failover', 'x');
    });
    const hasArrived = async (): Promise<boolean> =>
      (await runSlotline('verify', ...ends, '--rounds', '1')).status === 0;
    await until(hasArrived, BOUND_MS, 'both sides are equal');
    run.child.kill('SIGTERM');
    const { stderr } = await run.result;
    expect(stderr).not.toContain('slotline:');
  });

  test('and back to where the Sentinels say', async () => {
    const ends = [clusterAt(), sentinelsAt(), '--target-master', MASTER_NAME];
    const flags = ['--stop-when-synced', '--on-conflict', 'replace', '--dir', join(dir, 'back')];
    expect(await runSlotline('migrate', 'run', ...ends, ...flags)).toMatchObject({ status: 0 });
    const check = await runSlotline('verify', ...ends, '--rounds', '1');
    expect(check).toMatchObject({ status: 0 });
  });
});
