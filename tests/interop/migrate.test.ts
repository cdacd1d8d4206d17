/**
 * Goal: `slotline migrate run` makes a copy that `slotline verify` calls equal, between real servers of any topology and
 * under writes of every kind. Method: a source with keys of every type is copied while a writer goes on; the copy is
 * ended by a signal after the writer has stopped, and verified.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ClusterClient, parseAddress } from '../../src/client/index.ts';
import { Cluster } from './harness/cluster.ts';
import { tagIn } from './harness/load.ts';
import { isFollowing, moveSlots } from './harness/migration.ts';
import { MixedLoad } from './harness/mixed-load.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { type RunResult, type Running, runSlotline, startSlotline } from './harness/slotline.ts';
import { type Send, fillWithEverything } from './harness/samples.ts';
import { sendTo } from './harness/send-to.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 40_000;

describeWithRealRedis('migrate', () => {
  let dir: string;
  let three: Cluster;
  let five: Cluster;
  let single: NodeProcess;
  let ours: NodeProcess;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-migrate-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const config = ['repl-diskless-sync-delay 0'];
    const [port = 0, ourPort = 0] = await freePorts(2);
    single = new NodeProcess({ exe, port, dir: join(dir, 'single'), config });
    ours = new NodeProcess({ exe: OUR_SERVER, port: ourPort, dir: join(dir, 'ours') });
    await Promise.all([single.start(), ours.start()]);
    three = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
    five = await Cluster.start({ masters: 5, replicasPerMaster: 0, exeOf: () => exe });
  });

  afterAll(async () => {
    await Promise.all([single.kill(), ours.kill(), three.stop(), five.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    for (const node of [single, ours, ...three.nodes, ...five.nodes]) await node.call('FLUSHALL');
  });

  /** Of a run that goes on with no other. */
  const newDir = (): string => mkdtempSync(join(dir, 'work-'));
  const addressOf = (node: NodeProcess): string => `127.0.0.1:${node.port}`;

  /** Copies while `load` writes, and ends the copy when both have stopped. */
  async function copyUnder(load: MixedLoad, ends: readonly string[]): Promise<RunResult> {
    const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', newDir());
    try {
      await until(() => isFollowing(run), BOUND_MS, 'every master is followed');
    } finally {
      await load.stop();
      run.child.kill('SIGTERM');
    }
    return run.result;
  }

  async function expectEqual(...ends: readonly string[]): Promise<void> {
    const { status, stdout } = await runSlotline('verify', ...ends, '--rounds', '1');
    expect({ status, stdout }).toMatchObject({ status: 0 });
  }

  test('3 masters into 5, under writes', async () => {
    const send = sendTo(three);
    await fillWithEverything(send);
    const load = new MixedLoad(send, { isOneSlotEach: true });
    await load.untilCount(200);
    const ends = [addressOf(three.node(0)), addressOf(five.node(0))];
    const { status, stdout, stderr } = await copyUnder(load, ends);
    expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
    await expectEqual(...ends);
  });

  test('a single server into a cluster, with commands that span slots, and back', async () => {
    await fillWithEverything((...args) => single.call(...args));
    const load = new MixedLoad((...args) => single.call(...args), { isOneSlotEach: false });
    await load.untilCount(200);
    const ends = [addressOf(single), addressOf(three.node(0))];
    const { status, stdout, stderr } = await copyUnder(load, ends);
    expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/"brokenTransactions":[1-9]/);
    await expectEqual(...ends);
    const back = [addressOf(three.node(0)), addressOf(ours)];
    const flags = ['--stop-when-synced', '--dir', newDir()];
    expect(await runSlotline('migrate', 'run', ...back, ...flags)).toMatchObject({ status: 0 });
    await expectEqual(...back);
  });

  test('what cannot be split goes to the quarantine, and existing keys are as asked', async () => {
    await single.call('SET', 'a', 'from the source');
    const send = sendTo(three);
    await send('SET', 'a', 'on the target');
    const ends = [addressOf(single), addressOf(three.node(0))];
    const other = newDir();
    const flags = ['--stop-when-synced', '--dir', other, '--restart'];
    const fail = await runSlotline('migrate', 'run', ...ends, ...flags, '--on-conflict', 'fail');
    expect(fail).toMatchObject({ status: 3 });
    expect(fail.stderr).toContain('the target has it');
    const skip = await runSlotline('migrate', 'run', ...ends, ...flags, '--on-conflict', 'skip');
    expect(skip).toMatchObject({ status: 0 });
    expect(await send('GET', 'a')).toBe('on the target');
    const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', other, '--restart');
    await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
    await single.call('RENAME', 'a', 'b');
    run.child.kill('SIGINT');
    expect(await run.result).toMatchObject({ status: 1 });
    const line = readFileSync(join(other, 'quarantine.ndjson'), 'utf8');
    expect(JSON.parse(line)).toMatchObject({ db: 0, command: ['RENAME', 'a', 'b'] });
    expect(await send('GET', 'a')).toBe('from the source');
  });

  test('a key that is renewed while the snapshot waits is kept, and a short time is right at the end', async () => {
    for (let i = 0; i < 50; i++) await single.call('SET', `short:${i}`, i, 'PX', 1500);
    for (let i = 0; i < 50; i++) await single.call('SET', `kept:${i}`, i, 'PX', 600_000);
    const load = new MixedLoad(
      async (...args) => {
        const reply = await single.call(...args);
        for (let i = 0; i < 50; i++) await single.call('PEXPIRE', `short:${i}`, 900_000);
        await single.call('RENAME', 'kept:1', 'kept:renamed').catch(() => undefined);
        return reply;
      },
      { isOneSlotEach: true },
    );
    const ends = [addressOf(single), addressOf(ours)];
    const { status, stderr } = await copyUnder(load, ends);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    await expectEqual(...ends);
    expect(await ours.call('EXISTS', 'short:0', 'short:49', 'kept:renamed')).toBe(3);
  });

  test('passwords on both sides, and the copy is verified while it follows writes', async () => {
    await fillWithEverything((...args) => single.call(...args));
    for (const node of [single, ours]) await node.call('CONFIG', 'SET', 'requirepass', 'p@ss,word');
    const ends = [single, ours].map((node) => `redis://:p%40ss,word@127.0.0.1:${node.port}`);
    const load = new MixedLoad((...args) => single.call(...args), { isOneSlotEach: true });
    const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', newDir());
    try {
      await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
      await load.untilCount(load.count + 50);
      const flags = ['--rounds', '20', '--interval', '200'];
      const check = await runSlotline('verify', ...ends, ...flags);
      expect(check).toMatchObject({ status: 0 });
      expect(load.count).toBeGreaterThan(100);
      expect(`${check.stderr}${run.stderr()}`).not.toContain('word');
    } finally {
      await load.stop();
      run.child.kill('SIGTERM');
      for (const node of [single, ours]) await node.call('CONFIG', 'SET', 'requirepass', '');
    }
    expect(await run.result).toMatchObject({ status: 0 });
    await expectEqual(addressOf(single), addressOf(ours));
  });

  test('with --remove-extra the target has nothing that the source has not', async () => {
    await fillWithEverything((...args) => single.call(...args));
    await ours.call('MSET', 'extra:1', 1, 'extra:2', 2);
    const ends = [addressOf(single), addressOf(ours)];
    const flags = ['--remove-extra', '--stop-when-synced', '--dir', newDir()];
    const { status, stderr } = await runSlotline('migrate', 'run', ...ends, ...flags);
    expect(status).toBe(0);
    expect(stderr).toContain('2 keys were removed from the target first');
    await expectEqual(...ends);
  });

  test('a cut connection to the source continues where it was', async () => {
    await fillWithEverything((...args) => single.call(...args));
    const load = new MixedLoad((...args) => single.call(...args), { isOneSlotEach: true });
    const ends = [addressOf(single), addressOf(five.node(0))];
    const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', newDir());
    await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
    for (let i = 0; i < 3; i++) {
      const count = load.count + 100;
      await single.call('CLIENT', 'KILL', 'TYPE', 'replica');
      await load.untilCount(count);
    }
    await load.stop();
    run.child.kill('SIGTERM');
    const { status, stdout } = await run.result;
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).toContain('"snapshots":1');
    await expectEqual(...ends);
  });

  test('slots that move on the source and on the target meanwhile', async () => {
    const client = await ClusterClient.connect({
      seeds: [parseAddress(addressOf(three.node(0)))],
      timeoutMs: 5000,
    });
    const send: Send = async (...args) => {
      await client.call(String(args[1]), ...args);
      return null;
    };
    await fillWithEverything(sendTo(three));
    const load = new MixedLoad(send, { isOneSlotEach: true });
    const ends = [addressOf(three.node(0)), addressOf(five.node(0))];
    const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', newDir());
    await until(() => isFollowing(run), BOUND_MS, 'every master is followed');
    await Promise.all([moveSlots(three, 0, 1, 200), moveSlots(five, 2, 3, 100)]);
    await moveSlots(three, 1, 0, 100);
    const isSettled = (): boolean => /keys were copied again/.test(run.stderr());
    await until(isSettled, BOUND_MS, 'the moved slots are settled');
    await load.stop();
    client.close();
    await until(() => isFollowing(run), BOUND_MS, 'every master is followed again');
    run.child.kill('SIGTERM');
    const { status, stderr } = await run.result;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    await expectEqual(...ends);
  });
});

