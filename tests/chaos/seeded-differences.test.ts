/** The short form of `npm run chaos -- differences`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REAL_SERVER, describeWithRealRedis, required } from '../interop/harness/programs.ts';
import { seededDifferences } from './seeded-differences.ts';

/** Three comparisons, on a machine that may be busy. */
const BOUND_MS = 180_000;

describeWithRealRedis('verify of 120,000 keys and a replica of them', () => {
  test(
    'finds one difference of each kind and nothing else, also under writes, and mends them',
    { timeout: BOUND_MS },
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'slotline-differences-'));
      const exe = required(REAL_SERVER, 'redis-server');
      const found = await seededDifferences({ dir, exe, keys: 120_000, rounds: 1, seed: 3 });
      expect(found).toBe(12);
      rmSync(dir, { recursive: true, force: true });
    },
  );
});
