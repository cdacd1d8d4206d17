/**
 * Goal: applications that keep their logic in scripts find it working on our server as on the real one. Method: ioredis'
 * `defineCommand` and @redis/client's `defineScript`, which load a script where it is missing, on a lock, a rate limiter and a
 * job queue as libraries build it: workers move jobs between lists, sorted sets and hashes by scripts alone.
 */
import { defineScript } from '@redis/client';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnEachServer } from './harness/applications.ts';

const LIMITER = `
  local count = redis.call('INCR', KEYS[1])
  if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
  return count > tonumber(ARGV[2]) and redis.call('PTTL', KEYS[1]) or 0`;

const UNLOCK = `
  if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
  return 0`;

/** Adds a job: its id, or that of an equal one that is there. */
const ADD = `
  local id = ARGV[1]
  if id == '' then id = tostring(redis.call('INCR', KEYS[1])) end
  local job = KEYS[2] .. id
  if redis.call('EXISTS', job) == 1 then return id end
  local options = cmsgpack.unpack(ARGV[3])
  redis.call('HMSET', job, 'data', ARGV[2], 'options', cjson.encode(options), 'attempts', 0)
  if options.delay then
    redis.call('ZADD', KEYS[4], options.delay, id)
  else
    redis.call('LPUSH', KEYS[3], id)
  end
  redis.call('XADD', KEYS[5], '*', 'event', 'added', 'id', id)
  return id`;

/** Takes a job: its id and fields, after what was delayed until now has come to the others. */
const TAKE = `
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], 0, ARGV[1], 'LIMIT', 0, 100)) do
    redis.call('ZREM', KEYS[2], id)
    redis.call('LPUSH', KEYS[1], id)
  end
  local id = redis.call('RPOPLPUSH', KEYS[1], KEYS[3])
  if not id then return false end
  redis.call('HINCRBY', KEYS[4] .. id, 'attempts', 1)
  return {id, redis.call('HGETALL', KEYS[4] .. id)}`;

/** Ends a job that succeeded, or says that it is not in work. */
const FINISH = `
  if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return redis.error_reply('MISSING job ' .. ARGV[1]) end
  redis.call('HSET', KEYS[2] .. ARGV[1], 'result', ARGV[2])
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
  redis.call('XADD', KEYS[4], '*', 'event', 'completed', 'id', ARGV[1])
  return redis.status_reply('DONE')`;

interface Queue extends Redis {
  limit(key: string, windowMs: number, max: number): Promise<number>;
  unlock(key: string, token: string): Promise<number>;
  addJob(...args: readonly (string | Buffer)[]): Promise<string>;
  takeJob(...args: readonly (string | number)[]): Promise<[string, string[]] | null>;
  finishJob(...args: readonly (string | number)[]): Promise<string>;
}

function withScripts(client: Redis): Queue {
  client.defineCommand('limit', { numberOfKeys: 1, lua: LIMITER });
  client.defineCommand('unlock', { numberOfKeys: 1, lua: UNLOCK });
  client.defineCommand('addJob', { numberOfKeys: 5, lua: ADD });
  client.defineCommand('takeJob', { numberOfKeys: 4, lua: TAKE });
  client.defineCommand('finishJob', { numberOfKeys: 4, lua: FINISH });
  return client as Queue;
}

/** MessagePack of `{}` and of `{ delay: ms }`. */
const NO_OPTIONS: Buffer = Buffer.from([0x80]);
function delayed(untilMs: number): Buffer {
  const value = Buffer.alloc(9);
  value[0] = 0xcb;
  value.writeDoubleBE(untilMs, 1);
  return Buffer.concat([Buffer.from([0x81, 0xa5]), Buffer.from('delay'), value]);
}

describeOnEachServer('scripts of applications', (site) => {
  test('a rate limiter lets as many through as it should, and says how long to wait', async () => {
    const client = withScripts(site.ioredis());
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) waits.push(await client.limit('limit:a', 10_000, 4));
    expect(waits.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(waits.slice(4).every((ms) => ms > 5000 && ms <= 10_000)).toBe(true);
  });

  test('a lock is given back by its owner only', async () => {
    const client = withScripts(site.ioredis());
    await client.set('lock', 'mine', 'PX', 10_000);
    expect(await client.unlock('lock', 'theirs')).toBe(0);
    expect(await client.unlock('lock', 'mine')).toBe(1);
    expect(await client.exists('lock')).toBe(0);
  });

  test('a script that the server has forgotten is sent again', async () => {
    const client = withScripts(site.ioredis());
    await client.limit('limit:b', 10_000, 4);
    await client.script('FLUSH');
    const pipeline = await client
      .multi()
      .set('x', '1')
      .eval('return redis.call("incr", KEYS[1])', 1, 'x')
      .exec();
    expect(pipeline).toEqual([
      [null, 'OK'],
      [null, 2],
    ]);
    expect(await client.limit('limit:b', 10_000, 4)).toBe(0);
  });

  test('@redis/client runs its scripts, and tells of their errors', async () => {
    const client = (await site.nodeRedis()).duplicate({
      scripts: {
        append: defineScript({
          SCRIPT: "return redis.call('APPEND', KEYS[1], ARGV[1])",
          NUMBER_OF_KEYS: 1,
          parseCommand: (parser, key: string, text: string) => {
            parser.pushKey(key);
            parser.push(text);
          },
          transformReply: (reply: unknown) => Number(reply),
        }),
      },
    });
    await client.connect();
    try {
      expect(await client.append('text', 'abc')).toBe(3);
      expect(await client.append('text', 'def')).toBe(6);
      await client.lPush('list', 'a');
      await expect(client.append('list', 'x')).rejects.toThrow(/^WRONGTYPE /);
      expect(await client.eval('return {1.5, {ok="fine"}, false}')).toEqual([1, 'fine', null]);
    } finally {
      client.destroy();
    }
  });

  test('a job queue of scripts does every job once, delayed ones in time', async () => {
    const producer = withScripts(site.ioredis());
    const key = (part: string): string => `{bull}:${part}`;
    const add = (id: string, data: string, options: Buffer): Promise<string> =>
      producer.addJob(
        ...[key('id'), key('job:'), key('wait'), key('delayed'), key('events')],
        ...[id, data, options],
      );
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, i) => add('', `job ${i}`, NO_OPTIONS)),
    );
    expect(await add('named', 'once', NO_OPTIONS)).toBe('named');
    expect(await add('named', 'twice', NO_OPTIONS)).toBe('named');
    await add('later', 'delayed', delayed(1000));
    const done: string[] = [];
    const work = async (now: number): Promise<void> => {
      const worker = withScripts(site.ioredis());
      const places = [key('wait'), key('delayed'), key('active'), key('job:')];
      for (;;) {
        const taken = await worker.takeJob(...places, now);
        if (taken === null) return;
        const [id, fields] = taken;
        expect(fields.slice(-2)).toEqual(['attempts', '1']);
        const ends = [key('active'), key('job:'), key('completed'), key('events')];
        expect(await worker.finishJob(...ends, id, 'fine', done.length)).toBe('DONE');
        done.push(id);
        await expect(worker.finishJob(...ends, id, 'again', 0)).rejects.toThrow('MISSING job');
      }
    };
    await Promise.all([work(999), work(999), work(999)]);
    expect(done.toSorted()).toEqual([...ids, 'named'].toSorted());
    await work(1000);
    expect(done.at(-1)).toBe('later');
    expect(await producer.zcard(key('completed'))).toBe(62);
    expect(await producer.xlen(key('events'))).toBe(124);
    expect(await producer.llen(key('active'))).toBe(0);
  });
});
