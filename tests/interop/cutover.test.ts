/**
 * Goal: the way of an operator from plan to cutover and back. Method: a server is copied into a cluster under writes, the
 * run is paused and told to go on, the cutover decides, the cluster takes the writes, and they come home to the server.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { isFollowing } from './harness/migration.ts';
import { MixedLoad } from './harness/mixed-load.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { sendTo } from './harness/send-to.ts';
import { runSlotline, startSlotline } from './harness/slotline.ts';
import { fillWithEverything } from './harness/samples.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 40_000;

interface Report {
  readonly running: boolean;
  readonly orders: { readonly isPaused: boolean };
  readonly sources: readonly { readonly lagBytes: number; readonly commands: number }[];
}

describeWithRealRedis('cutover', () => {
  let dir: string;
  let source: NodeProcess;
  let target: Cluster;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-cutover-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const [port = 0] = await freePorts(1);
    const config = ['repl-diskless-sync-delay 0'];
    source = new NodeProcess({ exe, port, dir: join(dir, 'source'), config });
    await source.start();
    target = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe, config });
    await fillWithEverything((...args) => source.call(...args));
  });

  afterAll(async () => {
    await Promise.all([source.kill(), target.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  const ends = (): string[] => [`127.0.0.1:${source.port}`, `127.0.0.1:${target.node(0).port}`];
  const status = async (...flags: string[]): Promise<Report> =>
    JSON.parse((await runSlotline('migrate', 'status', '--json', ...flags)).stdout) as Report;

  test('the plan names what stands in the way', async () => {
    expect((await runSlotline('migrate', 'plan', ...ends())).status).toBe(0);
    await source.call('SELECT', 3);
    await source.call('SET', 'elsewhere', 1);
    const refused = await runSlotline('migrate', 'plan', ...ends());
    await source.call('DEL', 'elsewhere');
    await source.call('SELECT', 0);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/STOP +databases .*db3/);
    const same = await runSlotline('migrate', 'plan', ends()[0] ?? '', ends()[0] ?? '');
    expect(same.stdout).toMatch(/STOP +target .*is the source/);
  });

  test('pause, resume, cutover, and home again without a copy', async () => {
    const work = join(dir, 'work');
    const at = ['--dir', work];
    const load = new MixedLoad((...args) => source.call(...args), { isOneSlotEach: true });
    const run = startSlotline('migrate', 'run', ...ends(), '--json', ...at);
    await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
    expect((await runSlotline('migrate', 'pause', ...at)).status).toBe(0);
    await until(async () => (await status(...at)).orders.isPaused, BOUND_MS, 'it is paused');
    const { sources: before } = await status(...at);
    await load.untilCount(load.count + 300);
    // What the source sent last may still be on its way.
    let paused = before;
    const isBehind = async (): Promise<boolean> => {
      paused = (await status(...at)).sources;
      return (paused[0]?.lagBytes ?? 0) > 0;
    };
    await until(isBehind, BOUND_MS, 'it is behind');
    expect(paused[0]?.commands).toBe(before[0]?.commands);
    await runSlotline('migrate', 'resume', ...at);
    await load.stop();
    const cut = await runSlotline('migrate', 'cutover', ...ends(), ...at, '--way-back');
    expect(cut).toMatchObject({ status: 0 });
    expect(cut.stdout).toMatch(/GO the target has taken over/);
    expect((await run.result).status).toBe(0);
    expect(await source.call('SET', 'string', 'some text')).toBe('OK');
    const send = sendTo(target);
    await send('RPUSH', 'list', 'on the cluster');
    await send('INCR', 'number');
    const back = [...ends().reverse(), '--dir', join(work, 'back'), '--stop-when-synced', '--json'];
    const home = await runSlotline('migrate', 'run', ...back);
    expect(home).toMatchObject({ status: 0 });
    expect(home.stdout).toContain('"snapshots":0');
    const check = await runSlotline('verify', ...ends().reverse(), '--rounds', '1');
    expect(check).toMatchObject({ status: 0 });
    expect(await source.call('KEYS', 'slotline:*')).toEqual([]);
  });

  test('no-go when the sides differ, and writes go on at the source', async () => {
    const at = ['--dir', join(dir, 'second')];
    const run = startSlotline('migrate', 'run', ...ends(), '--json', '--remove-extra', ...at);
    await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
    await sendTo(target)('SET', 'string', 'changed behind our back');
    const cut = await runSlotline('migrate', 'cutover', ...ends(), ...at);
    expect(cut).toMatchObject({ status: 1 });
    expect(cut.stdout).toContain('NO-GO');
    expect(await source.call('SET', 'other', 1)).toBe('OK');
    run.child.kill('SIGTERM');
    await run.result;
  });
});
