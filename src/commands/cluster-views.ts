/** The CLUSTER subcommands that only tell. */
import { SLOT_COUNT, type Slot, keySlot, slot as slotOf, upToZero } from '../base/index.ts';
import { type NodeView, clientPort, renderNodeLine, slotRanges } from '../cluster/index.ts';
import type { ReplyWriter } from '../resp/index.ts';
import {
  type ClusterCall,
  integerArgument,
  isSlotNumber,
  isToldPlainPorts,
} from './cluster-call.ts';
import { CLUSTER_HELP } from './cluster-help.ts';

export function help({ reply }: ClusterCall): void {
  reply.array(CLUSTER_HELP.length);
  for (const line of CLUSTER_HELP) reply.simple(line);
}

export function info({ cluster, reply }: ClusterCall): void {
  reply.verbatim('txt', cluster.machine.infoText());
}

export function nodes({ cluster, reply, server, session }: ClusterCall): void {
  const isPlain = isToldPlainPorts(session, server.settings);
  reply.verbatim('txt', cluster.machine.nodesText(isPlain));
}

export function myId({ cluster, reply }: ClusterCall): void {
  reply.bulkText(cluster.machine.myself.id);
}

export function slotOfKey({ request, reply }: ClusterCall): void {
  reply.int(keySlot(request.buf, request.at[2]!, request.size[2]!));
}

export function countKeysInSlot(call: ClusterCall): void {
  const slot = integerArgument(call, 2);
  if (slot === undefined) return;
  if (!isSlotNumber(slot)) return call.reply.error('ERR Invalid slot');
  call.reply.int(call.cluster.countKeysInSlot(slotOf(slot)));
}

export function getKeysInSlot(call: ClusterCall): void {
  const { server, reply } = call;
  const slot = integerArgument(call, 2);
  if (slot === undefined) return;
  const wanted = integerArgument(call, 3);
  if (wanted === undefined) return;
  if (!isSlotNumber(slot) || wanted < 0) {
    return reply.error('ERR Invalid slot or number of keys');
  }
  const db = server.keyspace.db(0);
  const count = Math.min(wanted, db.countInSlot(slot));
  reply.array(count);
  if (count === 0) return;
  db.keysInSlot(slot, count, (ref) => {
    const { buf, at, size } = db.entries.key(ref);
    reply.bulkBytes(Buffer.from(buf.buffer, buf.byteOffset + at, size));
  });
}

/** CLUSTER REPLICAS and its old name SLAVES. */
export function replicas(call: ClusterCall): void {
  const { machine } = call.cluster;
  const node = knownNode(call);
  if (node === undefined) return;
  if (node.role === 'replica') return call.reply.error('ERR The specified node is not a master');
  const isPlain = isToldPlainPorts(call.session, call.server.settings);
  call.reply.array(node.replicas.length);
  for (const replica of node.replicas) {
    call.reply.bulkText(renderNodeLine(machine.nodeRecord(replica, isPlain)));
  }
}

export function countFailureReports(call: ClusterCall): void {
  const node = knownNode(call);
  if (node !== undefined) call.reply.int(call.cluster.machine.failureReportCount(node));
}

function knownNode({ cluster, request, reply }: ClusterCall): NodeView | undefined {
  const id = request.text(2);
  const node = cluster.machine.node(id);
  if (node === undefined) reply.error(`ERR Unknown node ${upToZero(id)}`);
  return node;
}

/** Offset of a node as we know it; our own is fresh. */
function replOffset({ cluster }: ClusterCall, node: NodeView): number {
  return node === cluster.machine.myself ? cluster.replOffset() : node.replOffset;
}

/** CLUSTER SLOTS: runs of slots in order, each with its master and the replicas that have data. */
export function slots(call: ClusterCall): void {
  const { cluster, reply } = call;
  const runs: { owner: NodeView; first: number; last: number }[] = [];
  for (let i = 0; i < SLOT_COUNT; i++) {
    const owner = cluster.machine.slotOwner(i as Slot);
    if (owner === undefined) continue;
    const run = runs.at(-1);
    if (run?.owner === owner && run.last === i - 1) run.last = i;
    else runs.push({ owner, first: i, last: i });
  }
  reply.array(runs.length);
  for (const { owner, first, last } of runs) {
    const available = owner.replicas.filter(
      (replica) => replica.health !== 'fail' && replOffset(call, replica) !== 0,
    );
    reply.array(3 + available.length);
    reply.int(first);
    reply.int(last);
    for (const node of [owner, ...available]) slotNode(call, node);
  }
}

