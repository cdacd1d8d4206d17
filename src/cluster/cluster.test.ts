/** Whole clusters of machines on an in-memory network with virtual time; each test waits for an outcome, never sleeps. */
import { expect, test } from 'vitest';
import { slot } from '../base/index.ts';
import { decodePacket } from '../bus/index.ts';
import { type TestNode, sharedSlots, startTestCluster } from './test-network.ts';

type Word = Extract<TestNode['effects'][number], { readonly kind: 'send' }>;

/** The newest ping or pong of `from` to `to`. */
function lastWord(from: TestNode, to: TestNode): Word {
  const said = from.effects.findLast(
    (effect): effect is Word =>
      effect.kind === 'send' &&
      ['ping', 'pong'].includes(effect.type) &&
      from.peers.get(effect.link)?.node === to,
  );
  if (said === undefined) throw new Error('they talk');
  return said;
}

const roleOf = (node: TestNode | undefined): string | undefined => node?.machine.myself.role;

test('nodes that met through one of them all know each other and agree on every slot', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 1,
    masterCount: 3,
    replicaOf: [0, 1, 2],
  });
  for (const node of net.nodes) {
    expect(node.machine.state).toBe('ok');
    expect(node.machine.nodes).toHaveLength(6);
    for (const index of [0, 5461, 10922, 16383]) {
      const owner = masters.find((master) => master.machine.isMine(slot(index)));
      expect(node.machine.slotOwner(slot(index))?.id).toBe(owner?.id);
    }
  }
  expect(replicas.map(roleOf)).toEqual(['replica', 'replica', 'replica']);
  expect(new Set(masters.map((node) => node.machine.myself.configEpoch)).size).toBe(3);
});

test('a replica replaces its crashed master within the node time-out and a little', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 2,
    masterCount: 3,
    replicaOf: [0, 1, 2],
  });
  net.crash(masters[0]!);
  const tookMs = net.runUntil(() => roleOf(replicas[0]) === 'master', 10_000);
  expect(tookMs).toBeLessThan(1200);
  net.runUntil(() => masters[1]!.machine.state === 'ok' && replicas[0]!.write(), 1000);
  expect(masters[1]!.machine.slotOwner(slot(0))?.id).toBe(replicas[0]!.id);
});

test('replicas with the same data stand one after the other, without waiting for chance', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 3,
    masterCount: 3,
    replicaOf: [0, 0, 0],
  });
  net.crash(masters[0]!);
  const tookMs = net.runUntil(
    () => replicas.some((replica) => roleOf(replica) === 'master'),
    10_000,
  );
  expect(tookMs).toBeLessThan(1200);
  const stood = replicas.filter((replica) => replica.logNames().includes('electionStarted'));
  expect(stood.map(({ id }) => id)).toEqual([replicas.map(({ id }) => id).toSorted()[0]]);
});

test('of two replicas the one with more data is elected', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 3,
    masterCount: 3,
    replicaOf: [0, 0],
  });
  net.partition([replicas[1]!]);
  masters[0]!.write();
  net.run(5);
  net.heal();
  net.crash(masters[0]!);
  net.runUntil(() => replicas.some((node) => roleOf(node) === 'master'), 15_000);
  expect(roleOf(replicas[0])).toBe('master');
  net.runUntil(() => replicas[1]!.machine.myself.master?.id === replicas[0]!.id, 5000);
});

test('a manual failover loses no write and leaves a gap of a few round trips', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 4,
    masterCount: 3,
    replicaOf: [0, 1, 2],
  });
  const [master, replica] = [masters[0]!, replicas[0]!];
  for (let i = 0; i < 5; i++) master.write();
  net.run(1);
  expect(replica.admin({ kind: 'failover', mode: 'coordinated' })).toEqual({ ok: true });
  let acknowledged = master.offset;
  const tookMs = net.runUntil(() => {
    if (master.write()) acknowledged = master.offset;
    return roleOf(replica) === 'master';
  }, 5000);
  expect(tookMs).toBeLessThan(20);
  expect(replica.offset).toBe(acknowledged);
  net.runUntil(() => roleOf(master) === 'replica', 100);
  expect(master.pausedUntil).toBe(0);
  expect(replica.logNames().slice(-8)).toEqual([
    'manualFailoverAccepted',
    'masterOffsetReceived',
    'masterStreamProcessed',
    'electionScheduled',
    'electionStarted',
    'cannotFailover',
    'electionWon',
    'configEpochAfterFailover',
  ]);
});

