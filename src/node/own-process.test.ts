import { expect, test } from 'vitest';
import type { OwnProcess } from './ports.ts';
import { TestNode } from './test-node.ts';

/** A process as the system has it. */
class FakeProcess implements OwnProcess {
  title = '';
  score = 5;
  /** Lower than this only root may set it. */
  lowest = -1000;

  setTitle(title: string): void {
    this.title = title;
  }

  readOomScore(): number {
    return this.score;
  }

  writeOomScore(score: number): string | undefined {
    if (score < this.lowest) return 'Permission denied';
    this.score = score;
    return undefined;
  }
}

const REFUSED = (name: string): string =>
  `-ERR CONFIG SET failed (possibly related to argument '${name}') - ` +
  'Failed to set current oom_score_adj. Check server logs.\r\n';

test('the score follows role and settings, and is as it was when that is over', () => {
  const own = new FakeProcess();
  const client = new TestNode('', false, {}, { ownProcess: own }).connect();
  const set = (...pairs: readonly string[]): number => {
    expect(client.call('CONFIG', 'SET', ...pairs)).toBe('+OK\r\n');
    return own.score;
  };
  // While it is not wanted the score is not ours.
  expect(set('oom-score-adj-values', '10 20 30')).toBe(5);
  expect(set('oom-score-adj', 'yes')).toBe(15);
  expect(set('oom-score-adj-values', '15 20 30')).toBe(20);
  client.call('REPLICAOF', '127.0.0.1', '1');
  expect(own.score).toBe(25);
  client.call('REPLICAOF', 'NO', 'ONE');
  expect(own.score).toBe(20);
  expect(set('oom-score-adj', 'absolute')).toBe(15);
  expect(set('oom-score-adj-values', '2000 0 0')).toBe(1000);
  expect(set('oom-score-adj', 'no')).toBe(5);
  own.score = 22;
  expect(set('oom-score-adj-values', '9 9 9')).toBe(22);
  expect(set('oom-score-adj', 'relative')).toBe(31);
  expect(set('oom-score-adj', 'no')).toBe(22);
});

test('what the system does not allow is refused, and the settings stay', () => {
  const own = new FakeProcess();
  const node = new TestNode('oom-score-adj-values -500 0 0', false, {}, { ownProcess: own });
  const client = node.connect();
  own.lowest = 0;
  expect(client.call('CONFIG', 'SET', 'oom-score-adj', 'yes')).toBe(REFUSED('oom-score-adj'));
  expect(node.logs).toContain('Unable to write oom_score_adj: Permission denied');
  expect(client.call('CONFIG', 'GET', 'oom-score-adj')).toContain('no\r\n');
  expect(
    client.call('CONFIG', 'SET', 'oom-score-adj-values', '3 0 0', 'oom-score-adj', 'yes'),
  ).toBe('+OK\r\n');
  expect(own.score).toBe(8);
  expect(client.call('CONFIG', 'SET', 'oom-score-adj-values', '-500 0 0')).toBe(
    REFUSED('oom-score-adj-values'),
  );
  expect([own.score, client.call('CONFIG', 'GET', 'oom-score-adj-values')]).toEqual([
    8,
    '*2\r\n$20\r\noom-score-adj-values\r\n$5\r\n3 0 0\r\n',
  ]);
});

test('at the start a refusal is in the log only; a replica starts as one', () => {
  const own = new FakeProcess();
  own.lowest = 0;
  const text = 'oom-score-adj absolute\noom-score-adj-values -1 7 8\nreplicaof 127.0.0.1 1';
  const node = new TestNode(text, false, {}, { ownProcess: own });
  expect(node.flaw).toBe(undefined);
  expect(node.logs).toContain('Unable to write oom_score_adj: Permission denied');
  expect(own.score).toBe(7);
});

test('the title follows the template, unless it is unwanted', () => {
  const own = new FakeProcess();
  const client = new TestNode('port 7', false, {}, { ownProcess: own }).connect();
  expect(own.title).toBe('test *:7');
  client.call('CONFIG', 'SET', 'proc-title-template', '{port}');
  expect(own.title).toBe('7');
  const other = new FakeProcess();
  const quiet = new TestNode('set-proc-title no', false, {}, { ownProcess: other }).connect();
  quiet.call('CONFIG', 'SET', 'proc-title-template', '{port}');
  expect(other.title).toBe('');
});
