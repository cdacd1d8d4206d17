/** Beside nodes newer than 7.0: shard ids, forgotten nodes and light messages, and nothing of it among those of 7.0. */
import { expect, test } from 'vitest';
import { NODE_FLAG, NO_EXTENSIONS, type Packet, encodeLight } from '../bus/index.ts';
import { type TestNode, sharedSlots, startTestCluster } from './test-network.ts';

const NEWER_SHARD = 'c'.repeat(40);
const MESSAGE = {
  type: 'publish',
  channel: new Uint8Array([1]),
  message: new Uint8Array([2, 3]),
} as const;

/** What `from` would say to a stranger's ping if it were newer. */
function pingOf(from: TestNode, shardId: string | undefined, flags: number): Packet {
  const { machine, options } = from;
  return {
    header: {
      port: options.port,
      plaintextPort: 0,
      busPort: options.busPort,
      currentEpoch: machine.currentEpoch,
      configEpoch: machine.myself.configEpoch,
      offset: 0,
      sender: from.id,
      slots: machine.myself.slots,
      masterId: undefined,
      ip: '',
      flags,
      state: 'ok',
      messageFlags: 0,
    },
    body: { type: 'ping', gossip: [], extensions: { ...NO_EXTENSIONS, shardId } },
  };
}

function openInbound(node: TestNode): number {
  const link = node.machine.newLinkId();
  node.step({ kind: 'inboundLink', link, remoteIp: '127.0.0.1', localIp: '127.0.0.1' });
  return link;
}

function hearFrom(node: TestNode, packet: Packet): void {
  node.step({ kind: 'packet', link: openInbound(node), packet });
}

function shardIds(node: TestNode): Map<string, string | undefined> {
  const { nodes } = node.machine.exportNodes();
  return new Map(nodes.map(({ id, shardId }) => [id, shardId] as const));
}

function published(node: TestNode): Buffer[] {
  return node.effects.flatMap((effect) =>
    effect.kind === 'send' && effect.type === 'publish' ? [effect.bytes] : [],
  );
}

test('nobody has a shard id while nobody speaks of one', () => {
  const { net } = startTestCluster({ seed: 71, masterCount: 3, replicaOf: [0] });
  for (const node of net.nodes) {
    expect([...shardIds(node).values()].filter((id) => id !== undefined)).toEqual([]);
  }
});

test('after one word of a shard id all have one, and agree on it', () => {
  const { net, masters } = startTestCluster({ seed: 72, masterCount: 3, replicaOf: [0, 0, 1] });
  hearFrom(masters[0]!, pingOf(masters[2]!, NEWER_SHARD, NODE_FLAG.master));
  net.run(5000);
  const expected = shardIds(masters[0]!);
  expect(new Set(expected.values()).size).toBe(3);
  for (const node of net.nodes) {
    expect(shardIds(node)).toEqual(expected);
    const { myself } = node.machine;
    expect(expected.get(myself.id)).toBe(expected.get((myself.master ?? myself).id));
  }
});

test('a shard keeps its id in a failover, and a node that leaves gets another', () => {
  const { net, masters, replicas } = startTestCluster({ seed: 73, masterCount: 3, replicaOf: [0] });
  hearFrom(masters[0]!, pingOf(masters[2]!, NEWER_SHARD, NODE_FLAG.master));
  net.run(5000);
  const [before, replica] = [shardIds(masters[0]!), replicas[0]!];
  replica.admin({ kind: 'failover', mode: 'coordinated' });
  net.runUntil(() => replica.machine.myself.role === 'master', 5000);
  net.run(5000);
  for (const node of net.nodes) expect(shardIds(node)).toEqual(before);
  expect(masters[0]!.admin({ kind: 'reset', isHard: false })).toEqual({ ok: true });
  expect(shardIds(masters[0]!).get(masters[0]!.id)).toBeUndefined();
});