test('a manual failover waits for the end of a script that takes long', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 6,
    masterCount: 3,
    replicaOf: [0],
  });
  const [master, replica] = [masters[0]!, replicas[0]!];
  master.isInScript = true;
  expect(replica.admin({ kind: 'failover', mode: 'coordinated' })).toEqual({ ok: true });
  net.run(1000);
  expect(roleOf(replica)).toBe('replica');
  expect(master.pausedUntil).toBe(0);
  // What the script passes on at its end.
  master.write();
  master.isInScript = false;
  net.runUntil(() => roleOf(replica) === 'master', 2000);
  expect(replica.offset).toBe(master.offset);
});

test('a manual failover that is asked for again holds the writes as long as its replica may still win', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 7,
    masterCount: 3,
    replicaOf: [0],
  });
  const [master, replica] = [masters[0]!, replicas[0]!];
  // On its way to the replica, and slow.
  master.offset += 100;
  replica.admin({ kind: 'failover', mode: 'coordinated' });
  net.run(3500);
  replica.admin({ kind: 'failover', mode: 'coordinated' });
  net.run(4000);
  expect(roleOf(replica)).toBe('replica');
  expect(master.write()).toBe(false);
  replica.offset = master.offset;
  net.runUntil(() => roleOf(replica) === 'master', 1000);
  expect(replica.offset).toBe(master.offset);
});

test('a replica that has not copied its master yet does not take its place, though both offsets are 0', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 7,
    masterCount: 3,
    replicaOf: [0],
  });
  const [master, replica] = [masters[0]!, replicas[0]!];
  master.offset = replica.offset = 0;
  net.silenceOf = (node) => (node === replica ? undefined : 0);
  replica.admin({ kind: 'failover', mode: 'coordinated' });
  net.run(3000);
  expect(replica.logNames()).toContain('masterOffsetReceived');
  expect(roleOf(replica)).toBe('replica');
  net.silenceOf = () => 0;
  net.runUntil(() => roleOf(replica) === 'master', 1000);
});

test('a manual failover whose master never answers times out and changes nothing', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 5,
    masterCount: 3,
    replicaOf: [0],
    options: { nodeTimeoutMs: 20_000 },
  });
  net.partition([masters[0]!]);
  replicas[0]!.admin({ kind: 'failover', mode: 'coordinated' });
  net.run(5300);
  expect(replicas[0]!.logNames()).toContain('manualFailoverTimedOut');
  expect(roleOf(replicas[0])).toBe('replica');
});

test('FORCE works without the master but not without the majority, TAKEOVER needs neither', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 6,
    masterCount: 3,
    replicaOf: [0, 1, 2],
    options: { nodeTimeoutMs: 30_000 },
  });
  net.partition([masters[0]!]);
  replicas[0]!.admin({ kind: 'failover', mode: 'force' });
  net.runUntil(() => roleOf(replicas[0]) === 'master', 1000);

  net.partition([replicas[1]!]);
  replicas[1]!.admin({ kind: 'failover', mode: 'force' });
  net.run(5300);
  expect(roleOf(replicas[1])).toBe('replica');
  replicas[1]!.admin({ kind: 'failover', mode: 'takeover' });
  expect(roleOf(replicas[1])).toBe('master');
  expect(replicas[1]!.machine.myself.configEpoch).toBe(replicas[1]!.machine.currentEpoch);
});

test('what a replica said before its takeover, heard after it, takes no slots from it', () => {
  const { net, masters, replicas } = startTestCluster({ seed: 8, masterCount: 3, replicaOf: [0] });
  const [replica, other] = [replicas[0]!, masters[1]!];
  net.run(3000);
  const said = lastWord(replica, other);
  replica.admin({ kind: 'failover', mode: 'takeover' });
  net.run(50);
  expect(other.machine.slotOwner(slot(0))?.id).toBe(replica.id);
  other.step({ kind: 'bytes', link: replica.peers.get(said.link)!.link, bytes: said.bytes });
  expect(other.machine.slotOwner(slot(0))?.id).toBe(replica.id);
  expect(other.machine.state).toBe('ok');
});

