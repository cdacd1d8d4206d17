import { expect, test } from 'vitest';
import { SlotCache, parseRedirect } from './index.ts';

const asked = { host: '10.0.0.9', port: 7000 };

test('a CLUSTER SLOTS reply gives each slot its master, and forgets what it leaves out', () => {
  const cache = new SlotCache();
  cache.set(16383, { host: 'old', port: 1 });
  const node = (host: string | null, port: number): (string | number | null)[] => [
    host,
    port,
    'id',
  ];
  const isLoaded = cache.load(
    [
      [0, 99, node('10.0.0.1', 7001), node('10.0.0.2', 7002)],
      [100, 199, node('', 7003)],
      [200, 299, node(null, 7004)],
    ],
    asked,
  );
  expect(isLoaded).toBe(true);
  expect(cache.masterOf(0)).toEqual({ host: '10.0.0.1', port: 7001 });
  expect(cache.masterOf(100)).toEqual({ host: '10.0.0.9', port: 7003 });
  expect(cache.masterOf(299)).toEqual({ host: '10.0.0.9', port: 7004 });
  expect(cache.masterOf(300)).toBeUndefined();
  expect(cache.masterOf(16383)).toBeUndefined();
  expect(cache.masters()).toHaveLength(3);
});

test('a reply without slots, or with nonsense, loads nothing and forgets nothing', () => {
  const cache = new SlotCache();
  cache.set(7, asked);
  for (const reply of [[], null, 'OK', [[0, 99]], [[0, 99999, ['h', 1]]], [['a', 'b', []]]]) {
    expect(cache.load(reply, asked)).toBe(false);
    expect(cache.masterOf(7)).toEqual(asked);
  }
});

test('MOVED and ASK errors name the slot and where to go', () => {
  expect(parseRedirect('MOVED 3999 127.0.0.1:6381', asked)).toEqual({
    kind: 'moved',
    slot: 3999,
    to: { host: '127.0.0.1', port: 6381 },
  });
  expect(parseRedirect('ASK 1 ::1:6381', asked)?.to).toEqual({ host: '::1', port: 6381 });
  expect(parseRedirect('MOVED 1 :6381', asked)?.to).toEqual({ host: '10.0.0.9', port: 6381 });
  expect(parseRedirect('MOVED 1 ?:6381', asked)?.to.host).toBe('10.0.0.9');
  for (const text of ['MOVED', 'MOVED 16384 h:1', 'MOVED 1 h:0', 'ERR MOVED 1 h:1', 'ASK 1 h']) {
    expect(parseRedirect(text, asked), text).toBeUndefined();
  }
});
