/** Replies, events and what replicas get, checked against redis-server 7.0.15. */
import { expect, test } from 'vitest';
import { hyperloglogCommands } from './hyperloglog.ts';
import { keyCommands } from './keys.ts';
import { setCommands } from './set.ts';
import { stringCommands } from './string.ts';
import { TestServer } from './test-server.ts';

const create = (): TestServer =>
  new TestServer([...hyperloglogCommands, ...setCommands, ...stringCommands, ...keyCommands]);

const NO_HLL = '-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n';

test('PFADD says whether anything changed, PFCOUNT keeps its estimate', () => {
  const server = create();
  expect(server.run('PFADD', 'h')).toBe(':1\r\n');
  expect(server.run('PFADD', 'h')).toBe(':0\r\n');
  expect(server.run('PFADD', 'h', 'a', 'b', 'c')).toBe(':1\r\n');
  expect(server.run('PFADD', 'h', 'a')).toBe(':0\r\n');
  expect(server.run('PFCOUNT', 'h')).toBe(':3\r\n');
  expect(server.run('PFCOUNT', 'h')).toBe(':3\r\n');
  expect(server.run('PFDEBUG', 'DECODE', 'h')).toBe(
    '$44\r\nZ:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603\r\n',
  );
  expect(server.events).toEqual(['0:new:h', '0:pfadd:h', '0:pfadd:h']);
  expect(server.propagated).toEqual(['PFADD h', 'PFADD h a b c', 'PFCOUNT h']);
});

test('unions count and merge, dense if any of them is', () => {
  const server = create();
  server.run('PFADD', 'a', '1', '2', '3');
  server.run('PFADD', 'b', '3', '4');
  expect(server.run('PFCOUNT', 'a', 'b', 'missing')).toBe(':4\r\n');
  expect(server.run('PFMERGE', 'c', 'a', 'b')).toBe('+OK\r\n');
  expect(server.run('PFCOUNT', 'c')).toBe(':4\r\n');
  expect(server.run('PFDEBUG', 'ENCODING', 'c')).toBe('+sparse\r\n');
  expect(server.run('PFDEBUG', 'TODENSE', 'a')).toBe(':1\r\n');
  expect(server.run('PFDEBUG', 'TODENSE', 'a')).toBe(':0\r\n');
  expect(server.run('PFMERGE', 'c', 'a')).toBe('+OK\r\n');
  expect(server.run('PFDEBUG', 'ENCODING', 'c')).toBe('+dense\r\n');
  expect(server.run('PFCOUNT', 'c')).toBe(':4\r\n');
  expect(server.run('STRLEN', 'c')).toBe(':12304\r\n');
  expect(server.run('PFDEBUG', 'GETREG', 'b')).toMatch(/^\*16384\r\n:/);
});

test('other values are refused', () => {
  const server = create();
  server.run('SET', 's', 'abc');
  server.run('SADD', 'set', '1');
  expect(server.run('PFADD', 's', 'x')).toBe(NO_HLL);
  expect(server.run('PFCOUNT', 's')).toBe(NO_HLL);
  expect(server.run('PFCOUNT', 's', 'missing')).toBe(NO_HLL);
  expect(server.run('PFMERGE', 'd', 's')).toBe(NO_HLL);
  expect(server.run('PFADD', 'set', 'x')).toMatch(/^-WRONGTYPE Operation/);
  server.run('PFADD', 'h', 'x');
  server.run('SETRANGE', 'h', '16', '\x00\x00');
  server.run('PFADD', 'h');
  const corrupt = '-INVALIDOBJ Corrupted HLL object detected\r\n';
  expect(server.run('PFADD', 'h', 'zzz')).toBe(corrupt);
  expect(server.run('PFCOUNT', 'h', 'h')).toBe(corrupt);
  expect(server.run('PFMERGE', 'd', 'h')).toBe(corrupt);
  expect(server.run('PFDEBUG', 'GETREG', 'h')).toBe(corrupt);
  expect(server.run('PFDEBUG', 'FOO', 'h')).toBe("-ERR Unknown PFDEBUG subcommand 'FOO'\r\n");
  expect(server.run('PFDEBUG', 'GETREG', 'missing')).toBe(
    '-ERR The specified key does not exist\r\n',
  );
});

test('PFSELFTEST finds nothing wrong', () => {
  expect(create().run('PFSELFTEST')).toBe('+OK\r\n');
});