describeWithRealRedis('migrate with failovers', () => {
  test('a master of the source and one of the target are killed, and the copy is right', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slotline-migrate-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const shape = { masters: 3, replicasPerMaster: 1, exeOf: () => exe };
    const [source, target] = [await Cluster.start(shape), await Cluster.start(shape)];
    try {
      await fillWithEverything(sendTo(source));
      const names = [source, target].map((cluster) =>
        cluster.nodes.map((node) => `127.0.0.1:${node.port}`).join(','),
      );
      const flags = ['--json', '--remove-extra', '--dir', dir];
      const run = startSlotline('migrate', 'run', ...names, ...flags);
      await until(() => isFollowing(run), BOUND_MS, 'every master is followed');
      await source.node(0).kill();
      const writer = source.node(3);
      await until(() => source.isMaster(writer), BOUND_MS, 'the replica took over');
      await source.untilAgreed();
      const heir = source.node(4);
      await heir.call('CLUSTER', 'FAILOVER');
      await until(() => source.isMaster(heir), BOUND_MS, 'a replica was handed over to');
      await source.untilAgreed();
      const masters = [writer, heir, source.node(2)];
      await writeToEach(source, masters, 'after the first');
      const isFollowed = (): boolean =>
        run.stderr().includes(`goes on with 127.0.0.1:${heir.port}`);
      await until(isFollowed, BOUND_MS, 'the heir is followed');
      await target.node(1).kill();
      await target.untilAgreed();
      await writeToEach(source, masters, 'after the second');
      await until(
        () => isFollowing(run) && sumOf(run, 'resumes') > 0,
        BOUND_MS,
        'all is followed again',
      );
      run.child.kill('SIGTERM');
      const { status, stderr } = await run.result;
      expect({ status, stderr }).toMatchObject({ status: 0 });
      // The promoted replica of the target knew how far it was: nothing was copied anew.
      expect(sumOf(run, 'snapshots')).toBe(3);
      expect(stderr).toContain(`goes on with 127.0.0.1:${writer.port}`);
      const check = await runSlotline('verify', ...names, '--rounds', '1');
      expect(check).toMatchObject({ status: 0 });
    } finally {
      await Promise.all([source.stop(), target.stop()]);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describeWithRealRedis('migrate without a cluster or Sentinels', () => {
  test('the master is killed, its replica is promoted by hand, and the copy goes on there', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slotline-migrate-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const [port = 0, replicaPort = 0, targetPort = 0] = await freePorts(3);
    const config = ['repl-diskless-sync-delay 0'];
    const master = new NodeProcess({ exe, port, dir: join(dir, 'master'), config });
    const replica = new NodeProcess({ exe, port: replicaPort, dir: join(dir, 'replica'), config });
    const target = new NodeProcess({ exe: OUR_SERVER, port: targetPort, dir: join(dir, 'target') });
    try {
      await Promise.all([master.start(), replica.start(), target.start()]);
      await replica.call('REPLICAOF', '127.0.0.1', port);
      await master.call('SET', 'before', 1);
      await master.call('SELECT', 2);
      await master.call('SET', 'in database 2', 1);
      await master.call('SELECT', 0);
      const isInStep = async (): Promise<boolean> => (await replica.call('EXISTS', 'before')) === 1;
      await until(isInStep, BOUND_MS, 'the replica has the data');
      const ends = [`127.0.0.1:${port}`, `127.0.0.1:${targetPort}`];
      const run = startSlotline('migrate', 'run', ...ends, '--json', '--dir', join(dir, 'work'));
      await until(() => isFollowing(run), BOUND_MS, 'the master is followed');
      await master.call('INCR', 'before');
      const hasArrived = async (): Promise<boolean> => (await target.call('GET', 'before')) === '2';
      await until(hasArrived, BOUND_MS, 'a write arrived');
      // A replica that lacks what was copied already begins a history that nobody can go on with.
      const hasIt = async (): Promise<boolean> => (await replica.call('GET', 'before')) === '2';
      await until(hasIt, BOUND_MS, 'the replica has the write too');
      await master.kill();
      await replica.call('REPLICAOF', 'NO', 'ONE');
      for (let i = 0; i < 100; i++) await replica.call('RPUSH', 'after', i);
      const isThere = async (): Promise<boolean> => (await target.call('LLEN', 'after')) === 100;
      await until(isThere, BOUND_MS, 'writes of the new master arrived');
      run.child.kill('SIGTERM');
      const { status, stdout, stderr } = await run.result;
      expect({ status, stderr }).toMatchObject({ status: 0 });
      // The summary says it of the one master: nothing was copied anew.
      expect(stdout).toMatch(/"event":"summary".*"snapshots":1,/);
      const check = [`127.0.0.1:${replicaPort}`, `127.0.0.1:${targetPort}`, '--rounds', '1'];
      expect(await runSlotline('verify', ...check)).toMatchObject({ status: 0 });
    } finally {
      await Promise.all([master.kill(), replica.kill(), target.kill()]);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

/** A key of every master that must arrive once. */
async function writeToEach(
  cluster: Cluster,
  masters: readonly NodeProcess[],
  name: string,
): Promise<void> {
  for (const node of masters) {
    const first = (await cluster.myself(node)).slots[0]?.[0] ?? 0;
    await node.call('RPUSH', `{${tagIn([first, first], 0)}}${name}`, 1, 2, 3);
  }
}

/** The last words about each master, added up. */
function sumOf(run: Running, field: 'snapshots' | 'resumes'): number {
  const bySource = new Map<string, number>();
  const pattern = new RegExp(`"event":"progress","source":"([^"]+)".*"${field}":(\\d+)`, 'g');
  for (const match of run.stdout().matchAll(pattern)) {
    bySource.set(match[1] ?? '', Number(match[2]));
  }
  return [...bySource.values()].reduce((sum, count) => sum + count, 0);
}
