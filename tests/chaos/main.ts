/**
 * `npm run chaos -- [--rounds 200] [--seed N]`: kills a node under load at random moments, `appendfsync always`, and looks
 * for lost or doubled writes. Ends with status 1 if there was one; the same seed kills after the same times.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts } from '../interop/harness/node-process.ts';
import { OUR_SERVER } from '../interop/harness/programs.ts';
import { killRounds } from './kill-rounds.ts';

const PROGRESS_EVERY = 20;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
const started = performance.now();
try {
  const [port = 0] = await freePorts(1);
  const acknowledged = await killRounds({
    exe: OUR_SERVER,
    port,
    dir,
    rounds,
    seed,
    config: ['appendonly yes', 'appendfsync always'],
    progress: (round, count) => {
      if (round % PROGRESS_EVERY === 0) console.error(`round ${round}: ${count} acknowledged`);
    },
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `chaos: ${rounds} kills, seed ${seed}, ${acknowledged} writes, none lost, ${seconds} s`,
  );
  rmSync(dir, { recursive: true, force: true });
} catch (error) {
  console.error(`chaos: ${(error as Error).message}\nseed ${seed}; the node's folder is ${dir}`);
  process.exitCode = 1;
}
