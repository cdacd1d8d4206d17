/** Goal: commands reach an older server in words that it has. The forms on either side are those of the real servers. */
import { expect, test } from 'vitest';
import { Request } from '../../resp/index.ts';
import { Abilities, PayloadFitter } from '../flow/index.ts';
import { CommandFitter, canCarryOut } from './command-fitter.ts';

const REDIS_3 = new Abilities('Redis 3.2.6', [6, 7], ['set', 'hset', 'lpop']);
const REDIS_5 = new Abilities('Redis 5.0.6', [6, 7, 8, 9], ['set', 'unlink', 'memory']);
const REDIS_6 = new Abilities(
  'Redis 6.2.11',
  [6, 7, 8, 9],
  ['set', 'unlink', 'acl', 'getex', 'lmove'],
);
const REDIS_7 = new Abilities(
  'Redis 7.0.15',
  [6, 7, 8, 9, 10],
  ['set', 'unlink', 'acl', 'getex', 'lmove'],
);
const REDIS_8 = new Abilities('Redis 8.0.2', [6, 7, 8, 9, 10, 11, 12], undefined);

function fitterFor(target: Abilities, hasRelativeTimes: boolean = false): CommandFitter {
  const policy = 'drop';
  const fitter = new PayloadFitter(target, policy);
  return new CommandFitter({ target, fitter, hasRelativeTimes, policy });
}

function request(line: string): Request {
  const made = new Request();
  made.load(line.split(' '));
  return made;
}

/** What becomes of a command, as text; undefined: it goes as it came. */
function fit(target: Abilities, line: string): string | undefined {
  return fitterFor(target).fit(request(line))?.join(' ');
}

test('a server of the same version gets everything as it came', () => {
  expect(fitterFor(REDIS_8).isIdle).toBe(true);
  expect(fit(REDIS_7, 'XSETID x 5-1 ENTRIESADDED 9 MAXDELETEDID 1-1')).toBeUndefined();
});

test.each([
  [REDIS_3, 'UNLINK a b', 'DEL a b'],
  [REDIS_3, 'HSET h a 1 b 2', 'HMSET h a 1 b 2'],
  [REDIS_3, 'HSET h a 1', undefined],
  [REDIS_5, 'LPOP l 3', 'LTRIM l 3 -1'],
  [REDIS_5, 'RPOP l 3', 'LTRIM l 0 -4'],
  [REDIS_5, 'LPOP l', undefined],
  [REDIS_5, 'LMOVE a b RIGHT LEFT', 'RPOPLPUSH a b'],
  [REDIS_5, 'XGROUP CREATECONSUMER x g c', 'XREADGROUP GROUP g c COUNT 1 STREAMS x 0'],
  [REDIS_6, 'XGROUP CREATECONSUMER x g c', undefined],
  [REDIS_6, 'XGROUP SETID x g 5-1 ENTRIESREAD 7', 'XGROUP SETID x g 5-1'],
  [REDIS_6, 'XSETID x 5-1 ENTRIESADDED 9 MAXDELETEDID 1-1', 'XSETID x 5-1'],
  [REDIS_7, 'HPEXPIREAT h 1900000000000 FIELDS 1 f', ''],
  [REDIS_7, 'HSETEX h PXAT 1900000000000 FIELDS 2 a 1 b 2', 'HSET h a 1 b 2'],
] as const)('%# %j %s becomes %s', (target, line, wanted) => {
  expect(fit(target, line)).toBe(wanted);
});

test('what has no single command of old becomes a script', () => {
  expect(fit(REDIS_5, 'SET k v KEEPTTL')).toMatch(/^EVAL [^]*'PEXPIRE'[^]* 1 k v$/);
  expect(fit(REDIS_5, 'LMOVE a b LEFT RIGHT')).toMatch(/^EVAL [^]* 2 a b LPOP RPUSH$/);
  expect(fit(REDIS_6, 'SET k v KEEPTTL')).toBeUndefined();
});

test('a moment becomes a time to live where there are no moments', () => {
  const words = fit(REDIS_5, `SET k v PXAT ${Date.now() + 60_000}`)?.split(' ') ?? [];
  expect(words.slice(0, 4)).toEqual(['SET', 'k', 'v', 'PX']);
  expect(Math.abs(Number(words[4]) - 60_000)).toBeLessThan(5000);
  expect(fit(REDIS_5, 'SET k v PXAT 1')).toBe('SET k v PX 1');
});

test.each([
  ['EXPIRE k 10', 'PEXPIREAT k 11000'],
  ['PEXPIRE k 10', 'PEXPIREAT k 1010'],
  ['SETEX k 10 v', 'SET k v PXAT 11000'],
  ['PSETEX k 10 v', 'SET k v PXAT 1010'],
  ['SET k v NX EX 10', 'SET k v PXAT 11000'],
  ['SET k v', undefined],
])('of a source before 7.0, %s means %s', (line, wanted) => {
  const fitter = fitterFor(REDIS_7, true);
  fitter.arrivedUnixMs = 1000;
  expect(fitter.absolute(request(line))?.join(' ')).toBe(wanted);
  expect(fitterFor(REDIS_7, false).absolute(request(line))).toBeUndefined();
});

test('a plan names what cannot be told to the target, and nothing that is only read', () => {
  expect(canCarryOut('copy', REDIS_5)).toBe(false);
  expect(canCarryOut('vadd', REDIS_7)).toBe(false);
  for (const command of ['getex', 'lmove', 'zrandmember', 'smismember']) {
    expect(canCarryOut(command, REDIS_5)).toBe(true);
  }
});
