/**
 * Goal: configuration files of RedisShake, versions 4 and 2, run unchanged; a source that can only be scanned is copied,
 * changes and deletions too. Method: files as those tools' users write them, between real servers and a real cluster.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { isFollowing } from './harness/migration.ts';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, describeWithRealRedis, required } from './harness/programs.ts';
import { sendTo } from './harness/send-to.ts';
import { runSlotline, startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;

describeWithRealRedis('migrate by configurations of RedisShake', () => {
  let dir: string;
  let source: NodeProcess;
  let target: NodeProcess;
  let three: Cluster;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-config-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const [port = 0, targetPort = 0] = await freePorts(2);
    const config = ['repl-diskless-sync-delay 0', 'requirepass secret'];
    source = new NodeProcess({ exe, port, dir: join(dir, 'source'), config });
    target = new NodeProcess({ exe: OUR_SERVER, port: targetPort, dir: join(dir, 'target') });
    source.launch();
    await target.start();
    await until(() => source.call('AUTH', 'secret').catch(() => false), BOUND_MS, 'it answers');
    three = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
  });

  afterAll(async () => {
    await Promise.all([source.kill(), target.kill(), three.stop()]);
    rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    for (const node of [source, target, ...three.nodes]) await node.call('FLUSHALL');
    for (let i = 0; i < 500; i++) await source.call('SET', `key:${i}`, i);
    await source.call('MSET', 'temp:1', 1, 'temp:2', 2);
    await source.call('EXPIRE', 'key:1', 1000);
  });

  const file = (name: string, lines: readonly string[]): string => {
    const path = join(dir, name);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };

  test('shake.toml: followed, filtered, with what the environment says', async () => {
    const path = file('shake.toml', [
      '[sync_reader]',
      'cluster = false            # set to true if source is a redis cluster',
      'address = "${SHAKE_TEST_SOURCE}"',
      'password = "secret"',
      'sync_rdb = true',
      'sync_aof = true',
      '[redis_writer]',
      'cluster = true',
      `address = "127.0.0.1:${three.node(0).port}"`,
      'password = ""',
      '[filter]',
      'block_key_prefix = ["temp:"]',
      '[advanced]',
      `dir = "${join(dir, 'data')}"`,
      'ncpu = 0',
      'rdb_restore_command_behavior = "rewrite" # panic, rewrite or skip',
    ]);
    process.env['SHAKE_TEST_SOURCE'] = `127.0.0.1:${source.port}`;
    const run = startSlotline('migrate', 'run', path, '--json');
    await until(() => isFollowing(run), BOUND_MS, 'the source is followed');
    await source.call('MSET', 'late', 1, 'temp:3', 3, 'later', 2);
    await source.call('DEL', 'key:2', 'temp:1');
    run.child.kill('SIGTERM');
    const { status, stderr } = await run.result;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toContain('advanced.ncpu means nothing here');
    expect(existsSync(join(dir, 'data', 'status.json'))).toBe(true);
    const sizes = await Promise.all(three.nodes.map((node) => node.call('EVAL', COUNT, 0)));
    expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(501);
    const send = sendTo(three);
    expect(await send('GET', 'later')).toBe('2');
    expect(await send('EXISTS', 'temp:3')).toBe(0);
  });

  test('redis-shake.conf with -type=sync, and rump, which scans', async () => {
    const lines = [
      'conf.version = 1',
      'id = redis-shake',
      'source.type = standalone',
      `source.address = 127.0.0.1:${source.port}`,
      'source.password_raw = secret',
      'source.auth_type = auth',
      'target.type = cluster',
      `target.address = ${three.nodes.map((node) => `127.0.0.1:${node.port}`).join('; ')}`,
      'target.password_raw =',
      'key_exists = rewrite',
      'filter.key.whitelist = key:;list',
      'parallel = 32',
    ];
    const path = file('redis-shake.conf', lines);
    const flags = ['--stop-when-synced', '--dir', join(dir, 'conf')];
    const sync = await runSlotline('migrate', 'run', '-type=sync', `-conf=${path}`, ...flags);
    expect(sync).toMatchObject({ status: 0 });
    expect(sync.stderr).toContain('parallel means nothing here');
    const send = sendTo(three);
    expect(await send('GET', 'key:499')).toBe('499');
    expect(await send('EXISTS', 'temp:1')).toBe(0);
    const rump = await runSlotline('migrate', 'run', '-type=rump', `-conf=${path}`, ...flags);
    expect(rump).toMatchObject({ status: 0 });
    expect(rump.stderr).toContain('round 2: 0 keys differed');
  });

  test('a source that is scanned: what changes and goes arrives with a later round', async () => {
    const ends = [`redis://:secret@127.0.0.1:${source.port}`, `127.0.0.1:${target.port}`];
    const flags = ['--source-mode', 'scan', '--json', '--dir', join(dir, 'scan')];
    const run = startSlotline('migrate', 'run', ...ends, ...flags);
    await until(() => run.stderr().includes('round 1:'), BOUND_MS, 'the first round is over');
    await source.call('DEL', 'key:3', 'temp:1');
    await source.call('SET', 'key:4', 'changed');
    await source.call('PERSIST', 'key:1');
    await source.call('RPUSH', 'new', 1, 2);
    const hasSettled = async (): Promise<boolean> => (await target.call('EXISTS', 'key:3')) === 0;
    await until(hasSettled, BOUND_MS, 'a later round took away what is gone');
    run.child.kill('SIGTERM');
    expect(await run.result).toMatchObject({ status: 0 });
    const check = await runSlotline('verify', ...ends, '--rounds', '1');
    expect(check).toMatchObject({ status: 0 });
  });

  test('what cannot be meant is said, and nothing is copied', async () => {
    const lua = file('lua.toml', [
      '[sync_reader]',
      'address = "127.0.0.1:1"',
      '[redis_writer]',
      'address = "127.0.0.1:2"',
      '[filter]',
      'function = "shake.call(DB, ARGV)"',
    ]);
    const result = await runSlotline('migrate', 'run', '--config', lua);
    expect(result).toMatchObject({ status: 2 });
    expect(result.stderr).toContain('filter.function is a Lua program');
  });
});

/** Keys that are not a migration's own. */
const COUNT =
  "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if not k:find('^slotline:') then n = n + 1 end end return n";
