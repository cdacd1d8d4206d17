/** Goal: whatever words a program is given, the Sentinel lives on. Method: real programs that write what they got. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sentinelWorld } from './sentinel-world.ts';

let folder = '';
let program = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sentinel-world-'));
  program = join(folder, 'program');
  writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" > ${folder}/words\nexit 3\n`);
  chmodSync(program, 0o755);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(words: readonly string[]): Promise<number | undefined> {
  return new Promise((done) => void sentinelWorld.run(program, words, done));
}

test('a program gets its words, each up to a zero byte', async () => {
  expect(await run(['+set', 'auth-user a\0b\nc', ''])).toBe(3);
  expect(readFileSync(join(folder, 'words'), 'utf8')).toBe('+set|auth-user a||');
});

test('a program that the system does not start has ended without a code', async () => {
  expect(await run(['+set', 'x'.repeat(4_000_000)])).toBeUndefined();
});

test('a path with a zero byte is no program', () => {
  expect(sentinelWorld.isExecutable(program)).toBe(true);
  expect(sentinelWorld.isExecutable(`${program}\0`)).toBe(false);
  expect(sentinelWorld.isExecutable(folder)).toBe(false);
});
