/** Cluster-bus packets as values. Text is latin1; unused text fields are empty. */
import type { PacketType } from './constants.ts';
import type { PingExtensions } from './extensions.ts';

export interface PacketHeader {
  /** Client port, or the TLS port when the sender prefers TLS. */
  readonly port: number;
  /** Plain client port of a sender that prefers TLS, else 0. */
  readonly plaintextPort: number;
  readonly busPort: number;
  readonly currentEpoch: number;
  /** Of the sender, or of its master when it is a replica. */
  readonly configEpoch: number;
  /** Replication offset: produced by a master, processed by a replica. */
  readonly offset: number;
  /** 40 bytes, expected to be a node id; not checked here. */
  readonly sender: string;
  /** 2048 bytes, slot 0 is the lowest bit of byte 0: slots of the sender or of its master. */
  readonly slots: Uint8Array;
  /** Node id of the sender's master; undefined for a master. */
  readonly masterId: string | undefined;
  /** Announced address, or empty: take it from the connection. */
  readonly ip: string;
  /** Bits of NODE_FLAG. */
  readonly flags: number;
  readonly state: 'ok' | 'fail';
  /** Bits of MESSAGE_FLAG; the codec sets `extensions` where there are some. */
  readonly messageFlags: number;
}

export interface GossipEntry {
  readonly nodeId: string;
  /** Unix seconds, 0 when no ping is pending. */
  readonly pingSent: number;
  /** Unix seconds, 0 when never. */
  readonly pongReceived: number;
  readonly ip: string;
  readonly port: number;
  readonly busPort: number;
  readonly flags: number;
  readonly plaintextPort: number;
}

export interface PingBody {
  readonly type: 'ping' | 'pong' | 'meet';
  readonly gossip: readonly GossipEntry[];
  readonly extensions: PingExtensions;
}

export interface FailBody {
  readonly type: 'fail';
  readonly nodeId: string;
}

export interface PublishBody {
  readonly type: 'publish' | 'publishshard';
  readonly channel: Uint8Array;
  readonly message: Uint8Array;
}

export interface UpdateBody {
  readonly type: 'update';
  readonly nodeId: string;
  readonly configEpoch: number;
  readonly slots: Uint8Array;
}

/** Packets that say everything in their header, and module messages, whose content is of no use here. */
export interface PlainBody {
  readonly type: 'authRequest' | 'authAck' | 'mfstart' | 'module';
}

export type PacketBody = PingBody | FailBody | PublishBody | UpdateBody | PlainBody;

export interface Packet {
  readonly header: PacketHeader;
  readonly body: PacketBody;
}

/** Why a whole packet was skipped; the connection goes on, as with the real server. */
export type IgnoreReason = 'badVersion' | 'badLength' | 'unknownType' | 'absurdCounter';

/** Why a connection must be closed: its packet boundaries are lost. */
export type MalformedReason = 'badSignature' | 'tooShort' | 'tooLong';

export type { PacketType };
