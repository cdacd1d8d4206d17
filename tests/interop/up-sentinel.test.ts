/**
 * Goal: `slotline up --sentinel` gives a master with replicas and Sentinels, and finds the same again. Method: the program
 * as it is installed, in an empty folder; a failover between two starts; what cannot be is refused in one line.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePortsInARow } from './harness/node-process.ts';
import { type Running, runSlotline, startSlotline } from './harness/slotline.ts';
import { until } from './harness/until.ts';

const BOUND_MS = 30_000;
const COUNT = 6;

let dir: string;
let port: number;
const runs: Running[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-up-sentinel-'));
  port = await freePortsInARow(COUNT);
});
afterAll(async () => {
  for (const { child } of runs) child.kill('SIGTERM');
  await Promise.all(runs.map(({ result }) => result));
  rmSync(dir, { recursive: true, force: true });
});

async function up(): Promise<Running> {
  const run = startSlotline('up', '--sentinel', '--port', String(port), '--dir', dir);
  runs.push(run);
  await until(
    () => run.stdout().includes('Ready in') || run.child.exitCode !== null,
    BOUND_MS,
    'all of it runs',
  );
  return run;
}

function masterIn(output: string): string | undefined {
  return /^master +(\S+)/m.exec(output)?.[1];
}

test('a master, replicas and Sentinels, and the same again after an orderly end', async () => {
  const first = await up();
  expect(masterIn(first.stdout())).toBe(`127.0.0.1:${port}`);
  const twice = await runSlotline('up', '--sentinel', '--port', String(port), '--dir', dir);
  expect(twice).toMatchObject({ status: 1, stdout: '' });
  expect(twice.stderr).toMatch(/^slotline: Cannot start: [^\n]* is already running [^\n]*\n$/);
  const sentinel = `127.0.0.1:${port + 3}`;
  const moved = await runSlotline('sentinel', 'failover', sentinel, '--coordinated', '--json');
  const { to } = JSON.parse(moved.stdout) as { readonly to: string };
  expect(to).not.toBe(`127.0.0.1:${port}`);
  first.child.kill('SIGINT');
  expect((await first.result).status).toBe(0);
  const second = await up();
  expect(masterIn(second.stdout())).toBe(to);
  const other = await runSlotline('up', '--sentinel', '--masters', '3');
  expect(other).toMatchObject({ status: 2 });
  expect(other.stderr).toBe('slotline: Cannot start: --masters does not go with --sentinel\n');
});
