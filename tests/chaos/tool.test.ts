/** The short form of `npm run chaos -- tool`. */
import { expect, test } from 'vitest';
import {
  OUR_SERVER,
  REAL_SERVER,
  describeWithRealRedis,
  required,
} from '../interop/harness/programs.ts';
import { toolKills } from './tool-kills.ts';

/** Some forty starts of the program one after the other; a busy machine takes its time. */
const BOUND_MS = 240_000;

describeWithRealRedis('the cluster manager under kill -9', () => {
  const name = 'reshard, upgrade and relocate, killed again and again, end whole with all writes';
  test(name, { timeout: BOUND_MS }, async () => {
    const real = required(REAL_SERVER, 'redis-server');
    const exeOf = (index: number): string => (index % 2 === 0 ? real : OUR_SERVER);
    const counts = await toolKills({ exeOf, moments: 'once' });
    for (const verb of ['reshard', 'upgrade', 'relocate']) {
      expect(counts.get(verb), verb).toBeGreaterThan(2);
    }
  });
});
