/**
 * Goal: keys that are renewed at the source while a migration stands still, for longer than they had to live, are right at
 * the end. Method: a run is killed, another is paused; meanwhile keys are renewed, changed and read into others, and the
 * target has let them expire before the run goes on.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { giveOrders, readReport } from '../../src/tools/migrate/control.ts';
import { Cluster } from './harness/cluster.ts';
import { isFollowing } from './harness/migration.ts';
import { MixedLoad } from './harness/mixed-load.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { type Running, runSlotline, startSlotline } from './harness/slotline.ts';
import { sendTo } from './harness/send-to.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 40_000;
const LIFE_MS = 2500;
const KEYS = 50;

describeWithRealRedis('migrate late', () => {
  let dir: string;
  let source: NodeProcess;
  let target: Cluster;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-migrate-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const [port = 0] = await freePorts(1);
    const config = ['repl-diskless-sync-delay 0'];
    source = new NodeProcess({ exe, port, dir: join(dir, 'source'), config });
    await source.start();
    target = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
  });

  afterAll(async () => {
    await Promise.all([source.kill(), target.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  const ends = (): string[] => [`127.0.0.1:${source.port}`, `127.0.0.1:${target.node(0).port}`];
  const work = (): string[] => ['--dir', join(dir, 'work')];

  async function follow(): Promise<Running> {
    const run = startSlotline('migrate', 'run', ...ends(), '--json', ...work());
    await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
    return run;
  }

  async function eachKey(name: string, write: (key: string, i: number) => unknown): Promise<void> {
    for (let i = 0; i < KEYS; i++) await write(`${name}:{${i}}`, i);
  }

  /** Keys of a short life, of which the target has the last. */
  async function makeKeys(name: string): Promise<void> {
    await eachKey(name, (key, i) => source.call('HSET', key, 'first', i));
    await eachKey(`${name}:set`, (key, i) => source.call('SADD', key, i));
    await eachKey(`${name}:set`, (key) => source.call('PEXPIRE', key, LIFE_MS));
    await eachKey(name, (key) => source.call('PEXPIRE', key, LIFE_MS));
    const send = sendTo(target);
    const last = `${name}:{${KEYS - 1}}`;
    const hasCome = async (): Promise<boolean> => Number(await send('PTTL', last)) > 0;
    await until(hasCome, BOUND_MS, 'the target has the keys');
  }

  /** What the source does to them while the run stands still; at the end the target has none any more. */
  async function renewLate(name: string): Promise<void> {
    await eachKey(`${name}:set`, (key, i) => source.call('SUNIONSTORE', `${name}:u:{${i}}`, key));
    await eachKey(name, (key, i) =>
      source.call(...(i % 2 ? ['PERSIST', key] : ['EXPIRE', key, 900])),
    );
    const send = sendTo(target);
    const isGone = async (): Promise<boolean> => (await send('EXISTS', `${name}:{1}`)) === 0;
    await until(isGone, BOUND_MS, 'the target has let them expire');
    await eachKey(name, (key, i) => source.call('HSET', key, 'second', i));
    await eachKey(name, (key) => source.call('HINCRBY', key, 'count', 1));
    await source.call('RENAME', `${name}:{2}`, `${name}:renamed{2}`);
  }

  test('a run that was killed, and one that was paused, copy anew what they came too late for', async () => {
    const killed = await follow();
    await makeKeys('killed');
    killed.child.kill('SIGKILL');
    await killed.result;
    await renewLate('killed');
    const run = await follow();
    const load = new MixedLoad((...args) => source.call(...args), { isOneSlotEach: true });
    await makeKeys('paused');
    giveOrders(join(dir, 'work'), { isPaused: true });
    const isPaused = (): boolean => readReport(join(dir, 'work')).report.orders.isPaused;
    await until(isPaused, BOUND_MS, 'the run has paused');
    await renewLate('paused');
    giveOrders(join(dir, 'work'), { isPaused: false });
    const send = sendTo(target);
    const isThere = async (): Promise<boolean> => (await send('EXISTS', 'paused:{1}')) === 1;
    await until(isThere, BOUND_MS, 'the run goes on');
    await load.untilCount(load.count + 200);
    await load.stop();
    await until(() => isFollowing(run), BOUND_MS, 'late keys were copied again');
    run.child.kill('SIGTERM');
    const { status, stderr } = await run.result;
    // RENAME keeps its slot here, so nothing is put aside.
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const check = await runSlotline('verify', ...ends(), '--rounds', '1');
    expect({ status: check.status, stdout: check.stdout }).toMatchObject({ status: 0 });
    expect(await send('HGETALL', 'paused:{1}')).toEqual([
      'first',
      '1',
      'second',
      '1',
      'count',
      '1',
    ]);
    expect(await send('SMEMBERS', 'killed:u:{7}')).toEqual(['7']);
  });
});
