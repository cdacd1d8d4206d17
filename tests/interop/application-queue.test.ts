/**
 * Goal: a job queue works on our server as on the real one: nothing lost, nothing done twice, in order, delayed, retried,
 * recovered. Method: the queue of the harness and its building blocks, through ioredis and @redis/client over RESP3.
 */
import { expect, test } from 'vitest';
import { type StreamReply, describeOnEachServer } from './harness/applications.ts';
import { JobQueue } from './harness/job-queue.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 10_000;
const LOCK_MS = 30_000;
const SHORT_LOCK_MS = 500;
const RATE_WINDOW_MS = 500;

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i + 1));
const byNumber = (left: string, right: string): number => Number(left) - Number(right);

describeOnEachServer('a job queue', (site) => {
  test('workers that wait are served in the order they came', async () => {
    const queue = new JobQueue('q', site.ioredis());
    const takes: Promise<unknown>[] = [];
    const [wait, active] = [queue.key('wait'), queue.key('active')];
    for (let worker = 0; worker < 4; worker++) {
      const client = site.ioredis();
      takes.push(
        worker % 2 === 0
          ? client.blmove(wait, active, 'RIGHT', 'LEFT', 0)
          : client.brpoplpush(wait, active, 0),
      );
      await site.untilBlocked(worker + 1);
    }
    const client = site.ioredis();
    await client.lpush(wait, 'a', 'b', 'c', 'd', 'e');
    expect(await Promise.all(takes)).toEqual(['a', 'b', 'c', 'd']);
    expect(await client.lrange(wait, 0, -1)).toEqual(['e']);
    expect(await client.lrange(active, 0, -1)).toEqual(['d', 'c', 'b', 'a']);
  });

  test('four workers do two hundred jobs, each once, while a listener follows the events', async () => {
    const queue = new JobQueue('q', site.ioredis());
    const listener = await site.nodeRedis();
    const heard: string[] = [];
    const listening = (async (): Promise<void> => {
      for (let last = '0'; heard.filter((event) => event === 'completed').length < 200;) {
        const stream = { key: queue.key('events'), id: last };
        const reply = (await listener.xRead(stream, { BLOCK: 2000 })) as StreamReply[] | null;
        for (const { id, message } of reply?.[0]?.messages ?? []) {
          heard.push(message['event'] ?? '');
          last = id;
        }
      }
    })();
    const done: string[][] = [[], [], [], []];
    const isOver = (): boolean => done.flat().length === 200;
    const workers = done.map((mine) =>
      queue.work(
        site.ioredis(),
        (data, id) => {
          mine.push(id);
          return data.toUpperCase();
        },
        isOver,
      ),
    );
    const ids = await Promise.all(numbers(200).map((number) => queue.add(`job ${number}`)));
    expect(ids.toSorted(byNumber)).toEqual(numbers(200));
    await Promise.all(workers);
    await listening;
    expect(done.flat().toSorted(byNumber)).toEqual(numbers(200));
    expect(heard.filter((event) => event === 'waiting')).toHaveLength(200);
    expect(heard).toHaveLength(400);
    const client = site.ioredis();
    const completed = await client.zrange(queue.key('completed'), 0, '-1');
    expect(completed.toSorted(byNumber)).toEqual(numbers(200));
    expect(await client.exists(queue.key('wait'), queue.key('active'))).toBe(0);
    expect(await client.keys(queue.key('lock:*'))).toEqual([]);
    for (const id of ['1', '200']) {
      const { data = '', result } = await queue.job(id);
      expect(result).toBe(data.toUpperCase());
    }
    expect(await queue.events('77')).toEqual(['waiting', 'completed']);
  });

  test('one worker keeps the order', async () => {
    const queue = new JobQueue('q', site.ioredis());
    for (const number of numbers(50)) await queue.add(number);
    const done: string[] = [];
    const handler = (data: string): string => String(done.push(data));
    await queue.work(site.ioredis(), handler, () => done.length === 50);
    expect(done).toEqual(numbers(50));
  });

  test('a job that fails is tried again after its backoff, then given up', async () => {
    const queue = new JobQueue('q', site.ioredis());
    const [worker, mover] = [site.ioredis(), site.ioredis()];
    const flaky = await queue.add('flaky', { attempts: 3, backoffMs: 20 });
    const hopeless = await queue.add('hopeless', { attempts: 2, backoffMs: 20 });
    const startedAt = performance.now();
    let flakyDoneAt = 0;
    const handler = async (data: string, id: string): Promise<string> => {
      if (data === 'hopeless' || (await queue.job(id))['tries'] !== '3') throw new Error(data);
      flakyDoneAt = performance.now();
      return 'at last';
    };
    const client = site.ioredis();
    let ended = 0;
    const working = queue.work(worker, handler, () => ended === 2);
    await until(
      async () => {
        await queue.promote(mover); // In vain when the worker put a job off meanwhile.
        ended =
          (await client.zcard(queue.key('completed'))) + (await client.zcard(queue.key('failed')));
        return ended === 2;
      },
      BOUND_MS,
      'both jobs end',
    );
    await working;
    expect(flakyDoneAt - startedAt).toBeGreaterThanOrEqual(58);
    expect(await queue.job(flaky)).toMatchObject({ tries: '3', result: 'at last' });
    expect(await queue.job(hopeless)).toMatchObject({ tries: '2', error: 'Error: hopeless' });
    expect(await client.zrange(queue.key('completed'), 0, '-1')).toEqual([flaky]);
    expect(await client.zrange(queue.key('failed'), 0, '-1')).toEqual([hopeless]);
    expect(await queue.events(flaky)).toEqual(
      ['waiting', 'retrying', 'waiting', 'retrying', 'waiting', 'completed'], //
    );
    expect(await queue.events(hopeless)).toEqual(['waiting', 'retrying', 'waiting', 'failed']);
  });

  test('of two movers of delayed jobs one wins, and only what is due moves', async () => {
    const queue = new JobQueue('q', site.ioredis());
    const due = [await queue.add('a', { delayMs: 1 }), await queue.add('b', { delayMs: 2 })];
    const later = await queue.add('c', { delayMs: 3_600_000 });
    const client = site.ioredis();
    const isDue = async (): Promise<boolean> =>
      (await client.zcount(queue.key('delayed'), '-inf', Date.now())) === due.length;
    await until(isDue, BOUND_MS, 'two jobs are due');
    const rival = site.ioredis();
    await rival.watch(queue.key('delayed'));
    expect(await queue.promote(client)).toBe(true);
    expect(await rival.multi().del(queue.key('wait')).exec()).toBeNull();
    expect(await client.lrange(queue.key('wait'), 0, -1)).toEqual(due.toReversed());
    expect(await client.zrange(queue.key('delayed'), 0, '-1')).toEqual([later]);
    const worker = site.ioredis();
    expect([await queue.take(worker, LOCK_MS), await queue.take(worker, LOCK_MS)]).toEqual(due);
  });

  test('a job whose worker died is done by another, ahead of those that wait', async () => {
    const queue = new JobQueue('q', site.ioredis());
    const doomed = site.ioredis();
    const [first, second] = [await queue.add('first'), await queue.add('second')];
    expect(await queue.take(doomed, SHORT_LOCK_MS)).toBe(first);
    doomed.disconnect();
    expect(await queue.recoverStalled()).toEqual([]);
    const stalled = await until(
      async () => {
        const ids = await queue.recoverStalled();
        return ids.length > 0 && ids;
      },
      BOUND_MS,
      'the lock runs out',
    );
    expect(stalled).toEqual([first]);
    const done: string[] = [];
    const handler = (data: string): string => String(done.push(data));
    await queue.work(site.ioredis(), handler, () => done.length === 2);
    expect(done).toEqual(['first', 'second']);
    expect(await queue.job(first)).toMatchObject({ tries: '2', result: '1' });
    expect(await queue.job(second)).toMatchObject({ tries: '1', result: '2' });
    expect(await queue.events(first)).toEqual(['waiting', 'stalled', 'completed']);
  });

  test('more urgent jobs come first, equal ones in their order', async () => {
    const [client, worker] = [await site.nodeRedis(), await site.nodeRedis()];
    const takes = [worker.bzPopMin('urgent', 0)];
    await site.untilBlocked(1);
    await client.zAdd('urgent', { score: 9, value: 'came to a waiting worker' });
    let counter = 0;
    const add = (value: string, priority: number): Promise<number> =>
      client.zAdd('urgent', { score: priority * 2 ** 32 + counter++, value });
    await Promise.all([add('low', 7), add('high', 1), add('high too', 1), add('middle', 3)]);
    takes.push(worker.bzPopMin('urgent', 0), worker.bzPopMin(['none', 'urgent'], 1));
    expect(await Promise.all(takes)).toEqual([
      { key: 'urgent', value: 'came to a waiting worker', score: 9 },
      { key: 'urgent', value: 'high', score: 2 ** 32 + 1 },
      { key: 'urgent', value: 'high too', score: 2 ** 32 + 2 },
    ]);
    expect(await client.zPopMin('urgent')).toEqual({ value: 'middle', score: 3 * 2 ** 32 + 3 });
    expect(await client.zPopMinCount('urgent', 5)).toEqual([{ value: 'low', score: 7 * 2 ** 32 }]);
    expect(await client.zPopMin('urgent')).toBeNull();
    expect(await worker.bzPopMin('urgent', 0.01)).toBeNull();
  });

  test('a rate counter lets five through, and five more after its window', async () => {
    const client = await site.nodeRedis();
    const isAllowed = async (): Promise<boolean> => {
      const [count] = await client
        .multi()
        .incr('rate')
        .pExpire('rate', RATE_WINDOW_MS, 'NX')
        .exec();
      return Number(count) <= 5;
    };
    const round = async (): Promise<boolean[]> =>
      Promise.all(Array.from({ length: 7 }, () => isAllowed()));
    const expected = [true, true, true, true, true, false, false];
    expect(await round()).toEqual(expected);
    const leftMs = await client.pTTL('rate');
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(RATE_WINDOW_MS);
    await until(async () => (await client.exists('rate')) === 0, BOUND_MS, 'the window ends');
    expect(await round()).toEqual(expected);
  });

  test('a stream of events keeps about a thousand', async () => {
    const client = await site.nodeRedis();
    const trim = { strategy: 'MAXLEN', strategyModifier: '~', threshold: 1000 } as const;
    await Promise.all(
      numbers(3000).map((n) => client.xAdd('events', `1-${n}`, { n }, { TRIM: trim })),
    );
    const length = await client.xLen('events');
    expect(length).toBe(1000);
    const oldest = (await client.xRange('events', '-', '+', { COUNT: 1 }))?.[0];
    expect(oldest).toEqual({ id: '1-2001', message: { n: '2001' } });
  });
});
