/** The sorted set commands; replies as redis-server 7.0.15 gives them. */
import { expect, test } from 'vitest';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { setCommands } from './set.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';
import { zsetCommands } from './zset.ts';

const create = (): TestServer =>
  new TestServer([...zsetCommands, ...setCommands, ...stringCommands]);

/** Too long for a listpack. */
const LONG_MEMBER = 'x'.repeat(65);

/** A reply in short: strings and numbers as they are, arrays in brackets, nil as `-`. */
function short(reply: string): string {
  let at = 0;
  const line = (): string => {
    const end = reply.indexOf('\r\n', at);
    const text = reply.slice(at, end);
    at = end + 2;
    return text;
  };
  const value = (): string => {
    const head = line();
    const rest = head.slice(1);
    if (head[0] === '*' && rest !== '-1') {
      return `[${Array.from({ length: Number(rest) }, value).join(' ')}]`;
    }
    if (rest === '-1' || head[0] === '_') return '-';
    if (head[0] !== '$') return head[0] === ':' ? rest : head;
    const text = reply.slice(at, at + Number(rest));
    at += Number(rest) + 2;
    return text;
  };
  return value();
}

/** A server and how to ask it in one line. */
function asking(server: TestServer): (line: string) => string {
  return (line) => short(server.run(...line.split(' ')));
}

test('ZADD counts what it added, or with CH what it changed', () => {
  const ask = asking(create());
  expect(ask('ZADD z 1 a 2 b 1 a')).toBe('2');
  expect(ask('ZADD z 3 a 4 c')).toBe('1');
  expect(ask('ZADD z CH 3 a 5 c 6 d')).toBe('2');
  expect(ask('ZADD z NX 9 a 9 e')).toBe('1');
  expect(ask('ZADD z XX CH 7 a 7 f')).toBe('1');
  expect(ask('ZADD none XX 1 a')).toBe('0');
  expect(ask('ZADD z GT CH 6 a 8 b')).toBe('1');
  expect(ask('ZADD z LT CH 6 a 9 b')).toBe('1');
  expect(ask('ZRANGE z 0 -1 WITHSCORES')).toBe('[c 5 a 6 d 6 b 8 e 9]');
  expect(ask('ZCARD none')).toBe('0');
});

test('ZADD INCR and ZINCRBY answer the new score, or nil when the options forbid it', () => {
  const ask = asking(create());
  expect(ask('ZADD z INCR 1.5 a')).toBe('1.5');
  expect(ask('ZADD z XX INCR 1 b')).toBe('-');
  expect(ask('ZADD z NX INCR 1 a')).toBe('-');
  expect(ask('ZADD z GT INCR -1 a')).toBe('-');
  expect(ask('ZINCRBY z 0.1 a')).toBe('1.6000000000000001');
  expect(ask('ZINCRBY z -inf a')).toBe('-inf');
  expect(ask('ZINCRBY z inf a')).toBe('-ERR resulting score is not a number (NaN)');
  expect(ask('ZSCORE z a')).toBe('-inf');
});

test.each([
  ['ZADD z 1', 'wrong number of arguments for \'zadd\' command'],
  ['ZADD z NX 1 a 2', 'syntax error'],
  ['ZADD z NX XX 1 a', 'XX and NX options at the same time are not compatible'],
  ['ZADD z GT LT 1 a', 'GT, LT, and/or NX options at the same time are not compatible'],
  ['ZADD z NX GT 1 a', 'GT, LT, and/or NX options at the same time are not compatible'],
  ['ZADD z INCR 1 a 2 b', 'INCR option supports a single increment-element pair'],
  ['ZADD z 1 a nan b', 'value is not a valid float'],
  ['ZCOUNT z a 1', 'min or max is not a float'],
  ['ZLEXCOUNT z a +', 'min or max not valid string range item'],
  ['ZRANGE z 0 1 LIMIT 0 1', 'syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX'],
  ['ZRANGE z - + BYLEX WITHSCORES', 'syntax error, WITHSCORES not supported in combination with BYLEX'],
  ['ZRANGE z a b', 'value is not an integer or out of range'],
  ['ZREVRANGE z 0 1 REV', 'syntax error'],
  ['ZPOPMIN z -1', 'value is out of range, must be positive'],
  ['ZMPOP 0 z MIN', 'numkeys should be greater than 0'],
  ['ZMPOP 1 z FOO', 'syntax error'],
  ['ZMPOP 1 z MIN COUNT 0', 'count should be greater than 0'],
  ['ZUNION 0 z', "at least 1 input key is needed for 'zunion' command"],
  ['ZUNION 3 z', 'syntax error'],
  ['ZUNION 1 z WEIGHTS a', 'weight value is not a float'],
  ['ZUNION 1 z AGGREGATE avg', 'syntax error'],
  ['ZDIFF 1 z WEIGHTS 1', 'syntax error'],
  ['ZINTERCARD 1 z LIMIT -1', "LIMIT can't be negative"],
  ['ZRANDMEMBER z 1 FOO', 'syntax error'],
  ['ZRANDMEMBER z 9223372036854775807 WITHSCORES', 'value is out of range'],
  ['BZPOPMIN z a', 'timeout is not a float or out of range'],
  ['ZSCAN z a', 'invalid cursor'],
])('%s is refused: %s', (line, text) => {
  expect(asking(create())(line)).toBe(`-ERR ${text}`);
}); // prettier-ignore

