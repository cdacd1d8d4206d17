/** Hashes. */
import {
  type Group,
  type Part,
  all,
  command,
  crowd,
  float,
  integer,
  key,
  maybe,
  member,
  often,
  one,
  options,
  times,
} from './template.ts';

const hash = key('hash');
const number = one(integer, float);
const value: Part = (source) => [source.chance(0.3) ? source.freshText() : source.member()];
export const randomCount: Part = (source) => [
  source.chance(0.9) ? String(source.between(-30, 30)) : source.integer(),
];
export const scanOptions: Part = options(
  all('count', one('1000', '1000', '1000', '5', integer)),
  all('count', '1000'),
  all('match', one('*', 'm*', '?', '[0-9]*', '', member)),
);
export const cursor: Part = one('0', '0', '0', '0', '0', integer);

export const HASH_GROUP: Group = {
  name: 'hash',
  kinds: ['hash'],
  templates: [
    often(2, command('hdel', hash, times(1, 4, member))),
    command('hexists', hash, member),
    often(2, command('hget', hash, member)),
    often(2, command('hgetall', hash)),
    often(2, command('hincrby', hash, member, integer)),
    often(2, command('hincrbyfloat', hash, member, float)),
    command('hkeys', hash),
    command('hlen', hash),
    command('hmget', hash, times(1, 4, member)),
    command('hmset', hash, times(1, 4, member, value)),
    command('hrandfield', hash, maybe(0.7, randomCount, maybe(0.4, 'withvalues'))),
    command('hscan', hash, cursor, scanOptions),
    often(5, command('hset', hash, times(1, 6, member, value))),
    often(2, command('hset', hash, member, number)),
    command(
      'hset',
      hash,
      crowd((name, source) => [name, source.member()]),
    ),
    command(
      'hdel',
      hash,
      crowd((name) => [name]),
    ),
    command('hsetnx', hash, member, value),
    command('hstrlen', hash, member),
    command('hvals', hash),
  ],
};
