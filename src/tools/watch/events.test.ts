import { expect, test } from 'vitest';
import { clusterSnapshot } from './cluster-snapshot.ts';
import { eventsBetween } from './events.ts';
import type { WatchSnapshot } from './model.ts';
import { type NodeWish, addressOf, idOf, probesOf } from './test-deployment.ts';
import { sentinelEvent } from './sentinel-events.ts';

const BEFORE: readonly NodeWish[] = [
  { port: 7000, slots: '0-8191', epoch: 1 },
  { port: 7001, slots: '8192-16383', epoch: 2 },
  { port: 7003, master: 7000, epoch: 1 },
];
const AFTER: readonly NodeWish[] = [
  { port: 7000, flags: 'fail', epoch: 1 },
  { port: 7001, slots: '8192-16383', epoch: 2 },
  { port: 7003, slots: '0-8191', epoch: 3 },
];

test('a failover is told in the order in which it happens', () => {
  const votes = { 7001: ['cluster_stats_messages_auth-ack_sent:1'] };
  const events = eventsBetween(look(BEFORE), look(AFTER, [7000], votes));
  expect(events.map(({ kind, node }) => [kind, node])).toEqual([
    ['fail', addressOf(7000)],
    ['vote', addressOf(7001)],
    ['epoch', undefined],
    ['promoted', addressOf(7003)],
    ['state', undefined],
  ]);
  expect(events[3]?.text).toBe(`is master in place of ${addressOf(7000)}, configEpoch 3`);
});

test('the old master comes back as a replica', () => {
  const back = AFTER.map((node) => (node.port === 7000 ? { port: 7000, master: 7003 } : node));
  const events = eventsBetween(look(AFTER, [7000]), look(back));
  expect(events.map(({ kind }) => kind)).toEqual(['back', 'demoted', 'state']);
});

test('slots that move are counted for each two masters; open ones are told by who gives', () => {
  const moved = [
    { port: 7000, slots: `0-99 [100->-${idOf(7001)}]` },
    { port: 7001, slots: `200-16383 [100-<-${idOf(7000)}]`, epoch: 2 },
    { port: 7003, master: 7000 },
  ];
  const texts = eventsBetween(look(BEFORE), look(moved)).map(({ node, text }) => [node, text]);
  expect(texts).toEqual([
    [addressOf(7001), `got 7992 slots from ${addressOf(7000)}`],
    [addressOf(7000), `begins to move slot 100 to ${addressOf(7001)}`],
  ]);
});

test('nothing happens between two equal looks', () => {
  expect(eventsBetween(look(BEFORE), look(BEFORE))).toEqual([]);
});

test('nodes that join and leave, restarts, links and locks are told', () => {
  const more = [...BEFORE, { port: 7004, master: 7001 }];
  expect(kinds(look(BEFORE), look(more))).toEqual(['joined']);
  expect(kinds(look(more), look(BEFORE))).toEqual(['left']);
  const again = look(BEFORE, [], { 7001: ['run_id:another'] });
  expect(kinds(look(BEFORE), again)).toEqual(['restarted']);
  const cut = look(BEFORE, [], { 7003: ['master_link_status:down'] });
  expect(kinds(look(BEFORE), cut)).toEqual(['linkLost', 'state']);
  const locked: WatchSnapshot = {
    ...look(BEFORE),
    work: [{ kind: 'lock', text: 'reshard on host', progress: undefined }],
  };
  expect(kinds(look(BEFORE), locked)).toEqual(['work']);
  expect(kinds(locked, look(BEFORE))).toEqual(['work']);
});

test('what a Sentinel publishes keeps its words and names its subject', () => {
  const at = '127.0.0.1:26379';
  expect(sentinelEvent('+odown', 'master mymaster 127.0.0.1 6379 #quorum 2/2', at)).toEqual({
    kind: 'odown',
    tone: 'bad',
    node: '127.0.0.1:6379',
    text: `+odown master mymaster 127.0.0.1 6379 #quorum 2/2 (Sentinel ${at})`,
  });
  const switched = sentinelEvent('+switch-master', 'mymaster 10.0.0.1 6379 10.0.0.2 6380', at);
  expect(switched).toMatchObject({ kind: 'promoted', node: '10.0.0.2:6380' });
  expect(sentinelEvent('+new-epoch', '7', at)).toMatchObject({ kind: 'epoch', node: undefined });
  expect(sentinelEvent('+vote-for-leader', `${'a'.repeat(40)} 7`, at).node).toBeUndefined();
});

function look(
  nodes: readonly NodeWish[],
  silent: readonly number[] = [],
  facts: Readonly<Record<number, readonly string[]>> = {},
): WatchSnapshot {
  return clusterSnapshot(probesOf(nodes, silent, facts), { atUnixMs: 1, name: 'x', work: [] });
}

function kinds(before: WatchSnapshot, after: WatchSnapshot): string[] {
  return eventsBetween(before, after).map(({ kind }) => kind);
}
