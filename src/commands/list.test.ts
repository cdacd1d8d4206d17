/** Replies, events and what replicas get, checked against redis-server 7.0.15. */
import { expect, test } from 'vitest';
import { addMs, monoMs } from '../base/index.ts';
import { TYPE_LIST } from '../keyspace/index.ts';
import { keyCommands } from './keys.ts';
import { listCommands } from './list.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';

const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';
const SYNTAX = '-ERR syntax error\r\n';
const NOT_INTEGER = '-ERR value is not an integer or out of range\r\n';
const NOT_POSITIVE = '-ERR value is out of range, must be positive\r\n';

const create = (): TestServer =>
  new TestServer([...listCommands, ...stringCommands, ...keyCommands]);

function array(...items: readonly string[]): string {
  return `*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join('')}`;
}

test('pushes and pops at both ends, and a list without elements is no key', () => {
  const server = create();
  expect(server.run('LPUSHX', 'l', 'x')).toBe(':0\r\n');
  expect(server.run('RPUSH', 'l', 'b', '-7')).toBe(':2\r\n');
  expect(server.run('LPUSH', 'l', 'a', 'z')).toBe(':4\r\n');
  expect(server.run('LRANGE', 'l', '0', '-1')).toBe(array('z', 'a', 'b', '-7'));
  expect(server.run('RPOP', 'l')).toBe('$2\r\n-7\r\n');
  expect(server.run('LPOP', 'l', '2')).toBe(array('z', 'a'));
  expect(server.run('LPOP', 'l', '0')).toBe('*0\r\n');
  expect(server.run('RPOP', 'l', '9')).toBe(array('b'));
  expect(server.run('EXISTS', 'l')).toBe(':0\r\n');
  expect([server.run('LPOP', 'l'), server.run('LPOP', 'l', '0')]).toEqual(['$-1\r\n', '*-1\r\n']);
  expect(server.events.filter((event) => !event.includes('keymiss'))).toEqual([
    '0:new:l',
    '0:rpush:l',
    '0:lpush:l',
    '0:rpop:l',
    '0:lpop:l',
    '0:rpop:l',
    '0:del:l',
  ]);
  expect(server.propagated).toEqual([
    'RPUSH l b -7',
    'LPUSH l a z',
    'RPOP l',
    'LPOP l 2',
    'RPOP l 9',
  ]);
});

test('counts of pops are checked before the key is', () => {
  const server = create();
  server.run('SET', 's', 'x');
  for (const count of ['x', '-1', '9223372036854775808']) {
    expect(server.run('LPOP', 's', count)).toBe(NOT_POSITIVE);
  }
  expect(server.run('RPOP', 's', '1', '2')).toBe(
    "-ERR wrong number of arguments for 'rpop' command\r\n",
  );
  for (const command of ['LPUSH', 'RPUSHX', 'LPOP', 'LLEN', 'LINDEX']) {
    const args = ['LPOP', 'LLEN'].includes(command) ? [] : ['0'];
    expect(server.run(command, 's', ...args)).toBe(WRONG_TYPE);
  }
});

test('indexes count from either end', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'c');
  expect(server.run('LINDEX', 'l', '-1')).toBe('$1\r\nc\r\n');
  expect(server.run('LINDEX', 'l', '3')).toBe('$-1\r\n');
  expect(server.run('LINDEX', 'l', 'x')).toBe(NOT_INTEGER);
  // A key that is not there has no index that could be wrong.
  expect(server.run('LINDEX', 'n', 'x')).toBe('$-1\r\n');
  expect(server.run('LSET', 'l', '-3', 'long enough to move things')).toBe('+OK\r\n');
  expect(server.run('LSET', 'l', '3', 'x')).toBe('-ERR index out of range\r\n');
  expect(server.run('LSET', 'n', 'x', 'x')).toBe('-ERR no such key\r\n');
  expect(server.run('LRANGE', 'l', '-100', '0')).toBe(array('long enough to move things'));
  expect(server.run('LRANGE', 'l', '2', '1')).toBe('*0\r\n');
  expect(server.run('LRANGE', 'n', 'x', '1')).toBe(NOT_INTEGER);
});

test('LINSERT finds its pivot, or says that there is none', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', '10', 'c');
  expect(server.run('LINSERT', 'l', 'before', '10', 'x')).toBe(':4\r\n');
  expect(server.run('LINSERT', 'l', 'AFTER', 'c', 'y')).toBe(':5\r\n');
  expect(server.run('LRANGE', 'l', '0', '-1')).toBe(array('a', 'x', '10', 'c', 'y'));
  expect(server.run('LINSERT', 'l', 'before', '010', 'x')).toBe(':-1\r\n');
  expect(server.run('LINSERT', 'n', 'before', 'a', 'x')).toBe(':0\r\n');
  expect(server.run('LINSERT', 'l', 'around', 'a', 'x')).toBe(SYNTAX);
});

