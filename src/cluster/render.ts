/** The texts of CLUSTER NODES and CLUSTER INFO. */
import { PACKET_TYPES, type PacketType } from '../bus/index.ts';
import { type ClusterContext, slotHolder } from './context.ts';
import { nodeRecord } from './nodes-export.ts';
import { type NodesConfNode, formatNodesConf } from '../config/index.ts';
import type { ClusterNode } from './types.ts';

/** Names of packet types in the counters of CLUSTER INFO. */
const STAT_NAMES: Record<PacketType, string> = {
  ping: 'ping',
  pong: 'pong',
  meet: 'meet',
  fail: 'fail',
  publish: 'publish',
  authRequest: 'auth-req',
  authAck: 'auth-ack',
  update: 'update',
  mfstart: 'mfstart',
  module: 'module',
  publishshard: 'publishshard',
};

/** One line of CLUSTER NODES or CLUSTER REPLICAS, without its line feed: the form of nodes.conf. */
export function renderNodeLine(record: NodesConfNode): string {
  const text = formatNodesConf({ nodes: [record], currentEpoch: 0, lastVoteEpoch: 0 });
  return text.slice(0, text.indexOf('\n'));
}

/** CLUSTER NODES: one line a node, those in handshake too, each ended by a line feed. */
export function renderNodes(c: ClusterContext, isPlain: boolean): string {
  return c.nodeList.map((node) => `${renderNodeLine(nodeRecord(c, node, isPlain))}\n`).join('');
}

/** CLUSTER INFO: `name:value` lines, ended by CRLF. */
export function renderInfo(c: ClusterContext): string {
  const slots = { assigned: 0, ok: 0, pfail: 0, fail: 0 };
  for (const owner of c.owners) {
    if (owner === undefined) continue;
    slots.assigned++;
    slots[owner.health]++;
  }
  const lines: [string, string | number][] = [
    ['cluster_state', c.health],
    ['cluster_slots_assigned', slots.assigned],
    ['cluster_slots_ok', slots.ok],
    ['cluster_slots_pfail', slots.pfail],
    ['cluster_slots_fail', slots.fail],
    ['cluster_known_nodes', c.nodeList.length],
    ['cluster_size', c.size],
    ['cluster_current_epoch', c.currentEpoch],
    ['cluster_my_epoch', slotHolder(c.myself).configEpoch],
    ...counterLines(c.sentCounts, 'sent'),
    ...counterLines(c.receivedCounts, 'received'),
    ['total_cluster_links_buffer_limit_exceeded', c.linkBufferExceededCount],
  ];
  return lines.map(([name, value]) => `${name}:${value}\r\n`).join('');
}

function counterLines(
  counts: ReadonlyMap<PacketType, number>,
  direction: 'sent' | 'received',
): [string, number][] {
  const lines: [string, number][] = [];
  let total = 0;
  for (const type of PACKET_TYPES) {
    const count = counts.get(type) ?? 0;
    total += count;
    if (count > 0) lines.push([`cluster_stats_messages_${STAT_NAMES[type]}_${direction}`, count]);
  }
  lines.push([`cluster_stats_messages_${direction}`, total]);
  return lines;
}

/**
 * Where clients are sent for `node`, by cluster-preferred-endpoint-type: its address, its hostname ("?" when it has
 * none), or the empty string for "the endpoint you already use".
 */
export function preferredEndpoint(c: ClusterContext, node: ClusterNode): string {
  switch (c.options.preferredEndpointType) {
    case 'ip':
      return node.ip;
    case 'hostname':
      return node.hostname === '' ? '?' : node.hostname;
    case 'unknown-endpoint':
      return '';
  }
}
