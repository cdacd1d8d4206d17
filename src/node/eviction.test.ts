/** What maxmemory does to a node: which keys go, who is told, and what is refused. */
import { expect, test, vi } from 'vitest';
import { countedBufferBytes } from './eviction.ts';
import { TestNode } from './test-node.ts';

const VALUE = 'x'.repeat(100);

function filled(
  policy: string,
  count: number,
): { node: TestNode; call: (...args: string[]) => string } {
  const node = new TestNode(`maxmemory-policy ${policy}\nmaxmemory-samples 10\n`);
  const client = node.connect();
  const call = (...args: string[]): string => client.call(...args);
  for (let i = 0; i < count; i++) {
    call('SET', `key:${i}`, VALUE);
    if (i % 2 === 0) call('EXPIRE', `key:${i}`, String(1000 + i));
  }
  return { node, call };
}

/** What counts against maxmemory. */
function used({ node }: TestNode): number {
  node.clients.memory.recountAll();
  return node.keyspace.memory.usedBytes + countedBufferBytes(node);
}

test('without a policy writes are refused and reads are not', () => {
  const { node, call } = filled('noeviction', 100);
  call('CONFIG', 'SET', 'maxmemory', String(used(node) - 1));
  expect(call('SET', 'more', 'x')).toBe(
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
  );
  expect(call('GET', 'key:1')).toContain(VALUE);
  expect(call('DEL', 'key:1')).toBe(':1\r\n');
  expect(call('DBSIZE')).toBe(':99\r\n');
});

test('a database that is as large as it can be takes no more, whatever the policy', () => {
  const { node, call } = filled('allkeys-lru', 100);
  const cramped = vi.spyOn(node.node.keyspace, 'isCramped', 'get').mockReturnValue(true);
  expect(call('SET', 'more', 'x')).toBe(
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
  );
  expect(call('EVAL', "return redis.call('SET', 'more', 'x')", '0')).toContain('OOM');
  expect(call('GET', 'key:1')).toContain(VALUE);
  expect(call('DEL', 'key:1')).toBe(':1\r\n');
  node.pass(1000);
  expect(call('DBSIZE')).toBe(':99\r\n');
  cramped.mockReturnValue(false);
  node.pass(1000);
  expect(call('SET', 'more', 'x')).toBe('+OK\r\n');
  expect(node.logs.filter((line) => /almost 32 GiB|room in all/.test(line))).toEqual([
    'A database is almost 32 GiB large, which is the most it can be: commands that need memory are refused.',
    'There is room in all databases again.',
  ]);
});

test('keys go before a command that reads, too, and its client hears of them before the reply', () => {
  const node = new TestNode('maxmemory-policy volatile-random');
  const client = node.connect();
  client.call('HELLO', '3');
  client.call('CLIENT', 'TRACKING', 'ON');
  client.call('SETEX', 'volatile', '1000', 'x');
  client.call('GET', 'volatile');
  client.call('CONFIG', 'SET', 'maxmemory', String(used(node) + 100_000));
  client.call('SETBIT', 'large', '1600000', '0');
  expect(client.call('GETBIT', 'large', '0')).toBe(
    '>2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\nvolatile\r\n:0\r\n',
  );
  // Nothing more to evict: a read runs, a write does not, and a transaction takes neither.
  expect(client.call('GETBIT', 'large', '0')).toBe(':0\r\n');
  expect(client.call('SETBIT', 'large', '0', '0')).toContain('-OOM');
  client.call('MULTI');
  expect(client.call('GETBIT', 'large', '0')).toContain('-OOM');
  expect(client.call('EXEC')).toContain('-EXECABORT');
});

test('no key goes while clients are told that nothing changes, as in a handover', () => {
  const { node, call } = filled('allkeys-random', 100);
  call('CLIENT', 'PAUSE', '10000', 'WRITE');
  call('CONFIG', 'SET', 'maxmemory', String(used(node) - 1000));
  expect(call('GET', 'key:1')).toContain(VALUE);
  node.pass(1000);
  expect(call('DBSIZE')).toBe(':100\r\n');
  call('CLIENT', 'UNPAUSE');
  call('GET', 'key:1');
  expect(Number(call('DBSIZE').slice(1))).toBeLessThan(100);
});

test('buffers of clients count as the data does', () => {
  const { node, call } = filled('noeviction', 10);
  const dataBytes = node.node.keyspace.memory.usedBytes;
  call('CONFIG', 'SET', 'maxmemory', String(dataBytes + 100));
  expect(call('SET', 'key:1', 'x')).toContain('OOM');
  call('CONFIG', 'SET', 'maxmemory', String(used(node) + 100_000));
  expect(call('SET', 'key:1', 'x')).toBe('+OK\r\n');
  expect(call('INFO', 'memory')).toContain(`used_memory:${used(node)}\r\n`);
});

