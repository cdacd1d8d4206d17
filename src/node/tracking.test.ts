/** Goal: what clients that track keys are told, and when the node forgets. Method: nodes in memory, byte for byte. */
import { expect, test } from 'vitest';
import { type TestClient, TestNode } from './test-node.ts';

/** A client that tracks keys, and another one. */
function pair(): { readonly reader: TestClient; readonly writer: TestClient } {
  const node = new TestNode();
  const reader = node.connect();
  reader.call('HELLO', '3');
  reader.call('CLIENT', 'TRACKING', 'ON');
  return { reader, writer: node.connect() };
}

test('keys outlive the client that read them, until they change or all are flushed', () => {
  const { reader, writer } = pair();
  for (const key of ['a', 'b', 'c']) {
    writer.call('SET', key, '1');
    reader.call('GET', key);
  }
  reader.call('CLIENT', 'TRACKING', 'OFF');
  expect(writer.call('INFO', 'stats')).toContain('tracking_total_keys:3\r\n');
  writer.call('SET', 'a', '2');
  expect(writer.call('INFO', 'stats')).toContain('tracking_total_keys:2\r\n');
  writer.call('FLUSHALL');
  expect(writer.call('INFO', 'stats')).toContain('tracking_total_keys:0\r\n');
  reader.call('CLIENT', 'TRACKING', 'ON');
  writer.call('SET', 'b', '2');
  expect(reader.call('PING')).toBe('+PONG\r\n');
  expect(reader.received).not.toContain('invalidate');
});

test('everybody who tracks is told of a flush, also of one that finds nothing, and a channel in a bulk', () => {
  const { reader, writer } = pair();
  writer.call('FLUSHDB');
  expect(reader.received).toMatch(/>2\r\n\$10\r\ninvalidate\r\n_\r\n$/);
  reader.received = '';
  writer.call('SUBSCRIBE', '__redis__:invalidate');
  writer.received = '';
  reader.call('CLIENT', 'TRACKING', 'OFF');
  const id = /id=(\d+) [^\n]* sub=1 /.exec(reader.call('CLIENT', 'LIST'))![1]!;
  reader.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'NOLOOP');
  reader.call('FLUSHALL');
  expect(writer.received).toBe('*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n');
});

test('a client that wants no replies is told of keys all the same', () => {
  const { reader, writer } = pair();
  reader.call('GET', 'a');
  reader.call('CLIENT', 'REPLY', 'OFF');
  writer.call('SET', 'a', '1');
  expect(reader.received).toMatch(/>2\r\n\$10\r\ninvalidate\r\n\*1\r\n\$1\r\na\r\n$/);
  expect(reader.call('PING')).toBe('');
});

test('CLIENT CACHING says what it is not valid for, as Redis does', () => {
  const anyway = (word: string, mode: string): string =>
    `-ERR CLIENT CACHING ${word} is only valid when tracking is enabled in ${mode} mode.\r\n`;
  const yes = anyway('YES', 'OPTIN');
  const no = anyway('NO', 'OPTOUT');
  const off =
    '-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled\r\n';
  const syntax = '-ERR syntax error\r\n';
  for (const [mode, ...answers] of [
    [undefined, off, off, off],
    ['', yes, no, syntax],
    ['BCAST', yes, no, syntax],
    ['OPTIN', '+OK\r\n', no, syntax],
    ['OPTOUT', yes, '+OK\r\n', syntax],
  ] as const) {
    const client = new TestNode().connect();
    client.call('HELLO', '3');
    if (mode !== undefined) client.call('CLIENT', 'TRACKING', 'ON', ...(mode ? [mode] : []));
    const said = ['YES', 'NO', 'x'].map((word) => client.call('CLIENT', 'CACHING', word));
    expect(said).toEqual(answers);
  }
});

test('who tracks by broadcast hears once a turn of all that changed in it, in order', () => {
  const node = new TestNode();
  const reader = node.connect();
  reader.call('HELLO', '3');
  reader.call('CLIENT', 'TRACKING', 'ON', 'BCAST');
  node.connect().call('BZPOPMIN', 'z', '0');
  reader.received = '';
  node.connect().send('SET b 1\r\nSET a 1\r\nZADD z 1 x\r\nSET b 2\r\n');
  expect(reader.received).toBe(
    '>2\r\n$10\r\ninvalidate\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nz\r\n',
  );
  // Its own changes come behind the answers, and none is left for later.
  expect(reader.send('SET c 1\r\nPING\r\n')).toBe(
    '+OK\r\n+PONG\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nc\r\n',
  );
  expect(reader.call('PING')).toBe('+PONG\r\n');
});

