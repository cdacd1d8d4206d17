/** Error texts of the stream commands, beside those of `errors.ts`. */
import { shown } from './errors.ts';

export const ERR_STREAM_ID = 'ERR Invalid stream ID specified as stream command argument';
export const ERR_ADD_ZERO = 'ERR The ID specified in XADD must be greater than 0-0';
export const ERR_ADD_SMALL =
  'ERR The ID specified in XADD is equal or smaller than the target stream top item';
export const ERR_ADD_EXHAUSTED =
  'ERR The stream has exhausted the last possible ID, unable to add more items';
export const ERR_ADD_TOO_LARGE = 'ERR Elements are too large to be stored';
export const ERR_TRIM_TWO =
  'ERR syntax error, MAXLEN and MINID options at the same time are not compatible';
export const ERR_TRIM_MAXLEN = 'ERR The MAXLEN argument must be >= 0.';
export const ERR_TRIM_LIMIT = 'ERR The LIMIT argument must be >= 0.';
export const ERR_TRIM_LIMIT_ALONE =
  'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy';
export const ERR_TRIM_LIMIT_EXACT =
  'ERR syntax error, LIMIT cannot be used without the special ~ option';
export const ERR_TRIM_NOTHING = 'ERR syntax error, XTRIM must be called with a trimming strategy';
export const ERR_START_ID = 'ERR invalid start ID for the interval';
export const ERR_END_ID = 'ERR invalid end ID for the interval';
export const ERR_SETID_SMALL =
  'ERR The ID specified in XSETID is smaller than the target stream top item';
export const ERR_SETID_DELETED =
  'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id';
export const ERR_SETID_COUNT =
  'ERR The entries_added specified in XSETID is smaller than the target stream length';
export const ERR_SETID_NEGATIVE = 'ERR entries_added must be positive';
export const ERR_TIMEOUT_NOT_INTEGER = 'ERR timeout is not an integer or out of range';
export const ERR_TIMEOUT_NEGATIVE = 'ERR timeout is negative';
export const ERR_READ_GROUP =
  'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.';
export const ERR_READ_NOACK =
  'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.';
export const ERR_READ_NO_GROUP = 'ERR Missing GROUP option for XREADGROUP';
export const ERR_READ_LAST: string =
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of ' +
  'this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would ' +
  'just return an empty result set.';
export const ERR_READ_NEW =
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.';
export const ERR_STREAM_GONE = 'UNBLOCKED the stream key no longer exists';
export const ERR_GROUP_GONE =
  'NOGROUP the consumer group this client was blocked on no longer exists';
export const ERR_GROUP_KEY: string =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use ' +
  'the MKSTREAM option to create an empty stream automatically.';
export const ERR_GROUP_EXISTS = 'BUSYGROUP Consumer Group name already exists';
export const ERR_ENTRIES_READ = 'ERR value for ENTRIESREAD must be positive or -1';
export const ERR_CLAIM_COUNT = 'ERR COUNT must be > 0';

/** Of XREADGROUP too. */
export const ERR_UNBALANCED =
  "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";

export function noGroupForRead(key: string, group: string): string {
  return `${noKeyOrGroup(key, group)} in XREADGROUP with GROUP option`;
}

export function noKeyOrGroup(key: string, group: string): string {
  return `NOGROUP No such key '${whole(key)}' or consumer group '${whole(group)}'`;
}

export function noGroup(group: string, key: string): string {
  return `NOGROUP No such consumer group '${whole(group)}' for key name '${whole(key)}'`;
}

/** Of any length, but up to a zero byte. */
function whole(name: string): string {
  return shown(name, Infinity);
}

export const ERR_CLAIM_MEMORY =
  'ERR Insufficient memory, failed allocating transient memory, COUNT too high.';
