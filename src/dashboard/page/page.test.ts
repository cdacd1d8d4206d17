/** The page's arithmetic: where boxes stand, who owns a slot, how figures read, what the history keeps. */
import { expect, test } from 'vitest';
import type { NodeSnapshot, WatchSnapshot } from '../../tools/watch/index.ts';
import { HISTORY_MAX, addToHistory, emptyHistory } from '../history.ts';
import { bytes, count, duration, milliseconds, shortened } from './format.ts';
import { BOX_WIDTH_MIN, layOut } from './layout.ts';
import { shardColour, shardIndexes } from './palette.ts';
import { ownersOf } from './slots.ts';

const NODES = [
  node('a', undefined, [[0, 99]]),
  node('b', 'a'),
  node('c', undefined, [[100, 199]]),
  node('d', 'gone'),
];

test('shards stand side by side where there is room, and never overlap', () => {
  for (const width of [BOX_WIDTH_MIN, 500, 1400]) {
    const { boxes, boxWidth, height } = layOut(NODES, width);
    expect(boxes.map(({ id }) => id)).toEqual(['a', 'c', 'd']);
    for (const [index, box] of boxes.entries()) {
      expect(box.x + boxWidth).toBeLessThanOrEqual(width + 0.001);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
      for (const other of boxes.slice(index + 1)) {
        const isBeside = other.x >= box.x + boxWidth || box.x >= other.x + boxWidth;
        expect(isBeside || other.y >= box.y + box.height).toBe(true);
      }
    }
  }
  expect(layOut([], 800)).toMatchObject({ height: 0, boxes: [] });
});

test('a slot belongs to the master that claims it', () => {
  const owners = ownersOf(NODES);
  expect([owners[0], owners[99], owners[100], owners[200]].map((each) => each?.id)).toEqual([
    'a',
    'a',
    'c',
    undefined,
  ]);
});

test('replicas have the colour of their shard, and sixteen shards have sixteen colours', () => {
  const indexes = shardIndexes(NODES);
  expect([...indexes]).toEqual([
    ['a', 0],
    ['c', 1],
    ['b', 0],
    ['d', 2],
  ]);
  const colours = Array.from({ length: 16 }, (_, index) => shardColour(index, true));
  expect(new Set(colours).size).toBe(16);
});

test('figures are short', () => {
  expect([bytes(0), bytes(1023), bytes(1536), bytes(undefined)]).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '–',
  ]);
  expect([count(999), count(12_345), count(123_456_789)]).toEqual(['999', '12.3 k', '123 M']);
  expect([duration(0), duration(59), duration(3700), duration(90_000)]).toEqual([
    '0 s',
    '59 s',
    '1 h 1 min',
    '1 d 1 h',
  ]);
  expect([milliseconds(0.123), milliseconds(45.6)]).toEqual(['0.12 ms', '46 ms']);
  expect(shortened('2001:db8:aaaa:bbbb::1:6379', 14)).toHaveLength(14);
});

test('the history keeps columns of equal length, and forgets what is too old', () => {
  const history = emptyHistory();
  const look = (nodes: readonly NodeSnapshot[], at: number): void =>
    addToHistory(history, { nodes, atUnixMs: at } as unknown as WatchSnapshot);
  look(NODES.slice(0, 1), 1);
  for (let at = 2; at <= HISTORY_MAX + 5; at++) look(NODES.slice(2), at);
  expect(history.atUnixMs).toHaveLength(HISTORY_MAX);
  expect(Object.keys(history.nodes).sort()).toEqual(['c', 'd']);
  for (const columns of Object.values(history.nodes)) expect(columns.ops).toHaveLength(HISTORY_MAX);
});

function node(
  id: string,
  masterId?: string,
  slots: readonly (readonly [number, number])[] = [],
): NodeSnapshot {
  return {
    id,
    address: id,
    role: masterId === undefined ? 'master' : 'replica',
    masterId,
    group: undefined,
    health: 'ok',
    failure: undefined,
    slots,
    open: [],
    configEpoch: undefined,
    stats: undefined,
  };
}
