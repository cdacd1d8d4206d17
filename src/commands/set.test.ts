/** Replies, events and what replicas get, checked against redis-server 7.0.15. */
import { expect, test } from 'vitest';
import { keyCommands } from './keys.ts';
import { setCommands } from './set.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';

const create = (): TestServer =>
  new TestServer([...setCommands, ...stringCommands, ...keyCommands]);

const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';

test('SADD makes an intset of integers and a table of anything else', () => {
  const server = create();
  expect(server.run('SADD', 's', '3', '1', '3')).toBe(':2\r\n');
  expect(server.run('OBJECT', 'ENCODING', 's')).toBe('$6\r\nintset\r\n');
  expect(server.run('SMEMBERS', 's')).toBe('*2\r\n$1\r\n1\r\n$1\r\n3\r\n');
  expect(server.run('SADD', 's', '1')).toBe(':0\r\n');
  expect(server.run('SADD', 's', 'x')).toBe(':1\r\n');
  expect(server.run('OBJECT', 'ENCODING', 's')).toBe('$9\r\nhashtable\r\n');
  expect(server.run('SMISMEMBER', 's', '1', '2', 'x')).toBe('*3\r\n:1\r\n:0\r\n:1\r\n');
  expect(server.run('SREM', 's', '1', '3', 'x', 'y')).toBe(':3\r\n');
  expect(server.run('EXISTS', 's')).toBe(':0\r\n');
  expect(server.events).toEqual([
    '0:new:s',
    '0:sadd:s',
    '0:sadd:s',
    '0:srem:s',
    '0:del:s',
    '0:keymiss:s',
  ]);
  expect(server.propagated).toEqual(['SADD s 3 1 3', 'SADD s x', 'SREM s 1 3 x y']);
});

test('an intset grows into a table behind the limit', () => {
  const server = create();
  for (let i = 0; i < 512; i++) server.run('SADD', 's', String(i));
  expect(server.run('OBJECT', 'ENCODING', 's')).toBe('$6\r\nintset\r\n');
  server.run('SADD', 's', '511');
  expect(server.run('OBJECT', 'ENCODING', 's')).toBe('$6\r\nintset\r\n');
  server.run('SADD', 's', '512');
  expect(server.run('OBJECT', 'ENCODING', 's')).toBe('$9\r\nhashtable\r\n');
  expect(server.run('SCARD', 's')).toBe(':513\r\n');
});

test('every set command refuses other types', () => {
  const server = create();
  server.run('SET', 'k', 'v');
  server.run('SADD', 's', '1');
  for (const args of [
    ['SADD', 'k', '1'],
    ['SREM', 'k', '1'],
    ['SISMEMBER', 'k', '1'],
    ['SMISMEMBER', 'k', '1'],
    ['SCARD', 'k'],
    ['SMEMBERS', 'k'],
    ['SPOP', 'k'],
    ['SPOP', 'k', '1'],
    ['SRANDMEMBER', 'k'],
    ['SRANDMEMBER', 'k', '1'],
    ['SINTER', 'missing', 'k'],
    ['SINTERCARD', '2', 's', 'k'],
    ['SINTERSTORE', 'd', 's', 'k'],
    ['SUNION', 's', 'k'],
    ['SUNIONSTORE', 'd', 's', 'k'],
    ['SDIFF', 's', 'k'],
    ['SDIFFSTORE', 'd', 's', 'k'],
    ['SMOVE', 'k', 's', '1'],
    ['SMOVE', 's', 'k', '1'],
    ['SSCAN', 'k', '0'],
  ]) {
    expect([args, server.run(...args)]).toEqual([args, WRONG_TYPE]);
  }
});

test('combinations answer what sets say, and store it as the key itself too', () => {
  const server = create();
  server.run('SADD', 'a', '1', '2', '3', '4');
  server.run('SADD', 'b', '3', '4', '5', 'x');
  server.run('SADD', 'c', '4');
  expect(server.run('SINTER', 'a', 'b')).toBe('*2\r\n$1\r\n3\r\n$1\r\n4\r\n');
  expect(server.run('SINTER', 'a', 'missing')).toBe('*0\r\n');
  expect(server.run('SINTERCARD', '2', 'a', 'b', 'LIMIT', '1')).toBe(':1\r\n');
  expect(server.run('SINTERCARD', '2', 'a', 'b', 'LIMIT', '0')).toBe(':2\r\n');
  expect(server.run('SDIFF', 'a', 'b', 'missing')).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
  expect(server.run('SDIFF', 'a', 'a')).toBe('*0\r\n');
  expect(server.run('SUNIONSTORE', 'a', 'a', 'c', 'b')).toBe(':6\r\n');
  expect(server.run('SCARD', 'a')).toBe(':6\r\n');
  server.events.length = 0;
  expect(server.run('SDIFFSTORE', 'a', 'a', 'b')).toBe(':2\r\n');
  expect(server.run('OBJECT', 'ENCODING', 'a')).toBe('$6\r\nintset\r\n');
  expect(server.run('SINTERSTORE', 'a', 'a', 'missing')).toBe(':0\r\n');
  expect(server.run('EXISTS', 'a')).toBe(':0\r\n');
  expect(server.run('SINTERSTORE', 'n', 'b', 'c')).toBe(':1\r\n');
  expect(server.events.filter((event) => !event.includes('keymiss'))).toEqual([
    '0:sdiffstore:a',
    '0:del:a',
    '0:new:n',
    '0:sinterstore:n',
  ]);
});

