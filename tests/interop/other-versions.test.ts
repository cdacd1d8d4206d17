/**
 * Goal: files and replication go between our node and real servers of other versions, older and newer than the one ours is
 * like. Method: each is given keys of every type that it has; ours starts on its file and follows it through a lost
 * connection, and the newer ones do the same with ours; every value is compared.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, describeWithPeer } from './harness/programs.ts';
import type { Reply } from './harness/resp-connection.ts';
import { FAR_FUTURE_MS, fillWithEverything } from './harness/samples.ts';
import { until } from './harness/until.ts';

const SYNC_BOUND_MS = 20_000;

/** What a version can take part in. */
interface Peer {
  readonly path: string;
  /** It has the commands of the common samples. */
  readonly isFilled?: boolean;
  /** It reads what we write. */
  readonly isNewer?: boolean;
  /** Fields of its hashes may expire. */
  readonly hasFieldExpiry?: boolean;
}

const PEERS: readonly Peer[] = [
  { path: 'redis28/redis-server' },
  { path: 'redis32/redis-server' },
  { path: 'redis50/redis-server' },
  { path: 'redis62/redis-server', isFilled: true },
  { path: 'redis8/redis-server', isFilled: true, isNewer: true, hasFieldExpiry: true },
  { path: 'valkey8/valkey-server', isFilled: true, isNewer: true },
  { path: 'valkey9/valkey-server', isFilled: true, isNewer: true, hasFieldExpiry: true },
];

for (const peer of PEERS) describeWithPeer(peer.path, (exe) => testsBeside(exe, peer));

