/** Goal: CONFIG SET dir takes what a process could change to. Method: folders of the test; words observed of 7.0.15. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { machineFiles } from './files.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
  mkdirSync(join(folder, 'x', 'y'), { recursive: true });
  writeFileSync(join(folder, 'file'), '');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a path is seen from the present directory and becomes absolute', () => {
  const files = machineFiles(() => join(folder, 'x'));
  expect(files.directory('y')).toBe(join(folder, 'x', 'y'));
  expect(files.directory('..')).toBe(folder);
  expect(files.directory(`${folder}/x/`)).toBe(join(folder, 'x'));
});

test.each([
  ['none', { failure: 'No such file or directory' }],
  ['', { failure: 'No such file or directory' }],
  ['a\0b', { failure: 'No such file or directory' }],
  ['file', { failure: 'Not a directory' }],
  ['n'.repeat(300), { failure: 'File name too long' }],
])('%j cannot be worked in', (path, failure) => {
  expect(machineFiles(() => folder).directory(path)).toEqual(failure);
});
