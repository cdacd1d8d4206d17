import { expect, test } from 'vitest';
import { clusterMembers, clusterSnapshot } from './cluster-snapshot.ts';
import { statsOf } from './sample.ts';
import { type NodeWish, addressOf, idOf, probesOf, sampleOf } from './test-deployment.ts';

const NODES: readonly NodeWish[] = [
  { port: 7000, slots: '0-8191', epoch: 1 },
  { port: 7001, slots: '8192-16383', epoch: 2 },
  { port: 7002, master: 7001 },
  { port: 7003, master: 7000 },
];
const FACTS = { atUnixMs: 1, name: 'seed', work: [] };

test('shards are in the order of their slots, replicas behind their masters', () => {
  const snapshot = clusterSnapshot(probesOf(NODES), FACTS);
  expect(snapshot.nodes.map(({ address }) => address)).toEqual(
    [7000, 7003, 7001, 7002].map((port) => addressOf(port)),
  );
  expect(snapshot.state).toBe('ok');
  expect(snapshot.slotsAssigned).toBe(16_384);
  expect(snapshot.currentEpoch).toBe(2);
});

test('a node that one other finds failing counts as failing, and one that only we miss as unreachable', () => {
  const seen = NODES.map((node) => (node.port === 7000 ? { ...node, flags: 'fail' } : node));
  const failed = clusterSnapshot(probesOf(seen, [7000]), FACTS);
  expect(healthOf(failed, 7000)).toBe('fail');
  expect(failed.state).toBe('degraded');
  expect(healthOf(clusterSnapshot(probesOf(NODES, [7003]), FACTS), 7003)).toBe('unreachable');
});

test('what a node says of its own role outweighs what the others still believe', () => {
  const after: readonly NodeWish[] = [
    { port: 7000, flags: 'fail', epoch: 1 },
    { port: 7001, slots: '8192-16383', epoch: 2 },
    { port: 7002, master: 7001 },
    { port: 7003, slots: '0-8191', epoch: 2 },
  ];
  const probes = probesOf(NODES, [7000]).map((probe) =>
    probe.address === addressOf(7003) ? { ...probe, sample: sampleOf(7003, after) } : probe,
  );
  const promoted = clusterSnapshot(probes, FACTS).nodes.find(({ id }) => id === idOf(7003));
  expect(promoted).toMatchObject({ role: 'master', slots: [[0, 8191]] });
});

test('a node without an address of its own is asked where it was found', () => {
  const [probe] = probesOf(NODES);
  const view = probe!.sample!.view.map((node) => (node.isMyself ? { ...node, host: '' } : node));
  const alone = { ...probe!, address: 'seed:7000', sample: { ...probe!.sample!, view } };
  expect(clusterMembers([alone]).map(({ address }) => address)).toContain('seed:7000');
});

test('rates are means between two answers; lag is what a replica lacks of its master', () => {
  const before = sampleOf(7003, NODES, ['total_commands_processed:100']);
  const after = {
    ...sampleOf(7003, NODES, ['total_commands_processed:300', 'slave_repl_offset:50']),
    atMs: 3000,
  };
  const master = sampleOf(7000, NODES, ['master_repl_offset:80']);
  expect(statsOf(after, before, { master, copiers: [] })).toMatchObject({
    opsPerSecond: 100,
    lagBytes: 30,
  });
  expect(statsOf(after, undefined, { copiers: [] }).opsPerSecond).toBeUndefined();
});

test('who copies a node without being of the cluster is told apart', () => {
  const facts = {
    7000: [
      'master_repl_offset:100',
      'connected_slaves:2',
      'slave0:ip=127.0.0.1,port=7003,state=online,offset=100,lag=0',
      'slave1:ip=10.0.0.9,port=0,state=online,offset=60,lag=1',
    ],
  };
  const [first] = clusterSnapshot(probesOf(NODES, [], facts), FACTS).nodes;
  expect(first?.stats?.copiers).toEqual([{ address: '10.0.0.9:0', lagBytes: 40 }]);
});

function healthOf(snapshot: ReturnType<typeof clusterSnapshot>, port: number): string | undefined {
  return snapshot.nodes.find(({ id }) => id === idOf(port))?.health;
}
