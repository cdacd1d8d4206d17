import { expect, test } from 'vitest';
import type { Probed } from './cluster-snapshot.ts';
import { factsOf } from './test-deployment.ts';
import { eventLine, screenLines } from './lines.ts';
import {
  type ProbedSentinel,
  replicationMembers,
  replicationSnapshot,
} from './replication-snapshot.ts';

const MASTER = '10.0.0.1:6379';
const REPLICA = '10.0.0.2:6379';
const FACTS = { atUnixMs: 1, name: MASTER, work: [] };

const probes = [
  probe(MASTER, [
    'role:master',
    'connected_slaves:2',
    'slave0:ip=10.0.0.2,port=6379,state=online,offset=9,lag=0',
    'slave1:ip=10.0.0.9,port=0,state=online,offset=4,lag=0',
    'master_repl_offset:9',
  ]),
  probe(REPLICA, [
    'role:slave',
    'master_host:10.0.0.1',
    'master_port:6379',
    'master_link_status:up',
    'slave_repl_offset:7',
  ]),
];

test('replicas are found from their master and masters from their replicas, tools are not nodes', () => {
  expect(replicationMembers([probes[0]!], [])).toEqual([REPLICA]);
  expect(replicationMembers([probes[1]!], [])).toEqual([MASTER]);
  const [master, replica] = replicationSnapshot(probes, [], FACTS).nodes;
  expect(master?.stats?.copiers).toEqual([{ address: '10.0.0.9:0', lagBytes: 5 }]);
  expect(replica).toMatchObject({ role: 'replica', masterId: MASTER, stats: { lagBytes: 2 } });
});

test('Sentinels say who is down and what the master is called', () => {
  const down = [sentinel(['s_down', 'o_down', 'master'])];
  const snapshot = replicationSnapshot(
    [{ ...probes[0]!, failure: 'connection refused' }, probes[1]!],
    down,
    FACTS,
  );
  expect(snapshot).toMatchObject({ kind: 'sentinel', state: 'fail', currentEpoch: 3 });
  expect(snapshot.nodes[0]).toMatchObject({ group: 'mymaster', health: 'odown', role: 'master' });
  expect(replicationMembers([], down)).toEqual([MASTER]);
  expect(replicationSnapshot(probes, [sentinel(['master'])], FACTS).state).toBe('ok');
});

test('a terminal shows the nodes first and as many events as there is room for', () => {
  const snapshot = replicationSnapshot(probes, [], FACTS);
  const plain = (_colour: string, text: string): string => text;
  const event = { atUnixMs: 0, kind: 'state', tone: 'good', node: undefined } as const;
  const events = [1, 2, 3].map((id) => ({ ...event, id, text: `event ${id}` }));
  const lines = screenLines(snapshot, events, { rows: 8, paint: plain });
  expect(lines[0]).toContain(`replication ${MASTER}: all is well`);
  expect(lines[3]).toMatch(/^10\.0\.0\.1:6379 +master +ok/);
  expect(lines[4]).toMatch(/^ {2}10\.0\.0\.2:6379 +replica +ok +2 B/);
  expect(lines.slice(-2)).toEqual([eventLine(events[2]!, plain), eventLine(events[1]!, plain)]);
  expect(lines).toHaveLength(8);
});

function probe(address: string, info: readonly string[]): Probed {
  return {
    address,
    before: undefined,
    failure: undefined,
    sample: {
      atMs: 1,
      latencyMs: 0.1,
      info: factsOf(info),
      cluster: new Map(),
      view: [],
    },
  };
}

function sentinel(flags: readonly string[]): ProbedSentinel {
  return {
    address: '10.0.0.5:26379',
    failure: undefined,
    sample: {
      entries: [
        { address: MASTER, role: 'master', group: 'mymaster', masterAddress: MASTER, flags },
      ],
      peers: [],
      epoch: 3,
      isTilted: false,
    },
  };
}
