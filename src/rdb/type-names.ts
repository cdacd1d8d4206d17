/** What people call the types of values that a file may hold, those that we do not have among them. */
import {
  TYPE_HASH,
  TYPE_HASH_FIELD_EXPIRY,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK_PRE_GA,
  TYPE_HASH_FIELD_EXPIRY_TABLE,
  TYPE_HASH_LISTPACK,
  TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST,
  TYPE_MODULE,
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

/** Types that files of servers that we read may hold and we have no place for; the others have decoders. */
const FOREIGN_TYPES: ReadonlyMap<number, string> = new Map([
  [TYPE_MODULE, 'module value'],
  [TYPE_MODULE_2, 'module value'],
  [TYPE_HASH_FIELD_EXPIRY, 'hash with field expiry'],
  [TYPE_HASH_FIELD_EXPIRY_LISTPACK_PRE_GA, 'hash with field expiry'],
  [TYPE_HASH_FIELD_EXPIRY_TABLE, 'hash with field expiry'],
  [TYPE_HASH_FIELD_EXPIRY_LISTPACK, 'hash with field expiry'],
]);

/** The name of a type that we know of and do not have, such as `hash with field expiry (type 24)`. */
export function foreignTypeName(type: number): string | undefined {
  const name = FOREIGN_TYPES.get(type);
  return name === undefined ? undefined : `${name} (type ${type})`;
}

const FAMILIES: ReadonlyMap<number, string> = new Map([
  ...[TYPE_LIST, TYPE_LIST_ZIPLIST, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2].map(named('list')),
  ...[TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK].map(named('set')),
  ...[TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_ZIPLIST, TYPE_ZSET_LISTPACK].map(named('sorted set')),
  ...[TYPE_HASH, TYPE_HASH_ZIPMAP, TYPE_HASH_ZIPLIST, TYPE_HASH_LISTPACK].map(named('hash')),
  ...[TYPE_STREAM_LISTPACKS, TYPE_STREAM_LISTPACKS_2, TYPE_STREAM_LISTPACKS_3].map(named('stream')),
  [TYPE_STRING, 'string'],
]);

function named(name: string): (type: number) => [type: number, name: string] {
  return (type) => [type, name];
}

/** What people call values of a type, such as `stream`. */
export function typeFamily(type: number): string {
  return FAMILIES.get(type) ?? FOREIGN_TYPES.get(type) ?? `value of type ${type}`;
}

/** The same of a module's value whose id, a 64-bit number, is in these unsigned words: it is told in nine letters. */
export function moduleValueName(high: number, low: number): string {
  const id = (BigInt(high) << 32n) | BigInt(low);
  let name = '';
  for (let at = 58n; at >= 10n; at -= 6n) name += LETTERS[Number((id >> at) & 63n)]!;
  return `module value of ${name} (type ${TYPE_MODULE_2})`;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
