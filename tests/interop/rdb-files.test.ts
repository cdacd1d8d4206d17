/**
 * Goal: RDB files move freely between our nodes and real ones, for a data set with every type and encoding; a damaged
 * file starts nothing. Method: both are given the same data, save, and start on each other's directory; DEBUG DIGEST and
 * OBJECT ENCODING are compared; redis-check-rdb looks at our file.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import {
  OUR_SERVER,
  REAL_SERVER,
  REDIS_CHECK_RDB,
  describeWithRealRedis,
  required,
} from './harness/programs.ts';

const CONFIG = ['enable-debug-command yes'];
const FAR_FUTURE_MS = 4_102_444_800_000;

describeWithRealRedis('RDB files', () => {
  let dir: string;
  let ports: number[];
  const running: NodeProcess[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-rdb-'));
    ports = await freePorts(2);
    for (const name of ['ours', 'real', 'broken']) mkdirSync(join(dir, name));
  });

  afterAll(async () => {
    for (const node of running) await node.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  const node = (exe: string, index: number, folder: string): NodeProcess => {
    const made = new NodeProcess({
      exe,
      port: ports[index] ?? 0,
      dir: join(dir, folder),
      config: CONFIG,
    });
    running.push(made);
    return made;
  };

  test('each loads what the other saved, with equal digests and encodings', async () => {
    const realServer = required(REAL_SERVER, 'redis-server');
    let nodes = [node(OUR_SERVER, 0, 'ours'), node(realServer, 1, 'real')];
    for (const each of nodes) {
      await each.start();
      await fill(each);
    }
    const [filled, filledReal] = await Promise.all(nodes.map(stateOf));
    expect(filled).toEqual(filledReal);
    const [ours] = nodes;
    expect(await ours?.call('DEBUG', 'RELOAD')).toBe('OK');
    expect(await ours?.text('DEBUG', 'DIGEST')).toBe(filled?.digest);
    for (const each of nodes) {
      expect(await each.call('SAVE')).toBe('OK');
      await each.kill();
    }
    const check = execFileSync(required(REDIS_CHECK_RDB, 'redis-check-rdb'), [
      join(dir, 'ours', 'dump.rdb'),
    ]).toString();
    expect(check).toContain('RDB looks OK!');
    nodes = [node(OUR_SERVER, 0, 'real'), node(realServer, 1, 'ours')];
    for (const each of nodes) await each.start();
    expect(await Promise.all(nodes.map(stateOf))).toEqual([filled, filled]);
    // The background save gives the same file's worth.
    expect(await nodes[0]?.call('BGSAVE')).toBe('Background saving started');
    await expect
      .poll(async () =>
        (await nodes[0]?.facts('INFO', 'persistence'))?.get('rdb_bgsave_in_progress'),
      )
      .toBe('0');
    expect((await nodes[0]?.facts('INFO', 'persistence'))?.get('rdb_last_bgsave_status')).toBe(
      'ok',
    );
    for (const each of nodes) await each.kill();
  });

  test('a damaged file starts nothing, and the log says where it is damaged', async () => {
    const file = readFileSync(join(dir, 'ours', 'dump.rdb'));
    file[file.length - 20]! ^= 0xff;
    writeFileSync(join(dir, 'broken', 'dump.rdb'), file);
    const broken = node(OUR_SERVER, 0, 'broken');
    broken.launch();
    await broken.ended();
    expect(broken.exitCode).toBe(1);
    expect(broken.log()).toMatch(/Internal error in RDB reading offset \d+ -> /);
  });
});

/** Every type in every encoding. */
async function fill(server: NodeProcess): Promise<void> {
  const numbers = (count: number, step: number): number[] =>
    Array.from({ length: count }, (_, i) => i * step);
  const call = (...args: readonly (string | number)[]): Promise<unknown> => server.call(...args);
  await call('SET', 'int', 12_345);
  await call('SET', 'short', 'text', 'PXAT', FAR_FUTURE_MS);
  await call('SET', 'long', 'ab'.repeat(500));
  await call('RPUSH', 'list', 'a', -1, 300, 'x'.repeat(100));
  await call('RPUSH', 'long list', ...numbers(5000, 7), 'y'.repeat(20_000));
  await call('PEXPIREAT', 'list', FAR_FUTURE_MS);
  await call('SADD', 'intset', 1, -70_000, 3_000_000_000, '-9223372036854775808');
  await call('SADD', 'many integers', ...numbers(1000, 3));
  await call('SADD', 'set', 'a', 'b', 17);
  await call('HSET', 'hash', 'f', 1, 'g', 'two', '5', '5');
  await call('HSET', 'wide hash', 'f', 'v'.repeat(100));
  await call('HSET', 'large hash', ...numbers(2000, 1).flatMap((i) => [`f${i}`, i]));
  await call('ZADD', 'zset', '-inf', 'low', 1.5, 'mid', 1.5, 'mid2', 'inf', 'high', 3e17, '12');
  await call('ZADD', 'large zset', ...numbers(2000, 1).flatMap((i) => [i / 7, `m${i}`]));
  for (let i = 1; i <= 300; i++) {
    await call('XADD', 'stream', `${10 + (i >> 2)}-${i & 3}`, ...(i % 7 ? ['f', i] : ['other', 'x', 'y', i]));
  } // prettier-ignore
  await call('XDEL', 'stream', '20-1');
  await call('XGROUP', 'CREATE', 'stream', 'readers', '0');
  await call('XREADGROUP', 'GROUP', 'readers', 'alice', 'COUNT', 20, 'STREAMS', 'stream', '>');
  await call('XACK', 'stream', 'readers', '10-2');
  await call('XADD', 'emptied', '1-1', 'a', 'b');
  await call('XDEL', 'emptied', '1-1');
  await call('SELECT', 9);
  await call('SET', 'elsewhere', 'x');
  await call('SELECT', 0);
}

async function stateOf(server: NodeProcess): Promise<{ digest: string; encodings: string[] }> {
  const digest = await server.text('DEBUG', 'DIGEST');
  const keys = ((await server.call('KEYS', '*')) as string[]).toSorted();
  const encodings: string[] = [];
  for (const key of keys) encodings.push(`${key}: ${await server.text('OBJECT', 'ENCODING', key)}`);
  const groups = await server.call('XINFO', 'GROUPS', 'stream');
  const pending = await server.call('XPENDING', 'stream', 'readers');
  encodings.push(JSON.stringify([groups, pending]));
  return { digest, encodings };
}
