/**
 * Goal: the clients that people use follow a master that Sentinels move: when it hands over, hangs or dies; and the tools
 * for people tell of it. Method: ioredis and @redis/client in Sentinel mode, both connected all the time, real processes.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type RedisSentinelType, createSentinel } from '@redis/client';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeProcess } from './harness/node-process.ts';
import { OUR_SENTINEL, OUR_SERVER } from './harness/programs.ts';
import { MASTER_NAME, Sentinels } from './harness/sentinels.ts';
import { runSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 30_000;
/** A command that a hung master swallowed is given up by then. */
const COMMAND_MS = 1000;
const COMMAND_PAUSE_MS = 10;

let set: Sentinels;
let ioredis: Redis;
let nodeRedis: RedisSentinelType;
let isOver = false;

beforeAll(async () => {
  const sentinels = [OUR_SENTINEL, OUR_SENTINEL, OUR_SENTINEL];
  set = await Sentinels.start({ node: OUR_SERVER, sentinels });
  const addresses = set.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  ioredis = new Redis({
    ...{ sentinels: addresses, name: MASTER_NAME, failoverDetector: true },
    ...{ commandTimeout: COMMAND_MS, sentinelRetryStrategy: () => 50 },
  });
  nodeRedis = createSentinel({ name: MASTER_NAME, sentinelRootNodes: addresses });
  for (const client of [ioredis, nodeRedis] as const) {
    client.on('error', () => 'a connection that breaks is what this test is about');
  }
  // ioredis 6 ends for good when its detector hears of a failover while it is between two tries.
  ioredis.on('end', () => isOver || void ioredis.connect().catch(() => 'it ends again'));
  await nodeRedis.connect();
});

afterAll(async () => {
  isOver = true;
  ioredis.disconnect();
  await nodeRedis.destroy();
  await set.stop();
});

/** The node that every Sentinel calls the master, once that is another one than `old`. */
async function successorOf(old: NodeProcess): Promise<NodeProcess> {
  let ports: number[] = [];
  await until(
    async () => {
      ports = await Promise.all(set.sentinels.map((sentinel) => set.masterPort(sentinel)));
      return ports.every((port) => port === ports[0] && port !== old.port);
    },
    BOUND_MS,
    'all Sentinels name the same new master',
  );
  return set.nodes.find(({ port }) => port === ports[0])!;
}

/** Both clients write, and what they wrote is on this node. */
async function clientsReach(master: NodeProcess, round: string): Promise<void> {
  const writes: Record<string, (key: string) => Promise<unknown>> = {
    ioredis: (key) => ioredis.set(key, 'x'),
    nodeRedis: (key) => nodeRedis.set(key, 'x'),
  };
  for (const [name, write] of Object.entries(writes)) {
    const key = `${name}:${round}`;
    await until(
      async () => {
        const late = new Promise((done) => setTimeout(done, COMMAND_MS));
        await Promise.race([write(key).catch(() => 'asked again'), late]);
        return (await master.call('EXISTS', key)) === 1;
      },
      BOUND_MS,
      `${name} writes to the new master (${round})`,
    );
  }
}

test('a coordinated switch, asked for with the tool, loses nothing', async () => {
  const { master, sentinels } = set;
  await clientsReach(master, 'before');
  const sentinel = `127.0.0.1:${sentinels[0]!.port}`;
  const check = await runSlotline('sentinel', 'check', sentinel);
  expect(check.stdout).toMatch(/^OK mymaster: 3 Sentinels agree on /);
  const written: string[] = [];
  let isDone = false;
  const load = (async (): Promise<void> => {
    for (let i = 0; !isDone; i++) {
      const key = `load:${i}`;
      if ((await ioredis.set(key, 'x').catch(() => 'in doubt')) === 'OK') written.push(key);
      // A client that has given up refuses at once: nothing else would have a turn.
      else await pause(COMMAND_PAUSE_MS);
    }
  })();
  const moved = await runSlotline('sentinel', 'failover', sentinel, '--coordinated', '--json');
  const next = await successorOf(master);
  await clientsReach(next, 'handed over');
  isDone = true;
  await load;
  expect(moved.status).toBe(0);
  expect(JSON.parse(moved.stdout)).toMatchObject({ ok: true, to: `127.0.0.1:${next.port}` });
  expect(written.length).toBeGreaterThan(10);
  expect(await next.call('EXISTS', ...written)).toBe(written.length);
});

test('a master that hangs is replaced, and no client stays with it', async () => {
  const port = await set.masterPort(set.sentinels[0]!);
  const hung = set.nodes.find((node) => node.port === port)!;
  hung.freeze();
  const next = await successorOf(hung);
  await clientsReach(next, 'hung');
  hung.thaw();
  await until(
    async () => (await hung.facts('INFO', 'replication')).get('role') === 'slave',
    BOUND_MS,
    'the one that hung follows',
  );
});

test('a master that dies is replaced, and the tools say what is missing', async () => {
  const port = await set.masterPort(set.sentinels[0]!);
  const dead = set.nodes.find((node) => node.port === port)!;
  await dead.kill();
  const next = await successorOf(dead);
  await clientsReach(next, 'dead');
  const sentinel = `127.0.0.1:${set.sentinels[0]!.port}`;
  await until(
    async () => {
      const check = await runSlotline('sentinel', 'check', sentinel);
      return check.stdout.includes(`replica 127.0.0.1:${dead.port} is down`);
    },
    BOUND_MS,
    'the dead node is reported',
  );
  const masters = await runSlotline('sentinel', 'masters', sentinel);
  expect(masters.stdout).toMatch(new RegExp(`${MASTER_NAME} +127\\.0\\.0\\.1:${next.port} +up`));
  const missing = await runSlotline('sentinel', 'masters', `127.0.0.1:${next.port}`);
  expect(missing).toMatchObject({ status: 3, stdout: '' });
  expect(missing.stderr).toMatch(/^slotline: Node .* is no Sentinel: [^\n]*\n$/);
});
