/** The short form of `npm run chaos -- cuts`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePorts } from '../interop/harness/node-process.ts';
import {
  OUR_SERVER,
  REAL_SERVER,
  describeWithRealRedis,
  required,
} from '../interop/harness/programs.ts';
import { cutRounds } from './cut-rounds.ts';

const ROUNDS = 10;

describe('a replica of ours whose link to our master is cut under load', () => {
  staysEqual(() => [OUR_SERVER, OUR_SERVER]);
});

describeWithRealRedis('a replica of ours whose link to a real master is cut under load', () => {
  staysEqual(() => [real(), OUR_SERVER]);
});

describeWithRealRedis('a real replica whose link to our master is cut under load', () => {
  staysEqual(() => [OUR_SERVER, real()]);
});

function staysEqual(exes: () => readonly [master: string, replica: string]): void {
  test('has the same data at the end, by one full synchronisation', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
    const [masterPort = 0, replicaPort = 0] = await freePorts(2);
    const [master, replica] = exes();
    const count = await cutRounds({
      master: { exe: master, port: masterPort },
      replica: { exe: replica, port: replicaPort },
      dir,
      rounds: ROUNDS,
      seed: 5,
    });
    expect(count).toBeGreaterThan(0);
    rmSync(dir, { recursive: true, force: true });
  });
}

function real(): string {
  return required(REAL_SERVER, 'redis-server');
}
