/** Values at which servers go wrong: the ends of integers and floats, the limits of encodings, odd bytes. */

export const EDGE_INTEGERS: readonly string[] = [
  ...['0', '-1', '1', '-0', '+1', '01', ' 1', '1 ', '', '1.0', '1e3', '0x10', 'abc', '--1', '-'],
  ...['12', '13', '-12', '127', '128', '-128', '-129', '255', '256', '4095', '4096', '-4097'],
  ...['32767', '32768', '-32768', '-32769', '65535', '65536', '8388607', '8388608', '-8388609'],
  ...['2147483647', '2147483648', '-2147483648', '-2147483649', '4294967295', '4294967296'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993'],
  ...['9223372036854775806', '9223372036854775807', '9223372036854775808'],
  ...['-9223372036854775807', '-9223372036854775808', '-9223372036854775809'],
  ...['18446744073709551615', '18446744073709551616', '99999999999999999999999'],
];

export const EDGE_FLOATS: readonly string[] = [
  ...['0', '-0', '0.0', '-0.0', '1', '-1', '1.5', '-1.5', '0.1', '0.2', '0.3', '3.0', '3.', '.5'],
  ...['inf', '+inf', '-inf', 'Infinity', '-INFINITY', 'nan', '-nan', 'NaN', '1e5', '1E5', '1e+5'],
  ...['1e17', '1e18', '1e19', '1e20', '1e21', '1e22', '1e-5', '1e-7', '123456789012345680000'],
  ...['1e308', '1.7976931348623157e308', '-1.7976931348623157e308', '1e309', '-1e309', '5e-324'],
  ...['2.2250738585072014e-308', '1e-400', '9007199254740991', '9007199254740992'],
  ...['9007199254740993', '4503599627370495.5', '9223372036854775807', '-9223372036854775808'],
  ...['9223372036854775808', '18446744073709551615', '0.1234567890123456789', '3.14159265358979'],
  ...['17179869184', '-17179869184.5', '100', '99.99', '0x10', '0x1p3', '1_0', '1,5', '', ' 1'],
  ...['1 ', 'abc', '1e', 'e1', '(1', '+1', '++1', '0.30000000000000004', '1e-10', '12345678.9'],
];

const text = (size: number, byte: string = 'x'): string => byte.repeat(size);

/** Sizes around the limits: embedded strings, listpack values, 12-bit lengths, list nodes. */
const EDGE_SIZES: readonly number[] = [
  ...[2, 7, 20, 21, 43, 44, 45, 62, 63, 64, 65, 66, 127, 128, 129, 253, 254, 255, 256, 257],
  ...[511, 512, 513, 1023, 1024, 4094, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 16383, 16384],
];

export const SHORT_TEXTS: readonly string[] = [
  ...['', 'a', 'b', 'c', 'A', 'foo', 'bar', 'hello world', 'Hello', 'value', '*', '?', '[a-c]'],
  ...['\x00', '\x00\x00', '\xff', '\xfe\xff', '\r\n', '\n', '"', "'", '\\', '\x7f', '\xc3\xa9'],
  ...['ab\x00cd', '{a}b', 'a b', '1e5', '-', '+', '(a', '[a', '$', '>', '=', '~', '#', '@', '0-0'],
  ...['nx', 'EX', 'LIMIT', 'STORE', 'withscores', 'COUNT', 'streams', 'aa', 'ab', 'abc', 'abd'],
];

export const LONG_TEXTS: readonly string[] = EDGE_SIZES.flatMap((size) => [
  text(size),
  text(size, '\x00'),
]);

/** Names of options of all commands: what a mutation puts in. */
export const WORDS: readonly string[] = [
  ...[
    'nx',
    'xx',
    'gt',
    'lt',
    'ch',
    'incr',
    'get',
    'ex',
    'px',
    'exat',
    'pxat',
    'keepttl',
    'persist',
  ],
  ...['limit', 'count', 'match', 'type', 'withscores', 'withvalues', 'weights', 'aggregate', 'rev'],
  ...[
    'byscore',
    'bylex',
    'left',
    'right',
    'before',
    'after',
    'rank',
    'maxlen',
    'minid',
    'nomkstream',
  ],
  ...[
    'block',
    'noack',
    'group',
    'streams',
    'idle',
    'retrycount',
    'force',
    'justid',
    'lastid',
    'full',
  ],
  ...[
    'by',
    'asc',
    'desc',
    'alpha',
    'store',
    'storedist',
    'any',
    'withcoord',
    'withdist',
    'withhash',
  ],
  ...[
    'fromlonlat',
    'frommember',
    'byradius',
    'bybox',
    'm',
    'km',
    'replace',
    'db',
    'absttl',
    'freq',
  ],
  ...[
    'sum',
    'min',
    'max',
    'and',
    'or',
    'xor',
    'not',
    'overflow',
    'wrap',
    'sat',
    'fail',
    'set',
    'incrby',
  ],
  ...[
    'u8',
    'i16',
    'i64',
    'u63',
    'u64',
    '#1',
    'byte',
    'bit',
    'len',
    'idx',
    'minmatchlen',
    'withmatchlen',
  ],
  ...['sync', 'async', '$', '*', '-', '+', '>', '~', '=', '(', '[', 'mkstream', 'entriesread'],
];