test('what evictions tell clients that track keys does not evict more', () => {
  const node = new TestNode('maxmemory-policy allkeys-random', true);
  const client = node.connect();
  const trackers = Array.from({ length: 10 }, () => node.connect());
  for (const tracker of trackers) {
    tracker.call('HELLO', '3');
    tracker.call('CLIENT', 'TRACKING', 'ON');
  }
  for (let i = 0; i < 200; i++) {
    const key = `${i}${'x'.repeat(1000)}`;
    client.call('SET', key, 'x');
    for (const tracker of trackers) tracker.call('GET', key);
  }
  node.node.send();
  node.pass(1000);
  client.call('CONFIG', 'SET', 'maxmemory', String(used(node) - 40_000));
  node.nowMs += 1;
  node.settle();
  const evicted = 200 - node.node.keyspace.size;
  expect(evicted).toBeGreaterThan(30);
  expect(evicted).toBeLessThan(45);
});

test('no key goes for clients that are about to be closed for their size', () => {
  const node = new TestNode('maxmemory-policy allkeys-lru\nmaxmemory 1mb\nmaxmemory-clients 300kb');
  const client = node.connect();
  for (let i = 0; i < 500; i++) client.call('SET', `key:${i}`, VALUE);
  const greedy = node.connect();
  // A request that does not end.
  greedy.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1200000\r\n${'x'.repeat(1_100_000)}`);
  node.pass(150);
  node.settle();
  expect(greedy.isClosed).toBe(true);
  expect(node.node.keyspace.size).toBe(500);
});

test('keys that were used last stay', () => {
  const { node, call } = filled('allkeys-lru', 400);
  node.pass(60_000);
  for (let i = 0; i < 100; i++) call('GET', `key:${i}`);
  call('CONFIG', 'SET', 'maxmemory', String(Math.floor(used(node) * 0.6)));
  call('SET', 'more', VALUE);
  let kept = 0;
  for (let i = 0; i < 100; i++) if (call('EXISTS', `key:${i}`) === ':1\r\n') kept++;
  expect(kept).toBeGreaterThan(90);
  expect(used(node)).toBeLessThanOrEqual(Number(node.node.settings.maxmemory) + 200);
});

test('a volatile policy takes only keys with an expiry time, the nearest first', () => {
  const { node, call } = filled('volatile-ttl', 200);
  call('CONFIG', 'SET', 'maxmemory', String(Math.floor(used(node) * 0.75)));
  call('SET', 'more', VALUE);
  for (let i = 1; i < 200; i += 2) expect(call('EXISTS', `key:${i}`)).toBe(':1\r\n');
  expect(call('EXISTS', 'key:198')).toBe(':1\r\n');
  expect(call('EXISTS', 'key:0')).toBe(':0\r\n');
  call('CONFIG', 'SET', 'maxmemory', '1');
  expect(call('SET', 'more', 'x')).toContain('OOM');
  expect(call('DBSIZE')).toBe(':101\r\n');
});

test.each(['allkeys-random', 'allkeys-lfu', 'volatile-random', 'volatile-lru', 'volatile-lfu'])(
  '%s makes room, tells subscribers, and counts',
  (policy) => {
    const { node, call } = filled(policy, 100);
    call('CONFIG', 'SET', 'notify-keyspace-events', 'Ee');
    const subscriber = node.connect();
    subscriber.call('PSUBSCRIBE', '*');
    subscriber.received = '';
    const limit = Math.floor(used(node) * 0.8);
    call('CONFIG', 'SET', 'maxmemory', String(limit));
    expect(call('SET', 'more', VALUE)).toBe('+OK\r\n');
    const evicted = 101 - Number(call('DBSIZE').slice(1));
    expect(evicted).toBeGreaterThan(5);
    expect(call('INFO', 'stats')).toContain(`evicted_keys:${evicted}\r\n`);
    expect(subscriber.received.split(':evicted').length - 1).toBe(evicted);
  },
);

test('a command evicts no longer than the tenacity says, and the rest goes between turns', () => {
  const left = (tenacity: string): number => {
    const { node, call } = filled('allkeys-random', 1000);
    call('CONFIG', 'SET', 'maxmemory-eviction-tenacity', tenacity);
    node.stepUs = 400;
    call('CONFIG', 'SET', 'maxmemory', '20000');
    expect(call('SET', 'more', VALUE)).toBe('+OK\r\n');
    const size = Number(call('DBSIZE').slice(1));
    node.pass(2000);
    expect(call('INFO', 'stats')).toMatch(/current_eviction_exceeded_time:[1-9]\d*\r\n/);
    node.settle();
    node.pass(1000);
    const info = call('INFO', 'stats');
    expect(info).toMatch(/total_eviction_exceeded_time:[1-9]\d*\r\n/);
    expect(info).toContain('current_eviction_exceeded_time:0\r\n');
    expect(used(node)).toBeLessThanOrEqual(20_000);
    return size;
  };
  const [none, usual, more] = [left('0'), left('10'), left('20')];
  expect(none).toBeGreaterThan(usual);
  expect(usual).toBeGreaterThan(more);
  const { node, call } = filled('allkeys-random', 1000);
  node.stepUs = 400;
  call('CONFIG', 'SET', 'maxmemory-eviction-tenacity', '100', 'maxmemory', '20000');
  call('SET', 'more', VALUE);
  expect(used(node)).toBeLessThanOrEqual(20_200);
});

test('buffers that grow push keys out, without a command', () => {
  const { node, call } = filled('allkeys-lru', 100);
  call('CONFIG', 'SET', 'maxmemory', String(used(node) + 10_000));
  const other = node.connect();
  other.send(`*2\r\n$3\r\nGET\r\n$40000\r\n${'x'.repeat(30_000)}`);
  node.pass(1000);
  node.settle();
  expect(Number(call('DBSIZE').slice(1))).toBeLessThan(100);
});

test('maxmemory-clients closes the largest clients, but none that said no-evict', () => {
  const { node, call } = filled('noeviction', 1);
  call('CLIENT', 'NO-EVICT', 'on');
  const [small, large] = [node.connect(), node.connect()];
  const unfinished = (bytes: number): string =>
    `*2\r\n$3\r\nGET\r\n$900000\r\n${'x'.repeat(bytes)}`;
  small.send(unfinished(10));
  large.send(unfinished(300_000));
  call('CONFIG', 'SET', 'maxmemory-clients', '200000');
  node.pass(1000);
  expect([small.isClosed, large.isClosed]).toEqual([false, true]);
  expect(call('INFO', 'stats')).toContain('evicted_clients:1\r\n');
});

test('a client that alone is above maxmemory-clients is closed before its request is whole', () => {
  const node = new TestNode('maxmemory-clients 300kb');
  const [large, queueing] = [node.connect(), node.connect()];
  large.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$400000\r\n${'x'.repeat(350_000)}`);
  expect(large.isClosed).toBe(true);
  queueing.call('MULTI');
  for (let i = 0; i < 3; i++) queueing.call('SET', 'k', 'x'.repeat(110_000));
  expect(queueing.isClosed).toBe(true);
  expect(node.connect().call('INFO', 'stats')).toContain('evicted_clients:2\r\n');
});

