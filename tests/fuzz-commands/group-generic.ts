/** Keys whatever they hold, their expiry, and transactions. */
import {
  type Group,
  type Part,
  absoluteTime,
  all,
  anyKey,
  command,
  index,
  integer,
  key,
  maybe,
  member,
  often,
  one,
  options,
  relativeTime,
  times,
} from './template.ts';

const database: Part = (source) => [
  source.chance(0.85) ? source.pick(['0', '1', '2']) : source.pick(['15', '16', '-1', 'x', '']),
];
const pattern = one('*', '*', 's*', '?*', '[a-h]*', '*[0-1]', '\\*', '[^a-z]*', '', '**0', member);
const typeName = one('string', 'list', 'hash', 'SET', 'zset', 'stream', 'nothing', '');
const condition = options('nx', 'XX', 'gt', 'LT', 'none');
const countOption = all('count', one('1000', '1000', '1000', '7', integer));

export const GENERIC_GROUP: Group = {
  name: 'generic',
  kinds: ['string'],
  templates: [
    often(2, command('copy', anyKey, anyKey, options('replace', all('db', database)))),
    command('dbsize'),
    command('debug', 'digest-value', times(1, 3, anyKey)),
    often(2, command('del', times(1, 3, anyKey))),
    command('dump', anyKey),
    command('!transfer', one('ours', 'real'), anyKey),
    often(2, command('exists', times(1, 3, anyKey))),
    command('keys', pattern),
    command('move', anyKey, database),
    often(2, command('object', 'encoding', anyKey)),
    command('object', one('refcount', 'freq', 'idletime', 'help', 'nothing'), anyKey),
    command('object', 'help'),
    command('memory', 'usage', anyKey, maybe(0.3, 'samples', integer)),
    command('randomkey'),
    often(2, command('rename', anyKey, anyKey)),
    command('renamenx', anyKey, anyKey),
    command('restore', anyKey, one('0', relativeTime), one(member, '\x00\x01a\x0a\x00'), 'replace'),
    command(
      'restore',
      anyKey,
      relativeTime,
      member,
      options('replace', 'absttl', all('idletime', integer), all('freq', integer)),
    ),
    often(
      2,
      command(
        'scan',
        one('0', '0', '0', '0', integer),
        options(countOption, countOption, all('match', pattern), all('type', typeName)),
      ),
    ),
    command('select', database),
    command('select', '0'),
    often(0.3, command('swapdb', database, database)),
    command('touch', times(1, 3, anyKey)),
    often(3, command('type', anyKey)),
    command('unlink', times(1, 2, anyKey)),
    command('wait', '0', one('0', '10', integer)),
    often(0.1, command('flushdb', maybe(0.5, one('sync', 'ASYNC', 'x')))),
    often(0.1, command('flushall', maybe(0.5, one('sync', 'ASYNC', 'x')))),
    command('nosuchcommand', times(0, 3, member)),
  ],
};

const weightPattern = one('w_*', 'string*', 'number*', 'hash0->m*', '*', 'nosort', '#', member);
const sortOptions = options(
  all('by', weightPattern),
  all('limit', index, index),
  all('get', one('#', weightPattern)),
  all('get', one('#', weightPattern)),
  one('asc', 'DESC'),
  'alpha',
  all('store', anyKey),
);
const sortable = one(key('list'), key('set'), key('zset'), anyKey);

export const SORT_GROUP: Group = {
  name: 'sort',
  kinds: ['list', 'set', 'zset', 'number'],
  templates: [
    often(4, command('sort', sortable, sortOptions)),
    often(2, command('sort', sortable, 'alpha', sortOptions)),
    often(2, command('sort_ro', sortable, 'alpha', sortOptions)),
    command('set', one('w_1', 'w_2', 'w_m1', 'number1', 'string7'), one(integer, member)),
    command('rpush', key('list'), times(1, 6, one(integer, member))),
    command('sadd', key('set'), times(1, 6, one(integer, member))),
    command('zadd', key('zset'), times(1, 5, index, one(integer, member))),
  ],
};

export const EXPIRY_GROUP: Group = {
  name: 'expiry',
  kinds: ['string'],
  templates: [
    often(2, command('expire', anyKey, relativeTime, condition)),
    command('expireat', anyKey, absoluteTime, condition),
    command('pexpire', anyKey, relativeTime, condition),
    often(2, command('pexpireat', anyKey, absoluteTime, condition)),
    command('expiretime', anyKey),
    command('pexpiretime', anyKey),
    often(2, command('persist', anyKey)),
    command('ttl', anyKey),
    command('pttl', anyKey),
    command('exists', anyKey),
    command('type', anyKey),
  ],
};

export const TRANSACTION_GROUP: Group = {
  name: 'transactions',
  kinds: ['string'],
  templates: [
    often(3, command('multi')),
    often(5, command('exec')),
    command('discard'),
    often(2, command('watch', times(1, 2, anyKey))),
    command('unwatch'),
  ],
};
