/** Since which version a type of values can be in a DUMP payload. */
import {
  TYPE_HASH,
  TYPE_HASH_FIELD_EXPIRY,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK,
  TYPE_HASH_FIELD_EXPIRY_TABLE,
  TYPE_HASH_LISTPACK,
  TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST,
  TYPE_MODULE_2,
  TYPE_SET,
  TYPE_SET_INTSET,
  TYPE_SET_LISTPACK,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STRING,
  TYPE_ZSET,
  TYPE_ZSET_2,
  TYPE_ZSET_LISTPACK,
  TYPE_ZSET_ZIPLIST,
} from './format.ts';

/** Of Redis 2.6 and later: every RESTORE takes it. */
export const OLDEST_PAYLOAD_VERSION = 6;
/** Redis 4.0, 5.0, 7.4 and Valkey 9, as far as what a payload can hold is concerned. */
export const VERSION_OF_REDIS_4 = 8;
export const VERSION_OF_REDIS_5 = 9;
export const VERSION_OF_REDIS_7_4 = 12;
export const VERSION_OF_VALKEY_9 = 80;

const VERSIONS: ReadonlyMap<number, number> = new Map([
  ...[TYPE_STRING, TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH].map((type) => oldest(type)),
  ...[TYPE_HASH_ZIPMAP, TYPE_LIST_ZIPLIST, TYPE_SET_INTSET].map((type) => oldest(type)),
  ...[TYPE_ZSET_ZIPLIST, TYPE_HASH_ZIPLIST].map((type) => oldest(type)),
  [TYPE_LIST_QUICKLIST, 7],
  [TYPE_ZSET_2, VERSION_OF_REDIS_4],
  [TYPE_MODULE_2, VERSION_OF_REDIS_4],
  [TYPE_STREAM_LISTPACKS, VERSION_OF_REDIS_5],
  [TYPE_HASH_LISTPACK, 10],
  [TYPE_ZSET_LISTPACK, 10],
  [TYPE_LIST_QUICKLIST_2, 10],
  [TYPE_STREAM_LISTPACKS_2, 10],
  [TYPE_SET_LISTPACK, 11],
  [TYPE_STREAM_LISTPACKS_3, 11],
  [TYPE_HASH_FIELD_EXPIRY_TABLE, VERSION_OF_REDIS_7_4],
  [TYPE_HASH_FIELD_EXPIRY_LISTPACK, VERSION_OF_REDIS_7_4],
  [TYPE_HASH_FIELD_EXPIRY, VERSION_OF_VALKEY_9],
]);

function oldest(type: number): [type: number, version: number] {
  return [type, OLDEST_PAYLOAD_VERSION];
}

/** The version that a payload of this type must have at least; undefined for a type that is not known. */
export function payloadVersionOf(type: number): number | undefined {
  return VERSIONS.get(type);
}
