/**
 * Numbers of the RDB format, version 10 as Redis 7.0 writes it, with those of later versions that may be met.
 * Source: the format as Redis 7.0 documents and writes it; checked against files of redis-server 7.0.15, and for later
 * versions against those of Redis 8.0.2, Valkey 8.1.1 and 9.1.2.
 */

/** Longest string that a file may hold: the 512 MB limit of the protocol. */
export const RDB_STRING_BYTES_LIMIT: number = 512 * 1024 * 1024;

/** Valkey 9: slots that another node is handing over while the file is written. Redis has another use of it. */
export const OPCODE_SLOT_IMPORT = 243;
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
export const TYPE_MODULE = 6;
/** With marks by which a reader without the module finds the end. */
export const TYPE_MODULE_2 = 7;
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
/** Valkey 9: fields that may expire. A pre-release of Redis 7.4 had the number for its own form of it. */
export const TYPE_HASH_FIELD_EXPIRY = 22;
/** Of a pre-release of Redis 7.4. */
export const TYPE_HASH_FIELD_EXPIRY_LISTPACK_PRE_GA = 23;
/** Redis 7.4: fields that may expire. */
export const TYPE_HASH_FIELD_EXPIRY_TABLE = 24;
export const TYPE_HASH_FIELD_EXPIRY_LISTPACK = 25;

/** Containers of a quicklist's node. */
export const NODE_PLAIN = 1;
export const NODE_PACKED = 2;
