/** Goal: a log that cannot be written costs lines, not the server. Method: a folder of the test that goes and comes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as soon } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { logWriter } from './log-file.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('lines are lost while the file cannot be written, which is told once', async () => {
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const file = join(folder, 'gone', 'log');
  const log = logWriter({ level: () => 'notice', file, role: () => 'M' });
  for (const text of ['one', 'two']) {
    log('notice', text);
    await soon();
  }
  expect(told.mock.calls).toEqual([["Can't write the log file: No such file or directory\n"]]);
  told.mockRestore();
  mkdirSync(join(folder, 'gone'));
  log('notice', 'three');
  await soon();
  expect(readFileSync(file, 'utf8')).toMatch(/ \* three\n$/);
  expect(readFileSync(file, 'utf8')).not.toContain('one');
});
