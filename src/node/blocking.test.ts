/**
 * Goal: clients that wait for keys are served as redis-server 7.0.15 serves them: in the order of
 * their arrival, after the command or transaction that made a key ready, and each once.
 */
import { expect, test } from 'vitest';
import { type TestClient, TestNode } from './test-node.ts';

/** What a client received since it was last asked. */
function taken(client: TestClient): string {
  const text = client.received;
  client.received = '';
  return text;
}

function popped(key: string, value: string): string {
  return `*2\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
}

test('who waits longest is served first', () => {
  const node = new TestNode();
  const [first, second, other] = [node.connect(), node.connect(), node.connect()];
  expect(first.call('BLPOP', 'k', '0')).toBe('');
  expect(second.call('BRPOP', 'x', 'k', '0')).toBe('');
  expect(other.call('RPUSH', 'k', '1')).toBe(':1\r\n');
  expect([taken(first), taken(second)]).toEqual([popped('k', '1'), '']);
  expect(other.call('RPUSH', 'k', '2', '3')).toBe(':2\r\n');
  expect(taken(second)).toBe(popped('k', '3'));
  expect(other.call('LRANGE', 'k', '0', '-1')).toBe('*1\r\n$1\r\n2\r\n');
});

test('a transaction is over before anybody is served, by the key that was ready first', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  waiting.call('BLPOP', 'a', 'b', '0');
  other.call('MULTI');
  other.call('LPUSH', 'gone', '1');
  other.call('LPUSH', 'b', '1');
  other.call('LPUSH', 'a', '1');
  other.call('LPUSH', 'b', '2');
  expect(other.call('EXEC')).toBe('*4\r\n:1\r\n:1\r\n:1\r\n:2\r\n');
  expect(taken(waiting)).toBe(popped('b', '2'));
});

test('what is gone again, or another type, serves nobody', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  waiting.call('BLPOP', 'k', '0');
  for (const last of [
    ['DEL', 'k'],
    ['SET', 'k', 'x'],
  ]) {
    other.call('MULTI');
    other.call('LPUSH', 'k', '1');
    other.call('DEL', 'k');
    other.call(...last);
    other.call('EXEC');
    expect(taken(waiting)).toBe('');
  }
  other.call('DEL', 'k');
  other.call('LPUSH', 'k', '1');
  expect(taken(waiting)).toBe(popped('k', '1'));
});

test('an element goes from hand to hand within one turn', () => {
  const node = new TestNode();
  const [a, b, c, other] = [node.connect(), node.connect(), node.connect(), node.connect()];
  c.call('BLPOP', 'three', '0');
  b.call('BLMOVE', 'two', 'three', 'LEFT', 'LEFT', '0');
  a.call('BRPOPLPUSH', 'one', 'two', '0');
  other.call('LPUSH', 'one', 'x');
  expect([taken(a), taken(b)]).toEqual(['$1\r\nx\r\n', '$1\r\nx\r\n']);
  expect(taken(c)).toBe(popped('three', 'x'));
  expect(other.call('DBSIZE')).toBe(':0\r\n');
});

test('a destination of another type is the error of who waits, and the element stays', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  other.call('SET', 's', 'x');
  waiting.call('BLMOVE', 'k', 's', 'LEFT', 'LEFT', '0');
  other.call('LPUSH', 'k', '1');
  expect(taken(waiting)).toMatch(/^-WRONGTYPE /);
  expect(other.call('LLEN', 'k')).toBe(':1\r\n');
});

test('keys become ready by whatever makes them', () => {
  const makers: readonly (readonly string[])[] = [
    ['RENAME', 'src', 'k'],
    ['COPY', 'src', 'k'],
    ['SWAPDB', '0', '1'],
  ];
  for (const maker of makers) {
    const node = new TestNode();
    const [waiting, other] = [node.connect(), node.connect()];
    other.call('LPUSH', 'src', 'x');
    other.call('SELECT', '1');
    other.call('LPUSH', 'k', 'x');
    other.call('SELECT', '0');
    waiting.call('BLPOP', 'k', '0');
    other.call(...maker);
    expect([maker, taken(waiting)]).toEqual([maker, popped('k', 'x')]);
  }
});

test('the time is over: nothing, and the client goes on', () => {
  const node = new TestNode();
  const client = node.connect();
  expect(client.send('BLPOP k 0.5\r\nPING\r\n')).toBe('');
  node.pass(499);
  expect(taken(client)).toBe('');
  node.pass(1);
  expect(taken(client)).toBe('*-1\r\n+PONG\r\n');
  expect(client.call('LPUSH', 'k', 'x')).toBe(':1\r\n');
});

test('a served client goes on, and what it pushes serves others', () => {
  const node = new TestNode();
  const [first, second, other] = [node.connect(), node.connect(), node.connect()];
  first.send('BLPOP k 0\r\nLPUSH n y\r\nBLPOP k 0\r\n');
  second.send('BLPOP n 0\r\nLPUSH k z\r\n');
  other.call('LPUSH', 'k', 'x');
  expect(taken(first)).toBe(`${popped('k', 'x')}:1\r\n${popped('k', 'z')}`);
  expect(taken(second)).toBe(`${popped('n', 'y')}:1\r\n`);
});

test('CLIENT UNBLOCK ends a wait as a timeout or as an error', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  const id = waiting.call('CLIENT', 'ID').slice(1, -2);
  expect(other.call('CLIENT', 'UNBLOCK', id)).toBe(':0\r\n');
  waiting.call('BLPOP', 'k', '0');
  expect(other.call('CLIENT', 'UNBLOCK', id)).toBe(':1\r\n');
  expect(taken(waiting)).toBe('*-1\r\n');
  waiting.call('BLPOP', 'k', '0');
  expect(other.call('CLIENT', 'UNBLOCK', id, 'ERROR')).toBe(':1\r\n');
  expect(taken(waiting)).toBe('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
  other.call('LPUSH', 'k', 'x');
  expect([taken(waiting), other.call('LLEN', 'k')]).toEqual(['', ':1\r\n']);
});

test('who left is not served', () => {
  const node = new TestNode();
  const [gone, waiting, other] = [node.connect(), node.connect(), node.connect()];
  gone.call('BLPOP', 'k', '0');
  waiting.call('BLPOP', 'k', 'k', '0');
  gone.disconnect();
  other.call('LPUSH', 'k', '1', '2');
  expect([taken(gone), taken(waiting)]).toEqual(['', popped('k', '2')]);
  expect(other.call('LLEN', 'k')).toBe(':1\r\n');
});

test('becoming a replica refuses and closes who waits', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  waiting.call('BLPOP', 'k', '0');
  other.call('REPLICAOF', '127.0.0.1', '1');
  expect(taken(waiting)).toBe(
    '-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n',
  );
  expect(waiting.isClosed).toBe(true);
});

test('a waiting call is counted once, when it begins to wait, and shown while it waits', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  waiting.call('BLPOP', 'k', '10');
  expect(other.call('INFO', 'commandstats')).toContain('cmdstat_blpop:calls=1,');
  expect(other.call('INFO', 'clients')).toContain('blocked_clients:1\r\n');
  expect(other.call('INFO', 'clients')).toContain('clients_in_timeout_table:1\r\n');
  expect(other.call('CLIENT', 'LIST')).toMatch(/flags=b .*cmd=blpop/);
  other.call('LPUSH', 'k', 'x');
  expect(other.call('INFO', 'commandstats')).toMatch(/cmdstat_blpop:calls=1,.*failed_calls=0/);
  expect(other.call('INFO', 'clients')).toContain('blocked_clients:0\r\n');
  // Neither the time that is over nor the client that is gone counts again, or not at all.
  waiting.call('BLPOP', 'k', '1');
  node.pass(1500);
  waiting.call('BLPOP', 'k', '0');
  waiting.disconnect();
  expect(other.call('INFO', 'commandstats')).toContain('cmdstat_blpop:calls=3,');
});

test('a pushed key that expired before the turn of who waits serves nobody', () => {
  const node = new TestNode();
  const [waiting, other] = [node.connect(), node.connect()];
  waiting.call('BLPOP', 'k', '0');
  other.call('MULTI');
  other.call('LPUSH', 'k', 'x');
  other.call('PEXPIREAT', 'k', '1');
  other.call('EXEC');
  expect([taken(waiting), other.call('EXISTS', 'k')]).toEqual(['', ':0\r\n']);
});

test('readers of a group hear that their stream is gone, by whatever takes it away', () => {
  for (const away of ['DEL x', 'RENAME x y', 'RENAMENX x y', 'MOVE x 1', 'SET x 1', 'FLUSHDB']) {
    const node = new TestNode();
    const [waiting, reader, other] = [node.connect(), node.connect(), node.connect()];
    other.call('XGROUP', 'CREATE', 'x', 'g', '$', 'MKSTREAM');
    waiting.send('XREADGROUP GROUP g c BLOCK 0 STREAMS x >\r\n');
    reader.send('XREAD BLOCK 0 STREAMS x $\r\n');
    other.send(`${away}\r\n`);
    expect([away, taken(waiting), taken(reader)]).toEqual([
      away,
      '-UNBLOCKED the stream key no longer exists\r\n',
      '',
    ]);
  }
});
