/**
 * Numbers of the RDB format, version 10 as Redis 7.0 writes it, with those of version 11 that may be met.
 * Source: the format as Redis 7.0 documents and writes it; checked against files of redis-server 7.0.15.
 */

/** Version that we write into files and DUMP payloads. */
export const RDB_VERSION = 10;
/** Newest version that the reader tries; 11 differs from 10 only by more value types. */
export const RDB_VERSION_READABLE = 11;
/** Bytes of "REDIS" and four digits. */
export const RDB_HEADER_SIZE = 9;
/** Longest string that a file may hold: the 512 MB limit of the protocol. */
export const RDB_STRING_BYTES_LIMIT: number = 512 * 1024 * 1024;

export const OPCODE_SLOT_INFO = 244;
export const OPCODE_FUNCTION2 = 245;
export const OPCODE_FUNCTION_PRE_GA = 246;
export const OPCODE_MODULE_AUX = 247;
export const OPCODE_IDLE = 248;
export const OPCODE_FREQ = 249;
export const OPCODE_AUX = 250;
export const OPCODE_RESIZEDB = 251;
export const OPCODE_EXPIRETIME_MS = 252;
export const OPCODE_EXPIRETIME = 253;
export const OPCODE_SELECTDB = 254;
export const OPCODE_EOF = 255;

/** The two top bits of a length byte. */
export const LENGTH_6_BIT = 0;
export const LENGTH_14_BIT = 1;
export const LENGTH_ENCODED = 3;
/** Whole first bytes of the two wide lengths, which follow most significant byte first. */
export const LENGTH_32_BIT = 0x80;
export const LENGTH_64_BIT = 0x81;

/** Special string encodings, the low six bits of a first byte whose top bits are LENGTH_ENCODED. */
export const STRING_INT8 = 0;
export const STRING_INT16 = 1;
export const STRING_INT32 = 2;
export const STRING_LZF = 3;

/** Types of values. */
export const TYPE_STRING = 0;
export const TYPE_LIST = 1;
export const TYPE_SET = 2;
/** Scores as text. */
export const TYPE_ZSET = 3;
export const TYPE_HASH = 4;
/** Scores as doubles. */
export const TYPE_ZSET_2 = 5;
export const TYPE_HASH_ZIPMAP = 9;
export const TYPE_LIST_ZIPLIST = 10;
export const TYPE_SET_INTSET = 11;
export const TYPE_ZSET_ZIPLIST = 12;
export const TYPE_HASH_ZIPLIST = 13;
/** Nodes are ziplists. */
export const TYPE_LIST_QUICKLIST = 14;
export const TYPE_STREAM_LISTPACKS = 15;
export const TYPE_HASH_LISTPACK = 16;
export const TYPE_ZSET_LISTPACK = 17;
/** Nodes are listpacks or single elements. */
export const TYPE_LIST_QUICKLIST_2 = 18;
/** With counts of entries added and read. */
export const TYPE_STREAM_LISTPACKS_2 = 19;
/** 7.2. */
export const TYPE_SET_LISTPACK = 20;
/** 7.2: with the time a consumer was active. */
export const TYPE_STREAM_LISTPACKS_3 = 21;

/** Containers of a quicklist's node. */
export const NODE_PLAIN = 1;
export const NODE_PACKED = 2;

const TYPE_FAMILIES: ReadonlyMap<number, string> = new Map([
  [0, 'string'],
  [1, 'list'],
  [2, 'set'],
  [3, 'zset'],
  [4, 'hash'],
  [5, 'zset'],
  [6, 'module'],
  [7, 'module'],
  [9, 'hash'],
  [10, 'list'],
  [11, 'set'],
  [12, 'zset'],
  [13, 'hash'],
  [14, 'list'],
  [15, 'stream'],
  [16, 'hash'],
  [17, 'zset'],
  [18, 'list'],
  [19, 'stream'],
  [20, 'set'],
  [21, 'stream'],
]);

/** Whether `type` names a value type of versions up to 11. */
export function isKnownType(type: number): boolean {
  return TYPE_FAMILIES.has(type);
}

/** For people: `list (type 18)`. */
export function typeName(type: number): string {
  return `${TYPE_FAMILIES.get(type) ?? 'unknown'} (type ${type})`;
}