test('FORGET reaches all where shard ids are known, and may be asked for again', () => {
  const { net, masters } = startTestCluster({ seed: 74, masterCount: 4, replicaOf: [] });
  masters[3]!.admin({ kind: 'delSlots', slots: sharedSlots(3, 4) });
  const gone = masters[3]!;
  const forget = { kind: 'forget', nodeId: gone.id } as const;
  hearFrom(masters[0]!, pingOf(masters[2]!, NEWER_SHARD, NODE_FLAG.master));
  net.run(5000);
  expect(gone.admin({ kind: 'reset', isHard: false })).toEqual({ ok: true });
  masters[0]!.admin(forget);
  net.run(3000);
  for (const node of masters.slice(0, 3)) {
    expect(node.machine.node(gone.id)).toBeUndefined();
    expect(node.admin(forget)).toEqual({ ok: true });
  }
  net.run(70_000);
  expect(masters[1]!.admin(forget)).toEqual({
    ok: false,
    error: { reason: 'unknownNode', node: gone.id },
  });
});

test('whom another node forgot is kept when it is this node, its master or the sender', () => {
  const { net, masters, replicas } = startTestCluster({ seed: 75, masterCount: 3, replicaOf: [0] });
  const [sender, replica] = [masters[1]!, replicas[0]!];
  const packet = pingOf(sender, NEWER_SHARD, NODE_FLAG.master);
  const forgotten = [replica, masters[0]!, sender, masters[2]!].map(({ id: nodeId }) => ({
    nodeId,
    ttlSeconds: 60,
  }));
  const extensions = { ...NO_EXTENSIONS, shardId: NEWER_SHARD, forgotten };
  hearFrom(replica, { ...packet, body: { type: 'ping', gossip: [], extensions } });
  const known = replica.machine.nodes.map(({ id }) => id);
  expect(known).toContain(masters[0]!.id);
  expect(known).toContain(sender.id);
  expect(known).not.toContain(masters[2]!.id);
  net.run(1000);
  expect(replica.logNames()).toContain('nodeForgotten');
});

test('a hostname stays when a newer node does not yet say anything of itself', () => {
  const { masters } = startTestCluster({ seed: 76, masterCount: 3, replicaOf: [] });
  const [node, peer] = [masters[0]!, masters[1]!];
  const packet = pingOf(peer, NEWER_SHARD, NODE_FLAG.master);
  const hear = (shardId: string | undefined, hostname: string): void => {
    const header = { ...packet.header, messageFlags: 4 };
    const extensions = { ...NO_EXTENSIONS, shardId, hostname };
    hearFrom(node, { header, body: { type: 'ping', gossip: [], extensions } });
  };
  hear(NEWER_SHARD, 'a.example');
  hear(undefined, '');
  expect(node.machine.node(peer.id)?.hostname).toBe('a.example');
  hear(NEWER_SHARD, '');
  expect(node.machine.node(peer.id)?.hostname).toBe('');
});

test('a message goes light to who reads that, and with a whole header to others', () => {
  const { masters } = startTestCluster({ seed: 77, masterCount: 3, replicaOf: [] });
  const [node, older] = [masters[0]!, masters[1]!];
  hearFrom(node, pingOf(older, undefined, NODE_FLAG.master));
  node.step({ kind: 'publish', ...MESSAGE, isShard: false });
  const sizes = published(node).map((bytes) => bytes.length);
  expect(sizes.toSorted((a, b) => a - b)).toEqual([16 + 8 + 3, 2256 + 8 + 3]);
});

test('a light message is heard from who is known on its link only', () => {
  const { masters } = startTestCluster({ seed: 78, masterCount: 3, replicaOf: [] });
  const [node, peer] = [masters[0]!, masters[1]!];
  const link = openInbound(node);
  const publishes = (): number => node.effects.filter(({ kind }) => kind === 'publish').length;
  node.step({ kind: 'bytes', link, bytes: encodeLight(MESSAGE) });
  expect(publishes()).toBe(0);
  node.step({ kind: 'packet', link, packet: pingOf(peer, undefined, NODE_FLAG.master) });
  node.step({ kind: 'bytes', link, bytes: encodeLight(MESSAGE) });
  expect(publishes()).toBe(1);
});
