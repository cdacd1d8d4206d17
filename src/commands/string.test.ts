import { expect, test } from 'vitest';
import { stringCommands } from './string.ts';
import { expiryCommands } from './expiry.ts';
import { keyCommands } from './keys.ts';
import { TestServer } from './test-server.ts';

const create = (): TestServer =>
  new TestServer([...stringCommands, ...expiryCommands, ...keyCommands]);

test('SET keeps, drops and sets the expiry as its options say', () => {
  const server = create();
  expect(server.run('SET', 'k', 'v', 'EX', '10')).toBe('+OK\r\n');
  expect(server.run('TTL', 'k')).toBe(':10\r\n');
  expect(server.run('SET', 'k', 'w', 'KEEPTTL')).toBe('+OK\r\n');
  expect(server.run('PTTL', 'k')).toBe(':10000\r\n');
  expect(server.run('SET', 'k', 'w')).toBe('+OK\r\n');
  expect(server.run('TTL', 'k')).toBe(':-1\r\n');
});

test('SET with NX, XX and GET answers the old value or nil', () => {
  const server = create();
  expect(server.run('SET', 'k', 'v', 'XX')).toBe('$-1\r\n');
  expect(server.run('SET', 'k', 'v', 'NX', 'GET')).toBe('$-1\r\n');
  expect(server.run('SET', 'k', 'w', 'NX', 'GET')).toBe('$1\r\nv\r\n');
  expect(server.run('SET', 'k', 'w', 'XX')).toBe('+OK\r\n');
  expect(server.run('SET', 'k', 'w', 'NX', 'XX')).toBe('-ERR syntax error\r\n');
  expect(server.run('SET', 'k', 'w', 'EX', '1', 'KEEPTTL')).toBe('-ERR syntax error\r\n');
  expect(server.run('SET', 'k', 'w', 'EX', '0')).toBe(
    "-ERR invalid expire time in 'set' command\r\n",
  );
});

test('relative times go to replicas as moments', () => {
  const server = create();
  const at = server.unixNow;
  server.run('SET', 'k', 'v', 'EX', '10', 'NX');
  server.run('SETEX', 'k', '10', 'v');
  server.run('SET', 'k', 'w', 'GET');
  server.run('GETSET', 'k', 'x');
  server.run('GETEX', 'k', 'PX', '5');
  server.run('GETEX', 'k', 'PERSIST');
  server.run('GETEX', 'k');
  server.run('GETDEL', 'k');
  server.run('INCRBYFLOAT', 'k', '1.5');
  expect(server.propagated).toEqual([
    `SET k v PXAT ${at + 10_000}`,
    `SET k v PXAT ${at + 10_000}`,
    'SET k w',
    'SET k x',
    `PEXPIREAT k ${at + 5}`,
    'PERSIST k',
    'DEL k',
    'SET k 1.5 KEEPTTL',
  ]);
});

test('writes tell their keyspace events, new keys first', () => {
  const server = create();
  server.run('GET', 'k');
  server.run('SET', 'k', '1', 'EX', '10');
  server.run('INCR', 'k');
  server.run('APPEND', 'k', 'x');
  server.run('SETRANGE', 'k', '1', 'y');
  server.run('GETDEL', 'k');
  expect(server.events).toEqual([
    '0:keymiss:k',
    '0:new:k',
    '0:set:k',
    '0:expire:k',
    '0:incrby:k',
    '0:append:k',
    '0:setrange:k',
    '0:del:k',
  ]);
});

test('INCR stops at the ends of 64 bits and leaves the value', () => {
  const server = create();
  server.run('SET', 'k', '9223372036854775806');
  expect(server.run('INCR', 'k')).toBe(':9223372036854775807\r\n');
  expect(server.run('INCR', 'k')).toBe('-ERR increment or decrement would overflow\r\n');
  expect(server.run('INCRBY', 'k', '-9223372036854775808')).toBe(':-1\r\n');
  expect(server.run('DECRBY', 'k', '-9223372036854775808')).toBe(
    '-ERR decrement would overflow\r\n',
  );
  server.run('SET', 'k', ' 1');
  expect(server.run('INCR', 'k')).toBe('-ERR value is not an integer or out of range\r\n');
});

test('INCRBYFLOAT takes no text of 5 KB or more for a number', () => {
  const server = create();
  server.run('SET', 'k', '0'.repeat(5119));
  expect(server.run('INCRBYFLOAT', 'k', '1')).toBe('$1\r\n1\r\n');
  server.run('SET', 'k', '0'.repeat(5120));
  expect(server.run('INCRBYFLOAT', 'k', '1')).toBe('-ERR value is not a valid float\r\n');
  expect(server.run('INCRBYFLOAT', 'n', '0'.repeat(5120))).toBe(
    '-ERR value is not a valid float\r\n',
  );
});

test('no string grows beyond proto-max-bulk-len', () => {
  const server = create();
  server.config.assign('proto-max-bulk-len', 1024 * 1024);
  const refusal = '-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n';
  expect(server.run('SETRANGE', 'k', String(1024 * 1024), 'x')).toBe(refusal);
  expect(server.run('SETRANGE', 'k', String(1024 * 1024 - 1), 'x')).toBe(':1048576\r\n');
  expect(server.run('APPEND', 'k', 'x')).toBe(refusal);
});

test('MSETNX sets all or nothing, and MSET wants pairs', () => {
  const server = create();
  expect(server.run('MSETNX', 'a', '1', 'b', '2')).toBe(':1\r\n');
  expect(server.run('MSETNX', 'c', '3', 'b', '4')).toBe(':0\r\n');
  expect(server.run('MGET', 'a', 'b', 'c')).toBe('*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n');
  expect(server.run('MSET', 'a', '1', 'b')).toBe(
    "-ERR wrong number of arguments for 'mset' command\r\n",
  );
});

test('LCS finds the text, the length and the runs', () => {
  const server = create();
  server.run('MSET', 'a', 'ohmytext', 'b', 'mynewtext');
  expect(server.run('LCS', 'a', 'b')).toBe('$6\r\nmytext\r\n');
  expect(server.run('LCS', 'a', 'b', 'LEN')).toBe(':6\r\n');
  expect(server.run('LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', '4', 'WITHMATCHLEN')).toBe(
    '*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n',
  );
});

test('of an expiry option given twice the last time counts', () => {
  const server = create();
  expect(server.run('SET', 'k', 'v', 'PX', 'x', 'PX', '5000')).toBe('+OK\r\n');
  expect(server.run('PTTL', 'k')).toBe(':5000\r\n');
  expect(server.run('SET', 'k', 'v', 'EX', '1', 'EX', '')).toBe(
    '-ERR value is not an integer or out of range\r\n',
  );
  expect(server.run('GETEX', 'k', 'EX', '1', 'PX', '1')).toBe('-ERR syntax error\r\n');
});
