/** Streams and consumer groups. */
import {
  type Group,
  type Part,
  all,
  command,
  integer,
  key,
  maybe,
  member,
  often,
  one,
  options,
  streamId,
  times,
} from './template.ts';

const stream = key('stream');
const groupName: Part = (dice) => [dice.group()];
const consumer: Part = (dice) => [dice.consumer()];
const count: Part = (dice) => [dice.chance(0.85) ? `${dice.between(0, 8)}` : dice.integer()];
const idleTime = one('0', '0', '0', '3600000', '-1', 'x');
const trim = all(
  one('maxlen', 'MINID'),
  maybe(0.5, one('=', '~')),
  one(count, streamId),
  maybe(0.2, 'limit', one('0', '10', '1000', integer)),
);
/** A later id each time, so that most additions succeed. */
const nextId: Part = (dice) => [
  dice.chance(0.75) ? `${dice.between(1, 60)}-${dice.pick(['*', '1', '2', '0'])}` : dice.streamId(),
];
const fields = times(1, 4, member, member);
const manyFields: Part = (dice) =>
  Array.from({ length: dice.pick([10, 70, 130]) }, (_, i) => [`f${i}`, dice.member()]).flat();
const block = maybe(0.1, 'block', one('1', '10', '0', '-1', 'x'));
const rangeEnd = one('-', '+', streamId, streamId);
/** As many ids as keys, mostly. */
const streams = (id: Part): Part => {
  return (dice) => {
    const size = dice.between(1, 3);
    const keys = Array.from({ length: size }, () => dice.key('stream'));
    const ids = Array.from({ length: dice.chance(0.95) ? size : 1 }, () => id(dice)[0]!);
    return ['streams', ...keys, ...ids];
  };
};
const claimOptions = options(
  all('idle', one('0', '7200000')),
  all('time', one('0', '1')),
  all('retrycount', count),
  'force',
  'justid',
  all('lastid', streamId),
);
const createOptions = options('mkstream', all('entriesread', one('-1', '0', count, integer)));

const ADDING: Group['templates'] = [
  often(8, command('xadd', stream, maybe(0.15, 'nomkstream'), maybe(0.15, trim), nextId, fields)),
  command('xadd', stream, nextId, manyFields),
  often(0.5, command('xadd', stream, '*', fields)),
  often(2, command('xdel', stream, times(1, 4, streamId))),
  often(0.7, command('xtrim', stream, trim)),
  often(
    0.4,
    command(
      'xsetid',
      stream,
      streamId,
      options(all('entriesadded', integer), all('maxdeletedid', streamId)),
    ),
  ),
];

const READING: Group['templates'] = [
  command('xlen', stream),
  often(3, command('xrange', stream, rangeEnd, rangeEnd, maybe(0.4, 'count', count))),
  often(2, command('xrevrange', stream, rangeEnd, rangeEnd, maybe(0.4, 'count', count))),
  often(3, command('xread', maybe(0.4, 'count', count), block, streams(streamId))),
  command('xinfo', 'stream', stream, maybe(0.5, 'full', maybe(0.4, 'count', count))),
  command('xinfo', one('groups', 'help', 'nothing'), stream),
  command('xinfo', 'consumers', stream, groupName),
];

const GROUPS: Group['templates'] = [
  often(3, command('xgroup', 'create', stream, groupName, one('0', '$', streamId), createOptions)),
  command('xgroup', 'createconsumer', stream, groupName, consumer),
  often(0.5, command('xgroup', 'delconsumer', stream, groupName, consumer)),
  often(0.4, command('xgroup', 'destroy', stream, groupName)),
  command(
    'xgroup',
    'setid',
    stream,
    groupName,
    one('0', '$', streamId),
    maybe(0.3, 'entriesread', integer),
  ),
  command('xgroup', one('help', 'nothing'), maybe(0.5, stream)),
  often(
    5,
    command(
      'xreadgroup',
      'group',
      groupName,
      consumer,
      options(all('count', count), block, 'noack'),
      streams(one('>', '>', '>', '0', streamId)),
    ),
  ),
  often(3, command('xack', stream, groupName, times(1, 4, streamId))),
  often(
    2,
    command('xclaim', stream, groupName, consumer, idleTime, times(1, 3, streamId), claimOptions),
  ),
  often(
    2,
    command(
      'xautoclaim',
      stream,
      groupName,
      consumer,
      idleTime,
      one('0', '0-0', streamId),
      options(all('count', count), 'justid'),
    ),
  ),
  often(2, command('xpending', stream, groupName)),
  often(
    2,
    command(
      'xpending',
      stream,
      groupName,
      maybe(0.2, 'idle', idleTime),
      rangeEnd,
      rangeEnd,
      count,
      maybe(0.4, consumer),
    ),
  ),
];

export const STREAM_GROUP: Group = {
  name: 'stream',
  kinds: ['stream'],
  templates: [...ADDING, ...READING, ...GROUPS],
};
