// Stream commands: ids, propagation, counts and texts are those of redis-server 7.0.15.
import { beforeEach, expect, test } from 'vitest';
import { streamCommands } from './stream.ts';
import { TestServer } from './test-server.ts';

let server: TestServer;

beforeEach(() => {
  server = new TestServer(streamCommands);
});

/** Runs a command given as words. */
function run(line: string): string {
  return server.run(...line.split(' '));
}

/** What a command sends to replicas. */
function propagated(line: string): readonly string[] {
  server.propagated.length = 0;
  run(line);
  return [...server.propagated];
}

function dirtyOf(line: string): number {
  const { dirty } = server.keyspace;
  run(line);
  return server.keyspace.dirty - dirty;
}

test('XADD makes ids from the clock, from milliseconds, and never goes back', () => {
  expect(run('XADD s * a b')).toBe('$15\r\n1700000000000-0\r\n');
  expect(run('XADD s * a b')).toBe('$15\r\n1700000000000-1\r\n');
  expect(run('XADD s 1700000000000-* a b')).toBe('$15\r\n1700000000000-2\r\n');
  expect(run('XADD s 1700000000009-* a b')).toBe('$15\r\n1700000000009-0\r\n');
  server.advance(1);
  expect(run('XADD s * a b')).toBe('$15\r\n1700000000009-1\r\n');
  expect(run('XADD s 5 a b')).toContain('is equal or smaller than the target stream top item');
  expect(run('XADD new 0-0 a b')).toContain('must be greater than 0-0');
  expect(run('XADD new 0-* a b')).toBe('$3\r\n0-1\r\n');
  expect(run('XADD t 7--01 a b')).toBe('$22\r\n7-18446744073709551615\r\n');
  expect(run('XADD t 7-* a b')).toContain('is equal or smaller');
  expect(run('XADD t 18446744073709551615-18446744073709551615 a b')).toMatch(/^\$41/);
  expect(run('XADD t * a b')).toContain('has exhausted the last possible ID');
});

test('replicas get the id that was made and the length that was left', () => {
  expect(propagated('XADD s * a b')).toEqual(['XADD s 1700000000000-0 a b']);
  expect(propagated('XADD s 1800000000000-1 a b')).toEqual(['XADD s 1800000000000-1 a b']);
  expect(propagated('XADD s MAXLEN ~ 1 1800000000000-* a b')).toEqual([
    'XADD s MAXLEN = 3 1800000000000-2 a b',
  ]);
  expect(propagated('XADD s MINID ~ 5 LIMIT 9 1800000000000-3 a b')).toEqual([
    'XADD s MINID = 1700000000000-0 LIMIT 9 1800000000000-3 a b',
  ]);
  expect(propagated('XADD s NOMKSTREAM MAXLEN 2 1800000000000-* a b')).toEqual([
    'XADD s NOMKSTREAM MAXLEN 2 1800000000000-4 a b',
  ]);
  expect(server.events.slice(-2)).toEqual(['0:xadd:s', '0:xtrim:s']);
  expect(propagated('XTRIM s MAXLEN ~ 0')).toEqual(['XTRIM s MAXLEN = 0']);
  // Nothing is left: replicas remove all there is, as the AOF of redis-server 7.0.15 says it.
  const greatest = '18446744073709551615-18446744073709551615';
  expect(propagated('XADD e MINID ~ 6 1 a b')).toEqual([`XADD e MINID = ${greatest} 1 a b`]);
  expect(propagated('XADD e 7 a b')).toEqual(['XADD e 7 a b']);
  expect(propagated('XTRIM e MINID ~ 9')).toEqual([`XTRIM e MINID = ${greatest}`]);
});

test('our master may trim with a limit that others may not give', () => {
  run('XADD s 1 a b');
  expect(run('XTRIM s MAXLEN = 5 LIMIT 3')).toContain('LIMIT cannot be used without the special ~');
  server.session.role = 'master';
  expect(run('XTRIM s MAXLEN = 0 LIMIT 3')).toBe(':1\r\n');
});

test('ranges have open and closed ends, both ways', () => {
  for (const id of ['1-1', '1-2', '2-0', '3-5']) run(`XADD s ${id} f ${id}`);
  const ids = (line: string): string[] =>
    [...run(line).matchAll(/\*2\r\n\$\d+\r\n([\d-]+)\r\n\*2/g)].map((match) => match[1]!);
  expect(ids('XRANGE s - +')).toEqual(['1-1', '1-2', '2-0', '3-5']);
  expect(ids('XRANGE s 1 2')).toEqual(['1-1', '1-2', '2-0']);
  expect(ids('XRANGE s (1-1 (3-5')).toEqual(['1-2', '2-0']);
  expect(ids('XREVRANGE s + (1-1 COUNT 2')).toEqual(['3-5', '2-0']);
  expect(ids('XREVRANGE s 2 1')).toEqual(['2-0', '1-2', '1-1']);
  expect(run('XRANGE s - + COUNT 0')).toBe('*-1\r\n');
  expect(run('XRANGE s (18446744073709551615-18446744073709551615 +')).toContain('invalid start');
  expect(run('XRANGE s - (0-0')).toContain('invalid end');
});

