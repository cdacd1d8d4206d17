/** Strings, bitmaps and HyperLogLogs. */
import {
  type Group,
  type Part,
  absoluteTime,
  all,
  command,
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
  relativeTime,
  times,
} from './template.ts';

const text = key('string');
const number = key('number');
const value: Part = (source) => [source.chance(0.3) ? source.freshText() : source.member()];
/** Mostly small; seldom at the size that proto-max-bulk-len allows. */
const offset: Part = (source) => [
  source.chance(0.93)
    ? String(source.between(-1, source.pick([12, 70, 600])))
    : source.pick(['1048575', '1048576', '1048577', '1040000', '536870911', '4294967296', 'x']),
];
const anyTime = options(
  all('ex', relativeTime),
  all('PX', relativeTime),
  all('exat', absoluteTime),
  all('pxat', absoluteTime),
);

export const STRING_GROUP: Group = {
  name: 'string',
  kinds: ['string', 'number'],
  templates: [
    command('append', text, value),
    command('append', number, integer),
    command('decr', number),
    command('decrby', number, integer),
    often(2, command('get', one(text, number))),
    command('getdel', text),
    command('getex', text, one(maybe(0.3, 'persist'), anyTime)),
    command('getrange', text, index, index),
    command('getset', text, value),
    command('incr', number),
    command('incrby', number, integer),
    often(2, command('incrbyfloat', number, float)),
    command(
      'lcs',
      text,
      text,
      options('len', 'idx', 'idx', 'withmatchlen', all('minmatchlen', integer)),
    ),
    command('mget', times(1, 5, one(text, number))),
    command('mset', times(1, 4, text, value)),
    command('msetnx', times(1, 3, text, value)),
    command('psetex', text, relativeTime, value),
    often(3, command('set', text, value)),
    often(3, command('set', number, one(integer, float))),
    often(
      2,
      command(
        'set',
        text,
        value,
        options('nx', 'XX', 'get', 'keepttl', all('ex', relativeTime), all('pxat', absoluteTime)),
      ),
    ),
    command('set', text, value, anyTime),
    command('setex', text, relativeTime, value),
    command('setnx', text, value),
    often(2, command('setrange', text, offset, value)),
    command('strlen', one(text, number)),
    command('substr', text, index, index),
  ],
};

const bits = key('bitmap');
const bitOffset: Part = (source) => [
  source.chance(0.93)
    ? String(source.between(-1, source.pick([16, 100, 5000])))
    : source.pick(['8388607', '8388608', '4294967295', '4294967296', '1e3', '']),
];
const fieldType: Part = (source) => [
  source.chance(0.9)
    ? `${source.pick(['u', 'i'])}${source.pick([1, 2, 3, 7, 8, 9, 16, 31, 32, 33, 62, 63])}`
    : source.pick(['i64', 'u64', 'i65', 'u0', 'i0', 'u', 'x8', 'u-1', 'U8', 'i064', 'u8 ']),
];
const fieldOffset: Part = (source) => [
  source.chance(0.4) ? `#${source.between(-1, 40)}` : bitOffset(source)[0]!,
];
const overflow = maybe(0.4, 'overflow', one('wrap', 'SAT', 'fail', 'none'));
const byteOrBit = maybe(0.5, one('byte', 'BIT', 'bits'));

export const BITMAP_GROUP: Group = {
  name: 'bitmap',
  kinds: ['bitmap'],
  templates: [
    command('bitcount', bits, maybe(0.7, index, maybe(0.9, index, byteOrBit))),
    often(
      3,
      command(
        'bitfield',
        bits,
        times(
          0,
          4,
          one(
            all('get', fieldType, fieldOffset),
            all(overflow, 'set', fieldType, fieldOffset, integer),
            all(overflow, 'incrby', fieldType, fieldOffset, integer),
          ),
        ),
      ),
    ),
    command('bitfield_ro', bits, times(0, 3, one('get', 'get', 'set'), fieldType, fieldOffset)),
    often(2, command('bitop', one('and', 'OR', 'xor', 'nand'), bits, times(1, 4, bits))),
    command('bitop', 'not', bits, bits, maybe(0.1, bits)),
    often(
      2,
      command(
        'bitpos',
        bits,
        one('0', '1', '2', index),
        maybe(0.7, index, maybe(0.7, index, byteOrBit)),
      ),
    ),
    command('getbit', bits, bitOffset),
    often(2, command('setbit', bits, bitOffset, one('0', '1', '1', '2', integer))),
    command('set', bits, value),
    command('setrange', bits, offset, value),
    command('get', bits),
  ],
};

const log = key('hll');

export const HYPERLOGLOG_GROUP: Group = {
  name: 'hyperloglog',
  kinds: ['hll'],
  templates: [
    often(4, command('pfadd', log, times(0, 12, member))),
    often(
      2,
      command(
        'pfadd',
        log,
        crowd((name) => [name]),
      ),
    ),
    often(3, command('pfcount', times(1, 3, log))),
    often(2, command('pfmerge', log, times(0, 3, log))),
    command('pfdebug', one('encoding', 'todense', 'decode', 'nothing'), log),
    command('set', log, one('HYLL', 'HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80', value)),
    command('setrange', log, one('0', '3', '4', '5', '15', '16', offset), member),
    command('append', log, member),
    command('strlen', log),
    command('get', log),
  ],
};
