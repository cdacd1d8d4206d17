/** Builds and sends packets about this node: header, gossip selection, broadcasts. */
import {
  type GossipEntry,
  MESSAGE_FLAG,
  NODE_FLAG,
  NO_EXTENSIONS,
  type PacketBody,
  type PacketHeader,
  type PacketType,
  type PingExtensions,
  type PublishBody,
  encodeLight,
  encodePacket,
} from '../bus/index.ts';
import { type ClusterContext, isMute, isVotingMaster, slotHolder } from './context.ts';
import { tellsPausedOffset } from './manual-reset.ts';
import { addSlots, removeSlots } from './slot-map.ts';
import type { ClusterNode, Link } from './types.ts';

/** At least this many random nodes in each ping. Source: Redis Cluster, one tenth of the nodes, at least three. */
const GOSSIP_COUNT_MIN = 3;
/** Draws per wanted entry before giving up. */
const GOSSIP_TRIES = 3;
/** Forgotten nodes in one ping; more were never forgotten within a minute on purpose. */
const FORGOTTEN_COUNT_MAX = 1000;

/** The node's flags as the wire has them. */
export function wireFlags(c: ClusterContext, node: ClusterNode): number {
  let flags = 0;
  if (node.role === 'master') flags |= NODE_FLAG.master;
  if (node.role === 'replica') flags |= NODE_FLAG.replica;
  if (node.health === 'pfail') flags |= NODE_FLAG.pfail;
  if (node.health === 'fail') flags |= NODE_FLAG.fail;
  if (node === c.myself) flags |= NODE_FLAG.myself;
  if (node.inHandshake) flags |= NODE_FLAG.handshake;
  if (node.hasNoAddress) flags |= NODE_FLAG.noaddr;
  if (node.meetPending) flags |= NODE_FLAG.meet;
  if (node.isMigrationTarget) flags |= NODE_FLAG.migrateTo;
  if (node.hasNoFailover) flags |= NODE_FLAG.nofailover;
  return flags;
}

function header(c: ClusterContext, body: PacketBody, messageFlags: number): PacketHeader {
  const { myself } = c;
  const holder = slotHolder(myself);
  // A candidate asks for all that its master may have claimed, but says nothing of it otherwise.
  const shared = body.type === 'authRequest' ? c.sharedTakeover : undefined;
  const slots = shared === undefined ? holder.slots : holder.slots.slice();
  if (shared !== undefined) addSlots(slots, shared.slots);
  return {
    port: myself.port,
    plaintextPort: myself.plaintextPort,
    busPort: myself.busPort,
    currentEpoch: c.currentEpoch,
    configEpoch: Math.max(holder.configEpoch, shared?.epoch ?? 0),
    offset: c.replication.replOffset(),
    sender: myself.id,
    slots,
    masterId: myself.role === 'replica' ? myself.master?.id : undefined,
    ip: c.options.announceIp,
    flags: wireFlags(c, myself) | NODE_FLAG.readsLight,
    state: c.health,
    messageFlags: messageFlags | (tellsPausedOffset(c) ? MESSAGE_FLAG.paused : 0),
  };
}

function encode(c: ClusterContext, body: PacketBody, messageFlags = 0): Buffer {
  return encodePacket({ header: header(c, body, messageFlags), body });
}

function sendBytes(c: ClusterContext, link: Link, type: PacketType, bytes: Buffer): void {
  if (isMute(c) && type !== 'fail' && type !== 'authAck') return;
  c.sentCounts.set(type, c.sentCounts.get(type)! + 1);
  c.emit({ kind: 'send', link: link.id, type, bytes });
}

/** A ping, pong or meet with gossip about others. Source: 7.2 cluster.c, clusterSendPing(). */
export function sendPing(c: ClusterContext, link: Link, type: 'ping' | 'pong' | 'meet'): void {
  if (isMute(c)) return;
  if (type === 'ping' && link.direction === 'to' && link.node !== undefined) {
    link.node.pingSentAt = c.now.mono;
  }
  if (type !== 'pong') link.pingsSent++;
  const gossip = selectGossip(c);
  const extensions = extensionsFor(c, link.node);
  // Who reads extensions says so in each ping: newer nodes send them to nobody else.
  const bytes = encode(c, { type, gossip, extensions }, MESSAGE_FLAG.extensions);
  sendBytes(c, link, type, bytes);
}

/** What a ping or pong to `peer` (undefined: a stranger) says of us besides its header. */
function extensionsFor(c: ClusterContext, peer: ClusterNode | undefined): PingExtensions {
  const { hostname, shardId } = c.myself;
  if (peer?.readsExtensions !== true || shardId === undefined)
    return { ...NO_EXTENSIONS, hostname };
  const forgotten = [];
  for (const [id, until] of c.forgotten) {
    const leftMs = -c.since(until);
    if (leftMs <= 0 || forgotten.length >= FORGOTTEN_COUNT_MAX) continue;
    forgotten.push({ nodeId: id, ttlSeconds: Math.ceil(leftMs / 1000) });
  }
  return { hostname, shardId, forgotten };
}

