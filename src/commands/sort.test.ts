/** SORT, checked against redis-server 7.0.15. */
import { expect, test } from 'vitest';
import { hashCommands } from './hash.ts';
import { keyCommands } from './keys.ts';
import { listCommands } from './list.ts';
import { setCommands } from './set.ts';
import { sortCommands } from './sort.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';
import { zsetCommands } from './zset.ts';

const SPECS = [
  ...sortCommands,
  ...listCommands,
  ...setCommands,
  ...zsetCommands,
  ...hashCommands,
  ...stringCommands,
  ...keyCommands,
];
const create = (): TestServer => new TestServer(SPECS);

/** The bulk strings of an array reply; nil as "nil". */
function run(server: TestServer, ...args: string[]): string[] {
  const reply = server.run(...args);
  if (!reply.startsWith('*')) return [reply];
  const [, ...lines] = reply.split('\r\n');
  const values: string[] = [];
  for (let i = 0; i < lines.length - 1; i++) {
    values.push(lines[i] === '$-1' ? 'nil' : lines[++i]!);
  }
  return values;
}

test('numbers, texts and limits of lists, sets and sorted sets', () => {
  const server = create();
  server.run('RPUSH', 'l', '10', '9', '-1.5', '1e1', '2');
  expect(run(server, 'SORT', 'l')).toEqual(['-1.5', '2', '9', '10', '1e1']);
  expect(run(server, 'SORT', 'l', 'DESC', 'LIMIT', '1', '2')).toEqual(['10', '9']);
  expect(run(server, 'SORT', 'l', 'ALPHA')).toEqual(['-1.5', '10', '1e1', '2', '9']);
  expect(run(server, 'SORT', 'l', 'LIMIT', '-5', '1')).toEqual(['-1.5']);
  expect(run(server, 'SORT', 'l', 'LIMIT', '9', '9')).toEqual([]);
  expect(run(server, 'SORT', 'l', 'BY', 'nosort', 'LIMIT', '1', '-1')).toEqual([
    '9',
    '-1.5',
    '1e1',
    '2',
  ]);
  expect(run(server, 'SORT', 'l', 'BY', 'nosort', 'DESC', 'LIMIT', '1', '2')).toEqual([
    '1e1',
    '-1.5',
  ]);
  server.run('SADD', 's', '3', '1', '2');
  expect(run(server, 'SORT_RO', 's', 'DESC')).toEqual(['3', '2', '1']);
  server.run('ZADD', 'z', '1', 'c', '2', 'a', '3', 'b');
  expect(run(server, 'SORT', 'z', 'ALPHA')).toEqual(['a', 'b', 'c']);
  expect(run(server, 'SORT', 'z', 'BY', 'nosort', 'DESC', 'LIMIT', '0', '2')).toEqual(['b', 'a']);
  expect(run(server, 'SORT', 'missing')).toEqual([]);
});

test('what is no number is an error, but blanks, nothing and a zero byte are as in C', () => {
  const server = create();
  server.run('RPUSH', 'l', ' 5', '', 'inf', '3\0x');
  expect(run(server, 'SORT', 'l')).toEqual(['', '3\0x', ' 5', 'inf']);
  server.run('RPUSH', 'l', 'x');
  const error = "-ERR One or more scores can't be converted into double\r\n";
  expect(run(server, 'SORT', 'l')).toEqual([error]);
  server.run('RPUSH', 'm', '1', '1e400');
  expect(run(server, 'SORT', 'm')).toEqual([error]);
  server.run('SET', 'k', 'v');
  expect(server.run('SORT', 'k')).toMatch(/^-WRONGTYPE/);
  expect(server.run('SORT_RO', 'l', 'STORE', 'd')).toBe('-ERR syntax error\r\n');
  expect(server.run('SORT', 'l', 'LIMIT', 'a', '1')).toMatch(/^-ERR value is not an integer/);
});

