/**
 * Goal: a job queue in a cluster goes on through a manual failover; no job that was acknowledged is lost or done twice.
 * Method: clusters of `startCluster`, queues spread by hash tags, ioredis and @redis/client in cluster mode, and a
 * failover of the master that holds a queue while jobs come and go.
 */
import { createCluster } from '@redis/client';
import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { replyText } from '../../src/client/index.ts';
import { type LocalCluster, startCluster } from '../../src/library/index.ts';
import { JobQueue, nothingIfUnblocked } from './harness/job-queue.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 20_000;
const JOBS_BEFORE = 30;
const JOBS_IN_ALL = 90;
/** A hash tag for a queue on each of the three masters, in the order of the masters. */
const TAGS = ['b', 'c', 'a'] as const;
const CLIENTS_MAX = 20;
const REPLICA_OF_FIRST = 3;
const REPLICA_OF_SECOND = 4;
const REPLICA_OF_THIRD = 5;

describe('a job queue in a cluster', () => {
  let cluster: LocalCluster;
  const clients: Cluster[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1 });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  afterAll(() => cluster.stop());

  const connect = (): Cluster => {
    const startup = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const client = new Cluster(startup, { redisOptions: { protocol: 3 } });
    clients.push(client);
    return client;
  };

  test('ioredis: queues on every master, one of which fails over', async () => {
    const client = connect();
    const queues = TAGS.map((tag) => new JobQueue(tag, client));
    const acknowledged: string[][] = [[], [], []];
    const done: string[][][] = queues.map(() => [[], []]);
    const isDone = (): boolean =>
      done.every((of, index) => of.flat().length >= (acknowledged[index]?.length ?? 0));
    let isOver = false;
    const workers = queues.flatMap((queue, index) =>
      (done[index] ?? []).map((mine) =>
        queue.work(
          connect(),
          (_data, id) => String(mine.push(id)),
          () => isOver,
        ),
      ),
    );
    const produce = async (isEnough: (count: number) => boolean): Promise<void> => {
      const one = async (queue: JobQueue, index: number): Promise<void> => {
        const ids = acknowledged[index] ?? [];
        while (!isEnough(ids.length)) ids.push(await queue.add(`job ${ids.length}`));
      };
      await Promise.all(queues.map(one));
    };
    let hasFailedOver = false;
    const failover = async (): Promise<void> => {
      await cluster.failover(cluster.node(REPLICA_OF_FIRST));
      hasFailedOver = true;
    };
    const producer = async (): Promise<void> => {
      try {
        await produce((count) => count >= JOBS_BEFORE);
        await Promise.all([failover(), produce((count) => hasFailedOver && count >= JOBS_IN_ALL)]);
        await until(isDone, BOUND_MS, 'every job is done');
      } finally {
        isOver = true;
      }
    };
    await Promise.all([producer(), ...workers]);
    expect(cluster.node(0).role()).toBe('replica');
    const reader = createCluster({ rootNodes: cluster.urls.map((url) => ({ url })), RESP: 3 });
    await reader.connect();
    try {
      for (const [index, queue] of queues.entries()) {
        const ids = acknowledged[index] ?? [];
        expect(ids.length).toBeGreaterThanOrEqual(JOBS_IN_ALL);
        expect(done[index]?.flat().toSorted(byNumber)).toEqual(ids);
        for (const mine of done[index] ?? []) expect(mine).toEqual(mine.toSorted(byNumber));
        const completed = await reader.zRange(queue.key('completed'), 0, -1);
        expect(completed.toSorted(byNumber)).toEqual(ids);
        expect(await reader.exists([queue.key('wait'), queue.key('active')])).toBe(0);
        const events = (await reader.xRange(queue.key('events'), '-', '+')) ?? [];
        expect(events.filter(({ message }) => message['event'] === 'completed')).toHaveLength(
          ids.length,
        );
      }
    } finally {
      reader.destroy();
    }
  });

  test('@redis/client: a worker that blocks and a producer, whose master fails over', async () => {
    const open = async () => {
      const client = createCluster({ rootNodes: cluster.urls.map((url) => ({ url })), RESP: 3 });
      await client.connect();
      return client;
    };
    const clients = { producer: await open(), worker: await open() };
    type Client = typeof clients.producer;
    /**
     * In a handover a node may show a slot without an owner for a moment, as in Redis. @redis/client then throws TypeError,
     * before it sends anything, and for as long as nothing makes it look again: a new client goes on.
     */
    const call = async <T>(who: keyof typeof clients, run: (client: Client) => Promise<T>) => {
      for (let tries = 1; ; tries++) {
        try {
          return await run(clients[who]);
        } catch (error) {
          if (!(error instanceof TypeError) || tries === CLIENTS_MAX) throw error;
          clients[who].destroy();
          clients[who] = await open();
        }
      }
    };
    const [wait, active, ended] = ['{c}:todo', '{c}:doing', '{c}:done'];
    const done: string[] = [];
    let added = 0;
    let isProduced = false;
    let hasFailedOver = false;
    const work = async (): Promise<void> => {
      while (!isProduced || done.length < added) {
        const id = await call('worker', (client) =>
          client.blMove(wait, active, 'RIGHT', 'LEFT', 0.2).catch(nothingIfUnblocked),
        );
        if (id === null) continue;
        done.push(id);
        await call('worker', (client) => {
          const end = client.multi().lRem(active, 1, id).hSet(`{c}:of:${id}`, 'state', 'done');
          return end.zAdd(ended, { score: Number(id), value: id }).exec();
        });
      }
    };
    const produce = async (isEnough: () => boolean): Promise<void> => {
      while (!isEnough()) {
        const id = String(added + 1);
        const [fields] = await call('producer', (client) =>
          client.multi().hSet(`{c}:of:${id}`, { state: 'waiting' }).lPush(wait, id).exec(),
        );
        expect(fields).toBe(1);
        added++;
      }
    };
    const failover = async (): Promise<void> => {
      await cluster.failover(cluster.node(REPLICA_OF_SECOND));
      hasFailedOver = true;
    };
    const produceAll = async (): Promise<void> => {
      try {
        await produce(() => added >= JOBS_BEFORE);
        await Promise.all([failover(), produce(() => hasFailedOver && added >= JOBS_IN_ALL)]);
      } finally {
        isProduced = true;
      }
    };
    try {
      await Promise.all([produceAll(), work()]);
      const reader = await open();
      clients.worker.destroy();
      clients.worker = reader;
      const ids = Array.from({ length: added }, (_, index) => String(index + 1));
      expect(done).toEqual(ids);
      expect(cluster.node(1).role()).toBe('replica');
      expect(await reader.zRange(ended, 0, -1)).toEqual(ids);
      const states = await Promise.all(ids.map((id) => reader.hGet(`{c}:of:${id}`, 'state')));
      expect(states).toEqual(ids.map(() => 'done'));
      expect(await reader.exists([wait, active])).toBe(0);
    } finally {
      clients.producer.destroy();
      clients.worker.destroy();
    }
  });

  test('who waits on a master that hands over is told so, and served by the new one', async () => {
    const client = connect();
    const [wait, active] = ['{a}:todo', '{a}:doing'];
    const waiting = client.blmove(wait, active, 'RIGHT', 'LEFT', 0).catch(String);
    const isBlocked = async (): Promise<boolean> =>
      replyText(await cluster.node(2).call('INFO', 'clients')).includes('blocked_clients:1\r');
    await until(isBlocked, BOUND_MS, 'the client is blocked');
    await cluster.failover(cluster.node(REPLICA_OF_THIRD));
    expect(await waiting).toBe(
      'ReplyError: UNBLOCKED force unblock from blocking operation, ' +
        'instance state changed (master -> replica?)',
    );
    const served = client.blmove(wait, active, 'RIGHT', 'LEFT', 0);
    expect(await connect().lpush(wait, 'job')).toBe(1);
    expect(await served).toBe('job');
    expect(await connect().lrange(active, 0, -1)).toEqual(['job']);
  });
});

const byNumber = (left: string, right: string): number => Number(left) - Number(right);
