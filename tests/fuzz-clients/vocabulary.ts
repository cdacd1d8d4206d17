/** The commands of several clients, by what they are about. All share few keys and channels, so that they meet. */
import {
  type Part,
  type Template,
  all,
  command,
  maybe,
  often,
  one,
  times,
} from '../fuzz-commands/template.ts';

const list = one('l0', 'l1', 'l2', 'l3');
const sortedSet = one('z0', 'z1', 'z2');
const stream = one('x0', 'x1');
const anyKey = one('l0', 'l1', 'z0', 'x0', 's0', 's1');
const side = one('LEFT', 'RIGHT');
const end = one('MIN', 'MAX');
const value: Part = (source) => [`v${source.rng.below(20)}`];
const score: Part = (source) => [`${source.rng.below(9)}`];
const few = one('1', '2', '3');
const channel = one('c0', 'c1', 'c2');
const client = one('@0', '@1', '@2', '@3', '@4');
/** Always the next one of the stream, or after it was made anew the first. */
const nextId = one('1-*', '1-*', '1-*', '1-*', '1-*', '1-*', '1-*', '2-*');

const PUSHING_SCRIPT =
  "redis.call('LPUSH',KEYS[1],'a','b'); redis.call('PUBLISH','c1','m'); return redis.call('ZADD',KEYS[2],1,'e')";

/** Changes of data, which wake who waits and invalidate what is tracked. */
export const WRITES: readonly Template[] = [
  often(3, command('LPUSH', list, times(1, 3, value))),
  often(3, command('RPUSH', list, times(1, 3, value))),
  command('LPOP', list),
  command('RPOP', list),
  command('LMOVE', list, list, side, side),
  command('LMPOP', '2', list, list, side),
  command('SORT', list, 'ALPHA', 'STORE', list),
  often(2, command('ZADD', sortedSet, score, value, score, value)),
  command('ZPOPMIN', sortedSet),
  command('ZRANGESTORE', sortedSet, sortedSet, '0', '-1'),
  often(3, command('XADD', stream, nextId, 'f', value)),
  command('XTRIM', stream, 'MAXLEN', few),
  command('SET', anyKey, value),
  command('APPEND', one('s0', 's1'), value),
  command('GETDEL', anyKey),
  often(2, command('DEL', anyKey, anyKey)),
  command('DEL', 'l0', 'l1', 'l2', 'l3', 'z0', 'z1', 'z2'),
  often(2, command('RENAME', anyKey, anyKey)),
  command('COPY', anyKey, anyKey, 'REPLACE'),
  command('MOVE', anyKey, '1'),
  command('SUNIONSTORE', anyKey, 's9'),
  command('EXPIRE', anyKey, one('-1', '1000')),
  often(2, command('EVAL', PUSHING_SCRIPT, '2', list, sortedSet)),
  command('XGROUP', 'SETID', stream, 'g', '0'),
  often(2, command('XGROUP', 'CREATE', stream, 'g', '$', 'MKSTREAM')),
  command('XGROUP', 'DESTROY', stream, 'g'),
  often(2, command('CONFIG', 'SET', 'notify-keyspace-events', one('', 'KEA', 'KEA', 'Kl', 'Ezx'))),
];

/** What waits until another client pushes, for as long as it takes, and takes it away. */
export const WAITS: readonly Template[] = [
  often(4, command('BLPOP', list, list, '0')),
  often(3, command('BRPOP', list, sortedSet, '0')),
  often(3, command('BLMOVE', list, list, side, side, '0')),
  often(2, command('BRPOPLPUSH', list, list, '0')),
  often(3, command('BLMPOP', '0', '2', list, list, side, 'COUNT', few)),
  often(2, command('BZPOPMIN', sortedSet, sortedSet, '0')),
  command('BZPOPMAX', sortedSet, sortedSet, '0'),
  often(2, command('BZMPOP', '0', '2', sortedSet, sortedSet, end, 'COUNT', few)),
  often(
    3,
    command(
      'XREADGROUP',
      ...['GROUP', 'g', one('c0', 'c1'), maybe(0.5, 'NOACK'), 'BLOCK', '0'],
      ...['STREAMS', stream, '>'],
    ),
  ),
  command('EVAL', "return redis.call('BLPOP',KEYS[1],0)", '1', list),
];

