/**
 * Goal: our own client speaks to real nodes: logins, errors, pushes, bounds, and a cluster whose slots move under it.
 * Method: real redis-servers; a slot is left half-way between two masters, which answer MOVED, ASK and TRYAGAIN.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClientError, ClusterClient, RespClient, replyText } from '../../src/client/index.ts';
import { type PushReply, ReplyError } from '../../src/resp/index.ts';
import { NodeProcess, freePorts } from '../interop/harness/node-process.ts';
import { REAL_SERVER, describeWithRealRedis, required } from '../interop/harness/programs.ts';
import { until } from '../interop/harness/until.ts';

const BOUND_MS = 10_000;
const TIMEOUT_MS = 2000;
const SLOT_OF_FOO = 12182;
const host = '127.0.0.1';

let dir: string;
let nodes: NodeProcess[];
let guarded: NodeProcess;
const servers: Server[] = [];

describeWithRealRedis('our client with real redis-servers', () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slotline-client-'));
    const exe = required(REAL_SERVER, 'redis-server');
    const [last = 0, ...ports] = await freePorts(4);
    const config = ['cluster-enabled yes', 'cluster-node-timeout 1000'];
    nodes = ports.map(
      (port) => new NodeProcess({ exe, port, dir: join(dir, String(port)), config }),
    );
    const secret = { exe, port: last, dir: join(dir, 'guarded'), config: ['requirepass s3cret'] };
    guarded = new NodeProcess(secret);
    for (const node of [guarded, ...nodes]) node.launch();
    await makeCluster();
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await Promise.all([guarded, ...nodes].map((node) => node.signal('SIGKILL')));
    rmSync(dir, { recursive: true, force: true });
  });

  test('logs in with either protocol, and says why it may not without repeating the password', async () => {
    await until(() => login('s3cret'), BOUND_MS, 'the guarded node answers');
    for (const resp of [2, 3] as const) {
      const client = await connect(guarded.port, { password: 's3cret', resp, db: 3 });
      expect(replyText(await client.call('CLIENT', 'INFO'))).toContain('db=3');
      client.close();
      const refused = await errorOf(connect(guarded.port, { password: 'wr0ng', resp }));
      expect(refused).toMatchObject({ code: 'REFUSED' });
      expect(refused.message).toContain('WRONGPASS');
      expect(refused.message).not.toContain('wr0ng');
    }
  });

  test('replies come in order, errors as values of a pipeline and as rejections of a call', async () => {
    const client = await connect(guarded.port, { password: 's3cret' });
    const value = Buffer.alloc(300_000, 'x');
    const replies = await client.pipeline([
      ['SET', 'ключ', value],
      ['INCR', 'ключ'],
      ['GET', 'ключ'],
      ['EXISTS', 'nothing'],
    ]);
    expect(replies[0]).toBe('OK');
    expect(replies[1]).toBeInstanceOf(ReplyError);
    expect(value.equals(replies[2] as Buffer)).toBe(true);
    expect(replies[3]).toBe(0);
    await expect(client.call('NOSUCH')).rejects.toMatchObject({ code: 'ERR' });
    expect(await client.call('PING')).toBe('PONG');
    client.close();
    await expect(client.call('PING')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('pushes of RESP3 reach their handler and no call', async () => {
    const client = await connect(guarded.port, { password: 's3cret', resp: 3 });
    const pushes: PushReply[] = [];
    client.onPush((push) => pushes.push(push));
    await client.call('CLIENT', 'TRACKING', 'ON', 'BCAST');
    expect(await client.call('SET', 'tracked', '1')).toBe('OK');
    await until(() => pushes.length > 0, BOUND_MS, 'the invalidation came');
    expect(replyText(pushes[0]?.items[0])).toBe('invalidate');
    client.close();
  });

  test('a silent peer, a peer that is gone and a peer that talks nonsense are told apart', async () => {
    const silent = await listen(() => '');
    const client = await RespClient.connect({ host, port: silent, timeoutMs: 50 });
    await expect(client.call('PING')).rejects.toMatchObject({ code: 'TIMEOUT' });
    const nonsense = await connect(await listen(() => 'HTTP/1.1 400\r\n'));
    await expect(nonsense.call('PING')).rejects.toMatchObject({ code: 'PROTOCOL' });
    const gone = await connect(await listen(() => undefined));
    await expect(gone.call('PING')).rejects.toMatchObject({ code: 'CLOSED' });
    const nobody = await errorOf(connect(1));
    expect(nobody).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(nobody.message).toContain('connection refused');
  });

  test('the cluster client finds the master of each key from any seed', async () => {
    const cluster = await clusterClient();
    for (let i = 0; i < 50; i++) expect(await cluster.call(`k${i}`, 'SET', `k${i}`, i)).toBe('OK');
    expect(replyText(await cluster.call('k7', 'GET', 'k7'))).toBe('7');
    expect(cluster.masters()).toHaveLength(3);
    const crossed = cluster.call('k7', 'MGET', 'k7', 'k8');
    await expect(crossed).rejects.toMatchObject({ code: 'CROSSSLOT' });
    cluster.close();
    await expect(cluster.call('k7', 'GET', 'k7')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('it follows ASK and waits at TRYAGAIN while a slot moves, then MOVED', async () => {
    const cluster = await clusterClient();
    const [to, , from] = nodes as [NodeProcess, NodeProcess, NodeProcess];
    const [toId, fromId] = [await to.text('CLUSTER', 'MYID'), await from.text('CLUSTER', 'MYID')];
    await cluster.call('foo', 'SET', 'foo', 'old');
    await to.call('CLUSTER', 'SETSLOT', SLOT_OF_FOO, 'IMPORTING', fromId);
    await from.call('CLUSTER', 'SETSLOT', SLOT_OF_FOO, 'MIGRATING', toId);
    await cluster.call('{foo}new', 'SET', '{foo}new', 'asked');
    expect(await from.text('CLUSTER', 'COUNTKEYSINSLOT', SLOT_OF_FOO)).toBe('1');
    const both = cluster.call('foo', 'MGET', 'foo', '{foo}new');
    await from.call('MIGRATE', host, to.port, 'foo', 0, 1000);
    for (const node of [to, from]) await node.call('CLUSTER', 'SETSLOT', SLOT_OF_FOO, 'NODE', toId);
    expect(((await both) as Buffer[]).map(String)).toEqual(['old', 'asked']);
    expect(replyText(await cluster.call('foo', 'GET', 'foo'))).toBe('old');
    cluster.close();
  });

  test('a cluster that stays down ends the tries at their bound', async () => {
    const seeds = [{ host, port: nodes[0]?.port ?? 0, tls: false, db: 0 }];
    const options = { seeds, timeoutMs: TIMEOUT_MS, triesMax: 3, retryDelayMs: 10 };
    const cluster = await ClusterClient.connect(options);
    const [, second] = nodes;
    await second?.kill();
    const key = await keyOf(5461);
    await expect(cluster.call(key, 'GET', key)).rejects.toMatchObject({ code: 'TOO_MANY_TRIES' });
    cluster.close();
    const nobody = ClusterClient.connect({ ...options, seeds: [{ ...seeds[0]!, port: 1 }] });
    await expect(nobody).rejects.toMatchObject({ code: 'NO_NODE' });
  });
});

async function makeCluster(): Promise<void> {
  const ranges = [[0, 5460], [5461, 10922], [10923, 16383]]; // prettier-ignore
  for (const [index, node] of nodes.entries()) {
    await until(async () => (await node.call('PING')) === 'PONG', BOUND_MS, 'a node answers');
    await node.call('CLUSTER', 'ADDSLOTSRANGE', ...(ranges[index] ?? []));
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [first, ...others] = nodes;
  for (const other of others) await first?.call('CLUSTER', 'MEET', host, other.port);
  for (const node of nodes) {
    await until(
      async () => (await node.text('CLUSTER', 'INFO')).includes('cluster_state:ok'),
      BOUND_MS,
      'the cluster is ok',
    );
  }
}

/** A key of a slot. */
async function keyOf(slot: number): Promise<string> {
  for (let i = 0; ; i++) {
    if ((await nodes[0]?.call('CLUSTER', 'KEYSLOT', `k${i}`)) === slot) return `k${i}`;
  }
}

type Changes = Partial<Parameters<typeof RespClient.connect>[0]>;

function connect(port: number, changes: Changes = {}): Promise<RespClient> {
  return RespClient.connect({ host, port, timeoutMs: TIMEOUT_MS, ...changes });
}

async function login(password: string): Promise<boolean> {
  (await connect(guarded.port, { password })).close();
  return true;
}

function clusterClient(): Promise<ClusterClient> {
  const seeds = [1, nodes[1]?.port ?? 0].map((port) => ({ host, port, tls: false, db: 0 }));
  return ClusterClient.connect({ seeds, timeoutMs: TIMEOUT_MS, retryDelayMs: 20 });
}

/** A peer that answers each chunk with what `answer` gives, or hangs up. */
function listen(answer: () => string | undefined): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      const text = answer();
      if (text === undefined) socket.destroy();
      else socket.write(text);
    });
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

async function errorOf(promise: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ClientError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}
