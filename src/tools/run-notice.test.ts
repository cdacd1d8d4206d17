import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunNotice, noticesAbout } from './run-notice.ts';
import { collectingScreen } from './screen.ts';

const SAID = { nodes: ['localhost:7000', 'mymaster@10.0.0.1:26379'], text: 'half', progress: 0.5 };

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'slotline-notices-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a run that goes on is seen by watchers of its nodes, and what a killed one left is removed', async () => {
  const program = ['-e', 'setInterval(() => {}, 1000)', 'slotline', 'verify'];
  const child = spawn(process.execPath, program, { stdio: 'ignore' });
  await once(child, 'spawn');
  const notice = { pid: child.pid, word: 'verify', ...SAID };
  writeFileSync(join(folder, `${child.pid}.json`), JSON.stringify(notice));
  expect(noticesAbout(['127.0.0.1:7000'], folder)).toEqual([notice]);
  expect(noticesAbout(['10.0.0.1:26379'], folder)).toEqual([notice]);
  expect(noticesAbout(['127.0.0.1:7001'], folder)).toEqual([]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(noticesAbout(['127.0.0.1:7000'], folder)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test('a run leaves one file, which goes with it, and says once when it cannot', () => {
  const lines: string[] = [];
  const notice = new RunNotice('verify', collectingScreen(lines), folder);
  notice.tell(SAID);
  notice.tell(SAID);
  expect(readdirSync(folder)).toEqual([`${process.pid}.json`]);
  notice.end();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
  notice.tell(SAID);
  notice.tell(SAID);
  expect(lines).toHaveLength(1);
});
