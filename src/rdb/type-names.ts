/** What people call the types of values that a file may hold, those that we do not have among them. */
import {
  TYPE_HASH_FIELD_EXPIRY,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK,
  TYPE_HASH_FIELD_EXPIRY_LISTPACK_PRE_GA,
  TYPE_HASH_FIELD_EXPIRY_TABLE,
  TYPE_MODULE,
  TYPE_MODULE_2,
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

/** The same of a module's value whose id, a 64-bit number, is in these unsigned words: it is told in nine letters. */
export function moduleValueName(high: number, low: number): string {
  const id = (BigInt(high) << 32n) | BigInt(low);
  let name = '';
  for (let at = 58n; at >= 10n; at -= 6n) name += LETTERS[Number((id >> at) & 63n)]!;
  return `module value of ${name} (type ${TYPE_MODULE_2})`;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
