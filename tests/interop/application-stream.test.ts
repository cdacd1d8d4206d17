/**
 * Goal: a pipeline of consumer groups works on our server as on the real one: every message to one consumer, what a dead
 * one held to others, and views that tell the truth. Method: @redis/client and ioredis over RESP3 in the same groups.
 */
import { expect, test } from 'vitest';
import type { RedisClientType } from '@redis/client';
import { type Site, type StreamReply, describeOnEachServer } from './harness/applications.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 10_000;
const MESSAGES = 300;
const NEW = { key: 'orders', id: '>' };

const idsUpTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i + 1}-0`);

function produce(client: RedisClientType, count: number): Promise<string[]> {
  return Promise.all(
    idsUpTo(count).map((id) => client.xAdd('orders', id, { order: id, note: '' })),
  );
}

/** Ten messages in a group `g`; `dead` was given six of them, acknowledged two, and is gone. */
async function abandoned(site: Site): Promise<RedisClientType> {
  const [client, dead] = [await site.nodeRedis(), await site.nodeRedis()];
  await produce(client, 10);
  await client.xGroupCreate('orders', 'g', '0');
  const reply = await dead.xReadGroup('g', 'dead', NEW, { COUNT: 6 });
  expect((reply as StreamReply[] | null)?.[0]?.messages).toHaveLength(6);
  expect(await dead.xAck('orders', 'g', ['1-0', '2-0'])).toBe(2);
  dead.destroy();
  return client;
}

describeOnEachServer('a stream pipeline', (site) => {
  test('three consumers share the messages, each in order, none twice, none left', async () => {
    const client = await site.nodeRedis();
    expect(await client.xGroupCreate('orders', 'g', '$', { MKSTREAM: true })).toBe('OK');
    const taken: string[][] = [[], [], []];
    const isOver = (): boolean => taken.flat().length === MESSAGES;
    const nodeRedisConsumer = async (name: string, mine: string[]): Promise<void> => {
      const own = await site.nodeRedis();
      while (!isOver()) {
        const reply = await own.xReadGroup('g', name, NEW, { COUNT: 7, BLOCK: 100 });
        const ids = (reply as StreamReply[] | null)?.[0]?.messages.map(({ id }) => id) ?? [];
        mine.push(...ids);
        if (ids.length > 0) expect(await own.xAck('orders', 'g', ids)).toBe(ids.length);
      }
    };
    const ioredisConsumer = async (name: string, mine: string[]): Promise<void> => {
      const own = site.ioredis();
      const [group, limits] = [
        ['GROUP', 'g', name],
        ['COUNT', 7, 'BLOCK', 100],
      ] as const;
      while (!isOver()) {
        const reply = await own.xreadgroup(...group, ...limits, 'STREAMS', 'orders', '>');
        for (const [id, fields] of entriesOf(reply)) {
          expect(fields).toEqual(['order', id, 'note', '']);
          mine.push(id);
          expect(await own.xack('orders', 'g', id)).toBe(1);
        }
      }
    };
    const [a = [], b = [], c = []] = taken;
    const consuming = Promise.all([
      nodeRedisConsumer('a', a),
      nodeRedisConsumer('b', b),
      ioredisConsumer('c', c),
    ]);
    await site.untilBlocked(3);
    expect(await produce(client, MESSAGES)).toEqual(idsUpTo(MESSAGES));
    await consuming;
    const byNumber = (left: string, right: string): number => parseInt(left) - parseInt(right);
    for (const mine of taken) {
      expect(mine.length).toBeGreaterThan(0);
      expect(mine).toEqual(mine.toSorted(byNumber));
    }
    expect(taken.flat().toSorted(byNumber)).toEqual(idsUpTo(MESSAGES));
    const nothing = { pending: 0, firstId: null, lastId: null, consumers: null };
    expect(await client.xPending('orders', 'g')).toEqual(nothing);
    expect(await client.xInfoGroups('orders')).toMatchObject([
      {
        name: 'g',
        consumers: 3,
        pending: 0,
        'last-delivered-id': '300-0',
        'entries-read': 300,
        lag: 0,
      },
    ]);
  });

  test('one message wakes one of two waiting consumers, and XREAD beside them', async () => {
    const client = await site.nodeRedis();
    await client.xGroupCreate('orders', 'g', '$', { MKSTREAM: true });
    const [first, second, reader] = [site.ioredis(), site.ioredis(), site.ioredis()];
    const read = (own: typeof first, name: string): Promise<unknown> =>
      own.xreadgroup('GROUP', 'g', name, 'BLOCK', 0, 'STREAMS', 'orders', '>');
    const one = read(first, 'one');
    await site.untilBlocked(1);
    const other = read(second, 'two');
    await site.untilBlocked(2);
    const plain = reader.xread('BLOCK', 0, 'STREAMS', 'orders', '$');
    await site.untilBlocked(3);
    const reply = (id: string): unknown => [['orders', [[id, ['n', id]]]]];
    await client.xAdd('orders', '5-0', { n: '5-0' });
    expect(await Promise.all([one, plain])).toEqual([reply('5-0'), reply('5-0')]);
    await site.untilBlocked(1);
    await client.xAdd('orders', '6-0', { n: '6-0' });
    expect(await other).toEqual(reply('6-0'));
  });

  test('what a dead consumer held is seen, claimed and finished by others', async () => {
    const client = await abandoned(site);
    expect(await client.xPending('orders', 'g')).toEqual({
      pending: 4,
      firstId: '3-0',
      lastId: '6-0',
      consumers: [{ name: 'dead', deliveriesCounter: 4 }],
    });
    const idle = await until(
      async () => {
        const range = await client.xPendingRange('orders', 'g', '-', '+', 10, { IDLE: 20 });
        return range.length === 4 && range;
      },
      BOUND_MS,
      'four messages are idle',
    );
    expect(idle.map(({ id }) => id)).toEqual(['3-0', '4-0', '5-0', '6-0']);
    for (const { consumer, deliveriesCounter, millisecondsSinceLastDelivery } of idle) {
      expect({ consumer, deliveriesCounter }).toEqual({ consumer: 'dead', deliveriesCounter: 1 });
      expect(millisecondsSinceLastDelivery).toBeGreaterThanOrEqual(20);
    }
    expect(await client.xDel('orders', '5-0')).toBe(1);
    const message = (id: string): unknown => ({ id, message: { order: id, note: '' } });
    const claimed = await client.xAutoClaim('orders', 'g', 'heir', 20, '0', { COUNT: 2 });
    expect(claimed).toMatchObject({ nextId: '5-0', messages: [message('3-0'), message('4-0')] });
    const rest = await client.xAutoClaim('orders', 'g', 'heir', 20, claimed.nextId);
    expect(rest).toEqual({ nextId: '0-0', messages: [message('6-0')], deletedMessages: ['5-0'] });
    // Just claimed: a rival that asks for idle ones gets nothing, one that insists gets them.
    expect(await client.xClaim('orders', 'g', 'rival', 3_600_000, ['3-0'])).toEqual([]);
    expect(
      await client.xClaim('orders', 'g', 'rival', 0, ['3-0', '5-0'], { RETRYCOUNT: 9 }),
    ).toEqual([message('3-0')]);
    expect(await client.xClaimJustId('orders', 'g', 'rival', 0, ['4-0'])).toEqual(['4-0']);
    const left = await client.xPendingRange('orders', 'g', '-', '+', 10);
    expect(left.map((each) => [each.id, each.consumer, each.deliveriesCounter])).toEqual([
      ['3-0', 'rival', 9],
      ['4-0', 'rival', 2],
      ['6-0', 'heir', 2],
    ]);
    // A consumer that comes back reads its own pending messages first.
    const own = await client.xReadGroup('g', 'rival', { key: 'orders', id: '0' });
    expect((own as StreamReply[] | null)?.[0]?.messages).toEqual([message('3-0'), message('4-0')]);
    expect(await client.xAck('orders', 'g', ['3-0', '4-0', '5-0', '6-0'])).toBe(3);
    expect(await client.xGroupDelConsumer('orders', 'g', 'dead')).toBe(0);
    expect(await client.xPending('orders', 'g')).toMatchObject({ pending: 0 });
    const unread = await client.xReadGroup('g', 'heir', NEW);
    expect((unread as StreamReply[] | null)?.[0]?.messages).toEqual(
      ['7-0', '8-0', '9-0', '10-0'].map(message),
    );
  });

  test('the views tell what is there, as either client parses them', async () => {
    const client = await abandoned(site);
    expect(await client.xInfoStream('orders')).toEqual({
      length: 10,
      'radix-tree-keys': 1,
      'radix-tree-nodes': 2,
      'last-generated-id': '10-0',
      'max-deleted-entry-id': '0-0',
      'entries-added': 10,
      'recorded-first-entry-id': '1-0',
      groups: 1,
      'first-entry': { id: '1-0', message: { order: '1-0', note: '' } },
      'last-entry': { id: '10-0', message: { order: '10-0', note: '' } },
    });
    expect(await client.xInfoGroups('orders')).toEqual([
      {
        name: 'g',
        consumers: 1,
        pending: 4,
        'last-delivered-id': '6-0',
        'entries-read': 6,
        lag: 4,
      },
    ]);
    const [consumer] = await client.xInfoConsumers('orders', 'g');
    expect(consumer).toMatchObject({ name: 'dead', pending: 4 });
    expect(consumer?.idle).toBeLessThan(BOUND_MS);
    const full = await site.ioredisNative().call('XINFO', 'STREAM', 'orders', 'FULL', 'COUNT', 1);
    expect(full).toMatchObject({
      length: 10,
      entries: [['1-0', ['order', '1-0', 'note', '']]],
      groups: [
        {
          name: 'g',
          'pel-count': 4,
          pending: [['3-0', 'dead', expect.any(Number), 1]],
          consumers: [{ name: 'dead', pending: [['3-0', expect.any(Number), 1]] }],
        },
      ],
    });
    // A hole ahead of the group: how far it lags cannot be told.
    await client.xDel('orders', '8-0');
    expect(await client.xInfoGroups('orders')).toMatchObject([{ 'entries-read': 6, lag: null }]);
    expect(await client.xInfoStream('orders')).toMatchObject({ 'max-deleted-entry-id': '8-0' });
  });

  test('a trimmed stream forgets its oldest messages, and readers go on behind them', async () => {
    const client = await abandoned(site);
    expect(await client.xTrim('orders', 'MINID', 4)).toBe(3);
    expect(await client.xTrim('orders', 'MAXLEN', 5)).toBe(2);
    const range = await client.xRange('orders', '-', '+');
    expect(range?.map(({ id }) => id)).toEqual(['6-0', '7-0', '8-0', '9-0', '10-0']);
    const last = await client.xRevRange('orders', '+', '(9-0', { COUNT: 5 });
    expect(last?.map(({ id }) => id)).toEqual(['10-0']);
    expect(await client.xLen('orders')).toBe(5);
    // The messages are gone, that they are pending is not.
    expect(await client.xPending('orders', 'g')).toMatchObject({ pending: 4 });
    const own = await site.ioredis().xreadgroup('GROUP', 'g', 'dead', 'STREAMS', 'orders', '0');
    expect(entriesOf(own)).toEqual([
      ['3-0', null],
      ['4-0', null],
      ['5-0', null],
      ['6-0', ['order', '6-0', 'note', '']],
    ]);
    expect(await client.xTrim('orders', 'MAXLEN', 0)).toBe(5);
    expect(await client.xInfoStream('orders')).toMatchObject({
      length: 0,
      'entries-added': 10,
      'last-generated-id': '10-0',
      'first-entry': null,
    });
    await expect(client.xAdd('orders', '10-0', { too: 'old' })).rejects.toThrow(
      'ERR The ID specified in XADD is equal or smaller than the target stream top item',
    );
  });

  test('a waiting consumer is told when its stream or its group goes away', async () => {
    const client = await site.nodeRedis();
    const waiting = async (): Promise<{ readonly ended: Promise<unknown> }> => {
      await client.xGroupCreate('orders', 'g', '$', { MKSTREAM: true });
      const ended = site
        .ioredis()
        .xreadgroup('GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 'orders', '>');
      await site.untilBlocked(1);
      return { ended: ended.catch((error: unknown) => String(error)) };
    };
    const first = await waiting();
    await client.del('orders');
    expect(await first.ended).toBe('ReplyError: UNBLOCKED the stream key no longer exists');
    const second = await waiting();
    await client.xGroupDestroy('orders', 'g');
    expect(await second.ended).toBe(
      'ReplyError: NOGROUP the consumer group this client was blocked on no longer exists',
    );
    await expect(client.xReadGroup('g', 'c', NEW)).rejects.toThrow(
      "NOGROUP No such key 'orders' or consumer group 'g' in XREADGROUP with GROUP option",
    );
  });
});

/** The entries of the only stream in a reply of ioredis. */
function entriesOf(reply: unknown): [id: string, fields: string[] | null][] {
  const [[, entries] = ['', []]] = (reply ?? []) as [string, [string, string[] | null][]][];
  return entries;
}