test('names that a client has the node remember count against maxmemory-clients', () => {
  const node = new TestNode('maxmemory-clients 200kb');
  const [watching, listening] = [node.connect(), node.connect()];
  for (let i = 0; i < 1500; i++) watching.call('WATCH', `k${i}`);
  for (let i = 0; i < 1200; i++) listening.call('SUBSCRIBE', `c${i}`);
  node.pass(1000);
  expect([watching.isClosed, listening.isClosed].filter(Boolean)).toHaveLength(1);
});

test('maxmemory-clients is looked at as soon as the replies of a turn are out', () => {
  const node = new TestNode('maxmemory-clients 300kb');
  const [admin, listening, other] = [node.connect(), node.connect(), node.connect()];
  admin.call('CLIENT', 'NO-EVICT', 'on');
  listening.call('SUBSCRIBE', 'news');
  listening.isReading = false;
  for (let i = 0; i < 2; i++) admin.call('PUBLISH', 'news', 'x'.repeat(110_000));
  expect(listening.isClosed).toBe(false);
  admin.call('PUBLISH', 'news', 'x'.repeat(110_000));
  expect(listening.isClosed).toBe(true);
  expect(admin.call('CONFIG', 'SET', 'maxmemory-clients', '1')).toBe('+OK\r\n');
  expect([admin.isClosed, other.isClosed]).toEqual([false, true]);
  admin.call('CONFIG', 'SET', 'maxmemory-clients', '0');
  const last = node.connect();
  expect(last.call('CLIENT', 'NO-EVICT', 'on')).toBe('+OK\r\n');
  expect(last.isClosed).toBe(false);
});
