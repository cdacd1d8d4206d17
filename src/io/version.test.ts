/** Goal: scripts that read `--version` of redis-server find what they look for. Method: their expressions. */
import { expect, test } from 'vitest';
import { VERSION, versionLine } from './version.ts';

test('--version has the fields of redis-server, with the version that we are compatible with', () => {
  const line = versionLine();
  expect(/v=(\d+)\.(\d+)\.(\d+)/.exec(line)?.slice(1)).toEqual(['7', '0', '15']);
  expect(line).toMatch(/^\w+ server v=\S+ sha=\w+:\d malloc=\S+ bits=64 build=\w+/);
  expect(line).toContain(`slotline=${VERSION}`);
});
