import { expect, test } from 'vitest';
import { parseClusterNodes } from '../cluster/index.ts';
import { type Sight, changesOf } from './sight.ts';
import { Timeline, mergedEvents } from './timeline.ts';

const [A, B] = ['a'.repeat(40), 'b'.repeat(40)];

function sight(lines: readonly string[], changes: Partial<Sight> = {}): Sight {
  return {
    nodes: parseClusterNodes(lines.join('\n')),
    isStateOk: true,
    currentEpoch: 1,
    isLinkUp: true,
    asked: 0,
    given: 0,
    got: 0,
    ...changes,
  };
}

test('times count from the fault, what was before it has negative ones', () => {
  let now = 1000;
  const timeline = new Timeline(() => now);
  now = 1100;
  timeline.add('x', 'state', 'before');
  now = 1150;
  expect(timeline.begin()).toBe(1150);
  now = 1160;
  timeline.add('x', 'state', 'after');
  expect(timeline.events.map(({ atMs, text }) => [atMs, text])).toEqual([
    [-50, 'before'],
    [10, 'after'],
  ]);
});

test('what several nodes see is one event with its witnesses', () => {
  const seen = (atMs: number, by: string) => ({ atMs, by, kind: 'FAIL', text: 'n is FAIL' });
  expect(mergedEvents([seen(5, 'x'), seen(7, 'y'), seen(9, 'x')])).toEqual([
    { firstMs: 5, lastMs: 9, kind: 'FAIL', text: 'n is FAIL', by: ['x', 'y'] },
  ]);
});

test('a failover shows as FAIL, votes, roles, epochs and slots', () => {
  const before = sight([
    `${A} 127.0.0.1:1@11 master - 0 0 1 connected 0-16383`,
    `${B} 127.0.0.1:2@12 slave ${A} 0 0 1 connected`,
  ]);
  const failed = sight([
    `${A} 127.0.0.1:1@11 master,fail - 0 0 1 disconnected 0-16383`,
    `${B} 127.0.0.1:2@12 slave ${A} 0 0 1 connected`,
  ]);
  const after = sight(
    [
      `${A} 127.0.0.1:1@11 master,fail - 0 0 1 disconnected`,
      `${B} 127.0.0.1:2@12 master - 0 0 2 connected 0-16383`,
    ],
    { currentEpoch: 2, given: 1 },
  );
  expect(changesOf('n', before, failed)).toEqual([{ kind: 'FAIL', text: '127.0.0.1:1 is FAIL' }]);
  expect(changesOf('n', failed, after).map(({ text }) => text)).toEqual([
    'current epoch 2',
    'n gives its vote',
    '127.0.0.1:1 owns no slots',
    '127.0.0.1:2 is master',
    '127.0.0.1:2 has config epoch 2',
    '127.0.0.1:2 owns 0-16383',
  ]);
  expect(changesOf('n', after, after)).toEqual([]);
});
