import { expect, test } from 'vitest';
import type { Wire } from '../node/index.ts';
import { PartitionableNetwork } from './partition.ts';
import { NotedNetwork, notedEvents } from './test-wire.ts';

const BUS = { host: '127.0.0.1', port: 17_001, purpose: 'bus' } as const;

interface Scene {
  readonly parted: PartitionableNetwork;
  readonly outer: NotedNetwork;
  readonly heard: string[];
  readonly connect: () => Wire;
}

/** Node 7000 connects to the bus port of node 7001. */
function scene(): Scene {
  const parted = new PartitionableNetwork();
  parted.addSide(7000, 17_000);
  parted.addSide(7001, 17_001);
  const outer = new NotedNetwork();
  const { heard, events } = notedEvents();
  const network = parted.network(7000, outer);
  return { parted, outer, heard, connect: () => network.connect(BUS, events) };
}

test('without a partition everything passes as it is', () => {
  const { outer, heard, connect } = scene();
  const wire = connect();
  outer.last.events.opened?.();
  outer.last.receive('pong');
  wire.write(Buffer.from('ping'), 4);
  wire.destroy();
  outer.last.events.closed(undefined);
  expect(heard).toEqual(['opened', 'data pong', 'closed in order']);
  expect(outer.last.done).toEqual(['write ping', 'destroy']);
});

test('bytes of both directions wait for the healing and then come in order', () => {
  const { parted, outer, heard, connect } = scene();
  const wire = connect();
  outer.last.events.opened?.();
  parted.part([[7000], [7001]]);
  const bytes = Buffer.from('ping');
  wire.write(bytes, 4);
  bytes.fill(0);
  outer.last.receive('one');
  outer.last.receive('two');
  expect([heard, outer.last.done]).toEqual([['opened'], ['pause', 'pause']]);
  expect(wire.pendingBytes).toBe(4);
  parted.heal();
  expect(heard).toEqual(['opened', 'data one', 'data two']);
  expect(outer.last.done.slice(2)).toEqual(['write ping', 'resume']);
  expect(wire.pendingBytes).toBe(0);
});

test('a connection across the partition is only tried at the healing', () => {
  const { parted, outer, connect } = scene();
  parted.part([[7000], [7001]]);
  const wire = connect();
  wire.write(Buffer.from('meet'), 4);
  expect(outer.wires).toEqual([]);
  parted.heal();
  expect(outer.last.done).toEqual(['write meet']);
});

test('a connection that its owner gave up while parted is closed for the owner, and for the peer later', async () => {
  const { parted, outer, heard, connect } = scene();
  const wire = connect();
  parted.part([[7000], [7001]]);
  outer.last.receive('late');
  wire.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(['closed in order']);
  expect(outer.last.done).toEqual(['pause']);
  parted.heal();
  outer.last.events.closed(undefined);
  expect(outer.last.done).toEqual(['pause', 'resume', 'destroy']);
  expect(heard).toEqual(['closed in order']);
});

test('nobody hears across the partition that the peer closed', () => {
  const { parted, outer, heard, connect } = scene();
  connect();
  parted.part([[7000], [7001]]);
  outer.last.events.closed('ECONNRESET');
  expect(heard).toEqual([]);
  parted.heal();
  expect(heard).toEqual(['closed ECONNRESET']);
});

test('a pause that the owner asked for outlives the healing', () => {
  const { parted, outer, connect } = scene();
  const wire = connect();
  parted.part([[7000], [7001]]);
  outer.last.receive('late');
  wire.pause();
  parted.heal();
  expect(outer.last.done).not.toContain('resume');
  wire.resume();
  expect(outer.last.done.at(-1)).toBe('resume');
});

test('nodes of one group, and a node in no group, reach each other', () => {
  for (const groups of [[[7000, 7001]], [[7000]], [[7001], [7002]]]) {
    const { parted, outer, connect } = scene();
    parted.part(groups);
    connect().write(Buffer.from('ping'), 4);
    expect(outer.last.done, JSON.stringify(groups)).toEqual(['write ping']);
  }
});
