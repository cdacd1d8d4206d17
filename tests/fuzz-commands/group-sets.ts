/** Sets. */
import { cursor, randomCount, scanOptions } from './group-hashes.ts';
import {
  type Group,
  command,
  counted,
  crowd,
  integer,
  key,
  maybe,
  member,
  often,
  one,
  times,
} from './template.ts';

const set = key('set');
const item = one(integer, member, member);

export const SET_GROUP: Group = {
  name: 'set',
  kinds: ['set'],
  templates: [
    often(5, command('sadd', set, times(1, 8, item))),
    often(
      2,
      command(
        'sadd',
        set,
        crowd((name) => [name]),
      ),
    ),
    command('scard', set),
    command('sdiff', times(1, 4, set)),
    often(2, command('sdiffstore', set, times(1, 4, set))),
    command('sinter', times(1, 3, set)),
    command('sintercard', counted('set'), maybe(0.5, 'limit', integer)),
    often(2, command('sinterstore', set, times(1, 3, set))),
    command('sismember', set, item),
    often(2, command('smembers', set)),
    command('smismember', set, times(1, 4, item)),
    often(2, command('smove', set, set, item)),
    command('spop', set, maybe(0.6, one('0', '1', '3', '100', '1000', integer))),
    command('srandmember', set, maybe(0.7, randomCount)),
    often(3, command('srem', set, times(1, 5, item))),
    command(
      'srem',
      set,
      crowd((name) => [name]),
    ),
    command('sscan', set, cursor, scanOptions),
    command('sunion', times(1, 4, set)),
    often(2, command('sunionstore', set, times(1, 4, set))),
  ],
};