test('what a winner said in the epoch that it stood in, heard after its win, takes no slots from it', () => {
  const { net, masters, replicas } = startTestCluster({ seed: 8, masterCount: 3, replicaOf: [0] });
  const [master, replica, other] = [masters[0]!, replicas[0]!, masters[1]!];
  master.offset += 100;
  // The epoch is reserved by the request, and spoken of until the win.
  replica.admin({ kind: 'failover', mode: 'coordinated' });
  net.run(3000);
  const said = lastWord(replica, other);
  replica.offset = master.offset;
  net.runUntil(() => other.machine.slotOwner(slot(0))?.id === replica.id, 1000);
  const decoded = decodePacket(said.bytes);
  const epoch = decoded.kind === 'packet' ? decoded.packet.header.currentEpoch : undefined;
  expect(epoch).toBe(replica.machine.myself.configEpoch);
  other.step({ kind: 'bytes', link: replica.peers.get(said.link)!.link, bytes: said.bytes });
  expect(other.machine.slotOwner(slot(0))?.id).toBe(replica.id);
  expect(other.machine.state).toBe('ok');
});

test('FAILOVER on a master is refused', () => {
  const { masters } = startTestCluster({ seed: 7, masterCount: 3, replicaOf: [] });
  expect(masters[0]!.admin({ kind: 'failover', mode: 'force' })).toEqual({
    ok: false,
    error: { reason: 'iAmMaster' },
  });
});

test('masters with one configEpoch part again, all slots staying where they were', () => {
  const { net, masters } = startTestCluster({
    seed: 8,
    masterCount: 4,
    replicaOf: [],
    isColliding: true,
  });
  const epochs = masters.map((node) => node.machine.myself.configEpoch);
  expect(new Set(epochs).size).toBe(4);
  for (const node of net.nodes) {
    masters.forEach((master, index) => {
      const first = sharedSlots(index, 4)[0]!;
      expect(node.machine.slotOwner(first)?.id).toBe(master.id);
    });
  }
});

test('a master in the minority stops serving, and comes back as replica of its successor', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 9,
    masterCount: 3,
    replicaOf: [0, 1, 2],
  });
  net.partition([masters[0]!]);
  net.runUntil(() => masters[0]!.machine.state === 'fail', 3000);
  net.runUntil(() => roleOf(replicas[0]) === 'master', 5000);
  net.heal();
  net.runUntil(() => roleOf(masters[0]) === 'replica', 10_000);
  expect(masters[0]!.machine.myself.master?.id).toBe(replicas[0]!.id);
});

test('a replica whose master becomes a replica follows on, though no slot changes hands', () => {
  const { net, masters, replicas } = startTestCluster({ seed: 9, masterCount: 3, replicaOf: [0] });
  const [follower, middle] = [replicas[0]!, net.addNode()];
  const { port, busPort } = middle.options;
  follower.admin({ kind: 'meet', ip: '127.0.0.1', port, busPort });
  net.runUntil(() => follower.machine.node(middle.id)?.inHandshake === false, 5000);
  expect(follower.admin({ kind: 'replicate', nodeId: middle.id }).ok).toBe(true);
  net.runUntil(() => middle.machine.node(masters[2]!.id) !== undefined, 5000);
  expect(middle.admin({ kind: 'replicate', nodeId: masters[2]!.id }).ok).toBe(true);
  net.runUntil(() => follower.machine.myself.master?.id === masters[2]!.id, 5000);
  expect(follower.logNames()).toContain('leftChain');
});

test('a master stopped for twice the node time-out takes no write before it knows its place', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 10,
    masterCount: 3,
    replicaOf: [0, 1, 2],
  });
  const stopped = masters[0]!;
  stopped.isPaused = true;
  net.run(1);
  net.runUntil(() => roleOf(replicas[0]) === 'master', 10_000);
  stopped.resume();
  net.runUntil(() => {
    expect(stopped.write()).toBe(false);
    return roleOf(stopped) === 'replica';
  }, 10_000);
});

test('a node with an old slot map is answered with UPDATE', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 11,
    masterCount: 3,
    replicaOf: [0, 1, 2],
  });
  net.partition([masters[0]!]);
  net.runUntil(() => roleOf(replicas[0]) === 'master', 10_000);
  net.heal();
  net.run(4000);
  const types = net.nodes.flatMap((node) =>
    node.effects.flatMap((effect) => (effect.kind === 'send' ? [effect.type] : [])),
  );
  expect(types).toContain('update');
});

test('a replica migrates to the master that lost its last one', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 12,
    masterCount: 3,
    replicaOf: [0, 0, 1, 2],
  });
  net.crash(replicas[2]!);
  net.runUntil(
    () => replicas.slice(0, 2).some((n) => n.machine.myself.master?.id === masters[1]!.id),
    15_000,
  );
  const moved = [replicas[0]!, replicas[1]!].toSorted((a, b) => (a.id < b.id ? -1 : 1))[0]!;
  expect(moved.machine.myself.master?.id).toBe(masters[1]!.id);
});

