import { expect, test } from 'vitest';
import { databaseCommands } from './databases.ts';
import { dumpCommands } from './dump.ts';
import { expiryCommands } from './expiry.ts';
import { keyCommands } from './keys.ts';
import { scanCommands } from './scan.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';

const SPECS = [
  ...stringCommands,
  ...expiryCommands,
  ...keyCommands,
  ...scanCommands,
  ...dumpCommands,
  ...databaseCommands,
];
const create = (): TestServer => new TestServer(SPECS);

test('EXPIRE obeys NX, XX, GT and LT, and never counts as latest', () => {
  const server = create();
  server.run('SET', 'k', 'v');
  expect(server.run('EXPIRE', 'k', '10', 'GT')).toBe(':0\r\n');
  expect(server.run('EXPIRE', 'k', '10', 'XX')).toBe(':0\r\n');
  expect(server.run('EXPIRE', 'k', '10', 'LT')).toBe(':1\r\n');
  expect(server.run('EXPIRE', 'k', '20', 'NX')).toBe(':0\r\n');
  expect(server.run('EXPIRE', 'k', '20', 'GT')).toBe(':1\r\n');
  expect(server.run('EXPIRE', 'k', '30', 'GT', 'LT')).toBe(
    '-ERR GT and LT options at the same time are not compatible\r\n',
  );
  expect(server.run('EXPIRE', 'k', '30', 'NX', 'LT')).toBe(
    '-ERR NX and XX, GT or LT options at the same time are not compatible\r\n',
  );
  expect(server.run('EXPIRE', 'k', '30', 'QQ')).toBe('-ERR Unsupported option QQ\r\n');
  expect(server.run('TTL', 'k')).toBe(':20\r\n');
});

test('EXPIRE refuses what leaves 64 bits of milliseconds', () => {
  const server = create();
  server.run('SET', 'k', 'v');
  const refusal = "-ERR invalid expire time in 'expire' command\r\n";
  expect(server.run('EXPIRE', 'k', '9223372036854776')).toBe(refusal);
  expect(server.run('EXPIRE', 'k', '-9223372036854776')).toBe(refusal);
  expect(server.run('EXPIRE', 'k', '9223372036854770')).toBe(refusal);
  expect(server.run('TTL', 'k')).toBe(':-1\r\n');
});

test('a time in the past deletes on a master and is kept on a replica', () => {
  const server = create();
  server.run('SET', 'k', 'v');
  expect(server.run('EXPIRE', 'k', '-1')).toBe(':1\r\n');
  expect(server.run('EXISTS', 'k')).toBe(':0\r\n');
  expect(server.propagated).toEqual(['SET k v', 'DEL k']);
  server.isReplica = true;
  server.keyspace.expiryMode = 'ignore';
  server.run('SET', 'k', 'v');
  server.run('EXPIRE', 'k', '-1');
  expect(server.run('DBSIZE')).toBe(':1\r\n');
});

test('RENAME takes the expiry along and tells both keys', () => {
  const server = create();
  server.run('SET', 'a', 'v', 'EX', '10');
  server.run('SET', 'b', 'w');
  server.events.length = 0;
  expect(server.run('RENAME', 'a', 'b')).toBe('+OK\r\n');
  expect(server.run('TTL', 'b')).toBe(':10\r\n');
  expect(server.events).toEqual(['0:new:b', '0:rename_from:a', '0:rename_to:b']);
  expect(server.run('RENAME', 'a', 'b')).toBe('-ERR no such key\r\n');
  server.run('SET', 'a', 'x');
  expect(server.run('RENAMENX', 'a', 'b')).toBe(':0\r\n');
});

test('COPY and MOVE reach other databases, but not in cluster mode', () => {
  const server = create();
  server.run('SET', 'a', 'v', 'EX', '10');
  expect(server.run('COPY', 'a', 'b', 'DB', '3')).toBe(':1\r\n');
  expect(server.run('COPY', 'a', 'b', 'DB', '3')).toBe(':0\r\n');
  expect(server.run('COPY', 'a', 'a')).toBe('-ERR source and destination objects are the same\r\n');
  expect(server.run('MOVE', 'a', '16')).toBe('-ERR DB index is out of range\r\n');
  expect(server.run('MOVE', 'a', '3')).toBe(':1\r\n');
  server.session.dbIndex = 3;
  expect(server.run('TTL', 'a')).toBe(':10\r\n');
  const cluster = new TestServer(SPECS, { isCluster: true });
  expect(cluster.run('MOVE', 'a', '1')).toBe('-ERR MOVE is not allowed in cluster mode\r\n');
  expect(
    ['1', '15', '16', '-1'].map((index) => cluster.run('COPY', 'a', 'b', 'DB', index)),
  ).toEqual([
    '-ERR Copying to another database is not allowed in cluster mode\r\n',
    '-ERR Copying to another database is not allowed in cluster mode\r\n',
    '-ERR DB index is out of range\r\n',
    '-ERR DB index is out of range\r\n',
  ]);
  expect(cluster.run('SWAPDB', '0', '1')).toBe('-ERR SWAPDB is not allowed in cluster mode\r\n');
});

