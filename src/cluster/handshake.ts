/** How nodes get to know each other: MEET, a provisional record under a made-up id, and the answer that names it. */
import { nodeId, randomHex } from '../base/index.ts';
import { NODE_FLAG, type PacketHeader } from '../bus/index.ts';
import type { ClusterContext } from './context.ts';
import { addressOf, isHostname, isIpAddress, openLink, updateAddress } from './links.ts';
import { deleteNode } from './roles.ts';
import type { ClusterNode, Link } from './types.ts';

/** Records in handshake at one time, and of handshakes that ran out; more strangers than that have to wait. */
const HANDSHAKE_COUNT_MAX = 2000;
/** How long a stranger may take up a handshake that ran out, ms: as long as CLUSTER FORGET keeps one away. */
const RESUME_MS = 60_000;

export type MeetRefusal = 'invalidAddress';

interface BusAddress {
  readonly ip: string;
  readonly busPort: number;
}

export interface MeetAddress extends BusAddress {
  readonly port: number;
}

/** CLUSTER MEET. A handshake with that address under way already is answered as if it were new. */
export function startHandshake(c: ClusterContext, address: MeetAddress): MeetRefusal | undefined {
  const { ip, port, busPort } = address;
  if (!isIpAddress(ip) || !isPort(port) || !isPort(busPort)) return 'invalidAddress';
  if (isUnderWay(c, address)) return undefined;
  const node = addProvisionalNode(c, address);
  node.meetPending = true;
  // At once rather than at the next tick.
  openLink(c, node);
  return undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65535;
}

function isUnderWay(c: ClusterContext, { ip, busPort }: BusAddress): boolean {
  return c.nodeList.some((node) => node.inHandshake && node.ip === ip && node.busPort === busPort);
}

function addProvisionalNode(c: ClusterContext, address: MeetAddress): ClusterNode {
  const node = c.newNode(nodeId(randomHex(c.rng, 40)));
  node.ip = address.ip;
  node.port = address.port;
  node.busPort = address.busPort;
  node.inHandshake = true;
  c.addNode(node);
  return node;
}

/** A stranger wants us: we call back, and its answer tells who it is. */
export function meetReceived(c: ClusterContext, link: Link, header: PacketHeader): void {
  const ip = addressOf(link, header);
  const isAddress = isIpAddress(ip) || isHostname(ip);
  if (!isAddress || !isPort(header.port) || !isPort(header.busPort)) return;
  if (header.sender === c.myself.id) return;
  let pending = 0;
  for (const node of c.nodeList) if (node.inHandshake) pending++;
  if (pending >= HANDSHAKE_COUNT_MAX) return;
  const node = addProvisionalNode(c, { ip, port: header.port, busPort: header.busPort });
  node.plaintextPort = header.plaintextPort;
  openLink(c, node);
  c.save('save');
}

/** Nobody has answered in time. */
export function handshakeRanOut(c: ClusterContext, node: ClusterNode): void {
  if (c.ranOut.size < HANDSHAKE_COUNT_MAX) c.ranOut.set(addressKey(node), c.after(RESUME_MS));
  deleteNode(c, node);
}

/**
 * A stranger pings us. If a handshake with its address ran out here a short while ago, its half was done, and ours was not
 * because one of us stood still: it is begun anew, unless that node was forgotten on purpose.
 * Divergence: real servers stay strangers for ever; from Valkey 8.1 on the other side says MEET again.
 */
export function strangerCalled(c: ClusterContext, link: Link, header: PacketHeader): void {
  if (c.ranOut.size === 0 || c.forgotten.has(header.sender)) return;
  const address = { ip: addressOf(link, header), busPort: header.busPort };
  if (!c.ranOut.delete(addressKey(address)) || isUnderWay(c, address)) return;
  meetReceived(c, link, header);
}

function addressKey({ ip, busPort }: BusAddress): string {
  return `${ip}@${busPort}`;
}

/**
 * The other side of our handshake spoke, so that now we know its id.
 * @returns false when the record is gone: we knew that node by another address, or it is ourselves
 */
export function handshakeAnswered(
  c: ClusterContext,
  link: Link,
  sender: ClusterNode | undefined,
  header: PacketHeader,
): boolean {
  const node = link.node;
  if (node === undefined) return false;
  if (sender !== undefined) {
    c.log({ name: 'handshakeKnown', node: sender.id });
    updateAddress(c, sender, link, header);
    deleteNode(c, node);
    return false;
  }
  // Ourselves, or the made-up id of another handshake.
  if (c.nodes.has(nodeId(header.sender))) {
    deleteNode(c, node);
    return false;
  }
  c.ranOut.delete(addressKey(node));
  c.renameNode(node, nodeId(header.sender));
  c.log({ name: 'handshakeCompleted', node: node.id });
  node.inHandshake = false;
  node.meetPending = false;
  if ((header.flags & NODE_FLAG.master) !== 0) node.role = 'master';
  else if ((header.flags & NODE_FLAG.replica) !== 0) node.role = 'replica';
  c.save('save');
  return true;
}

/** A stranger that never answered is forgotten after this long, ms. Source: Redis 7.0, at least a second. */
export function handshakeTimeoutMs(c: ClusterContext): number {
  return Math.max(c.options.nodeTimeoutMs, 1000);
}