/** Some healthy nodes at random, and every node that we hold for failing, so that reports travel fast. */
function selectGossip(c: ClusterContext): GossipEntry[] {
  let fresh = c.nodeList.length - 2;
  const wanted = Math.min(Math.max(Math.floor(c.nodeList.length / 10), GOSSIP_COUNT_MIN), fresh);
  const chosen = new Set<ClusterNode>();
  for (let tries = wanted * GOSSIP_TRIES; tries > 0 && fresh > 0; tries--) {
    if (chosen.size >= wanted) break;
    const node = c.nodeList[c.rng.below(c.nodeList.length)]!;
    if (node === c.myself || node.health === 'pfail' || chosen.has(node)) continue;
    const isUseless = node.link === undefined && node.slotCount === 0;
    if (node.inHandshake || node.hasNoAddress || isUseless) {
      fresh--;
      continue;
    }
    chosen.add(node);
  }
  for (const node of c.nodeList) {
    if (node.health === 'pfail' && !node.inHandshake && !node.hasNoAddress) chosen.add(node);
  }
  return Array.from(chosen, (node) => gossipAbout(c, node));
}

function gossipAbout(c: ClusterContext, node: ClusterNode): GossipEntry {
  return {
    nodeId: node.id,
    pingSent: Math.max(0, Math.floor(c.unixOf(node.pingSentAt) / 1000)),
    pongReceived: Math.floor(c.unixOf(node.pongReceivedAt) / 1000),
    ip: node.ip,
    port: node.port,
    busPort: node.busPort,
    flags: wireFlags(c, node),
    plaintextPort: node.plaintextPort,
  };
}

/** Sends to every node that we have a link to, those in handshake apart. */
function broadcast(c: ClusterContext, body: PacketBody): void {
  let bytes: Buffer | undefined;
  for (const node of c.nodeList) {
    if (node === c.myself || node.inHandshake || node.link === undefined) continue;
    bytes ??= encode(c, body);
    sendBytes(c, node.link, body.type, bytes);
  }
}

/** Pongs nobody asked for: the quickest way to make a change known. */
export function broadcastPong(
  c: ClusterContext,
  isAddressed: (node: ClusterNode) => boolean,
): void {
  for (const node of c.nodeList) {
    if (node === c.myself || node.inHandshake || node.link === undefined) continue;
    if (isAddressed(node)) sendPing(c, node.link, 'pong');
  }
}

export function broadcastFail(c: ClusterContext, failing: ClusterNode): void {
  broadcast(c, { type: 'fail', nodeId: failing.id });
}

/** To whoever asks a master without data that has said that it is failing; see `lost-data.ts`. */
export function repeatOwnFail(c: ClusterContext, link: Link): void {
  if (c.dataSearch?.isDeclared !== true) return;
  sendBytes(c, link, 'fail', encode(c, { type: 'fail', nodeId: c.myself.id }));
}

/**
 * Asks those for their vote who have one.
 * Divergence: the real server asks all nodes, and most of them wake up for nothing.
 */
export function broadcastAuthRequest(c: ClusterContext): void {
  for (const node of c.nodeList) {
    if (node === c.myself || node.inHandshake || !isVotingMaster(node)) continue;
    if (node.link !== undefined) sendAuthRequest(c, node.link);
  }
}

export function sendAuthRequest(c: ClusterContext, link: Link): void {
  sendBytes(c, link, 'authRequest', encode(c, { type: 'authRequest' }, authFlags(c)));
}

/** A manual failover asks for votes although the master is up. */
function authFlags(c: ClusterContext): number {
  return c.manualFailover.state === 'idle' ? 0 : MESSAGE_FLAG.forceAck;
}

export function sendAuthAck(c: ClusterContext, node: ClusterNode): void {
  if (node.link !== undefined) sendBytes(c, node.link, 'authAck', encode(c, { type: 'authAck' }));
}

export function sendMfstart(c: ClusterContext, node: ClusterNode): void {
  if (node.link !== undefined) sendBytes(c, node.link, 'mfstart', encode(c, { type: 'mfstart' }));
}

/** Tells whoever is behind `link` what `owner` really owns. */
export function sendUpdate(c: ClusterContext, link: Link, owner: ClusterNode): void {
  const { id: nodeId, configEpoch, disowned } = owner;
  const slots = owner.slots.slice();
  if (disowned !== undefined) removeSlots(slots, disowned);
  const body: PacketBody = { type: 'update', nodeId, configEpoch, slots };
  sendBytes(c, link, 'update', encode(c, body));
}

/** A published message for the whole cluster, or for the nodes of our shard. */
export function propagatePublish(
  c: ClusterContext,
  channel: Uint8Array,
  message: Uint8Array,
  isShard: boolean,
): void {
  const holder = slotHolder(c.myself);
  const body: PublishBody = { type: isShard ? 'publishshard' : 'publish', channel, message };
  let bytes: Buffer | undefined;
  let lightBytes: Buffer | undefined;
  for (const node of isShard ? [holder, ...holder.replicas] : c.nodeList) {
    if (node === c.myself || node.inHandshake || node.link === undefined) continue;
    if (node.readsLight) lightBytes ??= encodeLight(body);
    else bytes ??= encode(c, body);
    sendBytes(c, node.link, body.type, (node.readsLight ? lightBytes : bytes)!);
  }
}
