/** Sizes, offsets and bit masks of the cluster bus, protocol version 1. Source: packets captured from redis-server 7.0.15. */

export const BUS_SIGNATURE = 'RCmb';
export const BUS_VERSION = 1;

/** Bytes before the data of a packet; no packet is shorter. */
export const HEADER_SIZE = 2256;
/**
 * Bytes before the data of a light packet: the head of the usual header as far as the type, whose highest bit is set. Who
 * sent it is who it heard from on that link before. Source: packets captured from Valkey 8.1 and 9.1.
 */
export const LIGHT_HEADER_SIZE = 16;
export const LIGHT_BIT = 0x8000;
/** Bytes of one gossip entry. */
export const GOSSIP_SIZE = 104;
/** Bytes before the data of one ping extension. */
export const EXTENSION_HEADER_SIZE = 8;
export const SLOT_BITMAP_SIZE = 2048;
export const NODE_ID_SIZE = 40;
/** Bytes reserved for an address in text form, the closing zero included. */
export const IP_SIZE = 46;
/**
 * Longest packet accepted, in bytes: a published message at the default proto-max-bulk-len (512 MiB), its channel
 * and the header. The real server has no bound of its own here.
 */
export const PACKET_SIZE_MAX: number = 512 * 1024 * 1024 + 1024 * 1024;
/** Longest ping accepted: 65535 gossip entries and 1 MiB of extensions could never come from a sane node. */
export const PING_SIZE_MAX: number = HEADER_SIZE + 65535 * GOSSIP_SIZE + 1024 * 1024;

/** Byte positions inside the header. Integers are big-endian. */
export const AT = {
  signature: 0,
  totalSize: 4,
  version: 8,
  port: 10,
  type: 12,
  count: 14,
  currentEpoch: 16,
  configEpoch: 24,
  offset: 32,
  sender: 40,
  slots: 80,
  masterId: 2128,
  ip: 2168,
  extensionCount: 2214,
  plaintextPort: 2246,
  busPort: 2248,
  flags: 2250,
  state: 2252,
  messageFlags: 2253,
} as const;

/** Byte positions inside a gossip entry. */
export const GOSSIP_AT = {
  nodeId: 0,
  pingSent: 40,
  pongReceived: 44,
  ip: 48,
  port: 94,
  busPort: 96,
  flags: 98,
  plaintextPort: 100,
} as const;

/** Node flags as headers and gossip entries carry them. */
export const NODE_FLAG = {
  master: 1,
  replica: 2,
  pfail: 4,
  fail: 8,
  myself: 16,
  handshake: 32,
  noaddr: 64,
  meet: 128,
  migrateTo: 256,
  nofailover: 512,
  /** Valkey 8: reads published messages behind a light header. Never shown in CLUSTER NODES. */
  readsLight: 2048,
} as const;

/** Bits of the header's first message-flag byte. */
export const MESSAGE_FLAG = {
  /** The sending master has paused its clients for a manual failover. */
  paused: 1,
  /** Grant the vote although the master is not flagged FAIL: a manual failover. */
  forceAck: 2,
  /** Ping extensions follow the gossip entries. */
  extensions: 4,
} as const;

/**
 * Ping extension types: the hostname since 7.0, the others since 7.2. Passed over are a node's name for humans (1), and those
 * from 4 on, which are not the same in Redis 8 (a secret) and in Valkey (addresses and ports for clients, availability zone).
 */
export const EXTENSION_TYPE = { hostname: 0, forgottenNode: 2, shardId: 3 } as const;

/** Packet types by their number on the wire. */
export const PACKET_TYPES = [
  'ping',
  'pong',
  'meet',
  'fail',
  'publish',
  'authRequest',
  'authAck',
  'update',
  'mfstart',
  'module',
  'publishshard',
] as const;

export type PacketType = (typeof PACKET_TYPES)[number];
