/**
 * Goal: a node redirects, refuses and serves as redis-server 7.0.15 does, and says nothing that it has
 * not written down. Method: several cluster parts over one virtual network.
 */
import { expect, test } from 'vitest';
import { type Slot, keySlot } from '../base/index.ts';
import { slotBitmap } from '../cluster/index.ts';
import { FLAG_WRITE } from '../commands/index.ts';
import { encodeRequest } from '../resp/index.ts';
import { TestNode } from './test-node.ts';
import { type ClusterTestNode, ClusterWorld, startCluster } from './test-cluster.ts';

function slotOf(key: string): Slot {
  return keySlot(Buffer.from(key), 0, key.length);
}

/** `foo` is in 12182 (third master), `bar` in 5061 (first). */
function cluster(replicaCount = 0): { world: ClusterWorld; nodes: ClusterTestNode[] } {
  const world = new ClusterWorld();
  return { world, nodes: startCluster(world, replicaCount) };
}

test('a client is told ports that it can use', () => {
  const node = new TestNode('port 7000\ntls-port 7001\ncluster-enabled yes\ntls-cluster yes');
  const plain = node.connect();
  const encrypted = node.connect('127.0.0.1', true);
  expect(plain.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')).toBe('+OK\r\n');
  expect(plain.call('CLUSTER', 'NODES')).toContain(' :7000@17001 myself');
  expect(encrypted.call('CLUSTER', 'NODES')).toContain(' :7001@17001 myself');
  expect(plain.call('CLUSTER', 'SLOTS')).toContain(':7000\r\n');
  expect(encrypted.call('CLUSTER', 'SLOTS')).toContain(':7001\r\n');
  expect(plain.call('CLUSTER', 'SHARDS')).toMatch(
    /\$4\r\nport\r\n:7000\r\n\$8\r\ntls-port\r\n:7001/,
  );
});

test('Valkey 9 asks in vain to hand over slots as a whole, and nothing begins', () => {
  const client = new TestNode('port 7000\ncluster-enabled yes').connect();
  const words = ['SOURCE', 'a'.repeat(40), 'NAME', 'b'.repeat(40), 'SLOTSRANGE', '0', '9'];
  expect(client.call('CLUSTER', 'SYNCSLOTS', 'ESTABLISH', ...words)).toBe(
    '-ERR Slots come as a whole from nodes of Slotline only\r\n',
  );
  expect(client.call('CLUSTER', 'GETSLOTMIGRATIONS')).toBe('*0\r\n');
});

test('a request goes to the owner of its slot, and one without keys anywhere', () => {
  const { nodes } = cluster();
  expect(nodes[2]!.route('get', 'foo')).toBeUndefined();
  expect(nodes[0]!.route('get', 'foo')).toBe('MOVED 12182 127.0.0.1:7002');
  expect(nodes[0]!.route('ping')).toBeUndefined();
  expect(nodes[0]!.route('mget', '{bar}1', '{bar}2')).toBeUndefined();
  expect(nodes[0]!.route('mget', 'foo', 'bar')).toBe(
    "CROSSSLOT Keys in request don't hash to the same slot",
  );
});

test('slots that come as a whole are hidden until they are owned, and those that come by SETSLOT are not', () => {
  const { world, nodes } = cluster();
  const [node, , source] = nodes as [ClusterTestNode, ClusterTestNode, ClusterTestNode];
  const { machine } = node.part;
  const slot = slotOf('foo');
  expect(machine.hiddenSlots.size).toBe(0);
  const slots = slotBitmap([[slot, slot]]);
  expect(
    node.part.run({ kind: 'importSlots', name: 'a'.repeat(40), sourceId: source.id, slots }).ok,
  ).toBe(true);
  world.settle();
  expect([...machine.hiddenSlots]).toEqual([slot]);
  node.part.run({ kind: 'setSlot', slot, action: { to: 'importing', nodeId: source.id } });
  expect(machine.hiddenSlots.size).toBe(0);
});

test('a transaction is redirected by the keys of all its commands', () => {
  const { nodes } = cluster();
  const [node] = nodes;
  const queued = (...args: string[]): void => {
    node!.session.queue ??= [];
    const command = node!.commandOf(args);
    node!.session.queue.push({ command, flags: command.flags, bytes: encodeRequest(args) });
  };
  queued('get', 'bar');
  expect(node!.route('exec')).toBeUndefined();
  queued('set', 'foo', '1');
  expect(node!.route('exec')).toMatch(/^CROSSSLOT /);
  node!.session.queue = [];
  queued('set', 'foo', '1');
  expect(node!.route('exec')).toBe('MOVED 12182 127.0.0.1:7002');
});

test('a slot on its way out: keys that are there are served, absent ones are asked for elsewhere', () => {
  const { nodes } = cluster();
  const [from, to] = nodes as [ClusterTestNode, ClusterTestNode];
  from.set('{bar}1', 'v');
  to.part.run({
    kind: 'setSlot',
    slot: slotOf('bar'),
    action: { to: 'importing', nodeId: from.id },
  });
  from.part.run({
    kind: 'setSlot',
    slot: slotOf('bar'),
    action: { to: 'migrating', nodeId: to.id },
  });
  expect(from.route('get', '{bar}1')).toBeUndefined();
  expect(from.route('get', '{bar}2')).toBe('ASK 5061 127.0.0.1:7001');
  expect(from.route('mget', '{bar}1', '{bar}2')).toBe(
    'TRYAGAIN Multiple keys request during rehashing of slot',
  );
  expect(from.route('migrate', '127.0.0.1', '7001', '{bar}2', '0', '1000')).toBeUndefined();
  // Nobody is sent to where it is.
  from.part.run({
    kind: 'setSlot',
    slot: slotOf('bar'),
    action: { to: 'migrating', nodeId: from.id },
  });
  expect(from.route('get', '{bar}2')).toBeUndefined();
  expect(to.route('get', '{bar}2')).toBe('MOVED 5061 127.0.0.1:7000');
  to.session.isAsking = true;
  expect(to.route('get', '{bar}2')).toBeUndefined();
  expect(to.route('mget', '{bar}2', '{bar}3')).toMatch(/^TRYAGAIN /);
  to.set('{bar}2', 'v');
  to.set('{bar}3', 'v');
  expect(to.route('mget', '{bar}2', '{bar}3')).toBeUndefined();
});

test('a replica serves its master reads to READONLY clients, and shard channels to all', () => {
  const { nodes } = cluster(1);
  const replica = nodes[3]!;
  expect(replica.route('get', 'bar')).toBe('MOVED 5061 127.0.0.1:7000');
  expect(replica.route('spublish', 'bar', 'x')).toBeUndefined();
  replica.session.isReadonly = true;
  expect(replica.route('get', 'bar')).toBeUndefined();
  expect(replica.route('set', 'bar', 'x')).toBe('MOVED 5061 127.0.0.1:7000');
  // A script is what it says it is.
  expect(replica.route('eval', 'return 1', '1', 'bar')).toBeUndefined();
  expect(replica.routeAs(FLAG_WRITE, 'eval', '#!lua', '1', 'bar')).toBe(
    'MOVED 5061 127.0.0.1:7000',
  );
  expect(replica.route('get', 'foo')).toBe('MOVED 12182 127.0.0.1:7002');
});

test('a node without the majority serves nothing, or reads when it is told so', () => {
  const { world, nodes } = cluster();
  const [node] = nodes;
  nodes[1]!.stop();
  nodes[2]!.stop();
  world.until(() => node!.part.machine.state === 'fail');
  expect(node!.route('get', 'bar')).toBe('CLUSTERDOWN The cluster is down');
  expect(node!.route('spublish', 'bar', 'x')).toBeUndefined();
  Object.assign(node!.settings, { 'cluster-allow-reads-when-down': true });
  expect(node!.route('get', 'bar')).toBeUndefined();
  expect(node!.route('set', 'bar', 'x')).toBe(
    'CLUSTERDOWN The cluster is down and only accepts read commands',
  );
});

test('a slot without an owner is not served', () => {
  const node = new ClusterWorld().node();
  node.start();
  expect(node.route('get', 'bar')).toBe('CLUSTERDOWN Hash slot not served');
});

test('an election is on disk, synced, before anybody hears of it', () => {
  const { world, nodes } = cluster(1);
  const [master, voter, , replica] = nodes as [
    ClusterTestNode,
    ClusterTestNode,
    ClusterTestNode,
    ClusterTestNode,
  ];
  master.stop();
  world.events.length = 0;
  const epoch = replica.part.machine.currentEpoch;
  world.until(() => replica.part.machine.myself.role === 'master');
  expect(voter.file).toMatch(
    new RegExp(`vars currentEpoch ${epoch + 1} lastVoteEpoch ${epoch + 1}`),
  );
  const votes = world.events.filter((event) => event === `${voter.port} sync`);
  expect(votes.length).toBeGreaterThan(0);
  expect(replica.logs).toContain("Failover election won: I'm the new master.");
  expect(replica.master).toBeUndefined();
});

test('a node that cannot write its vote down ends and does not send it', () => {
  const { world, nodes } = cluster(1);
  const [master, first, second, replica] = nodes as [
    ClusterTestNode,
    ClusterTestNode,
    ClusterTestNode,
    ClusterTestNode,
  ];
  first.saveFailure = second.saveFailure = 'No space left on device';
  master.stop();
  world.advance(8000);
  expect([first.isHalted, second.isHalted]).toEqual([true, true]);
  expect(first.logs).toContain("Fatal: can't update cluster config file.");
  expect(replica.part.machine.myself.role).toBe('replica');
});

test('a manual failover holds writes at the master and moves the role', () => {
  const { world, nodes } = cluster(1);
  const [master, , , replica] = nodes;
  world.events.length = 0;
  expect(replica!.part.run({ kind: 'failover', mode: 'coordinated' })).toEqual({ ok: true });
  world.until(() => replica!.part.machine.myself.role === 'master');
  expect(world.events).toContain('7000 pause');
  world.until(() => master!.part.machine.myself.role === 'replica');
  expect(master!.master).toEqual({ host: '127.0.0.1', port: replica!.port });
});

test('a node starts again as what nodes.conf says, and not at all from a damaged file', () => {
  const { world, nodes } = cluster();
  const { file } = nodes[0]!;
  const again = world.node();
  again.file = file;
  expect(again.start()).toBeUndefined();
  expect(again.id).toBe(nodes[0]!.id);
  const broken = world.node();
  broken.file = file!.replace(' connected ', ' conn ');
  expect(broken.start()).toMatch(
    /^Unrecoverable error: corrupted cluster config file "nodes\.conf", line \d+: not a link state: "conn"$/,
  );
});

test('what is published reaches the other nodes', () => {
  const { world, nodes } = cluster();
  nodes[0]!.part.publish(Buffer.from('news'), Buffer.from('hello'), false);
  world.settle();
  expect(world.events).toEqual(expect.arrayContaining(['7001 news hello', '7002 news hello']));
});