test('BY and GET look up keys and fields', () => {
  const server = create();
  server.run('RPUSH', 'l', '1', '2', '3');
  server.run('MSET', 'w1', '30', 'w2', '20', 'w3', '10', 'n1', 'one', 'n3', 'three');
  server.run('HSET', 'h1', 'f', 'b');
  server.run('HSET', 'h2', 'f', 'a');
  expect(run(server, 'SORT', 'l', 'BY', 'w*')).toEqual(['3', '2', '1']);
  expect(run(server, 'SORT', 'l', 'BY', 'h*->f', 'ALPHA')).toEqual(['3', '2', '1']);
  expect(run(server, 'SORT', 'l', 'GET', '#', 'GET', 'n*', 'GET', 'h*->f', 'GET', 'x')).toEqual([
    ...['1', 'one', 'b', 'nil'],
    ...['2', 'nil', 'a', 'nil'],
    ...['3', 'three', 'nil', 'nil'],
  ]);
});

test('STORE makes a list, also in the place of what was sorted', () => {
  const server = create();
  server.run('RPUSH', 'l', '3', '1', '2');
  server.propagated.length = 0;
  server.events.length = 0;
  expect(server.run('SORT', 'l', 'STORE', 'l')).toBe(':3\r\n');
  expect(run(server, 'LRANGE', 'l', '0', '-1')).toEqual(['1', '2', '3']);
  expect(server.run('SORT', 'l', 'GET', 'x*', 'STORE', 'd')).toBe(':3\r\n');
  expect(run(server, 'LRANGE', 'd', '0', '-1')).toEqual(['', '', '']);
  expect(server.run('SORT', 'missing', 'STORE', 'd')).toBe(':0\r\n');
  expect(server.run('EXISTS', 'd')).toBe(':0\r\n');
  expect(server.events.filter((event) => !event.includes('keymiss'))).toEqual([
    '0:sortstore:l',
    '0:new:d',
    '0:sortstore:d',
    '0:del:d',
  ]);
  server.run('SADD', 's', 'b', 'c', 'a');
  server.run('SORT', 's', 'BY', 'nosort', 'STORE', 'd');
  expect(run(server, 'LRANGE', 'd', '0', '-1')).toEqual(['a', 'b', 'c']);
});

test('a cluster refuses BY and GET', () => {
  const server = new TestServer(SPECS, { isCluster: true });
  server.run('RPUSH', 'l', '2', '1');
  expect(server.run('SORT', 'l', 'BY', 'w*')).toBe(
    '-ERR BY option of SORT denied in Cluster mode.\r\n',
  );
  expect(server.run('SORT', 'l', 'GET', '#')).toBe(
    '-ERR GET option of SORT denied in Cluster mode.\r\n',
  );
  expect(run(server, 'SORT', 'l', 'BY', 'nosort')).toEqual(['2', '1']);
});

test('numbers too small or too large are refused, zeros and infinities are not', () => {
  const server = create();
  for (const text of ['5e-324', '1e-400', '1e400', '-1e400', '0x1p-1080']) {
    server.run('DEL', 'l');
    server.run('RPUSH', 'l', text);
    expect(server.run('SORT', 'l')).toBe(
      "-ERR One or more scores can't be converted into double\r\n",
    );
  }
  server.run('DEL', 'l');
  server.run('RPUSH', 'l', 'inf', '0', '-0.0e9', '0x0', '-inf', '2.5e-308');
  expect(run(server, 'SORT', 'l').at(0)).toBe('-inf');
});

test('a sorted set that was sorted is a large one', () => {
  const server = create();
  server.run('ZADD', 'z', '1', '5', '2', '4');
  expect(run(server, 'SORT', 'z')).toEqual(['4', '5']);
  const db = server.keyspace.db(0);
  expect(db.entries.encodingName(db.find(Buffer.from('z'), 0, 1))).toBe('skiplist');
});
