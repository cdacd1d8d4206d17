/** The node table to and from the plain records that nodes.conf and CLUSTER NODES show. */
import { type NodeId, type Slot, isHexId, nodeId, slot } from '../base/index.ts';
import { type ClusterContext, slotHolder } from './context.ts';
import { highestEpoch } from './epochs.ts';
import type { NodesConf, NodesConfFlag, NodesConfNode } from '../config/index.ts';
import { addReplica } from './roles.ts';
import { assignSlot, slotBitmap, slotRanges } from './slot-map.ts';
import type { ClusterNode } from './types.ts';

export function exportNodes(c: ClusterContext): NodesConf {
  const known = c.nodeList.filter((node) => !node.inHandshake);
  return {
    nodes: known.map((node) => ({ ...nodeRecord(c, node), ...shardOf(node) })),
    currentEpoch: c.currentEpoch,
    lastVoteEpoch: c.lastVoteEpoch,
    ...(c.strays === undefined ? {} : { strays: slotRanges(c.strays) }),
  };
}

/**
 * In one shard all have the same or none, whatever each has said: a file where a replica and its master differ ends
 * Valkey 8.1 at its start.
 */
function shardOf(node: ClusterNode): { readonly shardId?: NodeId } {
  const { shardId } = slotHolder(node);
  return shardId === undefined ? {} : { shardId: nodeId(shardId) };
}

export function nodeRecord(c: ClusterContext, node: ClusterNode, isPlain = false): NodesConfNode {
  const isMyself = node === c.myself;
  return {
    id: node.id,
    host: node.ip,
    port: clientPort(node, isPlain),
    busPort: node.busPort,
    hostname: node.hostname === '' ? undefined : node.hostname,
    flags: nodeFlags(c, node),
    masterId: node.master?.id,
    pingSentUnixMs: c.unixOf(node.pingSentAt),
    pongReceivedUnixMs: c.unixOf(node.pongReceivedAt),
    configEpoch: slotHolder(node).configEpoch,
    linkState: isMyself || node.link?.isOpen === true ? 'connected' : 'disconnected',
    slots: slotRanges(node.slots),
    migrating: isMyself
      ? openSlots(c.migratingTo).map(([index, peer]) => ({ slot: index, to: peer.id }))
      : [],
    importing: isMyself
      ? openSlots(c.importingFrom).map(([index, peer]) => ({ slot: index, from: peer.id }))
      : [],
  };
}

/** Where clients find a node; `isPlain`: such as speak no TLS, if it has a place for them. */
export function clientPort({ port, plaintextPort }: ClusterNode, isPlain: boolean): number {
  return isPlain && plaintextPort !== 0 ? plaintextPort : port;
}

function openSlots(peers: ReadonlyMap<Slot, ClusterNode>): [Slot, ClusterNode][] {
  return [...peers].sort(([a], [b]) => a - b);
}

/** In the real server's order. */
function nodeFlags(c: ClusterContext, node: ClusterNode): NodesConfFlag[] {
  const flags: NodesConfFlag[] = [];
  if (node === c.myself) flags.push('myself');
  if (node.role === 'master') flags.push('master');
  if (node.role === 'replica') flags.push('slave');
  if (node.health === 'pfail') flags.push('fail?');
  if (node.health === 'fail') flags.push('fail');
  if (node.inHandshake) flags.push('handshake');
  if (node.hasNoAddress) flags.push('noaddr');
  if (node.hasNoFailover) flags.push('nofailover');
  return flags;
}

export type ImportFlaw =
  | 'noMyself'
  | 'twoMyselves'
  | 'badNodeId'
  | 'duplicateNodeId'
  | 'badSlot'
  | 'duplicateSlot'
  | 'unknownNodeId';

/**
 * Fills a fresh machine from the records of a file. On a flaw the machine is of no use any more: refuse to start.
 * @returns what is wrong, with the id of the node whose record it is
 */
export function importNodes(
  c: ClusterContext,
  state: NodesConf,
): { readonly flaw: ImportFlaw; readonly node: string } | undefined {
  const mine = state.nodes.filter((record) => record.flags.includes('myself'));
  if (mine.length !== 1) {
    return { flaw: mine.length === 0 ? 'noMyself' : 'twoMyselves', node: mine[1]?.id ?? '' };
  }
  const seen = new Set<string>();
  for (const { id } of state.nodes) {
    if (!isHexId(id)) return { flaw: 'badNodeId', node: id };
    if (seen.has(id)) return { flaw: 'duplicateNodeId', node: id };
    seen.add(id);
  }
  for (const record of state.nodes) {
    if (record.flags.includes('myself')) c.renameNode(c.myself, nodeId(record.id));
    else c.addNode(c.newNode(nodeId(record.id)));
  }
  for (const record of state.nodes) {
    const flaw = importRecord(c, record);
    if (flaw !== undefined) return { flaw, node: record.id };
  }
  c.lastVoteEpoch = state.lastVoteEpoch;
  if (state.strays !== undefined) c.strays = slotBitmap(state.strays);
  c.currentEpoch = Math.max(state.currentEpoch, highestEpoch(c));
  c.describeMyself();
  c.updateWanted = true;
  return undefined;
}

function importRecord(c: ClusterContext, record: NodesConfNode): ImportFlaw | undefined {
  const node = c.nodes.get(nodeId(record.id));
  if (node === undefined) return 'unknownNodeId';
  const has = (flag: NodesConfFlag): boolean => record.flags.includes(flag);
  node.ip = record.host;
  node.port = record.port;
  node.busPort = record.busPort;
  node.hostname = record.hostname ?? '';
  node.shardId = record.shardId;
  node.role = has('slave') ? 'replica' : has('master') ? 'master' : 'unknown';
  node.health = has('fail') ? 'fail' : has('fail?') ? 'pfail' : 'ok';
  if (has('fail')) node.failedAt = c.now.mono;
  node.hasNoAddress = has('noaddr');
  node.hasNoFailover = has('nofailover');
  node.configEpoch = node.role === 'replica' ? 0 : record.configEpoch;
  if (record.pingSentUnixMs !== 0 && node !== c.myself) node.pingSentAt = c.now.mono;
  if (record.pongReceivedUnixMs !== 0) node.pongReceivedAt = c.now.mono;
  if (record.masterId !== undefined) {
    const master = c.nodes.get(nodeId(record.masterId));
    if (master === undefined || master === node) return 'unknownNodeId';
    node.master = master;
    addReplica(master, node);
  }
  return importSlots(c, node, record);
}

function importSlots(
  c: ClusterContext,
  node: ClusterNode,
  record: NodesConfNode,
): ImportFlaw | undefined {
  for (const [from, to] of record.slots) {
    if (!(from >= 0 && from <= to && to < c.owners.length)) return 'badSlot';
    for (let i = from; i <= to; i++) {
      if (c.owners[i] !== undefined) return 'duplicateSlot';
      assignSlot(c, node, slot(i));
    }
  }
  for (const { slot: index, to } of record.migrating) {
    const peer = c.nodes.get(nodeId(to));
    if (peer === undefined) return 'unknownNodeId';
    c.migratingTo.set(slot(index), peer);
  }
  for (const { slot: index, from } of record.importing) {
    const peer = c.nodes.get(nodeId(from));
    if (peer === undefined) return 'unknownNodeId';
    c.importingFrom.set(slot(index), peer);
  }
  return undefined;
}
