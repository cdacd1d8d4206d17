/** Replies, events and what replicas get, checked against redis-server 7.0.15. */
import { expect, test } from 'vitest';
import { hashCommands } from './hash.ts';
import { keyCommands } from './keys.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';

const create = (): TestServer =>
  new TestServer([...hashCommands, ...stringCommands, ...keyCommands]);

test('fields are set, read and deleted, and the key goes with the last one', () => {
  const server = create();
  expect(server.run('HSET', 'h', 'f', '1', 'g', 'x', 'f', '2')).toBe(':2\r\n');
  expect(server.run('HGETALL', 'h')).toBe('*4\r\n$1\r\nf\r\n$1\r\n2\r\n$1\r\ng\r\n$1\r\nx\r\n');
  expect(server.run('HMGET', 'h', 'g', 'y')).toBe('*2\r\n$1\r\nx\r\n$-1\r\n');
  expect(server.run('HSETNX', 'h', 'f', '3')).toBe(':0\r\n');
  expect(server.run('HMSET', 'h', 'i')).toBe(
    "-ERR wrong number of arguments for 'hmset' command\r\n",
  );
  expect(server.run('HSTRLEN', 'h', 'g')).toBe(':1\r\n');
  expect(server.run('HDEL', 'h', 'f', 'g', 'z')).toBe(':2\r\n');
  expect(server.run('EXISTS', 'h')).toBe(':0\r\n');
  expect(server.events.filter((event) => !event.includes('keymiss'))).toEqual([
    '0:new:h',
    '0:hset:h',
    '0:hdel:h',
    '0:del:h',
  ]);
});

test('increments keep to integers and floats, and floats go to replicas as results', () => {
  const server = create();
  server.run('HSET', 'h', 'i', '10', 't', 'x', 'inf', 'inf', 'max', '9223372036854775807');
  expect(server.run('HINCRBY', 'h', 'i', '-3')).toBe(':7\r\n');
  expect(server.run('HINCRBY', 'h', 't', '1')).toBe('-ERR hash value is not an integer\r\n');
  expect(server.run('HINCRBY', 'h', 'max', '1')).toBe(
    '-ERR increment or decrement would overflow\r\n',
  );
  server.propagated.length = 0;
  expect(server.run('HINCRBYFLOAT', 'h', 'i', '0.5')).toBe('$3\r\n7.5\r\n');
  expect(server.run('HINCRBYFLOAT', 'h', 't', '1')).toBe('-ERR hash value is not a float\r\n');
  expect(server.run('HINCRBYFLOAT', 'h', 'i', 'inf')).toBe('-ERR value is NaN or Infinity\r\n');
  expect(server.run('HINCRBYFLOAT', 'h', 'inf', '1')).toBe(
    '-ERR increment would produce NaN or Infinity\r\n',
  );
  expect(server.run('HINCRBYFLOAT', 'missing', 'f', 'x')).toBe(
    '-ERR value is not a valid float\r\n',
  );
  expect(server.propagated).toEqual(['HSET h i 7.5']);
  expect(server.run('EXISTS', 'missing')).toBe(':0\r\n');
});

test('RESP3 has maps, and pairs of drawn fields', () => {
  const server = create();
  server.run('HSET', 'h', 'f', '1');
  expect(server.run('HRANDFIELD', 'h', '5', 'WITHVALUES')).toBe('*2\r\n$1\r\nf\r\n$1\r\n1\r\n');
  expect(server.run('HRANDFIELD', 'h', '-2', 'WITHVALUES')).toBe(
    `*4\r\n${'$1\r\nf\r\n$1\r\n1\r\n'.repeat(2)}`,
  );
  server.session.reply.resp = 3;
  expect(server.run('HGETALL', 'h')).toBe('%1\r\n$1\r\nf\r\n$1\r\n1\r\n');
  expect(server.run('HRANDFIELD', 'h', '1', 'WITHVALUES')).toBe(
    '*1\r\n*2\r\n$1\r\nf\r\n$1\r\n1\r\n',
  );
  expect(server.run('HGETALL', 'missing')).toBe('%0\r\n');
});

test('a walk over a large hash finds every field, over a small one at once', () => {
  const server = create();
  server.run('HSET', 'small', 'a', '1', 'b', '2');
  expect(server.run('HSCAN', 'small', '99', 'COUNT', '1', 'MATCH', 'b')).toBe(
    '*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n',
  );
  for (let i = 0; i < 1000; i++) server.run('HSET', 'h', `f${i}`, String(i));
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const lines = server.run('HSCAN', 'h', cursor, 'COUNT', '20').split('\r\n');
    cursor = lines[2]!;
    for (const line of lines) if (line.startsWith('f')) seen.add(line);
  } while (cursor !== '0');
  expect(seen.size).toBe(1000);
});
