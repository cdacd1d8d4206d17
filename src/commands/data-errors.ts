/** Error texts of the string, bitmap, key and expiry commands, beside those of `errors.ts`. */

export const ERR_STRING_TOO_LONG = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
export const ERR_INCR_OVERFLOW = 'ERR increment or decrement would overflow';
export const ERR_DECR_OVERFLOW = 'ERR decrement would overflow';
export const ERR_NAN_OR_INFINITY = 'ERR increment would produce NaN or Infinity';
export const ERR_FLOAT_INFINITE = 'ERR value is NaN or Infinity';
export const ERR_HASH_NOT_INTEGER = 'ERR hash value is not an integer';
export const ERR_HASH_NOT_FLOAT = 'ERR hash value is not a float';
export const ERR_HLL_TYPE = 'WRONGTYPE Key is not a valid HyperLogLog string value.';
export const ERR_HLL_CORRUPT = 'INVALIDOBJ Corrupted HLL object detected';
export const ERR_SORT_SCORE = "ERR One or more scores can't be converted into double";
export const ERR_SORT_BY_CLUSTER = 'ERR BY option of SORT denied in Cluster mode.';
export const ERR_SORT_GET_CLUSTER = 'ERR GET option of SORT denied in Cluster mode.';
export const ERR_OFFSET_RANGE = 'ERR offset is out of range';
export const ERR_LCS_BOTH = 'ERR If you want both the length and indexes, please just use IDX.';
export const ERR_LCS_TYPE = 'ERR The specified keys must contain string values';
export const ERR_LCS_TOO_LONG = 'ERR String too long for LCS';
export const ERR_LCS_MEMORY =
  'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len';
export const ERR_BIT_OFFSET = 'ERR bit offset is not an integer or out of range';
export const ERR_BIT_VALUE = 'ERR bit is not an integer or out of range';
export const ERR_BITPOS_BIT = 'ERR The bit argument must be 1 or 0.';
export const ERR_BITOP_NOT = 'ERR BITOP NOT must be called with a single source key.';
export const ERR_BITFIELD_TYPE =
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';
export const ERR_BITFIELD_OVERFLOW = 'ERR Invalid OVERFLOW type specified';
export const ERR_BITFIELD_RO = 'ERR BITFIELD_RO only supports the GET subcommand';
export const ERR_EXPIRE_NX = 'ERR NX and XX, GT or LT options at the same time are not compatible';
export const ERR_EXPIRE_GT_LT = 'ERR GT and LT options at the same time are not compatible';
export const ERR_INVALID_CURSOR = 'ERR invalid cursor';
export const ERR_BUSY_KEY = 'BUSYKEY Target key name already exists.';
export const ERR_RESTORE_TTL = 'ERR Invalid TTL value, must be >= 0';
export const ERR_RESTORE_IDLETIME = 'ERR Invalid IDLETIME value, must be >= 0';
export const ERR_RESTORE_FREQ = 'ERR Invalid FREQ value, must be >= 0 and <= 255';
export const ERR_INT_RANGE =
  'ERR value is out of range, value must between -2147483648 and 2147483647';
export const ERR_MOVE_CLUSTER = 'ERR MOVE is not allowed in cluster mode';
export const ERR_COPY_CLUSTER = 'ERR Copying to another database is not allowed in cluster mode';
export const ERR_SWAPDB_CLUSTER = 'ERR SWAPDB is not allowed in cluster mode';
export const ERR_SWAPDB_FIRST = 'ERR invalid first DB index';
export const ERR_SWAPDB_SECOND = 'ERR invalid second DB index';
export const ERR_NOT_LFU =
  'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.';
export const ERR_IS_LFU =
  'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.';
export const ERR_NUMKEYS_POSITIVE = 'ERR numkeys should be greater than 0';
export const ERR_NUMKEYS_TOO_MANY = "ERR Number of keys can't be greater than number of args";
export const ERR_LIMIT_NEGATIVE = "ERR LIMIT can't be negative";
export const ERR_NOT_POSITIVE = 'ERR value is out of range, must be positive';
export const ERR_LONG_RANGE =
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807';
export const ERR_OUT_OF_RANGE = 'ERR value is out of range';

/** `command` in lower case. */
export function invalidExpire(command: string): string {
  return `ERR invalid expire time in '${command}' command`;
}

export function unsupportedOption(option: string): string {
  return `ERR Unsupported option ${option}`;
}
export const ERR_NOT_FLOAT_RANGE = 'ERR min or max is not a float';
export const ERR_NOT_LEX_RANGE = 'ERR min or max not valid string range item';
export const ERR_SCORE_NAN = 'ERR resulting score is not a number (NaN)';
export const ERR_ZADD_NX_XX = 'ERR XX and NX options at the same time are not compatible';
export const ERR_ZADD_GT_LT_NX =
  'ERR GT, LT, and/or NX options at the same time are not compatible';
export const ERR_ZADD_INCR = 'ERR INCR option supports a single increment-element pair';
export const ERR_RANK_LIMIT =
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX';
export const ERR_LEX_SCORES =
  'ERR syntax error, WITHSCORES not supported in combination with BYLEX';
export const ERR_WEIGHT = 'ERR weight value is not a float';
export const ERR_COUNT_POSITIVE = 'ERR count should be greater than 0';
export const ERR_GEO_UNIT = 'ERR unsupported unit provided. please use M, KM, FT, MI';
export const ERR_GEO_RADIUS = 'ERR need numeric radius';
export const ERR_GEO_RADIUS_NEGATIVE = 'ERR radius cannot be negative';
export const ERR_GEO_WIDTH = 'ERR need numeric width';
export const ERR_GEO_HEIGHT = 'ERR need numeric height';
export const ERR_GEO_BOX_NEGATIVE = 'ERR height or width cannot be negative';
export const ERR_GEO_MEMBER = 'ERR could not decode requested zset member';
export const ERR_GEO_COUNT = 'ERR COUNT must be > 0';
export const ERR_GEO_ANY = 'ERR the ANY argument requires COUNT argument';

/** `what`: the command or option that stores. */
export function geoStoreOptions(what: string): string {
  return `ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
}

/** `command` as the client wrote it. */
export function geoNeeds(options: string, command: string): string {
  return `ERR exactly one of ${options} can be specified for ${command}`;
}
