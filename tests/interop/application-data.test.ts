/**
 * Goal: the everyday uses work on our server as on the real one: leaderboards, places, sessions that expire, tags,
 * unique counts. Method: ioredis and @redis/client over RESP3; what they make of the replies is compared whole.
 */
import { expect, test } from 'vitest';
import { describeOnEachServer } from './harness/applications.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 10_000;

type Weighted = [{ key: string; weight: number }, { key: string; weight: number }];

describeOnEachServer('everyday uses', (site) => {
  test('a leaderboard keeps the best scores, pages from the top and sums up weeks', async () => {
    const client = await site.nodeRedis();
    const scores = { ann: 30, bob: 10, cid: 20.5, dot: 20.5 };
    const members = Object.entries(scores).map(([value, score]) => ({ value, score }));
    expect(await client.zAdd('week1', members)).toBe(4);
    const best = { comparison: 'GT', CH: true } as const;
    expect(await client.zAdd('week1', { value: 'ann', score: 5 }, best)).toBe(0);
    expect(await client.zAdd('week1', { value: 'bob', score: 40 }, best)).toBe(1);
    expect(await client.zIncrBy('week1', 0.25, 'cid')).toBe(20.75);
    expect(await client.zRangeWithScores('week1', 0, 2, { REV: true })).toEqual([
      { value: 'bob', score: 40 },
      { value: 'ann', score: 30 },
      { value: 'cid', score: 20.75 },
    ]);
    const page = { BY: 'SCORE', REV: true, LIMIT: { offset: 1, count: 2 } } as const;
    expect(await client.zRange('week1', '+inf', '(20.5', page)).toEqual(['ann', 'cid']);
    expect(await client.zRevRank('week1', 'dot')).toBe(3);
    expect(await client.zRank('week1', 'nobody')).toBeNull();
    expect(await client.zmScore('week1', ['ann', 'nobody'])).toEqual([30, null]);
    await client.zAdd('week2', [
      { value: 'ann', score: 1 },
      { value: 'eve', score: Infinity },
    ]);
    const sum = { AGGREGATE: 'SUM' } as const;
    const weighted: Weighted = [
      { key: 'week1', weight: 2 },
      { key: 'week2', weight: 0.5 },
    ];
    expect(await client.zUnionStore('season', weighted, sum)).toBe(5);
    const season = { eve: Infinity, bob: 80, ann: 60.5, cid: 41.5, dot: 41 };
    const expected = Object.entries(season);
    expect(
      (await client.zRangeWithScores('season', 0, -1, { REV: true })).map((e) => [
        e.value,
        e.score,
      ]),
    ).toEqual(expected);
    const native = site.ioredisNative();
    expect(await native.zrange('season', 0, '-1', 'REV', 'WITHSCORES')).toEqual(expected);
    const flat = expected.flatMap(([name, score]) => [
      name,
      score === Infinity ? 'inf' : `${score}`,
    ]);
    expect(await site.ioredis().zrevrange('season', 0, -1, 'WITHSCORES')).toEqual(flat);
    expect(await client.zInterWithScores(['week1', 'week2'])).toEqual([
      { value: 'ann', score: 31 },
    ]);
    expect(await client.zRangeStore('top', 'season', 0, 1, { REV: true })).toBe(2);
    expect(await client.zRange('top', 0, -1)).toEqual(['bob', 'eve']);
    expect(await client.zRemRangeByRank('season', 0, -4)).toBe(2);
    expect(await client.zCard('season')).toBe(3);
  });

  test('places are found by distance, in a circle and in a box', async () => {
    const client = await site.nodeRedis();
    const places = [
      { member: 'Palermo', longitude: 13.361389, latitude: 38.115556 },
      { member: 'Catania', longitude: 15.087269, latitude: 37.502669 },
      { member: 'Rome', longitude: 12.496366, latitude: 41.902782 },
    ];
    expect(await client.geoAdd('places', places)).toBe(3);
    expect(await client.geoDist('places', 'Palermo', 'Catania', 'km')).toBe(166.2742);
    const near = { longitude: 15, latitude: 37 };
    const details = ['WITHDIST', 'WITHHASH', 'WITHCOORD'] as const;
    const circle = { radius: 200, unit: 'km' } as const;
    expect(
      await client.geoSearchWith('places', near, circle, [...details], { SORT: 'ASC' }),
    ).toEqual([
      {
        member: 'Catania',
        distance: 56.4413,
        hash: 3479447370796909,
        coordinates: { longitude: 15.087267458438873, latitude: 37.50266842333162 },
      },
      {
        member: 'Palermo',
        distance: 190.4424,
        hash: 3479099956230698,
        coordinates: { longitude: 13.361389338970184, latitude: 38.1155563954963 },
      },
    ]);
    const box = { width: 1200, height: 1200, unit: 'km' } as const;
    expect(await client.geoSearch('places', 'Rome', box, { COUNT: 2, SORT: 'DESC' })).toEqual([
      'Catania',
      'Palermo',
    ]);
    expect(
      await client.geoSearchStore('near', 'places', 'Palermo', circle, { STOREDIST: true }),
    ).toBe(2);
    expect(await client.zScore('near', 'Catania')).toBeCloseTo(166.2742, 3);
    expect(await client.geoHash('places', ['Rome', 'Atlantis'])).toEqual(['sr2ykk5t6k0', null]);
    expect(await client.geoPos('places', 'Atlantis')).toEqual([null]);
  });

  test('a session is a hash that expires, and a subscriber hears of all that happens to it', async () => {
    const [client, subscriber] = [await site.nodeRedis(), await site.nodeRedis()];
    await client.configSet('notify-keyspace-events', 'KEA');
    const events: string[] = [];
    const expired: string[] = [];
    await subscriber.subscribe('__keyspace@0__:session:1', (event) => events.push(event));
    await subscriber.pSubscribe('__keyevent@*__:expired', (key, channel) => {
      expired.push(`${channel} ${key}`);
    });
    expect(await client.hSet('session:1', { user: 'ann', visits: 1, 'last page': '/' })).toBe(3);
    expect(await client.hIncrBy('session:1', 'visits', 41)).toBe(42);
    expect(await client.hIncrByFloat('session:1', 'spent', 10.5)).toBe('10.5');
    expect(await client.hSetNX('session:1', 'user', 'eve')).toBe(0);
    const all = { user: 'ann', visits: '42', 'last page': '/', spent: '10.5' };
    expect(await client.hGetAll('session:1')).toEqual(all);
    expect(await site.ioredis().hgetall('session:1')).toEqual(all);
    expect(await client.hmGet('session:1', ['visits', 'none'])).toEqual(['42', null]);
    const random = await client.hRandFieldCountWithValues('session:1', 2);
    expect(new Set(random.map(({ field }) => field)).size).toBe(2);
    for (const { field, value } of random) expect(all).toMatchObject({ [field]: value });
    expect(await client.hRandFieldCount('session:1', -9)).toHaveLength(9);
    expect(await client.hDel('session:1', ['last page', 'none'])).toBe(1);
    expect(await client.pExpire('session:1', 60)).toBe(1);
    await until(() => expired.length > 0, BOUND_MS, 'the session expires');
    expect(expired).toEqual(['__keyevent@0__:expired session:1']);
    expect(await client.hGetAll('session:1')).toEqual({});
    await until(() => events.includes('expired'), BOUND_MS, 'the subscriber hears the end');
    expect(events).toEqual(['hset', 'hincrby', 'hincrbyfloat', 'hdel', 'expire', 'expired']);
    await client.configSet('notify-keyspace-events', '');
  });

  test('a session that is used goes on, one that is persistent stays', async () => {
    const client = site.ioredis();
    await client.multi().hset('s', 'a', 1).expire('s', 100).exec();
    expect(await client.expire('s', 50, 'GT')).toBe(0);
    expect(await client.expire('s', 200, 'GT')).toBe(1);
    expect(await client.ttl('s')).toBeGreaterThan(100);
    await client.hset('s', 'b', 2);
    expect(await client.pttl('s')).toBeGreaterThan(100_000);
    expect(await client.rename('s', 't')).toBe('OK');
    expect(await client.expiretime('t')).toBeGreaterThan(Date.now() / 1000);
    expect(await client.persist('t')).toBe(1);
    expect(await client.ttl('t')).toBe(-1);
    expect(await client.getex('t').catch((error: unknown) => String(error))).toBe(
      'ReplyError: WRONGTYPE Operation against a key holding the wrong kind of value',
    );
  });

  test('tags are sets: what has both, how many, and a draw without repetition', async () => {
    const client = await site.nodeRedis();
    const range = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => String(from + i));
    await client.sAdd('tag:red', range(0, 1000));
    await client.sAdd('tag:big', [...range(900, 1900), 'not a number']);
    expect(await client.sInterCard(['tag:red', 'tag:big'])).toBe(100);
    expect(await client.sInterCard(['tag:red', 'tag:big'], { LIMIT: 7 })).toBe(7);
    expect(await client.sInterStore('both', ['tag:red', 'tag:big'])).toBe(100);
    const both: unknown = await client.sMembers('both');
    expect([...(both as Iterable<string>)].toSorted()).toEqual(range(900, 1000));
    expect(await client.sDiffStore('red only', ['tag:red', 'tag:big'])).toBe(900);
    expect(await client.sUnionStore('any', ['tag:red', 'tag:big'])).toBe(1901);
    expect(await client.smIsMember('both', ['950', '1'])).toEqual([1, 0]);
    expect(await client.sMove('both', 'red only', '950')).toBe(1);
    const drawn: string[] = [];
    for (let left = 99; left > 0; left -= 9) {
      drawn.push(...(await client.sPopCount('both', 9)));
      expect(await client.sCard('both')).toBe(left - 9);
    }
    expect(drawn.toSorted()).toEqual(range(900, 1000).filter((each) => each !== '950'));
    expect(await client.exists('both')).toBe(0);
    const sample = await client.sRandMemberCount('any', 5);
    expect(new Set(sample).size).toBe(5);
    expect((await client.smIsMember('any', sample)).every(Boolean)).toBe(true);
  });

  test('visitors are counted once, within the error of the method', async () => {
    const client = site.ioredis();
    const pipeline = client.pipeline();
    for (let visitor = 0; visitor < 3000; visitor++) {
      pipeline.pfadd(`day${visitor % 2}`, `visitor ${visitor}`, `visitor ${visitor % 500}`);
    }
    await pipeline.exec();
    expect(await client.pfadd('day0', 'visitor 0')).toBe(0);
    expect(await client.pfmerge('days', 'day0', 'day1')).toBe('OK');
    const counts = [await client.pfcount('day0', 'day1'), await client.pfcount('days')];
    expect(counts[0]).toBe(counts[1]);
    expect(Math.abs((counts[0] ?? 0) - 3000)).toBeLessThan(3000 * 0.03);
  });
});