test('commands refuse keys of other types', () => {
  const ask = asking(create());
  ask('SET s x');
  const reason = '-WRONGTYPE Operation against a key holding the wrong kind of value';
  for (const line of [
    'ZADD s 1 a', 'ZREM s a', 'ZCARD s', 'ZSCORE s a', 'ZMSCORE s a', 'ZRANK s a', 'ZRANGE s 0 1',
    'ZRANGESTORE t s 0 1', 'ZCOUNT s 0 1', 'ZPOPMIN s', 'ZMPOP 1 s MIN', 'BZPOPMIN s 0',
    'ZUNION 1 s', 'ZREMRANGEBYRANK s 0 1', 'ZRANDMEMBER s', 'ZSCAN s 0',
  ]) expect(ask(line)).toBe(reason); // prettier-ignore
});

test.each(['small', 'large'])('ranges by rank, score and bytes of a %s set', (kind) => {
  const ask = asking(create());
  if (kind === 'large') for (const key of ['z', 'l']) ask(`ZADD ${key} 0 ${LONG_MEMBER}`);
  ask('ZADD z 1 a 2 b 3 c 4 d 5 e');
  ask('ZADD l 0 a 0 b 0 c 0 d');
  // A set that was large once stays so.
  for (const key of ['z', 'l']) ask(`ZREM ${key} ${LONG_MEMBER}`);
  expect(ask('ZRANGE z 1 -2')).toBe('[b c d]');
  expect(ask('ZRANGE z 3 1')).toBe('[]');
  expect(ask('ZREVRANGE z 0 1 WITHSCORES')).toBe('[e 5 d 4]');
  expect(ask('ZRANGEBYSCORE z (1 3')).toBe('[b c]');
  expect(ask('ZRANGEBYSCORE z -inf +inf LIMIT 1 2')).toBe('[b c]');
  expect(ask('ZREVRANGEBYSCORE z 4 (1 LIMIT 1 -1')).toBe('[c b]');
  expect(ask('ZRANGE z (5 1 BYSCORE REV LIMIT 0 2 WITHSCORES')).toBe('[d 4 c 3]');
  expect(ask('ZCOUNT z (1 (5')).toBe('3');
  expect(ask('ZRANK z c')).toBe('2');
  expect(ask('ZREVRANK z a')).toBe('4');
  expect(ask('ZRANK z x')).toBe('-');
  expect(ask('ZMSCORE z a x e')).toBe('[1 - 5]');
  expect(ask('ZRANGEBYLEX l (a [c')).toBe('[b c]');
  expect(ask('ZREVRANGEBYLEX l + (a LIMIT 1 1')).toBe('[c]');
  expect(ask('ZLEXCOUNT l - (d')).toBe('3');
  expect(ask('ZRANGESTORE t z 1 2')).toBe('2');
  expect(ask('ZRANGE t 0 -1 WITHSCORES')).toBe('[b 2 c 3]');
  expect(ask('ZREMRANGEBYSCORE z 2 3')).toBe('2');
  expect(ask('ZREMRANGEBYRANK z 0 0')).toBe('1');
  expect(ask('ZREMRANGEBYLEX l [b [c')).toBe('2');
  expect(ask('ZRANGE l 0 -1')).toBe('[a d]');
  expect(ask('ZREM z d e x')).toBe('2');
  expect(ask('ZCARD z')).toBe('0');
});

test('RESP3 has scores as doubles, nested with their members', () => {
  const server = create();
  const { reply } = server.session;
  reply.resp = 3;
  server.run('ZADD', 'z', '1', 'a', '2.5', 'b');
  expect(server.run('ZSCORE', 'z', 'b')).toBe(',2.5\r\n');
  expect(server.run('ZRANGE', 'z', '0', '0', 'WITHSCORES')).toBe('*1\r\n*2\r\n$1\r\na\r\n,1\r\n');
  expect(server.run('ZPOPMAX', 'z', '1')).toBe('*1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n');
  expect(server.run('ZPOPMIN', 'z')).toBe('*2\r\n$1\r\na\r\n,1\r\n');
  expect(server.run('ZSCORE', 'z', 'b')).toBe('_\r\n');
});

