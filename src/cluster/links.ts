/** Bus connections and addresses: one outbound link per node, at most one inbound link remembered per node. */
import { isHexId } from '../base/index.ts';
import { PacketReader, type PacketHeader } from '../bus/index.ts';
import { type ClusterContext, isMute } from './context.ts';
import { repeatOwnFail, sendPing } from './sending.ts';
import type { ClusterNode, Link, LinkId } from './types.ts';

/** Longest hostname, in characters, as the configuration allows it. */
const HOSTNAME_LENGTH_MAX = 255;
const HOSTNAME = /^[A-Za-z0-9.-]+$/;
/** Age from which a link that closes is opened again without waiting. */
const REOPEN_AFTER_MS = 1000;
const IPV4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const IPV6 = /^[0-9a-fA-F:]*:[0-9a-fA-F:]*(:\d+\.\d+\.\d+\.\d+)?$/;

/** Whether `text` can be an address in nodes.conf; names are not, only numeric addresses. */
export function isIpAddress(text: string): boolean {
  return IPV4.test(text) || (text.length <= 45 && IPV6.test(text));
}

export function isHostname(text: string): boolean {
  return text.length <= HOSTNAME_LENGTH_MAX && HOSTNAME.test(text);
}

/** Whether the header could come from a node at all; hostile bytes must not reach nodes.conf. */
export function isSaneHeader(header: PacketHeader): boolean {
  if (!isHexId(header.sender)) return false;
  if (header.masterId !== undefined && !isHexId(header.masterId)) return false;
  return header.ip === '' || isHostname(header.ip) || isIpAddress(header.ip);
}

export function openLink(c: ClusterContext, node: ClusterNode): void {
  const link: Link = {
    id: c.newLinkId(),
    direction: 'to',
    node,
    createdAt: c.now.mono,
    createdAtUnixMs: c.now.unix,
    isOpen: false,
    reader: new PacketReader(),
    remoteIp: node.ip,
    localIp: '',
    pingsSent: 0,
    pongsReceived: 0,
  };
  node.link = link;
  c.links.set(link.id, link);
  c.emit({ kind: 'openLink', link: link.id, host: node.ip, port: node.busPort });
}

/** The link is gone already, or the shell closes it. */
export function dropLink(c: ClusterContext, link: Link): void {
  c.links.delete(link.id);
  const { node } = link;
  if (node === undefined) return;
  if (node.link === link) node.link = undefined;
  if (node.inboundLink === link) node.inboundLink = undefined;
  link.node = undefined;
}

export function closeLink(c: ClusterContext, link: Link): void {
  dropLink(c, link);
  c.emit({ kind: 'closeLink', link: link.id });
}

export interface PeerAddresses {
  readonly remoteIp: string;
  readonly localIp: string;
}

export function acceptLink(c: ClusterContext, id: LinkId, peer: PeerAddresses): void {
  const link: Link = {
    id,
    direction: 'from',
    node: undefined,
    createdAt: c.now.mono,
    createdAtUnixMs: c.now.unix,
    isOpen: true,
    reader: new PacketReader(),
    remoteIp: peer.remoteIp,
    localIp: peer.localIp,
    pingsSent: 0,
    pongsReceived: 0,
  };
  c.links.set(id, link);
}

export function linkOpened(c: ClusterContext, link: Link): void {
  link.isOpen = true;
  greet(c, link);
}

/** The first ping of a link. One that was pending before a reconnect keeps its time, or PFAIL would never come. */
export function greet(c: ClusterContext, link: Link): void {
  const { node } = link;
  if (node === undefined) return;
  if (isMute(c)) {
    // It is there, and was not asked anything.
    node.pingSentAt = undefined;
    repeatOwnFail(c, link);
    return;
  }
  const pendingSince = node.pingSentAt;
  sendPing(c, link, node.meetPending ? 'meet' : 'ping');
  if (pendingSince !== undefined) node.pingSentAt = pendingSince;
  node.meetPending = false;
}

/**
 * Nobody answers there. The silence counts from now, as if a ping had left.
 * Divergence: the real server starts to count when half the node time-out has passed since the last pong.
 */
export function linkFailed(c: ClusterContext, link: Link): void {
  const { node } = link;
  dropLink(c, link);
  if (node !== undefined) node.pingSentAt ??= c.now.mono;
}

/**
 * The peer hung up. A link that had lived is opened again at once: if the peer's process is gone, the refusal comes
 * now and the node time-out begins to run. One that died young waits for the next tick.
 */
export function linkClosed(c: ClusterContext, link: Link): void {
  const { node, direction, isOpen } = link;
  dropLink(c, link);
  if (node === undefined || direction === 'from') return;
  if (isOpen && c.since(link.createdAt) >= REOPEN_AFTER_MS && !node.hasNoAddress) openLink(c, node);
}

/** Remembers who talks on an inbound link; a newer link of the same node replaces the older. */
export function claimInboundLink(c: ClusterContext, node: ClusterNode, link: Link): void {
  if (link.direction === 'to' || link.node !== undefined) return;
  if (node.inboundLink !== undefined) closeLink(c, node.inboundLink);
  node.inboundLink = link;
  link.node = node;
}

/** Address that the sender of this packet has: announced, or that of the connection. */
export function addressOf(link: Link, header: PacketHeader): string {
  return header.ip !== '' ? header.ip : link.remoteIp;
}

/**
 * Follows a node that moved. Only its pings on an inbound link are believed.
 * @returns whether anything changed
 * Source: 7.2 cluster.c, nodeUpdateAddressIfNeeded().
 */
export function updateAddress(
  c: ClusterContext,
  node: ClusterNode,
  link: Link,
  header: PacketHeader,
): boolean {
  if (link === node.link) return false;
  const ip = addressOf(link, header);
  if (
    ip === '' ||
    (node.ip === ip &&
      node.port === header.port &&
      node.plaintextPort === header.plaintextPort &&
      node.busPort === header.busPort)
  ) {
    return false;
  }
  node.ip = ip;
  node.port = header.port;
  node.plaintextPort = header.plaintextPort;
  node.busPort = header.busPort;
  node.hasNoAddress = false;
  if (node.link !== undefined) closeLink(c, node.link);
  c.log({ name: 'addressUpdated', node: node.id, ip, port: node.port });
  if (c.myself.role === 'replica' && c.myself.master === node) {
    c.emit({ kind: 'setMaster', nodeId: node.id, host: node.ip, port: node.port });
  }
  c.save('save');
  c.updateWanted = true;
  return true;
}
