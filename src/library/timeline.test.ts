import { expect, test } from 'vitest';
import { Timeline, timelineKind } from './timeline.ts';

test('log lines of role and state changes are told by what they mean, others are left out', () => {
  expect(timelineKind("Failover election won: I'm the new master.")).toBe('promotion');
  expect(timelineKind('Cluster state changed: fail')).toBe('stateFail');
  expect(timelineKind(`Marking node ${'a'.repeat(40)} as failing (quorum reached).`)).toBe('fail');
  expect(timelineKind('Ready to accept connections')).toBeUndefined();
  const timeline = new Timeline();
  timeline.heard(7000, 'Cluster state changed: ok');
  timeline.heard(7000, 'Ready to accept connections');
  expect(timeline.events).toMatchObject([
    { kind: 'stateOk', port: 7000, text: 'Cluster state changed: ok' },
  ]);
});