function testsBeside(exe: string, { isFilled, isNewer, hasFieldExpiry }: Peer): void {
  let dir: string;
  let theirs: NodeProcess;
  let ours: NodeProcess;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-versions-'));
    for (const name of ['theirs', 'ours']) mkdirSync(join(dir, name));
    const [first = 0, second = 0] = await freePorts(2);
    theirs = new NodeProcess({ exe, port: first, dir: join(dir, 'theirs') });
    ours = new NodeProcess({ exe: OUR_SERVER, port: second, dir: join(dir, 'ours') });
    await theirs.start();
    if (isFilled === true) await fillWithEverything((...args) => theirs.call(...args));
    else await fillPlainly(theirs, 'plain');
  });

  afterAll(async () => {
    await theirs.kill();
    await ours.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  test('ours starts on its file with the same data', async () => {
    expect(await theirs.call('SAVE')).toBe('OK');
    copyFileSync(join(dir, 'theirs', 'dump.rdb'), join(dir, 'ours', 'dump.rdb'));
    await ours.start();
    expect(await contentsOf(ours)).toEqual(await contentsOf(theirs));
  });

  test('ours follows it, and goes on after a lost connection', async () => {
    await ours.call('FLUSHALL');
    await ours.call('REPLICAOF', '127.0.0.1', theirs.port);
    await untilUp(ours);
    await fillPlainly(theirs, 'stream');
    await ours.call('CLIENT', 'KILL', 'TYPE', 'master');
    await fillPlainly(theirs, 'later');
    await untilSame(ours, theirs);
    const facts = await theirs.facts('INFO', 'stats');
    expect(facts.get('sync_partial_ok')).toBe('1');
  });

  test.skipIf(hasFieldExpiry !== true)(
    'ours stops where a field is to expire, and comes back when that is over',
    async () => {
      await theirs.call('HSET', 'fields', 'f', 'v');
      await theirs.call('HEXPIRE', 'fields', 1000, 'FIELDS', 1, 'f');
      await until(async () => !(await isUp(ours)), SYNC_BOUND_MS, 'the link stops');
      expect(ours.log()).toContain('asking for a full copy in 10 seconds');
      expect(await ours.call('HGET', 'fields', 'f')).toBe('v');
      await theirs.call('DEL', 'fields');
      await theirs.call('SET', 'after', 'it');
      await untilSame(ours, theirs);
    },
  );

  test.skipIf(isNewer !== true)('it follows ours, and starts on our file', async () => {
    await ours.call('REPLICAOF', 'NO', 'ONE');
    await ours.call('FLUSHALL');
    await fillWithEverything((...args) => ours.call(...args));
    await theirs.call('REPLICAOF', '127.0.0.1', ours.port);
    await untilUp(theirs);
    await theirs.call('CLIENT', 'KILL', 'TYPE', 'master');
    await fillPlainly(ours, 'stream');
    await untilSame(theirs, ours);
    expect(await ours.call('SAVE')).toBe('OK');
    await theirs.kill();
    copyFileSync(join(dir, 'ours', 'dump.rdb'), join(dir, 'theirs', 'dump.rdb'));
    await theirs.start();
    expect(await contentsOf(theirs)).toEqual(await contentsOf(ours));
  });
}

/** With commands that every version has. */
async function fillPlainly(node: NodeProcess, prefix: string): Promise<void> {
  for (const [name, count] of [
    ['few', 5],
    ['many', 700],
  ] as const) {
    const items = Array.from({ length: count }, (_, i) => `item ${i} ${'x'.repeat(i % 40)}`);
    const key = (kind: string): string => `${prefix}:${kind}:${name}`;
    await node.call('SET', key('string'), items.join());
    await node.call('SET', key('number'), count - 1000);
    await node.call('RPUSH', key('list'), ...items, 12, 'y'.repeat(9000));
    await node.call('SADD', key('set'), ...items);
    await node.call('SADD', key('numbers'), ...items.map((_, i) => i * 70_000));
    await node.call('ZADD', key('zset'), ...items.flatMap((item, i) => [i / 3, item]));
    await node.call('HMSET', key('hash'), ...items.flatMap((item, i) => [item, i]));
    await node.call('PEXPIREAT', key('hash'), FAR_FUTURE_MS);
  }
  await node.call('MULTI');
  await node.call('INCR', `${prefix}:number:few`);
  await node.call('EVAL', "return redis.call('INCR', KEYS[1])", 1, `${prefix}:number:few`);
  await node.call('EXEC');
}

async function isUp(node: NodeProcess): Promise<boolean> {
  return (await node.facts('INFO', 'replication')).get('master_link_status') === 'up';
}

async function untilUp(node: NodeProcess): Promise<void> {
  await until(() => isUp(node), SYNC_BOUND_MS, `the link of ${node.port} is up`);
}

async function untilSame(replica: NodeProcess, master: NodeProcess): Promise<void> {
  const wanted = JSON.stringify(await contentsOf(master));
  const isSame = async (): Promise<boolean> => JSON.stringify(await contentsOf(replica)) === wanted;
  await until(isSame, SYNC_BOUND_MS, `${replica.port} has the data of ${master.port}`);
}

/** Every key with its type, value and the minute of its expiry, in order. */
async function contentsOf(node: NodeProcess): Promise<readonly unknown[]> {
  const keys = ((await node.call('KEYS', '*')) as Reply[]).map((key) =>
    Buffer.from(String(key), 'latin1'),
  );
  const read = keys.map(async (key) => {
    const type = await node.text('TYPE', key);
    const pttl = Number(await node.call('PTTL', key));
    const minute = pttl < 0 ? undefined : Math.round((Date.now() + pttl) / 60_000);
    return [key.toString('latin1'), type, await valueOf(node, key, type), minute];
  });
  return (await Promise.all(read)).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

async function valueOf(node: NodeProcess, key: Buffer, type: string): Promise<unknown> {
  switch (type) {
    case 'string':
      return node.call('GET', key);
    case 'list':
      return node.call('LRANGE', key, 0, -1);
    case 'set':
      return ((await node.call('SMEMBERS', key)) as Reply[]).map(String).sort();
    case 'hash':
      return pairs((await node.call('HGETALL', key)) as Reply[])
        .map((pair) => pair.join(' = '))
        .sort();
    case 'zset': {
      // Scores are written with more or fewer digits.
      const scored = pairs((await node.call('ZRANGE', key, 0, -1, 'WITHSCORES')) as Reply[]);
      return scored.map(([member, score]) => [member, Number(score?.replace('inf', 'Infinity'))]);
    }
    default:
      return streamOf(node, key);
  }
}

async function streamOf(node: NodeProcess, key: Buffer): Promise<unknown> {
  const entries = await node.call('XRANGE', key, '-', '+');
  const groups = (await node.call('XINFO', 'GROUPS', key)) as Reply[][];
  const pending = groups.map(async (group) => {
    const name = String(group[1]);
    const list = (await node.call('XPENDING', key, name, '-', '+', 10_000)) as Reply[][];
    // Without the time since the delivery.
    return [name, list.map(([id, consumer, , count]) => [id, consumer, count])];
  });
  return [entries, await Promise.all(pending)];
}

function pairs(flat: readonly Reply[]): string[][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [
    String(flat[2 * i]),
    String(flat[2 * i + 1]),
  ]);
}
