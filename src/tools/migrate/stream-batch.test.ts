/** Goal: what must not be repeated is in one transaction with its position, and replies are told apart rightly. */
import { expect, test } from 'vitest';
import { RequestBuffer } from '../../client/index.ts';
import { Request, encodeRequest } from '../../resp/index.ts';
import { areAllDone, hasMissedRenewal, requestsOf, sortOut } from './batch-replies.ts';
import { isRepeatable } from './repeatable.ts';
import { StreamBatch } from './stream-batch.ts';

function batchOf(...commands: readonly [slot: number, repeatable: boolean, text: string][]) {
  const batch = new StreamBatch();
  for (const [i, [slot, repeatable, text]] of commands.entries()) {
    const bytes = encodeRequest(text.split(' '));
    const item = { slot, db: 0, isRepeatable: repeatable, offset: (i + 1) * 10 };
    batch.add(item, bytes, 0, bytes.length);
  }
  return batch;
}

function written(batch: StreamBatch): string[] {
  const out = new RequestBuffer();
  batch.write(out, (slot) => `at:${slot}`);
  const { count } = out;
  return requestsOf(out.take(), count).map((args) => args.join(' '));
}

function repliesOf(...replies: readonly string[]) {
  const starts: number[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const reply of replies) {
    starts.push(end);
    end += reply.length;
    ends.push(end);
  }
  return { buf: Buffer.from(replies.join('')), starts, ends };
}

test('a batch that may be repeated goes as it came', () => {
  const batch = batchOf([1, true, 'SET a 1'], [2, true, 'DEL b']);
  expect(written(batch)).toEqual(['SET a 1', 'DEL b']);
});

test('all commands of a slot go into one transaction when one of them must not be repeated', () => {
  const batch = batchOf(
    [1, true, 'SET a 1'],
    [2, true, 'SET b 1'],
    [1, false, 'INCR a'],
    [1, true, 'SET a 3'],
  );
  expect(written(batch)).toEqual([
    'SET b 1',
    'MULTI',
    'SET a 1',
    'INCR a',
    'SET a 3',
    'SET at:1 40',
    'EXEC',
  ]);
});

test('a transaction selects its databases and ends in database 0', () => {
  const batch = new StreamBatch();
  for (const db of [0, 3, 3]) {
    const bytes = encodeRequest(['INCR', `k${db}`]);
    batch.add({ slot: 0, db, isRepeatable: false, offset: 5 }, bytes, 0, bytes.length);
  }
  const middle = ['INCR k0', 'SELECT 3', 'INCR k3', 'INCR k3', 'SELECT 0'];
  expect(written(batch)).toEqual(['MULTI', ...middle, 'SET at:0 5', 'EXEC']);
});

test('an error inside EXEC is one command that was refused, the rest is done', () => {
  const batch = batchOf([1, false, 'INCR a'], [1, false, 'INCR b']);
  const queued = Array.from({ length: 3 }, () => '+QUEUED\r\n');
  const exec = '*3\r\n-ERR not an integer\r\n:2\r\n+OK\r\n';
  const replies = repliesOf('+OK\r\n', ...queued, exec);
  expect(areAllDone(replies)).toBe(false);
  const { refusals, again } = sortOut(batch, replies);
  expect(again).toEqual([]);
  expect(refusals.map(({ args, reason }) => [args.join(' '), reason])).toEqual([
    ['INCR a', 'ERR not an integer'],
  ]);
  const bulk = '*3\r\n$6\r\nx\r\n-y\n\r\n:2\r\n+OK\r\n';
  expect(areAllDone(repliesOf('+OK\r\n', ...queued, bulk))).toBe(true);
});

test('a transaction that was redirected comes again whole, without what was refused for good', () => {
  const batch = batchOf([1, false, 'INCR a'], [1, false, 'NEW b'], [2, true, 'SET c 1']);
  const replies = repliesOf(
    '+OK\r\n',
    '+OK\r\n',
    '+QUEUED\r\n',
    '-ERR unknown command\r\n',
    '+QUEUED\r\n',
    '-EXECABORT discarded\r\n',
  );
  const { refusals, again } = sortOut(batch, replies);
  expect(again).toEqual([0]);
  expect(refusals.map(({ reason }) => reason)).toEqual(['ERR unknown command']);
  const moved = repliesOf(
    '-MOVED 2 127.0.0.1:1\r\n',
    '+OK\r\n',
    '-MOVED 1 127.0.0.1:1\r\n',
    '-MOVED 1 127.0.0.1:1\r\n',
    '-MOVED 1 127.0.0.1:1\r\n',
    '-EXECABORT discarded\r\n',
  );
  expect(sortOut(batch, moved)).toEqual({ refusals: [], again: [0, 1, 2] });
});

test('commands that depend on what was there are not repeatable', () => {
  const answer = (text: string): boolean => {
    const request = new Request();
    request.load(text.split(' '));
    return isRepeatable(request.text(0).toLowerCase(), request);
  };
  const repeatable = ['SET k v', 'SET k v PXAT 5', 'SET k v KEEPTTL', 'DEL k', 'ZADD k 1.5 m'];
  repeatable.push('ZADD k -inf m', 'RESTORE k 0 x REPLACE ABSTTL');
  expect(repeatable.filter((text) => !answer(text))).toEqual([]);
  const others = ['INCR k', 'SET k v NX', 'SET k v PX 5', 'RPUSH k v', 'HDEL k f', 'SREM k m'];
  others.push('ZADD k NX 1 m', 'ZADD k INCR 1 m', 'RESTORE k 0 x', 'APPEND k v', 'RENAME k l');
  expect(others.filter((text) => answer(text))).toEqual([]);
});

test('a renewal that found no key is seen, in a transaction as outside one', () => {
  const plain = batchOf([1, true, 'HSET a f 1'], [2, true, 'PEXPIREAT b 99']);
  const isMissed = (batch: StreamBatch, ...replies: readonly string[]): boolean =>
    hasMissedRenewal(batch, repliesOf(...replies));
  expect(isMissed(plain, ':0\r\n', ':1\r\n')).toBe(false);
  expect(isMissed(plain, ':1\r\n', ':0\r\n')).toBe(true);
  const unit = batchOf([2, true, 'SET x 1'], [1, false, 'INCR a'], [1, true, 'persist a']);
  const queued = ['+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', '+QUEUED\r\n'];
  expect(isMissed(unit, ...queued, '*3\r\n:0\r\n:1\r\n+OK\r\n')).toBe(false);
  expect(isMissed(unit, ...queued, '*3\r\n:1\r\n:0\r\n+OK\r\n')).toBe(true);
});
