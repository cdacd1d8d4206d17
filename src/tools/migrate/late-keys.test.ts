import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Request } from '../../resp/index.ts';
import { CommandKeys } from './command-keys.ts';
import { LateKeys } from './late-keys.ts';

const commands = new CommandKeys();
let dir: string;
let late: LateKeys;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-late-'));
  late = new LateKeys(join(dir, 'keys.late'));
  late.open(false);
});

afterEach(() => {
  late.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Shows a command that ends at this offset; answers whether it is carried out. */
function show(end: number, ...args: readonly string[]): boolean {
  const request = new Request();
  request.load(args);
  const known = commands.of(request);
  return known === undefined || late.admits(0, request, known, end);
}

function noted(): string[] {
  const lot = late.next();
  return [...(lot?.values() ?? [])].flat().map(String);
}

test('of late commands the renewed keys are noted, and all of those that take from one for another', () => {
  late.isLate = true;
  expect(show(1, 'PEXPIREAT', 'a', '9999')).toBe(true);
  show(2, 'HSET', 'h', 'f', 'v');
  show(3, 'SUNIONSTORE', 'to', 'from');
  show(4, 'DEL', 'x', 'y');
  show(5, 'PERSIST', 'a');
  expect(noted()).toEqual(['a', 'to', 'from']);
  expect(noted()).toEqual([]);
});

test('commands in time are no danger, unless they take from a key that is still wrong', () => {
  show(1, 'PEXPIREAT', 'a', '9999');
  expect(late.isWatching).toBe(false);
  late.isLate = true;
  show(2, 'PERSIST', 'wrong');
  late.isLate = false;
  show(3, 'RENAME', 'fine', 'also');
  show(4, 'RENAME', 'wrong', 'moved');
  expect(noted()).toEqual(['wrong', 'moved']);
});

test('a key that was copied anew is left out up to there, and what was made of it is copied too', () => {
  late.isLate = true;
  show(1, 'PERSIST', 'a');
  late.isLate = false;
  expect(noted()).toEqual(['a']);
  late.leaveOut([{ db: 0, name: Buffer.from('a'), offset: 10 }]);
  expect(late.leftOutUntil).toBe(10);
  expect(show(9, 'INCR', 'a')).toBe(false);
  expect(show(10, 'RENAME', 'a', 'b')).toBe(false);
  expect(show(11, 'INCR', 'a')).toBe(true);
  expect(noted()).toEqual(['a', 'b']);
  late.clear();
  expect([late.isEmpty, late.isWatching, late.leftOutUntil]).toEqual([true, false, 0]);
});

test('what was noted outlives the run', () => {
  late.isLate = true;
  show(1, 'PERSIST', 'a');
  late.save();
  late.close();
  late = new LateKeys(join(dir, 'keys.late'));
  late.open(true);
  expect(late.isEmpty).toBe(false);
  expect(noted()).toEqual(['a']);
  late.clear();
  late.isLate = true;
  show(2, 'PERSIST', 'b');
  expect(noted()).toEqual(['b']);
});
