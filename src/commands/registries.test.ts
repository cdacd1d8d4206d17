/** Goal: subscriptions, tracking, slow log, latency and statistics keep their books. Method: small worlds by hand. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keySlot, monoMs, unixMs } from '../base/index.ts';
import { defaultSettings } from '../config/index.ts';
import { Request } from '../resp/index.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { LatencyMonitor } from './latency-monitor.ts';
import { PubSub } from './pubsub-registry.ts';
import { SlowLog } from './slow-log.ts';
import { sparkline } from './sparkline.ts';
import { ServerStats } from './stats.ts';
import { AdminServer, AdminSession } from './test-admin.ts';
import { TrackingTable } from './tracking-table.ts';

test('a message reaches channel and pattern listeners in the form of their protocol, muted or not', () => {
  const pubsub = new PubSub();
  const [two, three] = [new AdminSession(1), new AdminSession(2)];
  three.reply.resp = 3;
  pubsub.subscribe(two, 'channel', 'news');
  pubsub.subscribe(three, 'pattern', 'n*');
  two.taken();
  three.taken();
  two.reply.isMuted = true;
  expect(pubsub.publish(Buffer.from('news'), Buffer.from('hi'))).toBe(2);
  expect(two.taken()).toBe('*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n');
  expect(three.taken()).toBe('>4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n');
  expect(two.reply.isMuted).toBe(true);
  expect(pubsub.publish('other', 'hi')).toBe(0);
});

test('a client that is gone leaves nothing behind', () => {
  const pubsub = new PubSub();
  const session = new AdminSession(1);
  for (const kind of ['channel', 'pattern', 'shard'] as const) pubsub.subscribe(session, kind, 'x');
  session.taken();
  pubsub.forget(session);
  expect([pubsub.size('channel'), pubsub.size('pattern'), pubsub.size('shard')]).toEqual([0, 0, 0]);
  expect([session.isSubscriber, session.taken()]).toEqual([false, '']);
});

test('shard channels of a slot that left are ended with a message', () => {
  const pubsub = new PubSub();
  const session = new AdminSession(1);
  pubsub.subscribe(session, 'shard', 'a');
  pubsub.subscribe(session, 'shard', 'b');
  session.taken();
  const kept = keySlot(Buffer.from('b'), 0, 1);
  pubsub.dropShardChannels((slot) => slot === kept);
  expect(session.taken()).toBe('*3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:1\r\n');
  expect([...pubsub.names('shard')]).toEqual(['b']);
});

test('unsubscribing from all without any subscription answers once with nothing', () => {
  const session = new AdminSession(1);
  new PubSub().unsubscribeAll(session, 'channel');
  expect(session.taken()).toBe('*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n');
});

test('tracking tells a reader once when the key changes, and broadcasts by prefix', () => {
  const sessions = [new AdminSession(1), new AdminSession(2)];
  const table = new TrackingTable((id) => sessions[id - 1]);
  const [reader, listener] = sessions as [AdminSession, AdminSession];
  const plain = { redirectId: 0, isNoLoop: false, caching: undefined, isRedirectBroken: false };
  for (const session of sessions) session.reply.resp = 3;
  table.start(reader, { ...plain, mode: 'default', prefixes: [] });
  table.start(listener, { ...plain, mode: 'broadcast', prefixes: ['k'], isNoLoop: true });
  table.remember(reader, 'key');
  table.invalidate('key', listener, false);
  table.invalidate('key', listener, false);
  const tell = (): void => {
    table.flush();
    table.broadcast();
  };
  tell();
  const message = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n';
  expect([reader.taken(), listener.taken()]).toEqual([message, '']);
  table.invalidate('key', reader, false);
  tell();
  expect([reader.taken(), listener.taken()]).toEqual(['', message]);
  for (const key of ['k2', 'k1', 'k2']) table.invalidate(key, reader, false);
  tell();
  expect(listener.taken()).toBe('>2\r\n$10\r\ninvalidate\r\n*2\r\n$2\r\nk1\r\n$2\r\nk2\r\n');
  table.remember(reader, 'other');
  table.invalidateAll();
  table.flush();
  expect(reader.taken()).toBe('>2\r\n$10\r\ninvalidate\r\n_\r\n');
  for (const session of sessions) table.stop(session);
  expect([table.clientCount, table.keyCount, table.prefixCount]).toEqual([0, 0, 0]);
});

test('the slow log cuts long entries, hides secrets and keeps the newest', () => {
  const server = new AdminServer();
  const log = new SlowLog({ 'slowlog-log-slower-than': 10, 'slowlog-max-len': 2 });
  expect([log.wants(9), log.wants(10)]).toEqual([false, true]);
  const session = server.connect();
  const record = (name: string, ...args: string[]): void => {
    const request = new Request();
    request.load(args);
    const command = server.table.byName(name)!;
    log.record({ command, request, session, durationUs: 10, unixNow: unixMs(3_000) });
  };
  record('ping', 'PING');
  record('mset', 'MSET', ...Array.from({ length: 39 }, () => 'x'.repeat(130)));
  record('config|set', 'CONFIG', 'SET', 'requirepass', 'secret', 'hz', '10');
  const [newest, older] = log.latest(10).map(({ id, args }) => ({ id, args: args.map(String) }));
  expect(newest).toEqual({
    id: 2,
    args: ['CONFIG', 'SET', 'requirepass', '(redacted)', 'hz', '10'],
  });
  expect(older?.args).toHaveLength(32);
  expect(older?.args[1]).toBe(`${'x'.repeat(128)}... (2 more bytes)`);
  expect(older?.args[31]).toBe('... (9 more arguments)');
  expect(log.size).toBe(2);
});

test('a histogram has the buckets of the real one', () => {
  const histogram = new LatencyHistogram();
  for (const us of [20, 302, 1_070, 50_070, 300_100]) histogram.record(us, 1);
  expect([...histogram.cumulative()]).toEqual([
    { upToUs: 33, count: 1 },
    { upToUs: 528, count: 2 },
    { upToUs: 2113, count: 3 },
    { upToUs: 67633, count: 4 },
    { upToUs: 541065, count: 5 },
  ]);
});

test('a percentile is within one percent above the value that a sorted list has there', () => {
  const durations = fc.array(fc.integer({ min: 1, max: 900_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(durations, fc.integer({ min: 1, max: 100 }), (list, percent) => {
      const histogram = new LatencyHistogram();
      for (const us of list) histogram.record(us, 1);
      const rank = Math.max(1, Math.floor((percent / 100) * list.length + 0.5));
      const exact = [...list].sort((a, b) => a - b)[rank - 1]!;
      const found = histogram.percentileUs(percent);
      return found >= exact && found <= exact * 1.01;
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('latency samples of one second are one sample, the worst', () => {
  const monitor = new LatencyMonitor({ ...defaultSettings(), 'latency-monitor-threshold': 20 });
  monitor.add('command', 19, unixMs(1_000));
  expect(monitor.event('command')).toBeUndefined();
  for (const ms of [30, 50, 40]) monitor.add('command', ms, unixMs(1_500));
  monitor.add('command', 20, unixMs(2_000));
  expect(monitor.event('command')?.samples).toEqual([
    { unixSeconds: 1, ms: 50 },
    { unixSeconds: 2, ms: 20 },
  ]);
  expect([monitor.event('command')?.maxMs, monitor.reset('command')]).toEqual([50, true]);
});

test('a graph is drawn as the real one draws it', () => {
  const points = [
    { value: 50, label: '1s' },
    { value: 100, label: '0s' },
  ];
  expect(sparkline(points)).toBe(' #\n |\n |\n_|\n  \n10\nss\n');
});

test('rates are an average of sixteen samples', () => {
  const stats = new ServerStats();
  for (let i = 0; i <= 16; i++) {
    stats.sample(monoMs(i * 100));
    stats.totalCommands += 50;
  }
  expect(stats.commandRate.perSecond).toBe(500);
});

test('error codes stop being counted apart when there are too many of them', () => {
  const stats = new ServerStats();
  for (let i = 0; i < 5000; i++) stats.countError(`CODE${i} text`);
  expect([stats.errors.size, stats.totalErrorReplies]).toEqual([4096, 5000]);
});
