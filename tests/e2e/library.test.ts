/**
 * Goal: the library starts servers and clusters inside a program, its faults do what they say, and nothing is left behind.
 * Method: real ports, the client libraries that people use, and a process of its own that must end by itself.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createCluster } from '@redis/client';
import { Cluster as IoredisCluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replyItems, replyText } from '../../src/client/index.ts';
import { type ClusterNode, type LocalCluster, startCluster, startServer } from '../../src/index.ts';
import { ROOT } from '../tidy/source-tree.ts';

const NODE_TIMEOUT_MS = 1000;
const BOUND_MS = 20_000;
/** Nothing is heard of a paused node or across a partition in this time. */
const SILENCE_MS = 300;

test('a server takes commands, dies, starts again empty on its port, and stops', async () => {
  const server = await startServer({ config: { requirepass: 'secret' } });
  expect(server.url).toBe(`redis://:secret@127.0.0.1:${server.port}`);
  expect(await server.call('SET', 'key', 'value')).toBe('OK');
  expect(replyText(await server.call('GET', 'key'))).toBe('value');
  await server.kill();
  expect(server.isRunning).toBe(false);
  await expect(server.call('PING')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  await server.restart();
  expect(await server.call('GET', 'key')).toBeNull();
  await server.stop();
  await server.stop();
  expect(server.timeline.map(({ kind }) => kind)).toEqual(['started', 'ended', 'started', 'ended']);
});

test('options that cannot be and ports that are taken are refused with their reason', async () => {
  await using server = await startServer();
  const { port } = server;
  await expect(startServer({ port })).rejects.toMatchObject({ code: 'START_FAILED' });
  await expect(startServer({ config: { maxmemory: 'x' } })).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: expect.stringMatching(/^Cannot use "maxmemory x": /) as string,
  });
  await expect(startCluster({ masters: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(startCluster({ ports: [port] })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  const ports = [port + 1, port + 2, port];
  await expect(startCluster({ replicas: 0, ports })).rejects.toMatchObject({
    code: 'START_FAILED',
  });
});

test('a program that stopped its cluster ends by itself', async () => {
  const program = `
    import { startCluster } from ${JSON.stringify(join(ROOT, 'dist', 'index.js'))};
    const cluster = await startCluster();
    await cluster.node(0).call('PING');
    cluster.partition([[cluster.node(0)], cluster.nodes.slice(1)]);
    cluster.pause(cluster.node(1));
    await cluster.kill(cluster.node(2));
    await cluster.stop();
    console.log('stopped');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stoppedAt = Infinity;
  child.stdout.on('data', () => (stoppedAt = performance.now()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect(status).toBe(0);
  // A connection attempt or a poll left over would hold the process for longer.
  expect(performance.now() - stoppedAt).toBeLessThan(2000);
});

describe('a cluster of three masters and three replicas', () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await startCluster({ nodeTimeoutMs: NODE_TIMEOUT_MS });
  });
  afterAll(() => cluster.stop());

  const masters = (): ClusterNode[] => cluster.nodes.filter((node) => node.role() === 'master');
  const replicaOf = async (master: ClusterNode): Promise<ClusterNode> => {
    const lines = replyItems(await master.call('CLUSTER', 'REPLICAS', master.id))
      .map(replyText)
      .join('\n');
    const found = cluster.nodes.find(({ id }) => lines.includes(id) && id !== master.id);
    if (found === undefined) throw new Error(`Cannot find a replica of ${master.port}`);
    return found;
  };
  const kindsSince = (count: number): string[] =>
    cluster.timeline.slice(count).map(({ kind }) => kind);

  test('is whole at once, masters first', () => {
    expect(cluster.nodes.map((node) => node.role())).toEqual([
      ...['master', 'master', 'master'],
      ...['replica', 'replica', 'replica'],
    ]);
    expect(new Set(cluster.nodes.map(({ id }) => id)).size).toBe(6);
  });

  test('ioredis and @redis/client write and read in cluster mode', async () => {
    const ioredis = new IoredisCluster([...cluster.urls]);
    const redis = createCluster({ rootNodes: cluster.urls.map((url) => ({ url })) });
    await redis.connect();
    try {
      for (let i = 0; i < 50; i++) {
        await ioredis.set(`a${i}`, `${i}`);
        await redis.set(`b${i}`, `${i}`);
      }
      expect(await ioredis.get('b49')).toBe('49');
      expect(await redis.get('a49')).toBe('49');
    } finally {
      ioredis.disconnect();
      redis.destroy();
    }
  });

  test('a killed master is replaced with its data, and comes back as a replica', async () => {
    const [master] = masters();
    if (master === undefined) throw new Error('no master');
    const replica = await replicaOf(master);
    const before = cluster.timeline.length;
    const size = await master.call('DBSIZE');
    await cluster.kill(master);
    expect(master.role()).toBeUndefined();
    await cluster.waitFor('ok', { timeoutMs: BOUND_MS });
    expect(replica.role()).toBe('master');
    expect(await replica.call('DBSIZE')).toBe(size);
    expect(kindsSince(before)).toEqual(
      expect.arrayContaining(['ended', 'fail', 'election', 'vote', 'promotion', 'stateOk']),
    );
    await cluster.restart(master);
    await cluster.waitFor('ok', { timeoutMs: BOUND_MS });
    expect(master.role()).toBe('replica');
    expect(await master.call('DBSIZE')).toBe(size);
  });

  test('a paused master answers nobody, is replaced, and follows when it goes on', async () => {
    const [master] = masters();
    if (master === undefined) throw new Error('no master');
    await master.call('PING');
    cluster.pause(master);
    const answer = master.call('PING');
    const quick = await Promise.race([answer, after(SILENCE_MS)]);
    expect(quick).toBe('silence');
    await cluster.waitFor('ok', { timeoutMs: BOUND_MS });
    expect(masters()).toContain(master);
    cluster.resume(master);
    expect(await answer).toBe('PONG');
    await cluster.waitFor('ok', { timeoutMs: BOUND_MS });
    expect(master.role()).toBe('replica');
  });

  test('a parted master stops serving, the majority replaces it, and the healed cluster agrees', async () => {
    const [master] = masters();
    if (master === undefined) throw new Error('no master');
    const replica = await replicaOf(master);
    cluster.partition([[master], cluster.nodes.filter((node) => node !== master)]);
    await cluster.waitFor(() => replica.role() === 'master', { timeoutMs: BOUND_MS });
    expect(master.role()).toBe('master');
    await cluster.waitFor(async () => (await info(master)).includes('cluster_state:fail'));
    cluster.heal();
    await cluster.waitFor('ok', { timeoutMs: BOUND_MS });
    expect(master.role()).toBe('replica');
  });

  test('failover hands over without an election timeout, in each mode', async () => {
    for (const mode of ['coordinated', 'force', 'takeover'] as const) {
      const [master] = masters();
      if (master === undefined) throw new Error('no master');
      const replica = await replicaOf(master);
      await cluster.failover(replica, { mode });
      expect(replica.role()).toBe('master');
      await cluster.waitFor('ok', { timeoutMs: BOUND_MS });
      expect(master.role()).toBe('replica');
      await expect(cluster.failover(replica)).rejects.toThrow(/should send CLUSTER FAILOVER/);
    }
  });

  test('waiting for what does not come ends with what was waited for', async () => {
    const never = (): boolean => false;
    await expect(cluster.waitFor(never, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'Waited 50 ms for "never": not fulfilled',
    });
  });
});

async function info(node: ClusterNode): Promise<string> {
  return replyText(await node.call('CLUSTER', 'INFO'));
}

function after(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('silence'), ms));
}
