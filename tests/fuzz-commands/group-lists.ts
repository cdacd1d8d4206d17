/** Lists. What blocks gets a time so short that nobody waits, or finds something. */
import {
  type Group,
  type Part,
  all,
  command,
  counted,
  crowd,
  index,
  integer,
  key,
  maybe,
  member,
  often,
  one,
  options,
  times,
} from './template.ts';

const list = key('list');
const end = one('left', 'RIGHT', 'left', 'right', 'middle');
const count: Part = (source) => [source.chance(0.8) ? `${source.between(0, 5)}` : source.integer()];
/** Seconds; 0 only where nothing blocks, which the hazards see to. */
export const timeout: Part = one('0.01', '0.001', '0', '-1', 'x', '0.001', '1e-3', '0.01', 'nan');

export const LIST_GROUP: Group = {
  name: 'list',
  kinds: ['list'],
  templates: [
    often(0.3, command('blmove', list, list, end, end, timeout)),
    often(0.3, command('blmpop', timeout, counted('list'), end, maybe(0.4, 'count', count))),
    often(0.3, command('blpop', times(1, 3, list), timeout)),
    often(0.3, command('brpop', times(1, 3, list), timeout)),
    often(0.2, command('brpoplpush', list, list, timeout)),
    often(2, command('lindex', list, index)),
    often(2, command('linsert', list, one('before', 'AFTER', 'x'), member, member)),
    command('llen', list),
    often(2, command('lmove', list, list, end, end)),
    command('lmpop', counted('list'), end, maybe(0.4, 'count', count)),
    often(2, command('lpop', list, maybe(0.4, count))),
    often(
      2,
      command(
        'lpos',
        list,
        member,
        options(all('rank', index), all('count', count), all('maxlen', count)),
      ),
    ),
    often(3, command('lpush', list, times(1, 8, member))),
    command('lpushx', list, times(1, 3, member)),
    often(4, command('lrange', list, index, index)),
    command('lrange', list, '0', '-1'),
    often(2, command('lrem', list, index, member)),
    often(2, command('lset', list, index, member)),
    often(0.5, command('ltrim', list, index, index)),
    often(2, command('rpop', list, maybe(0.4, count))),
    command('rpoplpush', list, list),
    often(3, command('rpush', list, times(1, 8, member))),
    command(
      'rpush',
      list,
      crowd((name) => [name]),
    ),
    command('rpushx', list, times(1, 3, member)),
    often(0.5, command('ltrim', list, integer, integer)),
  ],
};
