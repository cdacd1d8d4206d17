import { expect, test } from 'vitest';
import { type FullCheckFlags, fullCheckWish } from './full-check.ts';

const FLAGS: FullCheckFlags = {
  source: '10.0.0.1:6379',
  target: '10.0.1.1:6379',
  sourcedbtype: 0,
  targetdbtype: 0,
  sourcedbfilterlist: '-1',
  targetdbfilterlist: '-1',
  comparetimes: 3,
  comparemode: 1,
  interval: 5,
  batchcount: 256,
  parallel: 5,
  filterlist: '',
  meaningless: [],
};

test("RedisFullCheck's options mean what they meant there", () => {
  const { options, remarks } = fullCheckWish(
    {
      ...FLAGS,
      source: 'master@10.0.0.1:7000;10.0.0.2:7000',
      sourcepassword: 'app:secret',
      targetpassword: 'word',
      sourcedbtype: 1,
      sourcedbfilterlist: '0;5;15',
      targetdbfilterlist: '5;0',
      filterlist: 'user:*|count[1]|*',
      qps: 10,
      db: '/tmp/differences.db',
      result: '/tmp/differences.txt',
      meaningless: ['--id'],
    },
    true,
  );
  expect(options.source.seeds.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(options.source.seeds[1]).toMatchObject({ username: 'app', password: 'secret' });
  expect(options.target.seeds[0]).toMatchObject({ password: 'word' });
  expect(options.databases).toEqual([
    { source: 0, target: 0 },
    { source: 5, target: 5 },
  ]);
  expect(options.filters).toEqual(['user:*', String.raw`count\[1\]`, '*']);
  expect(options).toMatchObject({ rate: 12_800, rounds: 3, intervalMs: 5000, depth: 'values' });
  expect(options.files).toEqual([
    { path: '/tmp/differences.db.3', format: 'sqlite' },
    { path: '/tmp/differences.txt', format: 'tabs' },
  ]);
  expect(remarks).toEqual([
    'master@ and slave@ are left out: the masters are read',
    'ignored, they mean nothing here: --id',
  ]);
});

test('modes that compare lengths only compare values here, and say so', () => {
  const modes = [undefined, 1, 2, 3, 4].map((comparemode) => {
    const { options, remarks } = fullCheckWish({ ...FLAGS, comparemode }, true);
    return [options.depth, remarks.length];
  });
  expect(modes).toEqual([
    ['values', 1],
    ['values', 0],
    ['values', 1],
    ['types', 0],
    ['values', 1],
  ]);
});

test('without SQLite the default database is not written, but one that was named is asked for', () => {
  expect(fullCheckWish(FLAGS, false).options.files).toEqual([]);
  expect(fullCheckWish(FLAGS, false).remarks).toHaveLength(1);
  expect(fullCheckWish({ ...FLAGS, db: 'x' }, false).options.files).toHaveLength(1);
});

test('a proxy, and a list of databases that is none, are refused', () => {
  expect(() => fullCheckWish({ ...FLAGS, targetdbtype: 2 }, true)).toThrow('through a proxy');
  expect(() => fullCheckWish({ ...FLAGS, sourcedbfilterlist: '0,1' }, true)).toThrow(
    'as in 0;5;15',
  );
});