test('pops answer members from their end and go to replicas as what they did', () => {
  const server = create();
  const ask = asking(server);
  ask('ZADD z 1 a 2 b 3 c 4 d');
  server.propagated.length = 0;
  expect(ask('ZPOPMIN z')).toBe('[a 1]');
  expect(ask('ZPOPMAX z 0')).toBe('[]');
  expect(ask('ZPOPMAX none 2')).toBe('[]');
  expect(ask('ZMPOP 2 none z MAX COUNT 2')).toBe('[z [[d 4] [c 3]]]');
  expect(ask('BZPOPMIN none z 0')).toBe('[z b 2]');
  expect(ask('ZMPOP 1 z MIN')).toBe('-');
  expect(server.propagated).toEqual(['ZPOPMIN z', 'ZPOPMAX z 2', 'ZPOPMIN z']);
});

test('unions, intersections and differences, of sets too', () => {
  const ask = asking(create());
  ask('ZADD x 1 a 2 b 3 c');
  ask('ZADD y 10 b 20 c 30 d');
  ask('SADD s a d');
  expect(ask('ZUNION 2 x y WITHSCORES')).toBe('[a 1 b 12 c 23 d 30]');
  expect(ask('ZUNION 2 x y WEIGHTS 2 1 AGGREGATE MAX WITHSCORES')).toBe('[a 2 b 10 c 20 d 30]');
  expect(ask('ZINTER 2 x y AGGREGATE MIN WITHSCORES')).toBe('[b 2 c 3]');
  expect(ask('ZINTER 2 x x WITHSCORES')).toBe('[a 2 b 4 c 6]');
  expect(ask('ZDIFF 2 x y WITHSCORES')).toBe('[a 1]');
  expect(ask('ZUNIONSTORE t 2 s y')).toBe('4');
  expect(ask('ZRANGE t 0 -1 WITHSCORES')).toBe('[a 1 b 10 c 20 d 31]');
  expect(ask('ZINTERSTORE x 2 x s')).toBe('1');
  expect(ask('ZRANGE x 0 -1 WITHSCORES')).toBe('[a 2]');
  expect(ask('ZDIFFSTORE t 2 s s')).toBe('0');
  expect(ask('ZCARD t')).toBe('0');
  expect(ask('ZINTERCARD 2 s y')).toBe('1');
  expect(ask('ZUNION 1 none')).toBe('[]');
  ask('ZADD x inf a -inf b');
  expect(ask('ZUNION 2 x x WEIGHTS 1 -1 WITHSCORES')).toBe('[a 0 b 0]');
});

test('members drawn by lot', () => {
  const ask = asking(create());
  expect(ask('ZRANDMEMBER z')).toBe('-');
  expect(ask('ZRANDMEMBER z 3')).toBe('[]');
  ask('ZADD z 1 a 2 b 3 c');
  expect(ask('ZRANDMEMBER z 5 WITHSCORES')).toBe('[a 1 b 2 c 3]');
  expect(ask('ZRANDMEMBER z -7').split(' ').length).toBe(7);
  expect(new Set(Array.from({ length: 100 }, () => ask('ZRANDMEMBER z')))).toEqual(
    new Set(['a', 'b', 'c']),
  );
  const pairs = new Set(Array.from({ length: 200 }, () => ask('ZRANDMEMBER z 2')));
  for (const pair of pairs) expect(pair).toMatch(/^\[(a b|a c|b c)\]$/);
  expect(pairs.size).toBe(3);
});

test('ZSCAN shows every member with its score', () => {
  const server = create();
  const ask = asking(server);
  for (let i = 0; i < 300; i++) ask(`ZADD z ${i / 4} m${i}`);
  const seen = new Map<string, string>();
  let cursor = '0';
  do {
    const [, next = '', list = ''] = /^\[(\d+) \[(.*)\]\]$/.exec(
      ask(`ZSCAN z ${cursor} COUNT 20`),
    )!;
    const parts = list.split(' ');
    for (let i = 0; i < parts.length; i += 2) seen.set(parts[i]!, parts[i + 1]!);
    cursor = next;
  } while (cursor !== '0');
  expect(seen.size).toBe(300);
  expect(seen.get('m5')).toBe('1.25');
  expect(ask('ZSCAN z 0 COUNT 1000 MATCH m29?').split('m').length).toBe(11);
});

test('changes tell their keyspace events', () => {
  const server = create();
  const ask = asking(server);
  ask('ZADD z 1 a 2 b 3 c 4 d');
  ask('ZADD z 1 a');
  ask('ZINCRBY z 1 a');
  ask('ZREM z a');
  ask('ZREMRANGEBYRANK z 0 0');
  ask('ZPOPMAX z');
  ask('ZRANGESTORE t z 0 -1');
  ask('ZREMRANGEBYSCORE z 0 9');
  ask('ZUNIONSTORE t 1 none');
  expect(server.events).toEqual([
    '0:new:z', '0:zadd:z', '0:zincr:z', '0:zrem:z', '0:zremrangebyrank:z', '0:zpopmax:z', '0:new:t',
    '0:zrangestore:t', '0:zremrangebyscore:z', '0:del:z', '0:keymiss:none', '0:del:t',
  ]); // prettier-ignore
  expect(KEYSPACE_EVENT.z).toBeGreaterThan(0);
});
