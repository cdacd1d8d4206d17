import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { claim } from './claim.ts';
import { closeAll } from './listeners.ts';

const dir = mkdtempSync(join(tmpdir(), 'slotline-claim-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.skipIf(process.platform !== 'linux')('a file has one claim, by any path', async () => {
  mkdirSync(join(dir, 'real'));
  symlinkSync(join(dir, 'real'), join(dir, 'link'));
  const first = await claim(join(dir, 'real', 'nodes.conf'));
  expect(first?.length).toBe(1);
  expect(await claim(join(dir, 'real', 'nodes.conf'))).toBe(undefined);
  expect(await claim(join(dir, 'link', 'nodes.conf'))).toBe(undefined);
  const other = await claim(join(dir, 'real', 'other.conf'));
  expect(other?.length).toBe(1);
  await closeAll(first ?? []);
  const again = await claim(join(dir, 'link', 'nodes.conf'));
  expect(again?.length).toBe(1);
  await closeAll([...(other ?? []), ...(again ?? [])]);
});

test('what cannot be there is nobody’s, and a long name is no obstacle', async () => {
  expect(await claim(join(dir, 'missing', 'nodes.conf'))).toEqual([]);
  const long = await claim(join(dir, 'n'.repeat(200)));
  expect(long?.length).toBe(process.platform === 'linux' ? 1 : 0);
  await closeAll(long ?? []);
});
