import { expect, test } from 'vitest';
import type { JournalState } from '../cluster/index.ts';
import { clusterSnapshot } from './cluster-snapshot.ts';
import { idOf, probesOf } from './test-deployment.ts';
import { type Traces, workOf } from './work.ts';

const { nodes } = clusterSnapshot(
  probesOf([
    { port: 7000, slots: '0-8191' },
    { port: 7001, slots: '8192-16383' },
  ]),
  { atUnixMs: 1, name: 'x', work: [] },
);

const NONE: Traces = { lock: undefined, journals: [], notices: [] };

test('the progress of a reshard is read from its plan and the slot map', () => {
  const moves = [{ from: idOf(7000), to: idOf(7001), slots: [[8000, 8199]] as const }];
  const journal: JournalState = {
    path: 'x.journal',
    done: 0,
    plan: {
      version: 1,
      verb: 'reshard',
      wish: '',
      members: [],
      steps: [{ kind: 'moveSlots', moves }],
    },
  };
  const [work] = workOf(nodes, { ...NONE, journals: [journal] });
  expect(work).toMatchObject({ kind: 'journal', progress: 8 / 200 });
  expect(work?.text).toMatch(/^reshard: step 1 of 1, move 200 slots from 127\.0\.0\.1:7000 to/);
});

test('a tool that copies several nodes is told once', () => {
  const copied = probesOf([{ port: 7000 }, { port: 7001 }], [], {
    7000: ['master_repl_offset:9', 'connected_slaves:1', 'slave0:ip=10.0.0.9,port=0,offset=9'],
    7001: ['master_repl_offset:9', 'connected_slaves:1', 'slave0:ip=10.0.0.9,port=0,offset=2'],
  });
  const snapshot = clusterSnapshot(copied, { atUnixMs: 1, name: 'x', work: [] });
  expect(workOf(snapshot.nodes, NONE).map(({ text }) => text)).toEqual([
    'a tool on 10.0.0.9 copies 2 nodes, 7 bytes behind at most',
  ]);
});

test('the holder of the lock is named without what tells two of its tries apart', () => {
  expect(workOf(nodes, { ...NONE, lock: 'reshard on host, process 7 some-uuid' })).toEqual([
    {
      kind: 'lock',
      text: "reshard on host, process 7 holds the cluster's lock",
      progress: undefined,
    },
  ]);
});
