/** Writes cluster-bus packets, byte for byte as redis-server 7.0.15 does. */
import { invariant } from '../base/index.ts';
import {
  AT,
  BUS_SIGNATURE,
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
import { extensionsSize, writeExtensions } from './extensions.ts';
import type { GossipEntry, Packet, PacketBody, PacketHeader, PublishBody } from './packet.ts';

const UINT32 = 0x1_0000_0000;

/** The packet in a buffer of its own. Complexity: linear in its size. */
export function encodePacket(packet: Packet): Buffer {
  const { header, body } = packet;
  const size = HEADER_SIZE + bodySize(body);
  const out = Buffer.alloc(size);
  writeHeader(out, header);
  out.writeUInt32BE(size, AT.totalSize);
  out.writeUInt16BE(PACKET_TYPES.indexOf(body.type), AT.type);
  writeBody(out, body);
  return out;
}

/** A published message behind the light header, for a node that says that it reads it. */
export function encodeLight(body: PublishBody): Buffer {
  const size = LIGHT_HEADER_SIZE + bodySize(body);
  const out = Buffer.alloc(size);
  out.write(BUS_SIGNATURE, AT.signature, 'latin1');
  out.writeUInt32BE(size, AT.totalSize);
  out.writeUInt16BE(BUS_VERSION, AT.version);
  out.writeUInt16BE(LIGHT_BIT | PACKET_TYPES.indexOf(body.type), AT.type);
  writePublish(out, LIGHT_HEADER_SIZE, body);
  return out;
}

function bodySize(body: PacketBody): number {
  switch (body.type) {
    case 'ping':
    case 'pong':
    case 'meet':
      return body.gossip.length * GOSSIP_SIZE + extensionsSize(body.extensions);
    case 'fail':
      return NODE_ID_SIZE;
    case 'publish':
    case 'publishshard':
      return 8 + body.channel.length + body.message.length;
    case 'update':
      return 8 + NODE_ID_SIZE + SLOT_BITMAP_SIZE;
    case 'authRequest':
    case 'authAck':
    case 'mfstart':
      return 0;
    case 'module':
      // Module id, length, type: the smallest message the real server accepts.
      return 13;
  }
}

function writeHeader(out: Buffer, header: PacketHeader): void {
  invariant(header.slots.length === SLOT_BITMAP_SIZE, 'a slot bitmap has 2048 bytes');
  out.write(BUS_SIGNATURE, AT.signature, 'latin1');
  out.writeUInt16BE(BUS_VERSION, AT.version);
  out.writeUInt16BE(header.port, AT.port);
  writeUint64(out, header.currentEpoch, AT.currentEpoch);
  writeUint64(out, header.configEpoch, AT.configEpoch);
  writeUint64(out, header.offset, AT.offset);
  out.write(header.sender, AT.sender, NODE_ID_SIZE, 'latin1');
  out.set(header.slots, AT.slots);
  if (header.masterId !== undefined) {
    out.write(header.masterId, AT.masterId, NODE_ID_SIZE, 'latin1');
  }
  out.write(header.ip, AT.ip, IP_SIZE - 1, 'latin1');
  out.writeUInt16BE(header.plaintextPort, AT.plaintextPort);
  out.writeUInt16BE(header.busPort, AT.busPort);
  out.writeUInt16BE(header.flags, AT.flags);
  out[AT.state] = header.state === 'ok' ? 0 : 1;
  out[AT.messageFlags] = header.messageFlags;
}

function writeBody(out: Buffer, body: PacketBody): void {
  switch (body.type) {
    case 'ping':
    case 'pong':
    case 'meet': {
      out.writeUInt16BE(body.gossip.length, AT.count);
      let at = HEADER_SIZE;
      for (const entry of body.gossip) {
        writeGossip(out, at, entry);
        at += GOSSIP_SIZE;
      }
      return writeExtensions(out, at, body.extensions);
    }
    case 'fail':
      out.write(body.nodeId, HEADER_SIZE, NODE_ID_SIZE, 'latin1');
      return;
    case 'publish':
    case 'publishshard':
      return writePublish(out, HEADER_SIZE, body);
    case 'update':
      writeUint64(out, body.configEpoch, HEADER_SIZE);
      out.write(body.nodeId, HEADER_SIZE + 8, NODE_ID_SIZE, 'latin1');
      out.set(body.slots, HEADER_SIZE + 8 + NODE_ID_SIZE);
      return;
    case 'authRequest':
    case 'authAck':
    case 'mfstart':
    case 'module':
      return;
  }
}

function writeGossip(out: Buffer, at: number, entry: GossipEntry): void {
  out.write(entry.nodeId, at + GOSSIP_AT.nodeId, NODE_ID_SIZE, 'latin1');
  out.writeUInt32BE(entry.pingSent, at + GOSSIP_AT.pingSent);
  out.writeUInt32BE(entry.pongReceived, at + GOSSIP_AT.pongReceived);
  out.write(entry.ip, at + GOSSIP_AT.ip, IP_SIZE - 1, 'latin1');
  out.writeUInt16BE(entry.port, at + GOSSIP_AT.port);
  out.writeUInt16BE(entry.busPort, at + GOSSIP_AT.busPort);
  out.writeUInt16BE(entry.flags, at + GOSSIP_AT.flags);
  out.writeUInt16BE(entry.plaintextPort, at + GOSSIP_AT.plaintextPort);
}

function writePublish(out: Buffer, at: number, { channel, message }: PublishBody): void {
  out.writeUInt32BE(channel.length, at);
  out.writeUInt32BE(message.length, at + 4);
  out.set(channel, at + 8);
  out.set(message, at + 8 + channel.length);
}

function writeUint64(out: Buffer, value: number, at: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, 'epochs and offsets are safe integers');
  out.writeUInt32BE(Math.floor(value / UINT32), at);
  out.writeUInt32BE(value % UINT32, at + 4);
}