test('XREADGROUP gives entries once, and replicas hear of claims', () => {
  for (const id of ['1-0', '2-0', '3-0']) run(`XADD s ${id} a b`);
  run('XGROUP CREATE s g 0');
  expect(propagated('XREADGROUP GROUP g c COUNT 1 STREAMS s >')).toEqual([
    'XCLAIM s g c 0 1-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0',
  ]);
  expect(propagated('XREADGROUP GROUP g d NOACK STREAMS s >')).toEqual([
    'XGROUP CREATECONSUMER s g d',
    'XGROUP SETID s g 3-0 ENTRIESREAD 3',
  ]);
  expect(run('XREADGROUP GROUP g c STREAMS s >')).toBe('*-1\r\n');
  run('XDEL s 1-0');
  expect(run('XREADGROUP GROUP g c STREAMS s 0')).toBe(
    '*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*-1\r\n',
  );
  expect(run('XPENDING s g')).toBe(
    '*4\r\n:1\r\n$3\r\n1-0\r\n$3\r\n1-0\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n',
  );
  expect(run('XREADGROUP GROUP no c STREAMS s >')).toContain("-NOGROUP No such key 's' or");
});

test('claims move entries, count deliveries, and drop what was deleted', () => {
  for (const id of ['1-0', '2-0', '3-0']) run(`XADD s ${id} a b`);
  run('XGROUP CREATE s g 0');
  run('XREADGROUP GROUP g c STREAMS s >');
  run('XDEL s 2-0');
  server.advance(50);
  expect(run('XCLAIM s g d 51 1-0')).toBe('*0\r\n');
  expect(dirtyOf('XCLAIM s g d 50 1-0')).toBe(2);
  expect(run('XPENDING s g - + 1 d')).toBe('*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nd\r\n:0\r\n:2\r\n');
  expect(propagated('XAUTOCLAIM s g e 0 1-0 COUNT 2')).toEqual([
    'XCLAIM s g e 0 1-0 TIME 1700000000050 RETRYCOUNT 3 FORCE JUSTID LASTID 3-0',
    'XCLAIM s g c 0 2-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 3-0',
  ]);
  expect(run('XAUTOCLAIM s g e 0 0 JUSTID')).toBe(
    '*3\r\n$3\r\n0-0\r\n*2\r\n$3\r\n1-0\r\n$3\r\n3-0\r\n*0\r\n',
  );
  expect(run('XACK s g 1-0 2-0 3-0')).toBe(':2\r\n');
  expect(propagated('XCLAIM s g e 0 9 LASTID 9')).toEqual(['XGROUP SETID s g 9-0 ENTRIESREAD 3']);
});

test('a group knows how far it is until a deleted entry is in its way', () => {
  const progress = (): string => {
    const found = /entries-read\r\n(\S+)\r\n\$3\r\nlag\r\n(\S+)/.exec(run('XINFO GROUPS s'));
    return `${found?.[1]} ${found?.[2]}`;
  };
  for (const id of ['1-0', '2-0', '3-0', '4-0']) run(`XADD s ${id} a b`);
  run('XGROUP CREATE s g 0');
  expect(progress()).toBe('$-1 :4');
  run('XREADGROUP GROUP g c COUNT 1 STREAMS s >');
  expect(progress()).toBe(':1 :3');
  run('XDEL s 3-0');
  expect(progress()).toBe(':1 $-1');
  run('XREADGROUP GROUP g c COUNT 1 STREAMS s >');
  run('XREADGROUP GROUP g c COUNT 9 STREAMS s >');
  expect(progress()).toBe(':4 :0');
});

test('a call that waited is answered when its stream has news, or is gone', () => {
  run('XADD s 1-0 a b');
  run('XGROUP CREATE s g $');
  server.readyArgument = 7;
  const read = 'XREADGROUP GROUP g c BLOCK 0 STREAMS s >';
  run('XADD s 2-0 a b');
  expect(run(read)).toContain('2-0');
  run('XGROUP DESTROY s g');
  expect(run(read)).toBe(
    '-NOGROUP the consumer group this client was blocked on no longer exists\r\n',
  );
  server.keyspace.db(0).deleteKey(Buffer.from('s'), 0, 1);
  expect(run(read)).toBe('-UNBLOCKED the stream key no longer exists\r\n');
});

test('counts of changes are those of the real server', () => {
  const program: readonly (readonly [string, number])[] = [
    ['XADD s 1-0 a b', 1],
    ['XADD s MAXLEN 1 2-0 a b', 1],
    ['XADD s 3-0 a b', 1],
    ['XDEL s 3-0 9-9', 1],
    ['XTRIM s MAXLEN 5', 0],
    ['XGROUP CREATE s g 0', 1],
    ['XREADGROUP GROUP g c STREAMS s >', 2],
    ['XREADGROUP GROUP g c STREAMS s 0', 1],
    ['XREADGROUP GROUP g c STREAMS s >', 0],
    ['XACK s g 2-0', 1],
    ['XGROUP CREATECONSUMER s g k', 1],
    ['XGROUP DELCONSUMER s g k', 1],
    ['XGROUP SETID s g +', 1],
    ['XSETID s 9', 1],
    ['XGROUP DESTROY s g', 1],
  ];
  for (const [line, count] of program) expect([line, dirtyOf(line)]).toEqual([line, count]);
});

test('options of XGROUP that are repeated are refused only where key and group are there', () => {
  const tooMany = 'unknown subcommand or wrong number of arguments';
  expect(run('XGROUP CREATE s g $ ENTRIESREAD 0 ENTRIESREAD 0')).toContain(
    'requires the key to exist',
  );
  expect(run('XGROUP CREATE s g $ MKSTREAM MKSTREAM MKSTREAM MKSTREAM')).toContain(tooMany);
  run('XADD s 1-1 a b');
  expect(run('XGROUP CREATE s g $ ENTRIESREAD 0 ENTRIESREAD 0')).toContain(tooMany);
  expect(run('XGROUP SETID s g $ ENTRIESREAD 0 ENTRIESREAD 0')).toContain('NOGROUP');
  run('XGROUP CREATE s g $');
  expect(run('XGROUP SETID s g $ ENTRIESREAD 0 ENTRIESREAD 0')).toContain(tooMany);
});
