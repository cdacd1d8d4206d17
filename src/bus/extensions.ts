/**
 * Ping extensions: what nodes say of themselves behind the gossip entries. 7.0 knows the hostname; 7.2, Redis 8 and Valkey
 * have more, of which the ones without a use here are passed over. Source: packets captured from those servers.
 */
import {
  AT,
  EXTENSION_HEADER_SIZE,
  EXTENSION_TYPE,
  MESSAGE_FLAG,
  NODE_ID_SIZE,
} from './constants.ts';

/** A node that CLUSTER FORGET removed somewhere, and for how many seconds gossip must not bring it back. */
export interface ForgottenNode {
  readonly nodeId: string;
  readonly ttlSeconds: number;
}

export interface PingExtensions {
  /** Announced hostname; empty when the packet brings none. */
  readonly hostname: string;
  /** What a master and its replicas have in common from 7.2 on: 40 bytes, expected to be hex digits; not checked here. */
  readonly shardId: string | undefined;
  readonly forgotten: readonly ForgottenNode[];
}

export const NO_EXTENSIONS: PingExtensions = { hostname: '', shardId: undefined, forgotten: [] };

const FORGOTTEN_SIZE = NODE_ID_SIZE + 8;

/** Bytes behind the gossip entries. */
export function extensionsSize({ hostname, shardId, forgotten }: PingExtensions): number {
  const shardSize = shardId === undefined ? 0 : EXTENSION_HEADER_SIZE + NODE_ID_SIZE;
  return (
    hostnameSize(hostname) + shardSize + forgotten.length * (EXTENSION_HEADER_SIZE + FORGOTTEN_SIZE)
  );
}

/** The text, its closing zero, padded to eight bytes, behind an extension header; nothing when empty. */
function hostnameSize(hostname: string): number {
  if (hostname === '') return 0;
  return EXTENSION_HEADER_SIZE + ((hostname.length + 1 + 7) & ~7);
}

/** Writes them from `start` on, and their count and flag into the header of the packet. `out` is zero there. */
export function writeExtensions(out: Buffer, start: number, extensions: PingExtensions): void {
  const { hostname, shardId, forgotten } = extensions;
  let at = start;
  let count = 0;
  const begin = (type: number, size: number): number => {
    const dataAt = at + EXTENSION_HEADER_SIZE;
    out.writeUInt32BE(size, at);
    out.writeUInt16BE(type, at + 4);
    at += size;
    count++;
    return dataAt;
  };
  if (hostname !== '') {
    out.write(hostname, begin(EXTENSION_TYPE.hostname, hostnameSize(hostname)), 'latin1');
  }
  for (const { nodeId, ttlSeconds } of forgotten) {
    const dataAt = begin(EXTENSION_TYPE.forgottenNode, EXTENSION_HEADER_SIZE + FORGOTTEN_SIZE);
    out.write(nodeId, dataAt, NODE_ID_SIZE, 'latin1');
    out.writeUInt32BE(ttlSeconds, dataAt + NODE_ID_SIZE + 4);
  }
  if (shardId !== undefined) {
    const dataAt = begin(EXTENSION_TYPE.shardId, EXTENSION_HEADER_SIZE + NODE_ID_SIZE);
    out.write(shardId, dataAt, NODE_ID_SIZE, 'latin1');
  }
  if (count === 0) return;
  out.writeUInt16BE(count, AT.extensionCount);
  out[AT.messageFlags]! |= MESSAGE_FLAG.extensions;
}

/** What the extensions from `start` to the end of `buf` say; undefined when their lengths do not add up. */
export function readExtensions(buf: Buffer, start: number): PingExtensions | undefined {
  let { hostname, shardId } = NO_EXTENSIONS;
  const forgotten: ForgottenNode[] = [];
  let next = start;
  const count =
    (buf[AT.messageFlags]! & MESSAGE_FLAG.extensions) === 0
      ? 0
      : buf.readUInt16BE(AT.extensionCount);
  for (let left = count; left > 0; left--) {
    if (next + EXTENSION_HEADER_SIZE > buf.length) return undefined;
    const size = buf.readUInt32BE(next);
    if (size < EXTENSION_HEADER_SIZE || size % 8 !== 0) return undefined;
    const end = next + size;
    if (end > buf.length) return undefined;
    const data = buf.subarray(next + EXTENSION_HEADER_SIZE, end);
    switch (buf.readUInt16BE(next + 4)) {
      case EXTENSION_TYPE.hostname:
        hostname = textOf(data);
        break;
      case EXTENSION_TYPE.forgottenNode:
        if (data.length === FORGOTTEN_SIZE) forgotten.push(readForgotten(data));
        break;
      case EXTENSION_TYPE.shardId:
        if (data.length === NODE_ID_SIZE) shardId = data.toString('latin1');
        break;
      default:
        break;
    }
    next = end;
  }
  return next === buf.length ? { hostname, shardId, forgotten } : undefined;
}

function readForgotten(data: Buffer): ForgottenNode {
  const isHuge = data.readUInt32BE(NODE_ID_SIZE) > 0;
  return {
    nodeId: data.toString('latin1', 0, NODE_ID_SIZE),
    ttlSeconds: isHuge ? 0xffff_ffff : data.readUInt32BE(NODE_ID_SIZE + 4),
  };
}

/** Up to the first zero byte. */
function textOf(data: Buffer): string {
  const end = data.indexOf(0);
  return data.toString('latin1', 0, end < 0 ? data.length : end);
}