test('prefixes are told in order, however they came', () => {
  const client = new TestNode().connect();
  client.send(
    'CLIENT TRACKING ON BCAST PREFIX b PREFIX c\r\nCLIENT TRACKING ON BCAST PREFIX a\r\n',
  );
  expect(client.call('CLIENT', 'TRACKINGINFO')).toContain(
    '*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n',
  );
});

test('in a transaction a client may subscribe, but not to shard channels', () => {
  const client = new TestNode().connect();
  client.send('MULTI\r\nSUBSCRIBE c\r\nSSUBSCRIBE c\r\nSUNSUBSCRIBE\r\n');
  expect(client.call('EXEC')).toBe(
    '*3\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n' +
      "-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n" +
      '*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n',
  );
});

test('messages redirected to a client that speaks RESP2 reach it while it listens to anything', () => {
  const node = new TestNode();
  const [reader, listener] = [node.connect(), node.connect()];
  const id = listener.call('CLIENT', 'ID').slice(1).trim();
  reader.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id);
  const heard = (): string => {
    reader.call('GET', 'k');
    listener.received = '';
    node.connect().call('SET', 'k', '1');
    return listener.received;
  };
  expect(heard()).toBe('');
  listener.call('PSUBSCRIBE', 'x*');
  expect(heard()).toBe('*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n');
  listener.call('PUNSUBSCRIBE');
  expect(heard()).toBe('');
});

/** A client that is told of all changes but its own, and of all that it received since. */
function listener(node: TestNode): TestClient {
  const client = node.connect();
  client.call('HELLO', '3');
  client.call('CLIENT', 'TRACKING', 'ON', 'BCAST', 'NOLOOP');
  client.received = '';
  return client;
}

function told(key: string): string {
  return `>2\r\n$10\r\ninvalidate\r\n*1\r\n$${key.length}\r\n${key}\r\n`;
}

test("a key is its own change to who changed it last in a turn, and what a script writes is nobody's", () => {
  const node = new TestNode();
  const [client, waiting] = [listener(node), node.connect()];
  expect(client.call('RPUSH', 'l', 'x')).toBe(':1\r\n');
  client.call('LPOP', 'l');
  waiting.call('BLPOP', 'l', '0');
  expect(client.call('RPUSH', 'l', 'x')).toBe(`:1\r\n${told('l')}`);
  const script = "return redis.call('SET', KEYS[1], '1')";
  expect(client.call('EVAL', script, '1', 'k')).toBe(`+OK\r\n${told('k')}`);
});

test('a reader is told before the events of the key, and the reader that changes it behind its answer', () => {
  const node = new TestNode();
  const [reader, writer] = [node.connect(), node.connect()];
  writer.call('CONFIG', 'SET', 'notify-keyspace-events', 'K$');
  reader.call('HELLO', '3');
  reader.call('CLIENT', 'TRACKING', 'ON');
  reader.call('PSUBSCRIBE', '__keyspace*');
  reader.call('GET', 'k');
  reader.received = '';
  writer.call('SET', 'k', '1');
  const event =
    '>4\r\n$8\r\npmessage\r\n$11\r\n__keyspace*\r\n$16\r\n__keyspace@0__:k\r\n$3\r\nset\r\n';
  expect(reader.received).toBe(told('k') + event);
  reader.call('GET', 'k');
  reader.call('PUNSUBSCRIBE');
  expect(reader.call('SET', 'k', '2')).toBe(`+OK\r\n${told('k')}`);
});

test('a read that waited is remembered when it began to wait, not when it was served', () => {
  const node = new TestNode();
  const [reader, writer] = [node.connect(), node.connect()];
  reader.call('HELLO', '3');
  reader.call('CLIENT', 'TRACKING', 'ON');
  reader.call('XREAD', 'BLOCK', '0', 'STREAMS', 'x', '$');
  reader.received = '';
  writer.call('XADD', 'x', '1-1', 'a', 'b');
  expect(reader.received).toContain(told('x'));
  reader.received = '';
  writer.call('XADD', 'x', '1-2', 'a', 'b');
  expect(reader.received).toBe('');
});
