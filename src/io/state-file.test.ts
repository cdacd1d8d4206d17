/**
 * Goal: whatever moment the process or the power ends at, what was promised is read back, and nothing older than it.
 * Method: real files in a folder of the test; a second `StateFile` over the same files is the next life of the node. The
 * rewriting renames and the journal is written in this thread, so a copy made between two calls is a state of the disk.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { seededRng } from '../base/index.ts';
import { StateFile } from './state-file.ts';
import { StateJournal, textDigest } from './state-journal.ts';

const NEVER_MS = 1_000_000;
let folder = '';
let path = '';
let opened: StateFile[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-file-'));
  path = join(folder, 'nodes.conf');
});

afterEach(() => {
  for (const file of opened) file.close();
  opened = [];
  rmSync(folder, { recursive: true, force: true });
});

function open(at: string = path, rewriteDelayMs = NEVER_MS): StateFile {
  const file = new StateFile(at, rewriteDelayMs);
  opened.push(file);
  return file;
}

function onDisk(): string {
  return readFileSync(path, 'latin1');
}

/** Damages a byte of the record that counts: a write that the power cut tore. */
function tearNewest(): void {
  const bytes = readFileSync(`${path}.journal`);
  const journal = new StateJournal(`${path}.journal`);
  const place = (journal.latest()?.sequence ?? 0) % 2;
  journal.close();
  bytes[(place * bytes.length) / 2 + 40]! ^= 1;
  writeFileSync(`${path}.journal`, bytes);
}

test('a file that was never saved is read as none', () => {
  expect(open().read()).toBeUndefined();
});

test('a whole save is in the file itself', () => {
  const file = open();
  expect(file.save('a', 'whole')).toBeUndefined();
  expect(onDisk()).toBe('a');
  expect(open().read()).toBe('a');
});

test('a promise is read back though the file does not have it yet', () => {
  const file = open();
  file.save('a', 'whole');
  file.save('b', 'promise');
  expect(onDisk()).toBe('a');
  expect(file.read()).toBe('b');
  expect(open().read()).toBe('b');
});

test('the last of many promises counts, also when it needs more room than there was', () => {
  const file = open();
  file.save('a', 'whole');
  for (let i = 0; i < 9; i++) file.save(`p${i}`, 'promise');
  expect(open().read()).toBe('p8');
  const long = 'x'.repeat(50_000);
  file.save(long, 'promise');
  expect(open().read()).toBe(long);
  file.save(`${long}y`, 'promise');
  expect(onDisk()).toBe(long);
  expect(open().read()).toBe(`${long}y`);
});

test('a promise that a power cut tore leaves the one before it', () => {
  const file = open();
  file.save('a', 'whole');
  file.save('b', 'promise');
  file.save('c', 'promise');
  tearNewest();
  expect(open().read()).toBe('b');
});

test('a promise after a start is kept like any other', () => {
  open().save('a', 'whole');
  const second = open();
  expect(second.read()).toBe('a');
  second.save('b', 'promise');
  expect(onDisk()).toBe('a');
  expect(open().read()).toBe('b');
});

test('a file that somebody else replaced is newer than every promise', () => {
  const file = open();
  file.save('a', 'whole');
  file.save('b', 'promise');
  writeFileSync(path, 'by hand');
  expect(open().read()).toBe('by hand');
});

test('without the file the journal says nothing', () => {
  const file = open();
  file.save('a', 'whole');
  file.save('b', 'promise');
  rmSync(path);
  expect(open().read()).toBeUndefined();
});

test('an old promise does not come back when the file gets an old text again', () => {
  const file = open();
  file.save('a', 'whole');
  file.save('b', 'promise');
  file.save('c', 'whole');
  file.save('a', 'whole');
  expect(open().read()).toBe('a');
});

test('the file itself follows a promise, and after that counts alone', async () => {
  const file = open(path, 0);
  file.save('a', 'whole');
  file.save('b', 'promise');
  await vi.waitFor(() => expect(onDisk()).toBe('b'));
  file.save('c', 'soon');
  await vi.waitFor(() => expect(onDisk()).toBe('c'));
  await vi.waitFor(() => {
    const journal = new StateJournal(`${path}.journal`);
    const latest = journal.latest();
    journal.close();
    expect(latest?.text).toBeNull();
  });
});

test('a record counts beside each of its bases and no other text', () => {
  const file = open();
  file.save('a', 'whole');
  const journal = new StateJournal(`${path}.journal`);
  journal.append('c', [textDigest('a'), textDigest('b')]);
  journal.close();
  for (const [text, expected] of [
    ['a', 'c'],
    ['b', 'c'],
    ['d', 'd'],
  ] as const) {
    writeFileSync(path, text);
    expect(open().read()).toBe(expected);
  }
});

test('what cannot be written is reported', () => {
  const file = open(join(folder, 'missing', 'nodes.conf'));
  expect(file.save('a', 'whole')).toMatch(/no such file/i);
  expect(file.save('a', 'promise')).toMatch(/no such file/i);
});

test('a failed rewriting is reported by the next save', async () => {
  const file = open(path, 0);
  file.save('a', 'whole');
  rmSync(folder, { recursive: true });
  file.save('b', 'soon');
  await vi.waitFor(() => expect(file.save('c', 'soon')).toMatch(/no such file/i));
});

test('no crash between two saves loses a promise or goes back behind one', async () => {
  const rng = seededRng(3);
  const file = open(path, 0);
  file.save('0', 'whole');
  let promised = 0;
  for (let i = 1; i < 150; i++) {
    const manner = (['soon', 'promise', 'promise', 'whole'] as const)[rng.below(4)]!;
    file.save(String(i), manner);
    if (manner !== 'soon') promised = i;
    if (rng.below(2) === 0) await new Promise((resolve) => void setImmediate(resolve));
    const copy = join(folder, `copy-${i}`);
    cpSync(path, join(copy, 'nodes.conf'));
    cpSync(`${path}.journal`, join(copy, 'nodes.conf.journal'));
    const found = Number(open(join(copy, 'nodes.conf')).read());
    expect(found).toBeGreaterThanOrEqual(promised);
    expect(found).toBeLessThanOrEqual(i);
  }
});

test('a folder that is gone is the reason told', () => {
  const file = open(join(folder, 'none', 'nodes.conf'));
  expect(file.save('a', 'whole')).toBe('No such file or directory');
});
