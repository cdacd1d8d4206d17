/**
 * Goal: whatever arrives on the client port or the bus port, the connection ends with an error and nothing else
 * changes. Method: known protocol errors by their text, then random bytes from a fixed seed; the node's view of
 * the cluster and its keys are the same afterwards, and its memory is bounded.
 */
import { type Socket, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRng } from '../../src/base/index.ts';
import { Cluster } from './harness/cluster.ts';
import { until } from './harness/until.ts';

const BUS_OFFSET = 10_000;
const SEED = 20_261_120;
const RANDOM_CONNECTIONS = 40;
const RANDOM_BYTES_MAX = 20_000;
const ANSWER_BOUND_MS = 5000;
const MEMORY_GROWTH_MAX = 64 * 1024 * 1024;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ masters: 3, replicasPerMaster: 0 });
  for (const node of cluster.nodes) await node.call('CONFIG', 'SET', 'latency-tracking', 'no');
});
afterAll(() => cluster.stop());

const PROTOCOL_ERRORS: readonly (readonly [sent: string, answer: string])[] = [
  ['*-5x\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
  ['*2000000000000\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
  ['*1\r\n:3\r\n', "-ERR Protocol error: expected '$', got ':'\r\n"],
  ['*1\r\n$-7\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
  ['*1\r\n$x\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
  ['set "a\r\n', '-ERR Protocol error: unbalanced quotes in request\r\n'],
  [`*1\r\n$${'1'.repeat(70_000)}`, '-ERR Protocol error: too big bulk count string\r\n'],
  [`*${'1'.repeat(70_000)}`, '-ERR Protocol error: too big mbulk count string\r\n'],
  ['x'.repeat(70_000), '-ERR Protocol error: too big inline request\r\n'],
];

test('a protocol error is answered in words and closes the connection', async () => {
  const { port } = cluster.node(0);
  for (const [sent, answer] of PROTOCOL_ERRORS) {
    const { received, isClosed } = await exchange(port, Buffer.from(sent), false);
    expect([sent.slice(0, 20), received, isClosed]).toEqual([sent.slice(0, 20), answer, true]);
  }
});

test('random bytes on the client port change nothing', async () => {
  await staysTheSame(async (bytes) => {
    // Blanks and line ends would make inline commands of it; those are answered, not closed.
    await exchange(cluster.node(0).port, bytes, true);
  });
});

test('random bytes on the bus port change nothing and close the connection', async () => {
  await staysTheSame(async (bytes) => {
    const { isClosed } = await exchange(cluster.node(0).port + BUS_OFFSET, bytes, false);
    expect(isClosed).toBe(true);
  });
});

test('a bus packet shorter than its header closes the connection', async () => {
  for (const length of [0, 7, 16, 2255]) {
    const { isClosed } = await exchange(
      cluster.node(0).port + BUS_OFFSET,
      busHeader(length, 0),
      false,
    );
    expect([length, isClosed]).toEqual([length, true]);
  }
});

test('a bus packet whose gossip is longer than the packet is not answered', async () => {
  const ping = busHeader(2256, 0);
  ping.writeUInt16BE(9, 14);
  const { received } = await exchange(cluster.node(0).port + BUS_OFFSET, ping, true);
  expect(received).toBe('');
  await cluster.untilAgreed();
});

function busHeader(length: number, type: number): Buffer {
  const packet = Buffer.alloc(2256);
  packet.write('RCmb', 0, 'latin1');
  packet.writeUInt32BE(length, 4);
  packet.writeUInt16BE(1, 8);
  packet.writeUInt16BE(type, 12);
  return packet;
}

async function staysTheSame(send: (bytes: Buffer) => Promise<void>): Promise<void> {
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('Cannot test: no node');
  await node.call('SET', await ownKey(), 'value');
  const before = await facts();
  const memoryBefore = Number((await node.facts('INFO', 'memory')).get('used_memory'));
  const rng = seededRng(SEED);
  for (let i = 0; i < RANDOM_CONNECTIONS; i++) {
    const bytes = Buffer.alloc(16 + rng.below(RANDOM_BYTES_MAX));
    for (let at = 0; at < bytes.length; at++) bytes[at] = rng.below(256);
    await send(bytes);
  }
  expect(await facts()).toEqual(before);
  const memoryAfter = Number((await node.facts('INFO', 'memory')).get('used_memory'));
  expect(memoryAfter - memoryBefore).toBeLessThan(MEMORY_GROWTH_MAX);
}

/** A key that node 0 serves. */
async function ownKey(): Promise<string> {
  for (let n = 0; ; n++) {
    const slot = Number(await cluster.node(0).call('CLUSTER', 'KEYSLOT', `k${n}`));
    if (slot < 5000) return `k${n}`;
  }
}

async function facts(): Promise<unknown[]> {
  const node = cluster.node(0);
  const view = await cluster.view(node);
  view.sort((a, b) => a.port - b.port);
  return [
    view.map(({ id, port, slots }) => [id, port, slots]),
    await node.call('DBSIZE'),
    await node.call('GET', await ownKey()),
    (await node.facts('CLUSTER', 'INFO')).get('cluster_state'),
  ];
}

/** Sends and collects until the other side closes; with `thenEnd` our side ends after writing. */
async function exchange(
  port: number,
  bytes: Buffer,
  thenEnd: boolean,
): Promise<{ received: string; isClosed: boolean }> {
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  let isClosed = false;
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('end', () => (isClosed = true));
  socket.on('close', () => (isClosed = true));
  // A reset is a close too: the other side had unread bytes.
  socket.on('error', () => (isClosed = true));
  if (thenEnd) socket.end(bytes);
  else socket.write(bytes);
  await until(() => isClosed, ANSWER_BOUND_MS, `port ${port} closes`).catch(() => isClosed);
  socket.destroy();
  return { received, isClosed };
}