/** Reads, among them those that wait, and what every client may do. */
export const READS: readonly Template[] = [
  often(2, command('LRANGE', list, '0', '-1')),
  often(2, command('ZRANGE', sortedSet, '0', '-1', 'WITHSCORES')),
  often(2, command('EXISTS', anyKey, anyKey)),
  command('TYPE', anyKey),
  command('MGET', 's0', 's1'),
  often(2, command('XREAD', 'COUNT', '2', 'BLOCK', '0', 'STREAMS', stream, '$')),
  command('XREAD', 'BLOCK', '0', 'STREAMS', stream, stream, one('1-0', '1-2', '1-5'), '$'),
  command('SELECT', one('0', '0', '1')),
];

export const TRANSACTIONS: readonly Template[] = [
  often(6, command('MULTI')),
  often(8, command('EXEC')),
  command('DISCARD'),
  often(3, command('WATCH', anyKey, anyKey)),
  command('UNWATCH'),
  command('NOSUCH'),
  command('GET'),
];

/**
 * No two of the patterns match the same channel: the order in which a client gets a message for several patterns is that
 * of a hash table there. Nor is there PUBSUB CHANNELS, of whose order the same holds.
 */
export const CHANNELS: readonly Template[] = [
  often(4, command('SUBSCRIBE', channel)),
  command('SUBSCRIBE', '__redis__:invalidate'),
  often(2, command('PSUBSCRIBE', one('c*', 'd*'))),
  often(2, command('SSUBSCRIBE', channel)),
  often(3, command('UNSUBSCRIBE')),
  command('UNSUBSCRIBE', channel),
  often(2, command('PUNSUBSCRIBE')),
  command('SUNSUBSCRIBE'),
  often(6, command('PUBLISH', channel, value)),
  often(3, command('SPUBLISH', channel, value)),
  command('PUBSUB', 'NUMPAT'),
  command('PUBSUB', 'NUMSUB', channel),
  command('PUBSUB', 'SHARDNUMSUB', channel),
];

/** Keyspace events: a client's own ones stand inside its replies there, so this is for clients that change nothing. */
export const EVENT_PATTERNS: readonly Template[] = [
  often(6, command('PSUBSCRIBE', one('__keyevent@*__:*', '__keyspace@0__:l*'))),
];

/** A client that changes keys itself is told before its own reply there when it is redirected to: listeners only. */
const target = maybe(0.5, 'REDIRECT', one('@3', '@4'));

export const TRACKING: readonly Template[] = [
  often(6, command('CLIENT', 'TRACKING', 'ON', target, one(all(), 'OPTIN', 'OPTOUT', 'NOLOOP'))),
  command('CLIENT', 'TRACKING', 'OFF'),
  command('CLIENT', 'CACHING', one('yes', 'no')),
  command('CLIENT', 'GETREDIR'),
  command('CLIENT', 'TRACKINGINFO'),
];

/**
 * Broadcasts of a turn. What one takes who waited for a list is no change of it there, unlike with BLMPOP: so there is
 * no NOLOOP, whose own change it would be, nor a transaction that begins to track behind the one that served.
 */
export const BROADCASTS: readonly Template[] = [
  often(4, command('CLIENT', 'TRACKING', 'ON', target, 'BCAST', maybe(0.5, 'PREFIX', 'l'))),
];

export const CONNECTIONS: readonly Template[] = [
  often(4, command('CLIENT', 'UNBLOCK', client, maybe(0.33, one('ERROR', 'TIMEOUT')))),
  command('CLIENT', 'KILL', 'ID', client),
  command('CLIENT', 'NO-EVICT', one('on', 'off')),
  command('CLIENT', 'ID'),
  command('CLIENT', 'GETNAME'),
  often(4, command('HELLO', one('2', '3', '3'), maybe(0.5, 'SETNAME', 'n'))),
  command('RESET'),
  command('WAIT', '0', '0'),
  command('PING', maybe(0.5, 'x')),
  command('ECHO', 'y'),
];

/** Not together with `MUTES`: who was told to get no replies and is to be closed after the last one stays open there. */
export const QUITS: readonly Template[] = [command('QUIT')];

export const MUTES: readonly Template[] = [
  often(3, command('CLIENT', 'REPLY', 'ON')),
  command('CLIENT', 'REPLY', one('SKIP', 'OFF')),
];

export const FLUSHES: readonly Template[] = [command('FLUSHDB'), command('FLUSHALL')];
