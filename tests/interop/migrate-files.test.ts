/**
 * Goal: `slotline migrate run` reads and writes files that redis-server and its checkers call right. Method: a source
 * with keys of every type into each kind of file, which a real server starts from; files of the real server into nodes;
 * `slotline verify` compares.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import {
  OUR_SERVER,
  REAL_SERVER,
  REDIS_CHECK_AOF,
  REDIS_CHECK_RDB,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';
import { fillWithEverything } from './harness/samples.ts';
import { runSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;

describeWithRealRedis('migrate with files', () => {
  let dir: string;
  let source: NodeProcess;
  let target: NodeProcess;
  let other: NodeProcess;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-files-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const [port = 0, targetPort = 0, otherPort = 0] = await freePorts(3);
    const config = ['repl-diskless-sync-delay 0', 'appendonly yes', 'aof-timestamp-enabled yes'];
    source = new NodeProcess({ exe, port, dir: join(dir, 'source'), config });
    target = new NodeProcess({ exe: OUR_SERVER, port: targetPort, dir: join(dir, 'target') });
    const lines = ['appendfilename out.aof', 'dbfilename out.rdb'];
    other = new NodeProcess({ exe, port: otherPort, dir: join(dir, 'other'), config: lines });
    await Promise.all([source.start(), target.start()]);
    await fillWithEverything((...args) => source.call(...args));
    await source.call('SELECT', 3);
    await source.call('SET', 'elsewhere', 'in database 3');
    await source.call('SELECT', 0);
  });

  afterAll(async () => {
    await Promise.all([source.kill(), target.kill(), other.kill()]);
    rmSync(dir, { recursive: true, force: true });
  });

  const addressOf = (node: NodeProcess): string => `127.0.0.1:${node.port}`;
  const run = (...args: readonly string[]): ReturnType<typeof runSlotline> =>
    runSlotline('migrate', 'run', ...args, '--dir', join(dir, 'work'));

  async function expectEqual(node: NodeProcess): Promise<void> {
    const ends = [addressOf(source), addressOf(node)];
    const { status, stdout } = await runSlotline('verify', ...ends, '--rounds', '1');
    expect(status === 0 ? '' : stdout).toBe('');
  }

  test('into an RDB that a server starts from, and from there into another', async () => {
    const path = join(other.dir, 'out.rdb');
    expect(await run(addressOf(source), path)).toMatchObject({ status: 0 });
    await promisify(execFile)(required(REDIS_CHECK_RDB, 'redis-check-rdb'), [path]);
    await other.start();
    await expectEqual(other);
    await other.kill();
    expect(await run(path, addressOf(target), '--remove-extra')).toMatchObject({ status: 0 });
    await expectEqual(target);
    const part = join(dir, 'part.rdb');
    expect(await run(path, part, '--filter', 'hash*')).toMatchObject({ status: 0 });
    const { stdout } = await promisify(execFile)(required(REDIS_CHECK_RDB, 'redis-check-rdb'), [
      part,
    ]);
    expect(stdout).toContain('2 keys read');
    truncateSync(path, 1000);
    expect(await run(path, addressOf(target))).toMatchObject({ status: 1 });
    rmSync(path);
  });

  test('into an append-only file that a server starts from, and from there into another', async () => {
    const path = join(dir, 'out.aof');
    expect(await run(addressOf(source), path)).toMatchObject({ status: 0 });
    await promisify(execFile)(required(REDIS_CHECK_AOF, 'redis-check-aof'), [path]);
    copyFileSync(path, join(other.dir, 'out.aof'));
    const config = ['appendonly yes', 'appendfilename out.aof'];
    const node = new NodeProcess({ exe: other.exe, port: other.port, dir: other.dir, config });
    await node.start();
    await expectEqual(node);
    await node.kill();
    expect(await run(path, addressOf(target), '--remove-extra')).toMatchObject({ status: 0 });
    await expectEqual(target);
  });

  test('into lines of JSON, one a key', async () => {
    const path = join(dir, 'out.jsonl');
    expect(await run(addressOf(source), path, '--db', '0')).toMatchObject({ status: 0 });
    const rows = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    const byKey = new Map(rows.map((row) => [JSON.stringify(row.key), row]));
    expect(rows).toHaveLength(Number(await source.call('DBSIZE')));
    const row = (key: string): Row | undefined => byKey.get(JSON.stringify(key));
    expect(row('list')).toMatchObject({ db: 0, type: 'list', value: ['a', 'b', 'c', '4'] });
    expect(row('zset')?.value).toEqual([
      ['b', -2.5],
      ['a', 1],
      ['c', 'inf'],
      ['d', 'inf'],
    ]);
    expect(row('hash')).toMatchObject({ type: 'hash', expireAtUnixMs: 4_102_444_800_001 });
    expect(row('hash:large')?.value).toHaveLength(6000);
    const entry = ['1-1', ['name', '1', 'other', 'value']];
    expect(row('stream')?.value).toMatchObject({ entries: { 0: entry, 2: { 0: '3-1' } } });
    expect(row('stream:groups')?.value).toMatchObject({ groups: [{ name: 'g' }] });
    expect(byKey.get('{"base64":"AP8KDQ=="}')?.value).toEqual({ base64: 'AQDI' });
  });

  test('from the directory of a log, all of it or up to a moment', async () => {
    await source.call('BGREWRITEAOF');
    const isDone = async (): Promise<boolean> =>
      (await source.facts('INFO', 'persistence')).get('aof_rewrite_in_progress') === '0';
    await until(isDone, BOUND_MS, 'the log is rewritten');
    await source.call('SET', 'renewed', 'before its end', 'PX', 1);
    await source.call('SET', 'session', 1, 'PX', 80);
    await source.call('PEXPIRE', 'session', 900_000);
    await source.call('MULTI');
    await source.call('INCR', 'counter');
    await source.call('RPUSH', 'list', 'last');
    await source.call('EXEC');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const moment = Math.floor(Date.now() / 1000);
    const isLater = (): boolean => Math.floor(Date.now() / 1000) > moment + 1;
    await until(isLater, BOUND_MS, 'another second has begun');
    await source.call('DEL', 'hash:large');
    const log = join(source.dir, 'appendonlydir');
    expect(await run(log, addressOf(target), '--remove-extra')).toMatchObject({ status: 0 });
    await expectEqual(target);
    expect(await target.call('GET', 'session')).toBe('1');
    const flags = ['--remove-extra', '--until', String(moment)];
    expect(await run(log, addressOf(target), ...flags)).toMatchObject({ status: 0 });
    expect(await target.call('HLEN', 'hash:large')).toBe(6000);
    expect(await target.call('GET', 'counter')).toBe('1');
  });

  test('a log whose last command is torn is taken up to there', async () => {
    const path = join(dir, 'old.aof');
    mkdirSync(dir, { recursive: true });
    copyFileSync(join(dir, 'out.aof'), path);
    truncateSync(path, 5000);
    const result = await run(path, addressOf(target), '--remove-extra');
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain('are no whole command');
  });
});

interface Row {
  readonly db: number;
  readonly key: unknown;
  readonly type: string;
  readonly expireAtUnixMs?: number;
  readonly value: unknown;
}
