/**
 * The cluster bus: packets of protocol version 1, byte for byte as redis-server 7.0 writes them, and a reader that
 * cuts them out of a stream. Knows the form of a packet and nothing of what it means.
 */
export {
  BUS_VERSION,
  GOSSIP_SIZE,
  HEADER_SIZE,
  IP_SIZE,
  MESSAGE_FLAG,
  NODE_FLAG,
  PACKET_SIZE_MAX,
  PACKET_TYPES,
  type PacketType,
  SLOT_BITMAP_SIZE,
} from './constants.ts';
export { type DecodedPacket, decodePacket } from './decode.ts';
export { encodeLight, encodePacket } from './encode.ts';
export { type ForgottenNode, NO_EXTENSIONS, type PingExtensions } from './extensions.ts';
export type {
  FailBody,
  GossipEntry,
  IgnoreReason,
  MalformedReason,
  Packet,
  PacketBody,
  PacketHeader,
  PingBody,
  PlainBody,
  PublishBody,
  UpdateBody,
} from './packet.ts';
export { PacketReader, type ReadResult } from './reader.ts';
