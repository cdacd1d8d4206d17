import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findNode, isUsable, parseClusterNodes } from './topology.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = `ab${'c'.repeat(38)}`;

// Lines as redis-server 7.0.15 gave them, ids shortened to one letter.
const TEXT = [
  `${A} 127.0.0.1:7000@17000 myself,master - 0 1795205128000 7 connected 0-5460 9000 [9001->-${B}] [77-<-${C}]`,
  `${B} 10.0.0.2:7001@17001,cache-1,shard-id=${A} slave ${A} 0 1795205129054 7 connected`,
  `${C} :0@0 master,fail?,noaddr - 1 2 3 disconnected`,
  '',
].join('\n');

test('CLUSTER NODES is read with roles, slots, open slots and names', () => {
  const [a, b, c] = parseClusterNodes(TEXT);
  expect(a).toMatchObject({
    id: A,
    host: '127.0.0.1',
    port: 7000,
    busPort: 17000,
    role: 'master',
    masterId: undefined,
    configEpoch: 7,
    isMyself: true,
    isConnected: true,
    slots: [
      [0, 5460],
      [9000, 9000],
    ],
    open: [
      { slot: 9001, direction: 'migrating', peerId: B },
      { slot: 77, direction: 'importing', peerId: C },
    ],
  });
  expect(b).toMatchObject({ host: '10.0.0.2', role: 'replica', masterId: A, slots: [] });
  expect(c).toMatchObject({ host: '', flags: ['master', 'fail?', 'noaddr'], isConnected: false });
  expect([a, b, c].map((node) => node !== undefined && isUsable(node))).toEqual([
    true,
    true,
    false,
  ]);
});

test('a node is found by its id, by the beginning of it when that is unique, and by its address', () => {
  const nodes = parseClusterNodes(TEXT);
  expect(findNode(nodes, B)?.id).toBe(B);
  expect(findNode(nodes, 'BB')?.id).toBe(B);
  expect(findNode(nodes, 'a')).toBeUndefined();
  expect(findNode(nodes, '10.0.0.2:7001')?.id).toBe(B);
  expect(findNode(nodes, '10.0.0.2:7002')).toBeUndefined();
});

test('lines that make no sense are left out and never throw', () => {
  expect(parseClusterNodes('ERR nonsense\nx y z')).toEqual([]);
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...TEXT.split(/([ :,@-])/)), { maxLength: 60 }),
      (parts) => {
        for (const node of parseClusterNodes(parts.join(''))) expect(node.id).toHaveLength(40);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});
