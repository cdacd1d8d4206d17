/** Reads one whole cluster-bus packet. Never throws; the length rules are those of the real server. */
import {
  AT,
  BUS_VERSION,
  GOSSIP_AT,
  GOSSIP_SIZE,
  HEADER_SIZE,
  IP_SIZE,
  LIGHT_BIT,
  LIGHT_HEADER_SIZE,
  NODE_ID_SIZE,
  PACKET_TYPES,
  SLOT_BITMAP_SIZE,
} from './constants.ts';
import { readExtensions } from './extensions.ts';
import type {
  GossipEntry,
  IgnoreReason,
  Packet,
  PacketBody,
  PacketHeader,
  PublishBody,
} from './packet.ts';

/** No honest epoch or offset gets there, and adding to it stays exact: 2^52. */
const COUNTER_MAX = 2 ** 52;
const UINT32 = 0x1_0000_0000;

export type DecodedPacket =
  | { readonly kind: 'packet'; readonly packet: Packet }
  /** A message without a full header: what its sender is comes from the link. */
  | { readonly kind: 'light'; readonly body: PublishBody }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason };

/**
 * The packet that fills `buf` from its first byte to its last. Nothing in the answer aliases `buf`.
 * Epochs and offsets beyond COUNTER_MAX are refused.
 */
export function decodePacket(buf: Buffer): DecodedPacket {
  if (buf.length < LIGHT_HEADER_SIZE || buf.readUInt32BE(AT.totalSize) !== buf.length) {
    return ignored('badLength');
  }
  if (buf.readUInt16BE(AT.version) !== BUS_VERSION) return ignored('badVersion');
  const typeNumber = buf.readUInt16BE(AT.type);
  if ((typeNumber & LIGHT_BIT) !== 0) return decodeLight(buf, typeNumber & ~LIGHT_BIT);
  if (buf.length < HEADER_SIZE) return ignored('badLength');
  const type = PACKET_TYPES[typeNumber];
  if (type === undefined) return ignored('unknownType');
  const header = readHeader(buf);
  if (
    header.currentEpoch > COUNTER_MAX ||
    header.configEpoch > COUNTER_MAX ||
    header.offset > COUNTER_MAX
  ) {
    return ignored('absurdCounter');
  }
  const body = readBody(buf, type);
  return typeof body === 'string' ? ignored(body) : { kind: 'packet', packet: { header, body } };
}

function decodeLight(buf: Buffer, typeNumber: number): DecodedPacket {
  const type = PACKET_TYPES[typeNumber];
  if (type !== 'publish' && type !== 'publishshard') return ignored('unknownType');
  const body = readPublish(buf, LIGHT_HEADER_SIZE, type);
  return typeof body === 'string' ? ignored(body) : { kind: 'light', body };
}

function ignored(reason: IgnoreReason): DecodedPacket {
  return { kind: 'ignored', reason };
}

function readHeader(buf: Buffer): PacketHeader {
  const masterId = readText(buf, AT.masterId, NODE_ID_SIZE);
  return {
    port: buf.readUInt16BE(AT.port),
    plaintextPort: buf.readUInt16BE(AT.plaintextPort),
    busPort: buf.readUInt16BE(AT.busPort),
    currentEpoch: readUint64(buf, AT.currentEpoch),
    configEpoch: readUint64(buf, AT.configEpoch),
    offset: readUint64(buf, AT.offset),
    sender: latin1(buf, AT.sender, AT.sender + NODE_ID_SIZE),
    slots: copyOf(buf, AT.slots, AT.slots + SLOT_BITMAP_SIZE),
    masterId: masterId === '' ? undefined : masterId,
    ip: readText(buf, AT.ip, IP_SIZE),
    flags: buf.readUInt16BE(AT.flags),
    state: buf[AT.state] === 0 ? 'ok' : 'fail',
    messageFlags: buf[AT.messageFlags]!,
  };
}

