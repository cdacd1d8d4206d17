/** Bytes of strangers and of broken peers: nothing throws, nothing grows, and what a stranger says changes nothing. */
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { NO_EXTENSIONS, type Packet, encodePacket } from '../bus/index.ts';
import type { Effect } from './effects.ts';
import { type TestNode, startTestCluster } from './test-network.ts';

const NODE_COUNT = 5;

function start(seed: number): { nodes: TestNode[]; run: (ms: number) => void } {
  const { net } = startTestCluster({ seed, masterCount: 3, replicaOf: [0, 1] });
  return { nodes: net.nodes, run: (ms) => net.run(ms) };
}

function openInbound(node: TestNode): number {
  const link = node.machine.newLinkId();
  node.step({ kind: 'inboundLink', link, remoteIp: '127.0.0.1', localIp: '127.0.0.1' });
  return link;
}

test('damaged packets of known peers never throw, whatever byte is wrong', () => {
  const { nodes, run } = start(31);
  const rng = seededRng(31);
  nodes[3]!.admin({ kind: 'failover', mode: 'coordinated' });
  run(3000);
  const isSend = (e: Effect): e is Effect & { kind: 'send' } => e.kind === 'send';
  const packets = nodes.flatMap((node) => node.effects.filter(isSend)).slice(-400);
  for (let i = 0; i < 1500; i++) {
    const bytes = Buffer.from(packets[rng.below(packets.length)]!.bytes);
    for (let flips = rng.below(4); flips >= 0; flips--) {
      // The fields around the bitmaps are where the rules are.
      const at = rng.below(2) === 0 ? rng.below(80) : rng.below(bytes.length);
      bytes[at] = rng.below(256);
    }
    if (rng.below(3) === 0) bytes.writeUInt16BE(rng.below(11), 12);
    const node = nodes[rng.below(NODE_COUNT)]!;
    node.step({ kind: 'bytes', link: openInbound(node), bytes });
    if (i % 100 === 0) run(20);
  }
  for (const node of nodes) {
    expect(node.machine.nodes.length).toBeLessThan(100);
    expect(node.machine.exportNodes().nodes.length).toBeGreaterThan(0);
  }
});

test('a stranger without MEET teaches nothing: no epoch, no node, no slot', () => {
  const { nodes } = start(32);
  const node = nodes[0]!;
  const before = node.machine.exportNodes();
  const packet: Packet = {
    header: {
      port: 9999,
      plaintextPort: 0,
      busPort: 19_999,
      currentEpoch: 1000,
      configEpoch: 1000,
      offset: 0,
      sender: 'ab'.repeat(20),
      slots: new Uint8Array(2048).fill(255),
      masterId: undefined,
      ip: '',
      flags: 1,
      state: 'ok',
      messageFlags: 0,
    },
    body: { type: 'ping', gossip: [], extensions: NO_EXTENSIONS },
  };
  for (const type of ['authRequest', 'mfstart', 'authAck'] as const) {
    const bytes = encodePacket({ ...packet, body: { type } });
    node.step({ kind: 'bytes', link: openInbound(node), bytes });
  }
  node.step({ kind: 'bytes', link: openInbound(node), bytes: encodePacket(packet) });
  const after = node.machine.exportNodes();
  expect(after.currentEpoch).toBe(before.currentEpoch);
  expect(after.nodes.map(({ id, slots }) => ({ id, slots }))).toEqual(
    before.nodes.map(({ id, slots }) => ({ id, slots })),
  );
});

test('bytes that are no packet close the link, and only it', () => {
  const { nodes } = start(33);
  const node = nodes[0]!;
  const link = openInbound(node);
  const effects = node.machine.step(node.net.now(), {
    kind: 'bytes',
    link,
    bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  });
  expect(effects.filter((effect) => effect.kind === 'closeLink')).toEqual([
    { kind: 'closeLink', link },
  ]);
});

test('a host name or address that would damage nodes.conf is not believed', () => {
  const { nodes, run } = start(34);
  const [node, peer] = [nodes[0]!, nodes[1]!];
  const header = {
    port: peer.options.port,
    plaintextPort: 0,
    busPort: peer.options.busPort,
    currentEpoch: 0,
    configEpoch: 0,
    offset: 0,
    sender: peer.id,
    slots: peer.machine.myself.slots,
    masterId: undefined,
    flags: 1,
    state: 'ok' as const,
    messageFlags: 0,
  };
  const gossip = [
    {
      nodeId: `${'x'.repeat(39)}\n`,
      pingSent: 0,
      pongReceived: 0,
      ip: '10.0.0.9',
      port: 1,
      busPort: 2,
      flags: 1,
      plaintextPort: 0,
    },
  ];
  const extensions = {
    hostname: 'a b\n',
    shardId: `${'x'.repeat(39)}\n`,
    forgotten: [
      { nodeId: node.id, ttlSeconds: 60 },
      { nodeId: peer.id, ttlSeconds: 60 },
      { nodeId: nodes[4]!.id, ttlSeconds: 0 },
    ],
  };
  const body = { type: 'ping', gossip, extensions } as const;
  for (const ip of ['', 'x y\n']) {
    const bytes = encodePacket({ header: { ...header, ip }, body });
    node.step({ kind: 'bytes', link: openInbound(node), bytes });
  }
  run(100);
  expect(node.machine.nodes).toHaveLength(NODE_COUNT);
  expect(node.machine.nodesText()).not.toContain(' y');
  expect(node.machine.node(peer.id)?.hostname).toBe('');
  expect(node.machine.node(peer.id)?.shardId).toBeUndefined();
});