test('SCAN visits every key once and honours MATCH, COUNT and TYPE', () => {
  const server = create();
  for (let i = 0; i < 500; i++) server.run('SET', `key:${i}`, 'v');
  const seen: string[] = [];
  let cursor = '0';
  do {
    const reply = server.run('SCAN', cursor, 'COUNT', '50', 'MATCH', 'key:1*', 'TYPE', 'STRING');
    const [, , next = '', , ...rest] = reply.split('\r\n');
    cursor = next;
    seen.push(...rest.filter((line) => line.startsWith('key:')));
  } while (cursor !== '0');
  expect(new Set(seen).size).toBe(111);
  expect(server.run('SCAN', '0', 'TYPE', 'list', 'COUNT', '1000')).toContain('*0\r\n');
  expect(server.run('SCAN', 'x')).toBe('-ERR invalid cursor\r\n');
  expect(server.run('SCAN', '0', 'COUNT', '0')).toBe('-ERR syntax error\r\n');
});

test('KEYS and SCAN leave expired keys out', () => {
  const server = create();
  server.run('SET', 'a', 'v', 'PX', '10');
  server.run('SET', 'b', 'v');
  server.advance(20);
  expect(server.run('KEYS', '*')).toBe('*1\r\n$1\r\nb\r\n');
  expect(server.run('SCAN', '0')).toBe('*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n');
  expect(server.run('DBSIZE')).toBe(':1\r\n');
});

test('RESTORE gives back what DUMP took, and refuses damage and a busy key', () => {
  const server = create();
  const value = 'x'.repeat(100);
  server.run('SET', 'a', value);
  const reply = Buffer.from(server.run('DUMP', 'a'), 'latin1');
  const payload = reply.subarray(reply.indexOf('\n') + 1, -2);
  expect(server.run('RESTORE', 'a', '0', payload)).toBe(
    '-BUSYKEY Target key name already exists.\r\n',
  );
  expect(server.run('RESTORE', 'b', '1000', payload)).toBe('+OK\r\n');
  expect(server.run('GET', 'b')).toBe(`$100\r\n${value}\r\n`);
  expect(server.run('PTTL', 'b')).toBe(':1000\r\n');
  expect(server.propagated.at(-1)).toMatch(/ ABSTTL$/);
  const damaged = Buffer.from(payload);
  damaged[3]! ^= 1;
  expect(server.run('RESTORE', 'c', '0', damaged)).toBe(
    '-ERR DUMP payload version or checksum are wrong\r\n',
  );
  expect(server.run('RESTORE', 'c', '-1', payload)).toBe(
    '-ERR Invalid TTL value, must be >= 0\r\n',
  );
});

test('flushing an empty database still goes to replicas', () => {
  const server = create();
  expect(server.run('FLUSHDB')).toBe('+OK\r\n');
  expect(server.run('FLUSHALL', 'SOON')).toBe('-ERR syntax error\r\n');
  expect(server.propagated).toEqual(['FLUSHDB']);
});

test('OBJECT tells encodings and shared integers', () => {
  const server = create();
  server.run('MSET', 'i', '12', 'e', 'text', 'r', 'x'.repeat(45));
  expect(server.run('OBJECT', 'ENCODING', 'i')).toBe('$3\r\nint\r\n');
  expect(server.run('OBJECT', 'ENCODING', 'e')).toBe('$6\r\nembstr\r\n');
  expect(server.run('OBJECT', 'ENCODING', 'r')).toBe('$3\r\nraw\r\n');
  expect(server.run('OBJECT', 'REFCOUNT', 'i')).toBe(':2147483647\r\n');
  expect(server.run('OBJECT', 'REFCOUNT', 'e')).toBe(':1\r\n');
  expect(server.run('OBJECT', 'ENCODING', 'none')).toBe('$-1\r\n');
});

test('an option that EXPIRE does not know is shown up to its first zero byte', () => {
  const server = create();
  expect(server.run('EXPIRE', 'k', '1', 'a\0b')).toBe('-ERR Unsupported option a\r\n');
  const long = 'x'.repeat(300);
  expect(server.run('EXPIRE', 'k', '1', long)).toBe(`-ERR Unsupported option ${long}\r\n`);
});

test('SCAN reads an empty cursor as 0 and ends a cursor at a zero byte', () => {
  const server = create();
  expect(server.run('SCAN', '')).toBe('*2\r\n$1\r\n0\r\n*0\r\n');
  expect(server.run('SCAN', '0\0x')).toBe('*2\r\n$1\r\n0\r\n*0\r\n');
  expect(server.run('SCAN', '+')).toBe('-ERR invalid cursor\r\n');
});

test('SCAN by type removes what has expired of any type, and misses it', () => {
  const server = create();
  server.run('SET', 'k', 'v', 'PX', '1');
  server.advance(2);
  expect(server.run('SCAN', '0', 'TYPE', 'list')).toBe('*2\r\n$1\r\n0\r\n*0\r\n');
  expect(server.run('DBSIZE')).toBe(':0\r\n');
});