test('LREM takes the first, the last or all', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'a', 'b', 'a');
  expect(server.run('LREM', 'l', '-2', 'a')).toBe(':2\r\n');
  expect(server.run('LRANGE', 'l', '0', '-1')).toBe(array('a', 'b', 'b'));
  expect(server.run('LREM', 'l', '1', 'b')).toBe(':1\r\n');
  expect(server.run('LREM', 'l', '0', 'nothing')).toBe(':0\r\n');
  expect(server.run('LREM', 'l', '-9223372036854775808', 'a')).toBe(':1\r\n');
  expect(server.run('LREM', 'l', '0', 'b')).toBe(':1\r\n');
  expect(server.run('EXISTS', 'l')).toBe(':0\r\n');
  expect(server.propagated.length).toBe(5);
});

test('LTRIM without effect is an event, but nothing for replicas', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'c', 'd');
  expect(server.run('LTRIM', 'l', '0', '-1')).toBe('+OK\r\n');
  expect(server.run('LTRIM', 'l', '1', '-2')).toBe('+OK\r\n');
  expect(server.run('LRANGE', 'l', '0', '-1')).toBe(array('b', 'c'));
  expect(server.run('LTRIM', 'l', '5', '9')).toBe('+OK\r\n');
  expect(server.run('LTRIM', 'n', '0', '1')).toBe('+OK\r\n');
  expect(server.propagated).toEqual(['RPUSH l a b c d', 'LTRIM l 1 -2', 'LTRIM l 5 9']);
  expect(server.events.slice(2)).toEqual(['0:ltrim:l', '0:ltrim:l', '0:ltrim:l', '0:del:l']);
});

test('LPOS counts ranks from either end', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'c', '1', '2', '3', 'c', 'c');
  const lpos = (...args: readonly string[]): string => server.run('LPOS', 'l', ...args);
  expect([lpos('c'), lpos('c', 'RANK', '2'), lpos('c', 'RANK', '-1'), lpos('1')]).toEqual([
    ':2\r\n',
    ':6\r\n',
    ':7\r\n',
    ':3\r\n',
  ]);
  expect(lpos('c', 'COUNT', '0')).toBe('*3\r\n:2\r\n:6\r\n:7\r\n');
  expect(lpos('c', 'RANK', '-1', 'COUNT', '2')).toBe('*2\r\n:7\r\n:6\r\n');
  expect(lpos('c', 'MAXLEN', '3')).toBe(':2\r\n');
  expect(lpos('c', 'MAXLEN', '2', 'COUNT', '0')).toBe('*0\r\n');
  expect(lpos('nothing')).toBe('$-1\r\n');
  expect(lpos('c', 'RANK', '0')).toMatch(/^-ERR RANK can't be zero/);
  expect(lpos('c', 'COUNT', '-1')).toBe("-ERR COUNT can't be negative\r\n");
  expect(lpos('c', 'MAXLEN', 'x')).toBe("-ERR MAXLEN can't be negative\r\n");
  expect(lpos('c', 'RANK', 'x')).toBe(NOT_INTEGER);
  expect([lpos('c', 'RANK'), lpos('c', 'FOO', '1')]).toEqual([SYNTAX, SYNTAX]);
  expect(server.run('LPOS', 'n', 'c', 'COUNT', '1')).toBe('*0\r\n');
  expect(lpos('a', 'RANK', '-9223372036854775808')).toBe(lpos('a', 'RANK', '-1'));
});

test('LMOVE pushes before it pops, also within one list', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'c');
  expect(server.run('LMOVE', 'l', 'm', 'RIGHT', 'LEFT')).toBe('$1\r\nc\r\n');
  expect(server.run('LMOVE', 'l', 'l', 'LEFT', 'RIGHT')).toBe('$1\r\na\r\n');
  expect(server.run('LRANGE', 'l', '0', '-1')).toBe(array('b', 'a'));
  expect(server.run('RPOPLPUSH', 'm', 'm')).toBe('$1\r\nc\r\n');
  expect(server.run('RPOPLPUSH', 'm', 'l')).toBe('$1\r\nc\r\n');
  expect(server.run('LMOVE', 'n', 'l', 'LEFT', 'LEFT')).toBe('$-1\r\n');
  expect(server.run('LMOVE', 'l', 'l', 'LEFT', 'UP')).toBe(SYNTAX);
  server.run('SET', 's', 'x');
  expect(server.run('RPOPLPUSH', 'l', 's')).toBe(WRONG_TYPE);
  expect(server.run('LLEN', 'l')).toBe(':3\r\n');
  expect(server.events.slice(2, 12)).toEqual([
    '0:new:m',
    '0:lpush:m',
    '0:rpop:l',
    '0:rpush:l',
    '0:lpop:l',
    '0:lpush:m',
    '0:rpop:m',
    '0:lpush:l',
    '0:rpop:m',
    '0:del:m',
  ]);
});

