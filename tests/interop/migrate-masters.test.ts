/**
 * Goal: masters come and go on both sides of a migration, and the copy is right. Method: real clusters under writes; a new
 * master takes slots of another, and one gives away all that it has and leaves.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterClient, parseAddress } from '../../src/client/index.ts';
import { Cluster } from './harness/cluster.ts';
import { isFollowing, moveSlots, removeNode } from './harness/migration.ts';
import { MixedLoad } from './harness/mixed-load.ts';
import { REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { type Running, runSlotline, startSlotline } from './harness/slotline.ts';
import { type Send, fillWithEverything } from './harness/samples.ts';
import { sendTo } from './harness/send-to.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 40_000;
const LAST_SLOTS = 15;

describeWithRealRedis('migrate while masters come and go', () => {
  let dir: string;
  let source: Cluster;
  let target: Cluster;
  let run: Running;
  let load: MixedLoad;
  let client: ClusterClient;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-migrate-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const ranges = [
      [0, 8000],
      [8001, 16_383 - LAST_SLOTS],
      [16_384 - LAST_SLOTS, 16_383],
    ] as const;
    const shape = { masters: 3, replicasPerMaster: 0, exeOf: () => exe, ranges };
    [source, target] = await Promise.all([Cluster.start(shape), Cluster.start(shape)]);
    await fillWithEverything(sendTo(source));
    const seeds = [parseAddress(`127.0.0.1:${source.node(0).port}`)];
    client = await ClusterClient.connect({ seeds, timeoutMs: 5000 });
    const send: Send = async (...args) => {
      await client.call(String(args[1]), ...args);
      return null;
    };
    load = new MixedLoad(send, { isOneSlotEach: true });
    // The target is named by the node that will leave it.
    const ends = [`127.0.0.1:${source.node(0).port}`, `127.0.0.1:${target.node(2).port}`];
    run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', join(dir, 'work'));
    await until(() => isFollowing(run), BOUND_MS, 'every master is followed');
  });

  afterAll(async () => {
    run.child.kill('SIGKILL');
    client.close();
    await Promise.all([source.stop(), target.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  const settledCount = (): number => run.stderr().split('keys were copied again').length - 1;
  const exe = (): string => required(REAL_SERVER, 'redis-server');

  test('a master joins the source, another leaves it; the same on the target', async () => {
    await source.join(await source.add(exe()));
    await moveSlots(source, 0, 3, 25);
    await until(() => settledCount() > 0, BOUND_MS, 'the slots of the new master are settled');
    expect(run.stderr()).toContain(`127.0.0.1:${source.node(3).port} has slots of the source`);
    await target.join(await target.add(exe()));
    await moveSlots(target, 0, 3, 25);
    await moveSlots(target, 2, 1, LAST_SLOTS);
    await removeNode(target, 2);
    const settled = settledCount();
    await moveSlots(source, 2, 1, LAST_SLOTS);
    await until(() => settledCount() > settled, BOUND_MS, 'the last slots are settled');
    await removeNode(source, 2);
    const count = load.count + 300;
    await load.untilCount(count);
    await load.stop();
    await until(() => isFollowing(run), BOUND_MS, 'every master is followed again');
    run.child.kill('SIGTERM');
    const { status, stdout, stderr } = await run.result;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const summary = /"event":"summary".*/.exec(stdout)?.[0] ?? '';
    expect(summary).toContain(`"follows":"127.0.0.1:${source.node(3).port}"`);
    expect(summary).not.toContain(`"follows":"127.0.0.1:${source.node(2).port}"`);
    const ends = [`127.0.0.1:${source.node(0).port}`, `127.0.0.1:${target.node(0).port}`];
    const check = await runSlotline('verify', ...ends, '--rounds', '1');
    expect({ status: check.status, stdout: check.stdout }).toMatchObject({ status: 0 });
  });
});