test('SDIFFSTORE stores a table where Redis would subtract from a copy that is one', () => {
  const server = create();
  server.run('SADD', 'mixed', 'x', '1', '2', '3');
  server.run('SADD', 'integers', '1', '2', '3', '4');
  for (const key of ['b', 'c', 'd']) server.run('SADD', key, 'x');
  const encodingOf = (...keys: string[]): string => {
    server.run('SDIFFSTORE', 'r', ...keys);
    return server.run('OBJECT', 'ENCODING', 'r').split('\r\n')[1]!;
  };
  expect(encodingOf('mixed', 'b')).toBe('intset');
  expect(encodingOf('mixed', 'b', 'b')).toBe('intset');
  expect(encodingOf('mixed', 'b', 'missing', 'missing', 'missing')).toBe('intset');
  expect(encodingOf('mixed', 'b', 'c', 'd')).toBe('hashtable');
  expect(encodingOf('integers', 'b', 'c', 'd', 'b')).toBe('intset');
});

test('SPOP goes to replicas as what it took', () => {
  const server = create();
  server.run('SADD', 's', '1', '2', '3', '4', '5');
  server.propagated.length = 0;
  const [, one] = server.run('SPOP', 's').split('\r\n');
  const popped = server.run('SPOP', 's', '2').split('\r\n');
  expect(server.propagated).toEqual([
    `SREM s ${one}`,
    `SREM s ${popped[2]}`,
    `SREM s ${popped[4]}`,
  ]);
  server.propagated.length = 0;
  expect(server.run('SPOP', 's', '9')).toMatch(/^\*2\r\n/);
  expect(server.run('SPOP', 's', '9')).toBe('*0\r\n');
  expect(server.run('SPOP', 's')).toBe('$-1\r\n');
  expect(server.propagated).toEqual(['DEL s']);
  expect(server.run('SPOP', 's', '-1')).toBe('-ERR value is out of range, must be positive\r\n');
});

test('SRANDMEMBER answers different members, or as many as asked', () => {
  const server = create();
  for (let i = 0; i < 100; i++) server.run('SADD', 's', `m${i}`);
  const draw = (count: number): string[] =>
    server
      .run('SRANDMEMBER', 's', String(count))
      .split('\r\n')
      .filter((line) => line.startsWith('m'));
  for (const count of [1, 10, 60, 100, 200]) {
    const drawn = draw(count);
    expect(drawn.length).toBe(Math.min(count, 100));
    expect(new Set(drawn).size).toBe(drawn.length);
  }
  expect(draw(-150).length).toBe(150);
  expect(server.run('SRANDMEMBER', 's', '-99999999999')).toBe('-ERR value is out of range\r\n');
  expect(server.run('SRANDMEMBER', 'missing', '5')).toBe('*0\r\n');
});

test('SMOVE and SSCAN', () => {
  const server = create();
  server.run('SADD', 'a', '1', 'x');
  expect(server.run('SMOVE', 'a', 'b', 'x')).toBe(':1\r\n');
  expect(server.run('SMOVE', 'a', 'b', 'x')).toBe(':0\r\n');
  expect(server.run('SMOVE', 'a', 'a', '1')).toBe(':1\r\n');
  server.events.length = 0;
  expect(server.run('SMOVE', 'a', 'b', '1')).toBe(':1\r\n');
  expect(server.events).toEqual(['0:srem:a', '0:del:a', '0:sadd:b']);
  expect(server.run('SSCAN', 'b', '0', 'MATCH', '[0-9]')).toBe(
    '*2\r\n$1\r\n0\r\n*1\r\n$1\r\n1\r\n',
  );
  expect(server.run('SSCAN', 'missing', '0', 'FOO')).toBe('*2\r\n$1\r\n0\r\n*0\r\n');
  expect(server.run('SSCAN', 'b', '0', 'TYPE', 'set')).toBe('-ERR syntax error\r\n');
  expect(server.run('SSCAN', 'b', 'x')).toBe('-ERR invalid cursor\r\n');
});
