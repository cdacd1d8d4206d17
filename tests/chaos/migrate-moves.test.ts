/** The short form of `npm run chaos -- moves`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REAL_SERVER, describeWithRealRedis, required } from '../interop/harness/programs.ts';
import { migrateMoves } from './migrate-moves.ts';

/** Two lives of a process, and seven of servers, on a machine that may be busy. */
const BOUND_MS = 180_000;

describeWithRealRedis('a migration of our nodes, whose slots change hands as a whole', () => {
  test(
    'is equal at the end, and puts nothing into the quarantine',
    { timeout: BOUND_MS },
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
      const exe = required(REAL_SERVER, 'redis-server');
      expect(await migrateMoves({ dir, exe, rounds: 4, seed: 3 })).toBeGreaterThan(0);
      rmSync(dir, { recursive: true, force: true });
    },
  );
});
