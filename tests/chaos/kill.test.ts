/** The short form of `npm run chaos`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts } from '../interop/harness/node-process.ts';
import { OUR_SERVER } from '../interop/harness/programs.ts';
import { killRounds } from './kill-rounds.ts';

const ROUNDS = 6;

test('a node that is killed under load has every write that it acknowledged, once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
  const [port = 0] = await freePorts(1);
  const config = ['appendonly yes', 'appendfsync always'];
  const acknowledged = await killRounds({
    exe: OUR_SERVER,
    port,
    dir,
    rounds: ROUNDS,
    seed: 5,
    config,
  });
  expect(acknowledged).toBeGreaterThan(0);
  rmSync(dir, { recursive: true, force: true });
});
