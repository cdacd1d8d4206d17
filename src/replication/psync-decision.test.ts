import { describe, expect, test } from 'vitest';
import { replid } from '../base/index.ts';
import { BACKLOG_BYTES_MIN, ReplicationHistory, decidePsync } from './index.ts';

const OLD = 'a'.repeat(40);
const OWN = 'b'.repeat(40);
const SIZE = BACKLOG_BYTES_MIN;

/** A promoted replica: followed OLD up to offset 100, then wrote `extra` bytes of its own. */
function promoted(extra: number): ReplicationHistory {
  const history = new ReplicationHistory({
    replid: replid(OLD),
    backlogBytes: SIZE,
    replOffset: 50,
  });
  history.createBacklog();
  history.append(Buffer.alloc(50), 0, 50);
  history.shift(replid(OWN));
  history.append(Buffer.alloc(extra), 0, extra);
  return history;
}

describe('PSYNC', () => {
  test.each([
    ['?', -1, 'requested'],
    ['c'.repeat(40), 101, 'replidMismatch'],
    [OWN, 51, 'continue'],
    [OWN.toUpperCase(), 111, 'continue'],
    [OWN, 50, 'offsetTooOld'],
    [OWN, 112, 'offsetInFuture'],
    [OLD, 101, 'continue'],
    [OLD, 102, 'secondOffsetExceeded'],
    [OLD, 50, 'offsetTooOld'],
  ])('%s %i after 10 own bytes gives %s', (asked, offset, expected) => {
    const decision = decidePsync(promoted(10), { replid: asked, offset });
    expect(decision.kind === 'continue' ? 'continue' : decision.reason).toBe(expected);
  });

  test('an offset that the backlog has lost needs all', () => {
    const history = promoted(2 * SIZE);
    history.backlog?.trim(Infinity);
    const decision = decidePsync(history, { replid: OWN, offset: 100 });
    expect(decision).toEqual({ kind: 'full', reason: 'offsetTooOld' });
  });

  test('without backlog nothing can be continued', () => {
    const history = promoted(0);
    history.freeBacklog();
    expect(decidePsync(history, { replid: OWN, offset: 101 })).toEqual({
      kind: 'full',
      reason: 'backlogMissing',
    });
  });

  test('a restarted or replaced history is not continued', () => {
    const history = promoted(0);
    history.restart(replid('d'.repeat(40)));
    expect(decidePsync(history, { replid: OLD, offset: 101 }).kind).toBe('full');
    history.adopt(replid('e'.repeat(40)), 7);
    expect(decidePsync(history, { replid: 'd'.repeat(40), offset: 8 }).kind).toBe('full');
    expect(decidePsync(history, { replid: 'e'.repeat(40), offset: 8 }).kind).toBe('continue');
  });
});
