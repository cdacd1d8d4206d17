/**
 * Cuts a byte stream into cluster-bus packets. Memory is bounded by the longest packet a type may have, and grows
 * only as bytes arrive: a forged length alone costs nothing.
 */
import {
  AT,
  BUS_SIGNATURE,
  GOSSIP_SIZE,
  HEADER_SIZE,
  LIGHT_BIT,
  LIGHT_HEADER_SIZE,
  NODE_ID_SIZE,
  PACKET_SIZE_MAX,
  PACKET_TYPES,
  PING_SIZE_MAX,
  SLOT_BITMAP_SIZE,
} from './constants.ts';
import { type DecodedPacket, decodePacket } from './decode.ts';
import type { MalformedReason } from './packet.ts';

export type ReadResult =
  | DecodedPacket
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly reason: MalformedReason };

const MORE: ReadResult = { kind: 'more' };
const SIZE_END = 8;
/** Largest buffer, in bytes, that an idle reader keeps. */
const KEPT_SIZE_MAX = 64 * 1024;
const FIRST_SIZE = HEADER_SIZE + 10 * GOSSIP_SIZE;

/** Feed bytes, then call `next` until it answers `more` or `malformed`. After `malformed` it stays malformed. */
export class PacketReader {
  readonly #sizeMax: number;
  #buf: Buffer = Buffer.alloc(FIRST_SIZE);
  #start = 0;
  #end = 0;
  #malformed: MalformedReason | undefined;

  /** @param sizeMax longest packet accepted, in bytes, included; default PACKET_SIZE_MAX */
  constructor(sizeMax: number = PACKET_SIZE_MAX) {
    this.#sizeMax = sizeMax;
  }

  /** Copies the bytes in; the caller may reuse them at once. */
  feed(bytes: Uint8Array): void {
    if (this.#malformed !== undefined) return;
    this.#reserve(bytes.length);
    this.#buf.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  next(): ReadResult {
    if (this.#malformed !== undefined) return { kind: 'malformed', reason: this.#malformed };
    const held = this.#end - this.#start;
    if (held < SIZE_END) return MORE;
    const size = this.#buf.readUInt32BE(this.#start + AT.totalSize);
    const flaw = this.#flaw(size, held);
    if (flaw !== undefined) {
      this.#malformed = flaw;
      this.#buf = Buffer.alloc(0);
      this.#start = this.#end = 0;
      return { kind: 'malformed', reason: flaw };
    }
    if (held < size) return MORE;
    const decoded = decodePacket(this.#buf.subarray(this.#start, this.#start + size));
    this.#start += size;
    if (this.#start === this.#end) this.#release();
    return decoded;
  }

  #flaw(size: number, held: number): MalformedReason | undefined {
    const at = this.#start;
    for (let i = 0; i < BUS_SIGNATURE.length; i++) {
      if (this.#buf[at + i] !== BUS_SIGNATURE.charCodeAt(i)) return 'badSignature';
    }
    if (size < LIGHT_HEADER_SIZE) return 'tooShort';
    if (size > this.#sizeMax) return 'tooLong';
    if (held < AT.count) return undefined;
    const typeNumber = this.#buf.readUInt16BE(at + AT.type);
    if (size < HEADER_SIZE && (typeNumber & LIGHT_BIT) === 0) return 'tooShort';
    return size > sizeMaxOf(typeNumber) ? 'tooLong' : undefined;
  }

  /** Everything is read: start over, and give a large buffer back. */
  #release(): void {
    this.#start = this.#end = 0;
    if (this.#buf.length > KEPT_SIZE_MAX) this.#buf = Buffer.alloc(FIRST_SIZE);
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#buf.length) return;
    const held = this.#end - this.#start;
    if (held + size > this.#buf.length) {
      const grown = Buffer.alloc(Math.max(held + size, this.#buf.length * 2));
      this.#buf.copy(grown, 0, this.#start, this.#end);
      this.#buf = grown;
    } else {
      this.#buf.copy(this.#buf, 0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = held;
  }
}

/** Divergence: the real server buffers any announced length before it looks at the type; we refuse at once. */
function sizeMaxOf(typeNumber: number): number {
  switch (PACKET_TYPES[typeNumber]) {
    case 'ping':
    case 'pong':
    case 'meet':
      return PING_SIZE_MAX;
    case 'fail':
    case 'authRequest':
    case 'authAck':
    case 'update':
    case 'mfstart':
      return HEADER_SIZE + 8 + NODE_ID_SIZE + SLOT_BITMAP_SIZE;
    case 'publish':
    case 'publishshard':
    case 'module':
    case undefined:
    default:
      return PACKET_SIZE_MAX;
  }
}