test('slots move by SETSLOT, and the importer wins by a fresh epoch', () => {
  const { net, masters } = startTestCluster({ seed: 13, masterCount: 3, replicaOf: [] });
  const [source, target] = [masters[0]!, masters[1]!];
  source.keysIn.set(0, 1);
  const nodeAction = { to: 'node', nodeId: target.id } as const;
  target.admin({ kind: 'setSlot', slot: 0, action: { to: 'importing', nodeId: source.id } });
  source.admin({ kind: 'setSlot', slot: 0, action: { to: 'migrating', nodeId: target.id } });
  expect(source.machine.migratingTo(slot(0))?.id).toBe(target.id);
  expect(source.admin({ kind: 'setSlot', slot: 0, action: nodeAction })).toEqual({
    ok: false,
    error: { reason: 'slotHasKeys', slot: 0 },
  });
  source.keysIn.clear();
  target.admin({ kind: 'setSlot', slot: 0, action: nodeAction });
  source.admin({ kind: 'setSlot', slot: 0, action: nodeAction });
  net.run(1500);
  for (const node of masters) expect(node.machine.slotOwner(slot(0))?.id).toBe(target.id);
  expect(source.machine.migratingTo(slot(0))).toBeUndefined();
});

test('keys of a slot that was lost to a newer owner are deleted', () => {
  const { net, masters } = startTestCluster({ seed: 14, masterCount: 3, replicaOf: [] });
  const [loser, winner] = [masters[0]!, masters[2]!];
  loser.keysIn.set(7, 3);
  winner.admin({ kind: 'setSlot', slot: 7, action: { to: 'importing', nodeId: loser.id } });
  winner.admin({ kind: 'bumpEpoch' });
  winner.admin({ kind: 'setSlot', slot: 7, action: { to: 'node', nodeId: winner.id } });
  net.run(1500);
  expect(loser.keysIn.has(7)).toBe(false);
});

test('every vote and every new epoch is on disk before a packet tells of it', () => {
  const { net, masters } = startTestCluster({ seed: 15, masterCount: 3, replicaOf: [0, 1] });
  net.crash(masters[0]!);
  net.run(4000);
  let voteCount = 0;
  for (const node of net.nodes) {
    let saved = 0;
    for (const effect of node.effects) {
      if (effect.kind === 'saveNodesConf' && effect.fsync) saved = effect.state.lastVoteEpoch;
      if (effect.kind !== 'send' || effect.type !== 'authAck') continue;
      const decoded = decodePacket(effect.bytes);
      voteCount++;
      expect(decoded.kind === 'packet' && decoded.packet.header.currentEpoch).toBe(saved);
    }
  }
  expect(voteCount).toBeGreaterThanOrEqual(2);
});

test('a node forgotten is not learned again from gossip for a minute', () => {
  const { net, masters } = startTestCluster({ seed: 16, masterCount: 4, replicaOf: [] });
  masters[3]!.admin({ kind: 'delSlots', slots: sharedSlots(3, 4) });
  const gone = masters[3]!.id;
  for (const node of masters.slice(0, 2)) node.admin({ kind: 'forget', nodeId: gone });
  net.run(5000);
  expect(masters[0]!.machine.node(gone)).toBeUndefined();
  net.run(60_000);
  expect(masters[0]!.machine.node(gone)).toBeDefined();
});

test('RESET HARD gives a fresh node: new id, no epochs, no slots, no peers', () => {
  const { replicas } = startTestCluster({ seed: 17, masterCount: 3, replicaOf: [0] });
  const node = replicas[0]!;
  const before = node.id;
  expect(node.admin({ kind: 'reset', isHard: true })).toEqual({ ok: true });
  expect(node.id).not.toBe(before);
  expect(node.machine.currentEpoch).toBe(0);
  expect(node.machine.nodes).toHaveLength(1);
  expect(node.machine.exportNodes().nodes[0]?.flags).toEqual(['myself', 'master']);
});

