/** Sorted sets. */
import { cursor, randomCount, scanOptions } from './group-hashes.ts';
import { timeout } from './group-lists.ts';
import {
  type Group,
  type Part,
  all,
  command,
  counted,
  crowd,
  float,
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

const zset = key('zset');
const source = one(key('zset'), key('zset'), key('zset'), key('set'));
const scoreEnd: Part = (dice) => [
  dice.chance(0.2)
    ? dice.pick(['-inf', '+inf', 'inf', '(inf', '(-inf', '(', '[1', '(nan'])
    : `${dice.pick(['', '', '('])}${dice.float()}`,
];
const lexEnd: Part = (dice) => [
  dice.chance(0.3)
    ? dice.pick(['-', '+', '(', '[', '', 'a', '(-', '+1'])
    : dice.pick(['[', '(', '']) + dice.member(),
];
const limit = maybe(0.3, 'limit', index, index);
const withScores = maybe(0.5, one('withscores', 'WITHSCORES', 'withscore'));
const rangeEnd = one(index, index, scoreEnd, lexEnd);
const rangeOptions = options('byscore', 'BYLEX', 'rev', all('limit', index, index), 'withscores');
const storeRangeOptions = options('byscore', 'bylex', 'rev', all('limit', index, index));
const addOptions = options('nx', 'XX', 'gt', 'lt', 'CH', 'incr');
const combination: Part = (dice) => {
  const count = dice.between(1, 4);
  const keys = Array.from({ length: count }, () => source(dice)[0]!);
  const told = dice.chance(0.95) ? String(count) : dice.integer();
  const weights = (): string[] => [
    'weights',
    ...Array.from({ length: dice.chance(0.95) ? count : 1 }, () => dice.float()),
  ];
  const aggregate = (): string[] => ['aggregate', dice.pick(['sum', 'MIN', 'max', 'avg'])];
  return [told, ...keys, ...options(weights, aggregate)(dice)];
};
const difference: Part = (dice) => {
  const count = dice.between(1, 4);
  const told = dice.chance(0.95) ? String(count) : dice.integer();
  return [told, ...Array.from({ length: count }, () => source(dice)[0]!)];
};
const extreme = one('min', 'MAX', 'min', 'max', 'mid');
const popCount = one('0', '1', '2', '7', integer);
const crowdWithScores = crowd((name, dice) => [dice.chance(0.5) ? name : dice.float(), name]);

export const SORTED_SET_GROUP: Group = {
  name: 'sorted-set',
  kinds: ['zset', 'set'],
  templates: [
    often(0.3, command('bzmpop', timeout, counted('zset'), extreme, maybe(0.4, 'count', popCount))),
    often(0.3, command('bzpopmax', times(1, 3, zset), timeout)),
    often(0.3, command('bzpopmin', times(1, 3, zset), timeout)),
    often(6, command('zadd', zset, times(1, 8, float, member))),
    often(3, command('zadd', zset, addOptions, times(1, 4, float, member))),
    command('zadd', zset, times(1, 8, '0', member)),
    command('zadd', zset, crowdWithScores),
    command('sadd', key('set'), times(1, 6, member)),
    command('zcard', zset),
    command('zcount', zset, scoreEnd, scoreEnd),
    command('zdiff', difference, withScores),
    command('zdiffstore', zset, difference),
    often(2, command('zincrby', zset, float, member)),
    command('zinter', combination, withScores),
    command('zintercard', counted('zset'), maybe(0.5, 'limit', integer)),
    command('zinterstore', zset, combination),
    command('zlexcount', zset, lexEnd, lexEnd),
    command('zmpop', counted('zset'), extreme, maybe(0.4, 'count', popCount)),
    command('zmscore', zset, times(1, 4, member)),
    command('zpopmax', zset, maybe(0.4, popCount)),
    command('zpopmin', zset, maybe(0.4, popCount)),
    command('zrandmember', zset, maybe(0.7, randomCount, maybe(0.4, 'withscores'))),
    often(3, command('zrange', zset, rangeEnd, rangeEnd, rangeOptions)),
    often(2, command('zrange', zset, '0', '-1', 'withscores')),
    command('zrange', zset, scoreEnd, scoreEnd, 'byscore', rangeOptions),
    command('zrange', zset, lexEnd, lexEnd, 'bylex', maybe(0.3, 'rev'), limit),
    command('zrangebylex', zset, lexEnd, lexEnd, limit),
    often(2, command('zrangebyscore', zset, scoreEnd, scoreEnd, withScores, limit)),
    often(2, command('zrangestore', zset, zset, rangeEnd, rangeEnd, storeRangeOptions)),
    command('zrank', zset, member),
    often(2, command('zrem', zset, times(1, 4, member))),
    command(
      'zrem',
      zset,
      crowd((name) => [name]),
    ),
    command('zremrangebylex', zset, lexEnd, lexEnd),
    often(0.5, command('zremrangebyrank', zset, index, index)),
    often(0.5, command('zremrangebyscore', zset, scoreEnd, scoreEnd)),
    command('zrevrange', zset, index, index, withScores),
    command('zrevrangebylex', zset, lexEnd, lexEnd, limit),
    command('zrevrangebyscore', zset, scoreEnd, scoreEnd, limit, withScores),
    command('zrevrank', zset, member),
    command('zscan', zset, cursor, scanOptions),
    often(2, command('zscore', zset, member)),
    command('zunion', combination, withScores),
    often(2, command('zunionstore', zset, combination)),
  ],
};

const place = key('geo');
const longitude: Part = (dice) => [
  dice.chance(0.9)
    ? String(dice.between(-1_800_000, 1_800_000) / 10_000)
    : dice.pick(['180', '-180', '180.1', '0', '1e3', 'nan', 'inf', 'x', '']),
];
const latitude: Part = (dice) => [
  dice.chance(0.9)
    ? String(dice.between(-850_000, 850_000) / 10_000)
    : dice.pick(['85.05112878', '-85.05112878', '85.06', '90', '0', 'nan', 'x', '']),
];
/** A score within the range of hashes that GEOADD would not give. */
const fractionOfHash: Part = (dice) => [`${dice.between(0, 2 ** 42) * 1024}.${dice.between(1, 9)}`];
const unit = one('m', 'km', 'FT', 'mi', 'km', 'parsec');
const radius = one('0', '1', '100', '500', '5000', '20000', '1e7', '-1', 'x', float);
const order = maybe(0.5, one('asc', 'DESC'));
const geoShow = options(
  'withcoord',
  'withdist',
  'WITHHASH',
  all('count', index, maybe(0.3, 'any')),
);
const geoStore = options(all('store', place), all('storedist', place), all('count', index));
const centre = one(all('frommember', member), all('fromlonlat', longitude, latitude));
const shape = one(all('byradius', radius, unit), all('bybox', radius, radius, unit));
const geoAdd = crowd((name, dice) => [longitude(dice)[0]!, latitude(dice)[0]!, name]);

export const GEO_GROUP: Group = {
  name: 'geo',
  kinds: ['geo', 'zset'],
  templates: [
    often(
      6,
      command('geoadd', place, maybe(0.4, addOptions), times(1, 6, longitude, latitude, member)),
    ),
    command('geoadd', place, geoAdd),
    often(2, command('geodist', place, member, member, maybe(0.6, unit))),
    command('geohash', place, times(0, 4, member)),
    command('geopos', place, times(0, 4, member)),
    often(2, command('georadius', place, longitude, latitude, radius, unit, geoShow, order)),
    command('georadius', place, longitude, latitude, radius, unit, geoStore),
    command('georadius_ro', place, longitude, latitude, radius, unit, geoShow, order),
    command('georadiusbymember', place, member, radius, unit, geoShow, order),
    command('georadiusbymember', place, member, radius, unit, geoStore),
    command('georadiusbymember_ro', place, member, radius, unit, geoShow, order),
    often(4, command('geosearch', place, centre, shape, order, geoShow)),
    often(
      2,
      command(
        'geosearchstore',
        place,
        place,
        centre,
        shape,
        options('storedist', order, all('count', index)),
      ),
    ),
    command('zrem', place, member),
    command('zadd', place, float, member),
    command('zadd', place, fractionOfHash, member),
    command('zrange', place, '0', '-1', 'withscores'),
  ],
};