function slotNode(call: ClusterCall, node: NodeView): void {
  const { reply, server } = call;
  const preferred = server.settings['cluster-preferred-endpoint-type'];
  reply.array(4);
  endpoint(call, node);
  reply.int(clientPort(node, isToldPlainPorts(call.session, server.settings)));
  reply.bulkText(node.id);
  const extra: [string, string][] = [];
  if (preferred !== 'ip') extra.push(['ip', node.ip]);
  if (preferred !== 'hostname' && node.hostname !== '') extra.push(['hostname', node.hostname]);
  reply.map(extra.length);
  for (const [name, value] of extra) {
    reply.bulkText(name);
    reply.bulkText(value);
  }
}

function endpoint({ cluster, reply, server }: ClusterCall, node: NodeView): void {
  if (server.settings['cluster-preferred-endpoint-type'] === 'unknown-endpoint') reply.nullBulk();
  else reply.bulkText(cluster.machine.endpoint(node));
}

/** CLUSTER SHARDS: masters, with their slots, and the replicas of each. */
export function shards(call: ClusterCall): void {
  const { cluster, reply } = call;
  const masters = cluster.machine.nodes.filter((node) => node.role === 'master');
  reply.array(masters.length);
  for (const master of masters) {
    reply.map(2);
    reply.bulkText('slots');
    const ranges = slotRanges(master.slots);
    reply.array(ranges.length * 2);
    for (const [first, last] of ranges) {
      reply.int(first);
      reply.int(last);
    }
    reply.bulkText('nodes');
    reply.array(1 + master.replicas.length);
    for (const node of [master, ...master.replicas]) shardNode(call, node);
  }
}

function shardNode(call: ClusterCall, node: NodeView): void {
  const { reply, server } = call;
  const isTls = server.settings['tls-cluster'];
  const plainPort = isTls ? node.plaintextPort : node.port;
  const hasHostname = node.hostname !== '';
  reply.map(6 + Number(isTls) + Number(plainPort !== 0) + Number(hasHostname));
  text(reply, 'id', node.id);
  if (plainPort !== 0) integer(reply, 'port', plainPort);
  if (isTls) integer(reply, 'tls-port', node.port);
  text(reply, 'ip', node.ip);
  text(reply, 'endpoint', call.cluster.machine.endpoint(node));
  if (hasHostname) text(reply, 'hostname', node.hostname);
  text(reply, 'role', node.role === 'replica' ? 'replica' : 'master');
  const offset = replOffset(call, node);
  integer(reply, 'replication-offset', offset);
  const isLoading = node.role === 'replica' && offset === 0;
  text(reply, 'health', node.health === 'fail' ? 'fail' : isLoading ? 'loading' : 'online');
}

function text(reply: ReplyWriter, name: string, value: string): void {
  reply.bulkText(name);
  reply.bulkText(value);
}

function integer(reply: ReplyWriter, name: string, value: number): void {
  reply.bulkText(name);
  reply.int(value);
}

/** CLUSTER LINKS: the connections of the bus with each known node. */
export function links({ cluster, reply }: ClusterCall): void {
  const known = cluster.machine.nodes.flatMap((node) =>
    [node.link, node.inboundLink].filter((link) => link !== undefined),
  );
  reply.array(known.length);
  for (const link of known) {
    const pendingBytes = cluster.sendBufferBytes(link.id);
    reply.map(6);
    text(reply, 'direction', link.direction);
    text(reply, 'node', link.node?.id ?? '');
    integer(reply, 'create-time', link.createdAtUnixMs);
    text(reply, 'events', pendingBytes > 0 ? 'rw' : 'r');
    integer(reply, 'send-buffer-allocated', pendingBytes);
    integer(reply, 'send-buffer-used', pendingBytes);
  }
}