function readBody(buf: Buffer, type: PacketBody['type']): PacketBody | IgnoreReason {
  const dataSize = buf.length - HEADER_SIZE;
  switch (type) {
    case 'ping':
    case 'pong':
    case 'meet':
      return readPing(buf, type);
    case 'fail':
      if (dataSize !== NODE_ID_SIZE) return 'badLength';
      return { type, nodeId: latin1(buf, HEADER_SIZE, HEADER_SIZE + NODE_ID_SIZE) };
    case 'publish':
    case 'publishshard':
      return readPublish(buf, HEADER_SIZE, type);
    case 'update': {
      if (dataSize !== 8 + NODE_ID_SIZE + SLOT_BITMAP_SIZE) return 'badLength';
      const idAt = HEADER_SIZE + 8;
      const slotsAt = idAt + NODE_ID_SIZE;
      const configEpoch = readUint64(buf, HEADER_SIZE);
      if (configEpoch > COUNTER_MAX) return 'absurdCounter';
      const nodeId = latin1(buf, idAt, slotsAt);
      const slots = copyOf(buf, slotsAt, slotsAt + SLOT_BITMAP_SIZE);
      return { type, nodeId, configEpoch, slots };
    }
    case 'authRequest':
    case 'authAck':
    case 'mfstart':
      return dataSize === 0 ? { type } : 'badLength';
    case 'module':
      // Eight bytes of module id, then the length of what follows the one byte of type.
      if (dataSize < 13) return 'badLength';
      return dataSize === 13 + buf.readUInt32BE(HEADER_SIZE + 8) ? { type } : 'badLength';
  }
}

function readPing(buf: Buffer, type: 'ping' | 'pong' | 'meet'): PacketBody | IgnoreReason {
  const count = buf.readUInt16BE(AT.count);
  const gossipEnd = HEADER_SIZE + count * GOSSIP_SIZE;
  if (gossipEnd > buf.length) return 'badLength';
  const extensions = readExtensions(buf, gossipEnd);
  if (extensions === undefined) return 'badLength';
  const gossip: GossipEntry[] = [];
  for (let at = HEADER_SIZE; at < gossipEnd; at += GOSSIP_SIZE) gossip.push(readGossip(buf, at));
  return { type, gossip, extensions };
}

function readGossip(buf: Buffer, at: number): GossipEntry {
  return {
    nodeId: latin1(buf, at, at + NODE_ID_SIZE),
    pingSent: buf.readUInt32BE(at + GOSSIP_AT.pingSent),
    pongReceived: buf.readUInt32BE(at + GOSSIP_AT.pongReceived),
    ip: readText(buf, at + GOSSIP_AT.ip, IP_SIZE),
    port: buf.readUInt16BE(at + GOSSIP_AT.port),
    busPort: buf.readUInt16BE(at + GOSSIP_AT.busPort),
    flags: buf.readUInt16BE(at + GOSSIP_AT.flags),
    plaintextPort: buf.readUInt16BE(at + GOSSIP_AT.plaintextPort),
  };
}

function readPublish(
  buf: Buffer,
  at: number,
  type: PublishBody['type'],
): PublishBody | IgnoreReason {
  const dataSize = buf.length - at;
  if (dataSize < 8) return 'badLength';
  const channelSize = buf.readUInt32BE(at);
  const messageSize = buf.readUInt32BE(at + 4);
  if (dataSize !== 8 + channelSize + messageSize) return 'badLength';
  const channelAt = at + 8;
  const messageAt = channelAt + channelSize;
  return {
    type,
    channel: copyOf(buf, channelAt, messageAt),
    message: copyOf(buf, messageAt, buf.length),
  };
}

/** A plain array of its own, in no way tied to the receive buffer. */
function copyOf(buf: Buffer, at: number, end: number): Uint8Array {
  return new Uint8Array(buf.subarray(at, end));
}

/** Text up to the first zero byte, at most `size` bytes. */
function readText(buf: Buffer, at: number, size: number): string {
  let end = at;
  while (end < at + size && buf[end] !== 0) end++;
  return end === at ? '' : latin1(buf, at, end);
}

function latin1(buf: Buffer, at: number, end: number): string {
  return buf.toString('latin1', at, end);
}

function readUint64(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at) * UINT32 + buf.readUInt32BE(at + 4);
}
