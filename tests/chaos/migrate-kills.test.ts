/** The short form of `npm run chaos -- migrations`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REAL_SERVER, describeWithRealRedis, required } from '../interop/harness/programs.ts';
import { migrateKillsBetween } from './migrate-kills.ts';

/** Ten lives of a process, on a machine that may be busy. */
const BOUND_MS = 180_000;

describeWithRealRedis('a migration that is killed', () => {
  test(
    'goes on where it was, and nothing is lost or carried out twice',
    { timeout: BOUND_MS },
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
      const exe = required(REAL_SERVER, 'redis-server');
      const resumes = await migrateKillsBetween({ dir, exe, rounds: 10, seed: 11 });
      expect(resumes).toBeGreaterThan(0);
      rmSync(dir, { recursive: true, force: true });
    },
  );
});