test('what a machine exports, another imports', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 18,
    masterCount: 3,
    replicaOf: [0],
  });
  const action = { to: 'migrating', nodeId: masters[1]!.id } as const;
  masters[0]!.admin({ kind: 'setSlot', slot: 3, action });
  for (const node of [masters[0]!, replicas[0]!]) {
    const state = node.machine.exportNodes();
    const fresh = net.addNode({ port: node.options.port, busPort: 18_000 + node.index });
    expect(fresh.machine.importNodes(net.now(), state)).toBeUndefined();
    const again = fresh.machine.exportNodes();
    expect(again.currentEpoch).toBe(state.currentEpoch);
    expect(again.nodes.map((n) => [n.id, n.slots, n.masterId, n.migrating, n.configEpoch])).toEqual(
      state.nodes.map((n) => [n.id, n.slots, n.masterId, n.migrating, n.configEpoch]),
    );
  }
});

test('a hostname set while running reaches every node, and the preferred endpoint follows it', () => {
  const { net, masters } = startTestCluster({ seed: 19, masterCount: 3, replicaOf: [] });
  const [named, other] = [masters[0]!, masters[1]!];
  const options = { ...named.options, announceHostname: 'a.example.org' };
  named.step({ kind: 'configChanged', options });
  net.run(5);
  expect(other.machine.node(named.id)?.hostname).toBe('a.example.org');
  const asHostname = { ...other.options, preferredEndpointType: 'hostname' as const };
  expect(other.machine.endpoint(named.machine.myself)).toBe('127.0.0.1');
  other.step({ kind: 'configChanged', options: asHostname });
  expect(other.machine.endpoint(other.machine.node(named.id)!)).toBe('a.example.org');
  expect(other.machine.endpoint(other.machine.myself)).toBe('?');
});

test('a message published on one node reaches all, a shard message only the shard', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 20,
    masterCount: 3,
    replicaOf: [0, 1],
  });
  const [channel, message] = [Buffer.from('news'), Buffer.from('hello')];
  const heardBy = (isShard: boolean): TestNode[] =>
    net.nodes.filter((node) =>
      node.effects.some((effect) => effect.kind === 'publish' && effect.isShard === isShard),
    );
  masters[0]!.step({ kind: 'publish', channel, message, isShard: false });
  masters[0]!.step({ kind: 'publish', channel, message, isShard: true });
  net.run(5);
  expect(heardBy(false)).toEqual(net.nodes.slice(1));
  expect(heardBy(true)).toEqual([replicas[0]]);
});

test('INFO and NODES have the lines of redis-server 7.0.15', () => {
  const { masters } = startTestCluster({ seed: 21, masterCount: 3, replicaOf: [0] });
  const { machine } = masters[0]!;
  const names = machine
    .infoText()
    .split('\r\n')
    .map((line) => line.split(':')[0]);
  expect(names.slice(0, 9)).toEqual([
    'cluster_state',
    'cluster_slots_assigned',
    'cluster_slots_ok',
    'cluster_slots_pfail',
    'cluster_slots_fail',
    'cluster_known_nodes',
    'cluster_size',
    'cluster_current_epoch',
    'cluster_my_epoch',
  ]);
  expect(names).toContain('cluster_stats_messages_meet_sent');
  expect(names.slice(-2)).toEqual(['total_cluster_links_buffer_limit_exceeded', '']);
  const mine = machine
    .nodesText()
    .split('\n')
    .find((line) => line.includes('myself'));
  expect(mine).toMatch(
    /^[0-9a-f]{40} 127\.0\.0\.1:7000@17000 myself,master - 0 \d+ 1 connected 0-5460$/,
  );
});

test('a link that buffers more than its limit is closed and counted', () => {
  const { net, masters } = startTestCluster({
    seed: 22,
    masterCount: 3,
    replicaOf: [],
    options: { linkSendBufferBytesMax: 100 },
  });
  masters[0]!.bufferedBytes = 101;
  net.run(150);
  masters[0]!.bufferedBytes = 0;
  expect(masters[0]!.machine.infoText()).not.toContain('limit_exceeded:0');
  net.run(500);
  expect(masters[0]!.machine.links().every((link) => link.isOpen)).toBe(true);
});

test('a vote that was refused because FAIL came late is asked for again in the same epoch', () => {
  const { net, masters, replicas } = startTestCluster({
    seed: 23,
    masterCount: 3,
    replicaOf: [0],
  });
  // One voter must first be told by others; the vote of both is needed.
  masters[2]!.admin({ kind: 'dropPackets', typeNumber: 3 });
  net.crash(masters[0]!);
  net.runUntil(() => roleOf(replicas[0]) === 'master', 10_000);
  expect(replicas[0]!.logNames().filter((name) => name === 'electionStarted')).toHaveLength(1);
});
