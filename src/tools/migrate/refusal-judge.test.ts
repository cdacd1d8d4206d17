/** Goal: what a target refuses of a slot that will be copied anew is no loss, but a reason to end stays one. */
import { expect, test } from 'vitest';
import { RefusalJudge } from './refusal-judge.ts';

test('a command whose slot will be copied anew is not put into the quarantine', () => {
  const reasons: string[] = [];
  const judge = new RefusalJudge('fail', { add: (_args, _db, reason) => reasons.push(reason) });
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
