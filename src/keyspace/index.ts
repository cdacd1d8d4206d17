/**
 * The keyspace: databases of keys and values outside the JavaScript heap, with expiry, use
 * counting, hash slots, cursors that keep SCAN's promise, and point-in-time snapshots without fork.
 * Knows nothing of clients, commands or the wire; the number of JavaScript objects does not grow
 * with the number of keys.
 */
export {
  type ExpiryPace,
  type ExpiryReport,
  activeExpire,
  expireOwnKeys,
} from './active-expiry.ts';
export { NONE, type Ref } from './arena.ts';
export {
  Database,
  KEEP_EXPIRY,
  LOOKUP_NO_STATS,
  LOOKUP_NO_TOUCH,
  LOOKUP_READ,
  LOOKUP_WRITE,
  NO_EXPIRY,
} from './database.ts';
export {
  type BytesView,
  EMBSTR_BYTES_MAX,
  ENCODING_EMBSTR,
  ENCODING_HASHTABLE,
  ENCODING_INT,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  ENCODING_RAW,
  ENCODING_SKIPLIST,
  ENCODING_STREAM,
  EXPIRE_AT_MAX,
  Entries,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_MODULE,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from './entry.ts';
export {
  HLL_HEADER_BYTES,
  HLL_REGISTERS,
  cacheEstimate,
  cachedEstimate,
  isHll,
} from './hll-registers.ts';
export { sparseBytesMin } from './hll-sparse.ts';
export { HyperLogLog, estimateRegisters } from './hyperloglog.ts';
export type { ListCursor } from './list-cursor.ts';
export { Keyspace, type KeyspaceMemory } from './keyspace.ts';
export { Recency, type RecencyKind } from './recency.ts';
export { SetResult } from './set-result.ts';
export { Snapshot, type SnapshotVisitor } from './snapshot.ts';
export {
  type ExpiryMode,
  type KeyspaceHooks,
  type KeyspaceOptions,
  PLAIN_ELEMENT_BYTES,
} from './state.ts';
export type { TouchMemory } from './slabs-ahead.ts';
export { type TrimRule } from './stream-core.ts';
export { StreamCursor } from './stream-cursor.ts';
export { type StreamFields } from './stream-block.ts';
export { ENTRIES_READ_UNKNOWN, type StreamGroups } from './stream-groups.ts';
export { StreamId } from './stream-id.ts';
export { entriesUpTo, lagOf, noteRead } from './stream-progress.ts';
export { type Streams } from './streams.ts';
export { append, makeRaw, setRange } from './strings.ts';
export { type TableShape } from './table.ts';
export type { Store } from './store.ts';
export { ZsetCursor } from './zset-cursor.ts';
export { ZsetResult } from './zset-result.ts';
export { type LexEnd, type LexRange, type ScoreRange, SortedSets } from './zsets.ts';
export { ValueLoader } from './value-loader.ts';
export { ValueSaver, dumpValue, lendValue } from './value-saver.ts';
export type { EncodingLimits } from './value-host.ts';