test('LMPOP pops from the first key that has a list, and replicas hear of that one', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'c');
  server.run('SET', 's', 'x');
  const lmpop = (...args: readonly string[]): string => server.run('LMPOP', ...args);
  expect(lmpop('2', 'n', 'l', 'RIGHT', 'COUNT', '2')).toBe(`*2\r\n$1\r\nl\r\n${array('c', 'b')}`);
  expect(lmpop('1', 'l', 'left', 'count', '9')).toBe(`*2\r\n$1\r\nl\r\n${array('a')}`);
  expect(lmpop('1', 'l', 'LEFT')).toBe('*-1\r\n');
  expect(lmpop('2', 'n', 's', 'LEFT')).toBe(WRONG_TYPE);
  expect(lmpop('0', 'l', 'LEFT')).toBe('-ERR numkeys should be greater than 0\r\n');
  expect(lmpop('2', 'l', 'LEFT')).toBe(SYNTAX);
  expect(lmpop('1', 'l', 'LEFT', 'COUNT', '1', 'COUNT', '1')).toBe(SYNTAX);
  expect(lmpop('1', 'l', 'LEFT', 'COUNT', '0')).toBe('-ERR count should be greater than 0\r\n');
  expect(server.propagated.slice(2)).toEqual(['RPOP l 2', 'LPOP l 1']);
});

test('blocking commands answer at once what is there, as their plain forms for replicas', () => {
  const server = create();
  server.run('RPUSH', 'l', 'a', 'b', 'c', 'd');
  expect(server.run('BLPOP', 'n', 'l', '0')).toBe(array('l', 'a'));
  expect(server.run('BRPOP', 'l', '1.5')).toBe(array('l', 'd'));
  expect(server.run('BLMPOP', '0', '1', 'l', 'LEFT')).toBe(`*2\r\n$1\r\nl\r\n${array('b')}`);
  expect(server.run('BLMOVE', 'l', 'm', 'LEFT', 'RIGHT', '0')).toBe('$1\r\nc\r\n');
  expect(server.run('BRPOPLPUSH', 'm', 'l', '0')).toBe('$1\r\nc\r\n');
  expect(server.propagated.slice(1)).toEqual([
    'LPOP l',
    'RPOP l',
    'LPOP l 1',
    'LMOVE l m LEFT RIGHT',
    'RPOPLPUSH m l',
  ]);
});

test('blocking commands wait for all of their keys, unless they may not', () => {
  const server = create();
  const deadline = addMs(monoMs(server.unixNow), 1500);
  expect(server.run('BLPOP', 'a', 'b', '1.5')).toBe('');
  expect(server.waiting).toEqual({ type: TYPE_LIST, firstKey: 1, keyCount: 2, deadline });
  expect(server.run('BLMPOP', '0', '2', 'a', 'b', 'LEFT')).toBe('');
  expect(server.waiting).toEqual({
    type: TYPE_LIST,
    firstKey: 3,
    keyCount: 2,
    deadline: undefined,
  });
  expect(server.run('BLMOVE', 'a', 'b', 'LEFT', 'LEFT', '0')).toBe('');
  expect(server.waiting?.keyCount).toBe(1);
  server.mayBlock = false;
  expect(server.run('BLPOP', 'a', '0')).toBe('*-1\r\n');
  expect(server.run('BLMPOP', '0', '1', 'a', 'LEFT')).toBe('*-1\r\n');
  expect(server.run('BRPOPLPUSH', 'a', 'b', '0')).toBe('$-1\r\n');
});

test('run again for one key, a command looks at no other', () => {
  const server = create();
  server.run('RPUSH', 'a', '1');
  server.run('RPUSH', 'b', '2');
  server.readyArgument = 2;
  expect(server.run('BLPOP', 'a', 'b', '0')).toBe(array('b', '2'));
  expect(server.run('BLPOP', 'a', 'b', '0')).toBe('');
  server.readyArgument = 3;
  expect(server.run('BLMPOP', '0', '2', 'a', 'b', 'LEFT')).toBe(`*2\r\n$1\r\na\r\n${array('1')}`);
});

test('timeouts are seconds, with the errors of the real server', () => {
  const server = create();
  const errorOf = (timeout: string): string => server.run('BLPOP', 'a', timeout);
  for (const timeout of ['abc', 'nan', ' 1', '1e3x', '']) {
    expect(errorOf(timeout)).toBe('-ERR timeout is not a float or out of range\r\n');
  }
  for (const timeout of ['-1', '-0.002', 'inf', '1e400', '9223372036854775807']) {
    expect(errorOf(timeout)).toBe('-ERR timeout is negative\r\n');
  }
  for (const timeout of ['0', '-0.001', '9223372036854775']) {
    expect(errorOf(timeout)).toBe('');
    expect(server.waiting?.deadline).toBeUndefined();
  }
  expect(errorOf('0x10')).toBe('');
  expect(server.waiting?.deadline).toBe(addMs(monoMs(server.unixNow), 16_000));
});
