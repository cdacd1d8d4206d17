/**
 * Goal: the clients and tools that people use work with our cluster, and go on after a kill -9 of a master.
 * Method: ioredis and @redis/client in cluster mode over RESP3, redis-cli and redis-benchmark as they are installed.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createCluster } from '@redis/client';
import { Cluster as IoredisCluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, NODE_TIMEOUT_MS } from './harness/cluster.ts';
import { REDIS_BENCHMARK, REDIS_CLI, describeWithRealRedis, required } from './harness/programs.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20 * NODE_TIMEOUT_MS;
const WRITES_BEFORE = 200;
const WRITES_AFTER = 200;

interface Client {
  readonly set: (key: string, value: string) => Promise<unknown>;
  readonly get: (key: string) => Promise<string | null>;
}

describe('client libraries', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1 });
  });
  afterAll(() => cluster.stop());

  test('ioredis writes and reads over RESP3 across a kill -9', async () => {
    const client = new IoredisCluster([{ host: '127.0.0.1', port: cluster.node(1).port }], {
      redisOptions: { protocol: 3 },
      maxRedirections: 1000,
      retryDelayOnFailover: 20,
      retryDelayOnClusterDown: 20,
    });
    client.on('error', () => 'a connection that breaks is what this test is about');
    try {
      await survivesCrash(cluster, 0, 'ioredis', {
        set: (key, value) => client.set(key, value),
        get: (key) => client.get(key),
      });
    } finally {
      client.disconnect();
    }
  });

  test('@redis/client writes and reads over RESP3 across a kill -9', async () => {
    const client = createCluster({
      rootNodes: [{ url: `redis://127.0.0.1:${cluster.node(2).port}` }],
      RESP: 3,
      defaults: { socket: { reconnectStrategy: 50 } },
    });
    client.on('error', () => 'a connection that breaks is what this test is about');
    await client.connect();
    try {
      await survivesCrash(cluster, 1, 'node-redis', {
        set: (key, value) => client.set(key, value),
        get: (key) => client.get(key),
      });
    } finally {
      client.destroy();
    }
  });
});

/** Writes, kills a master, and writes until enough went through to every master; then reads all of it back. */
async function survivesCrash(
  cluster: Cluster,
  victim: number,
  prefix: string,
  client: Client,
): Promise<void> {
  const written: string[] = [];
  const write = async (): Promise<void> => {
    const key = `${prefix}:${written.length}`;
    await client.set(key, key);
    written.push(key);
  };
  while (written.length < WRITES_BEFORE) await write();
  const master = cluster.node(victim);
  const replica = cluster.node(victim + 3);
  await master.kill();
  await until(() => cluster.isMaster(replica), BOUND_MS, 'the replica is master');
  // A client may give a command up while the cluster is in between; the next one counts.
  while (written.length < WRITES_BEFORE + WRITES_AFTER) {
    await until(() => write().then(() => true), BOUND_MS, `${prefix} writes again`);
  }
  for (const key of written) expect(await client.get(key)).toBe(key);
  await master.start();
  await until(async () => !(await cluster.isMaster(master)), BOUND_MS, 'it is back as replica');
  await cluster.untilSynced(master);
  await cluster.untilAgreed();
}

describeWithRealRedis('redis-cli and redis-benchmark', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ masters: 3, replicasPerMaster: 1 });
  });
  afterAll(() => cluster.stop());

  test('redis-cli -c follows redirections', async () => {
    const port = String(cluster.node(0).port);
    for (const key of ['foo', 'bar', 'hello']) {
      expect(await cli('-c', '-p', port, 'SET', key, `value of ${key}`)).toBe('OK\n');
      expect(await cli('-c', '-p', port, 'GET', key)).toBe(`value of ${key}\n`);
    }
  });

  test('redis-cli --cluster check and info find nothing to complain about', async () => {
    const address = `127.0.0.1:${cluster.node(0).port}`;
    const report = await cli('--cluster', 'check', address);
    expect(report).toContain('[OK] All nodes agree about slots configuration.');
    expect(report).toContain('[OK] All 16384 slots covered.');
    expect(await cli('--cluster', 'info', address)).toContain('in 3 masters.');
  });

  test('redis-benchmark --cluster runs through', async () => {
    const { stdout } = await promisify(execFile)(required(REDIS_BENCHMARK, 'redis-benchmark'), [
      ...['--cluster', '-p', String(cluster.node(0).port), '-t', 'set,get,incr'],
      ...['-n', '6000', '-c', '20', '-P', '4', '-r', '10000', '-q'],
    ]);
    for (const name of ['SET', 'GET', 'INCR']) {
      expect(stdout).toMatch(new RegExp(`${name}: [\\d.]+ requests per second`));
    }
  });

  test('redis-cli --cluster add-node and reshard move slots to a new node', async () => {
    const contact = `127.0.0.1:${cluster.node(0).port}`;
    const fresh = await cluster.add();
    await cli('--cluster', 'add-node', `127.0.0.1:${fresh.port}`, contact);
    await cluster.untilAgreed();
    const [from, to] = [await cluster.myself(cluster.node(0)), await cluster.myself(fresh)];
    await cli(
      ...['--cluster', 'reshard', contact, '--cluster-from', from.id, '--cluster-to', to.id],
      ...['--cluster-slots', '50', '--cluster-yes'],
    );
    await cluster.untilAgreed();
    const slots = (await cluster.myself(fresh)).slots.map(([first, last]) => last - first + 1);
    expect(slots.reduce((sum, count) => sum + count, 0)).toBe(50);
    expect(await cli('--cluster', 'check', contact)).toContain('[OK] All 16384 slots covered.');
  });

  test('redis-cli --cluster create makes a cluster of empty nodes of ours', async () => {
    const nodes = [await cluster.add(), await cluster.add(), await cluster.add()];
    const addresses = nodes.map((node) => `127.0.0.1:${node.port}`);
    const report = await cli('--cluster', 'create', ...addresses, '--cluster-yes');
    expect(report).toContain('[OK] All 16384 slots covered.');
  });
});

async function cli(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(required(REDIS_CLI, 'redis-cli'), args);
  return stdout;
}
