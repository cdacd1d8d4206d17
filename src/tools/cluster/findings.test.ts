import { expect, test } from 'vitest';
import { findProblems, hasErrors } from './findings.ts';
import type { ClusterReport } from './inspect.ts';
import { clusterNode, healthyNodes, reportOn, testId, viewOf } from './test-cluster.ts';

const nodes = healthyNodes();

test('a healthy cluster has no findings', () => {
  expect(findProblems(reportOn(nodes))).toEqual([]);
});

test('each fault has its finding, and only warnings leave the status at 0', () => {
  const claims = nodes.with(1, clusterNode(1, { slots: [[5000, 10922]] }));
  const opened = nodes.with(
    0,
    clusterNode(0, {
      slots: [[0, 5460]],
      open: [{ slot: 5, direction: 'migrating', peerId: testId(1) }],
    }),
  );
  const rows: readonly (readonly [string, ClusterReport, boolean])[] = [
    ['unreachable', reportOn(nodes, { own: { 4: undefined } }), true],
    ['stateNotOk', reportOn(nodes, { own: { 2: { isStateOk: false } } }), true],
    ['linkNotUp', reportOn(nodes, { own: { 3: { isLinkUp: false } } }), true],
    ['slotsMissing', reportOn(nodes.with(2, clusterNode(2, { slots: [[10923, 16000]] }))), true],
    ['slotsTwice', reportOn(claims), true],
    ['viewsDiffer', reportOn(nodes, { own: { 3: { view: viewOf(claims, testId(3)) } } }), true],
    ['membersDiffer', reportOn(nodes, { own: { 3: { view: nodes.slice(0, 5) } } }), true],
    ['lagging', reportOn(nodes, { own: { 0: { offset: 1 << 30 } } }), false],
    [
      'sameHost',
      reportOn(nodes.with(1, clusterNode(1, { host: '10.0.0.1', slots: [[5461, 10922]] }))),
      false,
    ],
    ['slotOpen', reportOn(opened), true],
    ['noReplica', reportOn(nodes.slice(0, 5)), false],
    [
      'epochTwice',
      reportOn(nodes.with(1, clusterNode(1, { slots: [[5461, 10922]], configEpoch: 1 }))),
      false,
    ],
    ['fewMasters', reportOn([clusterNode(0, { slots: [[0, 16383]] })]), false],
  ];
  for (const [code, report, isError] of rows) {
    const findings = findProblems(report);
    expect(findings.map((finding) => finding.code)).toContain(code);
    expect(hasErrors(findings), code).toBe(isError);
  }
});

test('the slots of a master marked FAIL have no owner, those of one that is only slow to answer have', () => {
  const failed = clusterNode(1, { slots: [[5461, 10922]], flags: ['master', 'fail'] });
  const codes = (report: ClusterReport): string[] => findProblems(report).map(({ code }) => code);
  expect(codes(reportOn(nodes.with(1, failed), { own: { 1: undefined } }))).toContain(
    'slotsMissing',
  );
  expect(codes(reportOn(nodes, { own: { 1: undefined } }))).not.toContain('slotsMissing');
});

test('errors come before warnings', () => {
  const report = reportOn(nodes.slice(0, 5), { own: { 0: { isStateOk: false } } });
  expect(findProblems(report).map(({ severity }) => severity)).toEqual(['error', 'warning']);
});
