/** What the codecs hand over: views of bytes and parts of values, reused from call to call. */

/** A range of bytes; valid only until the function that was given it returns. */
export interface Bytes {
  readonly buf: Buffer;
  readonly at: number;
  readonly size: number;
}

/** A key with all that the file says of it, before its value. Reused: copy what must last. */
export interface RdbEntry {
  readonly dbIndex: number;
  readonly key: Bytes;
  /** Type byte of the value, which begins its DUMP payload too. */
  readonly type: number;
  /** Unix milliseconds, or -1 when the key does not expire. */
  readonly expireAtUnixMs: number;
  /** LRU idle time in seconds, or -1 when the file does not say. */
  readonly idleSeconds: number;
  /** LFU counter in [0, 255], or -1 when the file does not say. */
  readonly freq: number;
}

/** What a value holds besides strings and streams. */
export type ContainerKind = 'list' | 'set' | 'zset' | 'hash';

/**
 * Takes the parts of one value as they are decoded, so that a large container never exists twice. Every part is
 * checked for itself before it comes; that elements of a container differ is for the sink to say where it answers a
 * boolean: false for one that is there already, which ends the reading. Bytes are valid during the call only.
 */
export interface ValueSink extends StreamSink {
  /** The whole value is this string. */
  string(value: Bytes): void;
  /** A container begins, of `count` elements (a hint: nobody checked that so many follow). */
  container(kind: ContainerKind, count: number): void;
  /** An element of a list or member of a set. */
  element(value: Bytes): boolean;
  field(name: Bytes, value: Bytes): boolean;
  /** A field that expires then. Absent where nobody has such fields; decoders of the values with them are given apart. */
  expiringField?(name: Bytes, value: Bytes, expireAtUnixMs: number): boolean;
  scored(member: Bytes, score: number): boolean;
  /**
   * Elements in a sound listpack that is not empty: the next run of a list (after `container`), or all of a hash or
   * sorted set (without `container` before), where they differ and a sorted set's are in order.
   */
  listpack(kind: ContainerKind, blob: Bytes): void;
  /** All of a set in a sound intset that is not empty. */
  intset(blob: Bytes): void;
}

/** 16 bytes at (buf, at): milliseconds and sequence number of a stream entry, each most significant byte first. */
export interface StreamId {
  readonly buf: Buffer;
  readonly at: number;
}

/** What a stream says of itself after its nodes. */
export interface StreamFacts {
  readonly length: number;
  readonly lastId: StreamId;
  readonly firstId: StreamId;
  readonly maxDeletedId: StreamId;
  readonly entriesAdded: number | bigint;
}

/** `entriesRead` of a group that nobody knows any more. */
export const STREAM_COUNT_UNKNOWN = -1;
/** `entriesRead` of a group in an old format, which did not count: to be derived from its last id. */
export const STREAM_COUNT_DERIVED = -2;

/** The parts of a stream: `stream`, nodes, `facts`, then each group with its pending entries and consumers. */
export interface StreamSink {
  stream(): void;
  /** A node of entries: a sound listpack, its structure checked; ids of nodes rise. */
  streamNode(id: StreamId, blob: Bytes): void;
  /** Facts that an old format lacks are derived by the decoder. */
  streamFacts(facts: StreamFacts): void;
  /** `entriesRead` may be one of the STREAM_COUNT_ values. False: a group of this name is there. */
  streamGroup(name: Bytes, lastId: StreamId, entriesRead: number | bigint): boolean;
  /** An entry that the last group delivered and nobody acknowledged. False: it is there. */
  streamPending(
    id: StreamId,
    deliveredAtUnixMs: number | bigint,
    deliveryCount: number | bigint,
  ): boolean;
  /** A consumer of the last group. `activeAtUnixMs` is -1 where the format does not say. False: it is there. */
  streamConsumer(
    name: Bytes,
    seenAtUnixMs: number | bigint,
    activeAtUnixMs: number | bigint,
  ): boolean;
  /** A pending entry of the last group is the last consumer's. False: it is not pending, or someone's already. */
  streamConsumerPending(id: StreamId): boolean;
  /** No more of the last group. False: an entry of it is pending with no consumer. */
  streamGroupEnd(): boolean;
}

/** Why bytes were refused. `at` is the position in the whole input, in bytes. */
export type RdbFailure =
  | { readonly kind: 'corrupt'; readonly reason: string; readonly at: number }
  | { readonly kind: 'wrongSignature'; readonly reason: string; readonly at: number }
  | { readonly kind: 'unsupportedVersion'; readonly reason: string; readonly at: number }
  | {
      readonly kind: 'unsupported';
      /** Such as `hash with field expiry (type 24)`. */
      readonly what: string;
      /** The key whose value it is. */
      readonly key: Buffer;
      readonly at: number;
    };
