/**
 * Goal: large amounts pass through our server as through the real one: cursors over many elements, pipelines, binary data,
 * big values, many messages. Method: the iterators, pipelines and Buffer interfaces of ioredis and @redis/client.
 */
import { RESP_TYPES } from '@redis/client';
import type { ScanStream } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnEachServer } from './harness/applications.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 10_000;
const BIG = 5 * 1024 * 1024;
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

async function collected(stream: ScanStream): Promise<string[]> {
  const all: string[] = [];
  for await (const batch of stream) all.push(...(batch as string[]));
  return all;
}

describeOnEachServer('large amounts', (site) => {
  test('cursors of either client meet every element', async () => {
    const [client, other] = [site.ioredis(), await site.nodeRedis()];
    const names = named('key:', 1000);
    await client.mset(Object.fromEntries(names.map((name) => [name, name])));
    await client.sadd('set', ...names);
    await client.hset('hash', Object.fromEntries(names.map((name) => [name, `${name}!`])));
    await client.zadd('zset', ...names.flatMap((name, index) => [index, name]));
    const sorted = names.toSorted();
    const unique = (all: readonly string[]): string[] => [...new Set(all)].toSorted();
    const options = { match: 'key:*', count: 100 };
    expect(unique(await collected(client.scanStream(options)))).toEqual(sorted);
    expect(await collected(client.scanStream({ type: 'zset' }))).toEqual(['zset']);
    expect(unique(await collected(client.sscanStream('set', options)))).toEqual(sorted);
    const fields = await collected(client.hscanStream('hash', options));
    expect(unique(fields)).toEqual([...names, ...names.map((name) => `${name}!`)].toSorted());
    const scored = await collected(client.zscanStream('zset', { match: 'key:77' }));
    expect(scored).toEqual(['key:77', '77']);
    const found: Record<'keys' | 'members' | 'fields' | 'scores', string[]> = {
      keys: [],
      members: [],
      fields: [],
      scores: [],
    };
    for await (const keys of other.scanIterator({ MATCH: 'key:*' })) found.keys.push(...keys);
    for await (const all of other.sScanIterator('set')) found.members.push(...all);
    for await (const all of other.hScanIterator('hash')) {
      for (const { field, value } of all) {
        expect(value).toBe(`${field}!`);
        found.fields.push(field);
      }
    }
    for await (const all of other.zScanIterator('zset')) {
      for (const { score, value } of all) {
        expect(value).toBe(`key:${score}`);
        found.scores.push(value);
      }
    }
    for (const all of Object.values(found)) expect(unique(all)).toEqual(sorted);
  });

  test('a cursor meets what was there all the time while others come and go', async () => {
    const [client, writer] = [site.ioredis(), site.ioredis()];
    const stay = named('stay:', 500);
    await client.sadd('set', ...stay, ...named('go:', 500));
    const met = new Set<string>();
    let round = 0;
    for await (const batch of client.sscanStream('set', { count: 20 })) {
      for (const member of batch as string[]) met.add(member);
      await writer.srem('set', ...named(`go:${round}`, 10));
      await writer.sadd('set', ...named(`come:${round++}:`, 50));
    }
    for (const member of stay) expect(met).toContain(member);
  });

  test('a pipeline of a thousand commands is answered in order, errors in their places', async () => {
    const client = site.ioredis();
    const pipeline = client.pipeline();
    for (let i = 0; i < 1000; i++) {
      if (i % 100 === 99) pipeline.lpush('counter', i);
      else pipeline.incr('counter');
    }
    const results = (await pipeline.exec()) ?? [];
    expect(results).toHaveLength(1000);
    let counter = 0;
    for (const [index, [error, value]] of results.entries()) {
      if (index % 100 === 99) expect(String(error)).toContain('WRONGTYPE');
      else expect([error, value]).toEqual([null, ++counter]);
    }
    const other = await site.nodeRedis();
    const replies = await Promise.all(named('', 1000).map((i) => other.rPush('list', i)));
    expect(replies).toEqual(named('', 1000).map((i) => Number(i) + 1));
    expect(await other.lRange('list', 0, -1)).toEqual(named('', 1000));
    const typed = await other.multi().lLen('list').lIndex('list', -1).lPos('list', '500').exec();
    expect(typed).toEqual([1000, '999', 500]);
  });

  test('keys, fields and values are bytes', async () => {
    const client = site.ioredis();
    const key = Buffer.concat([Buffer.from('k\r\n\0'), ALL_BYTES]);
    await client.set(key, ALL_BYTES);
    expect(await client.getBuffer(key)).toEqual(ALL_BYTES);
    expect(await client.append(key, ALL_BYTES)).toBe(512);
    expect(await client.getrangeBuffer(key, 250, 260)).toEqual(
      Buffer.concat([ALL_BYTES, ALL_BYTES]).subarray(250, 261),
    );
    await client.hset('hash', ALL_BYTES, key);
    expect(await client.hkeysBuffer('hash')).toEqual([ALL_BYTES]);
    expect(await client.hgetBuffer('hash', ALL_BYTES)).toEqual(key);
    await client.rpush('list', key, ALL_BYTES);
    expect(await client.blpopBuffer('list', 1)).toEqual([Buffer.from('list'), key]);
    await client.xadd('stream', '1-0', ALL_BYTES, key);
    expect(await client.xrangeBuffer('stream', '-', '+')).toEqual([
      [Buffer.from('1-0'), [ALL_BYTES, key]],
    ]);
    const dump = await client.dumpBuffer(key);
    await client.restore('copy', 0, dump ?? '');
    const plain = await site.nodeRedis();
    const other = plain.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    expect(await other.get('copy')).toEqual(Buffer.concat([ALL_BYTES, ALL_BYTES]));
    await other.zAdd('zset', { value: ALL_BYTES, score: 1 });
    expect(await other.zRange('zset', 0, 0)).toEqual([ALL_BYTES]);
  });

  test('values of five megabytes in every container', async () => {
    const client = site.ioredis();
    const value = Buffer.alloc(BIG, ALL_BYTES);
    await client.set('string', value);
    expect((await client.getBuffer('string'))?.equals(value)).toBe(true);
    expect(await client.setrange('string', BIG - 2, 'end!')).toBe(BIG + 2);
    expect(await client.getrange('string', -6, -1)).toHaveLength(6);
    expect(await client.strlen('string')).toBe(BIG + 2);
    await client.hset('hash', { small: 'x', big: value });
    expect((await client.hgetBuffer('hash', 'big'))?.equals(value)).toBe(true);
    await client.rpush('list', 'a', value, 'b');
    expect((await client.lindexBuffer('list', 1))?.equals(value)).toBe(true);
    expect(await client.lrem('list', 1, value)).toBe(1);
    expect(await client.lrange('list', 0, -1)).toEqual(['a', 'b']);
    await client.sadd('set', value);
    expect(await client.sismember('set', value)).toBe(1);
    await client.xadd('stream', '1-0', 'big', value);
    const [entry] = await client.xrangeBuffer('stream', '-', '+');
    expect(entry?.[1][1]?.equals(value)).toBe(true);
    expect(await client.copy('hash', 'hash too')).toBe(1);
    expect((await client.hgetBuffer('hash too', 'big'))?.equals(value)).toBe(true);
    expect(await client.unlink('string', 'hash', 'hash too', 'list', 'set', 'stream')).toBe(6);
    expect(await client.dbsize()).toBe(0);
  });

  test('subscribers of channels and patterns hear every message in order', async () => {
    const [publisher, subscriber] = [site.ioredis(), site.ioredis()];
    const other = await site.nodeRedis();
    const heard: string[] = [];
    subscriber.on('pmessage', (pattern, channel, message) => {
      heard.push(`${pattern} ${channel} ${message}`);
    });
    expect(await subscriber.psubscribe('news.*', 'n?ws.[ab]')).toBe(2);
    const direct: Buffer[] = [];
    await other.subscribe('news.a', (message) => direct.push(message), true);
    const pipeline = publisher.pipeline();
    for (let i = 0; i < 500; i++) pipeline.publish(i % 2 === 0 ? 'news.a' : 'news.long', `${i}`);
    pipeline.publish('elsewhere', 'unheard').publish('news.a', ALL_BYTES);
    const counts = ((await pipeline.exec()) ?? []).map(([, count]) => count);
    expect(counts.slice(-4)).toEqual([3, 1, 0, 3]);
    await until(() => heard.length >= 752 && direct.length >= 251, BOUND_MS, 'all is heard');
    const expected = named('', 500).flatMap((i) =>
      Number(i) % 2 === 0
        ? [`news.* news.a ${i}`, `n?ws.[ab] news.a ${i}`]
        : [`news.* news.long ${i}`],
    );
    expect(heard.slice(0, 750).toSorted()).toEqual(expected.toSorted());
    const numbers = heard.slice(0, 750).map((line) => Number(line.split(' ')[2]));
    expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));
    expect(direct.slice(0, 250).map(String)).toEqual(
      named('', 500).filter((i) => Number(i) % 2 === 0),
    );
    expect(direct[250]).toEqual(ALL_BYTES);
    expect(await publisher.pubsub('NUMSUB', 'news.a', 'news.long')).toEqual([
      'news.a',
      1,
      'news.long',
      0,
    ]);
    expect(await publisher.pubsub('NUMPAT')).toBe(2);
    await subscriber.punsubscribe('n?ws.[ab]');
    expect(await publisher.publish('news.a', 'fewer')).toBe(2);
  });
});
