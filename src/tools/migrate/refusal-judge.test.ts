/** Goal: what a target refuses of a slot that will be copied anew is no loss, but a reason to end stays one. */
import { expect, test } from 'vitest';
import { RefusalJudge } from './refusal-judge.ts';

test('a command whose slot will be copied anew is not put into the quarantine', () => {
  const reasons: string[] = [];
  const quarantine = {
    add: (_args: unknown, _db: unknown, reason: string) => reasons.push(reason),
  };
  const judge = new RefusalJudge('fail', quarantine, () => undefined);
  const refused = (reason: string, isOvertaken: boolean): string | undefined =>
    judge.refused({ args: [Buffer.from('XADD'), Buffer.from('k')], db: 0, reason }, isOvertaken)
      ?.code;
  expect(refused('ERR equal or smaller', true)).toBeUndefined();
  expect(refused('BUSYKEY Target key name already exists.', true)).toBeUndefined();
  expect(reasons).toEqual([]);
  expect(refused('ERR equal or smaller', false)).toBeUndefined();
  expect(reasons).toEqual(['ERR equal or smaller']);
  expect(refused('BUSYKEY Target key name already exists.', false)).toBe('NODES_REFUSED');
  expect(refused('OOM command not allowed', true)).toBe('NODE_FAILED');
});

test('a library stays as the target has it, unless libraries are replaced', () => {
  const reasons: string[] = [];
  const notes: string[] = [];
  const quarantine = {
    add: (_args: unknown, _db: unknown, reason: string) => reasons.push(reason),
  };
  const exists = "ERR Library 'a' already exists";
  for (const conflict of ['skip', 'fail', 'replace'] as const) {
    const judge = new RefusalJudge(conflict, quarantine, (line) => notes.push(line));
    const load = { args: ['FUNCTION', 'LOAD', '…'].map((arg) => Buffer.from(arg)), db: 0 };
    for (let node = 0; node < 2; node++) {
      expect(judge.refused({ ...load, reason: exists })).toBeUndefined();
    }
  }
  expect(reasons).toEqual([exists, exists]);
  expect(notes).toEqual(
    Array.from({ length: 2 }, () => `the target keeps what it has: Library 'a' already exists`),
  );
});

test('a library that another master has deleted is no loss', () => {
  const reasons: string[] = [];
  const quarantine = {
    add: (_args: unknown, _db: unknown, reason: string) => reasons.push(reason),
  };
  const judge = new RefusalJudge('replace', quarantine, () => undefined);
  const args = ['function', 'delete', 'a'].map((arg) => Buffer.from(arg));
  judge.refused({ args, db: 0, reason: 'ERR Library not found' });
  expect(reasons).toEqual([]);
  judge.refused({ args, db: 0, reason: "ERR unknown command 'function'" });
  expect(reasons).toHaveLength(1);
});
