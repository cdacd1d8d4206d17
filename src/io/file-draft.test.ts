/** Goal: a draft that comes to nothing says why and harms nobody. Method: real files in a folder of the test. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDraft } from './file-draft.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-draft-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes `text` aside and gives it the name `final`; why that failed, if so. */
function write(directory: string, isWaiting: boolean, final: string): Promise<string | undefined> {
  return new Promise((done) => {
    const events = { drained: (): void => undefined, ended: done };
    const options = { name: 'aside', syncEveryBytes: 0, isWaiting };
    const draft = openDraft(directory, options, events);
    draft.write(Buffer.from('text'));
    draft.commit(final);
  });
}

const BOTH = [
  ['at once', true],
  ['in the background', false],
] as const;

test.each(BOTH)('%s: a draft becomes the file', async (_, isWaiting) => {
  expect(await write(folder, isWaiting, 'final')).toBeUndefined();
  expect(readFileSync(join(folder, 'final'), 'utf8')).toBe('text');
  expect(readdirSync(folder)).toEqual(['final']);
});

test.each(BOTH)('%s: a draft that cannot be renamed is removed', async (_, isWaiting) => {
  mkdirSync(join(folder, 'final'));
  expect(await write(folder, isWaiting, 'final')).toBe('Is a directory');
  expect(readdirSync(folder)).toEqual(['final']);
});

test.each(BOTH)('%s: a directory that is none is the reason told', async (_, isWaiting) => {
  writeFileSync(join(folder, 'file'), '');
  expect(await write(join(folder, 'file'), isWaiting, 'final')).toBe('Not a directory');
  expect(await write(join(folder, 'no\0where'), isWaiting, 'final')).toBe(
    'No such file or directory',
  );
});
