/**
 * `npm run chaos -- [kills|cuts|disk|migrations|moves|differences|tool] [--rounds 200] [--seed N] [--keys 1000000] [--master EXE] [--replica EXE]`:
 * faults under load at random moments; without a word all of them. Ends with status 1 at the first loss; the same seed asks for the same faults.
 * The servers are ours by default, and the real one for `differences`, which fills by a script and takes minutes a round: one of them by default.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts } from '../interop/harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER, required } from '../interop/harness/programs.ts';
import { cutRounds } from './cut-rounds.ts';
import { diskFull } from './disk-full.ts';
import { killRounds } from './kill-rounds.ts';
import { migrateKillsBetween } from './migrate-kills.ts';
import { migrateMoves } from './migrate-moves.ts';
import { seededDifferences } from './seeded-differences.ts';
import { toolKills } from './tool-kills.ts';

const PROGRESS_EVERY = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    master: { type: 'string' },
    keys: { type: 'string', default: '1000000' },
    replica: { type: 'string', default: OUR_SERVER },
  },
});
const { master = OUR_SERVER } = values;
const [rounds, seed] = [Number(values.rounds ?? 200), Number(values.seed)];

const SCENARIOS: Readonly<Record<string, (dir: string) => Promise<string>>> = {
  kills: async (dir) => {
    const [port = 0] = await freePorts(1);
    const config = ['appendonly yes', 'appendfsync always'];
    const count = await killRounds({
      exe: OUR_SERVER,
      port,
      dir,
      rounds,
      seed,
      config,
      progress: (round, acknowledged) => tell(round, `${acknowledged} acknowledged`),
    });
    return `${rounds} kills, ${count} acknowledged writes, none lost or doubled`;
  },
  cuts: async (dir) => {
    const [masterPort = 0, replicaPort = 0] = await freePorts(2);
    const count = await cutRounds({
      master: { exe: master, port: masterPort },
      replica: { exe: values.replica, port: replicaPort },
      dir,
      rounds,
      seed,
      progress: (round) => tell(round, 'cut'),
    });
    return `${rounds} cuts, ${count} commands, one full synchronisation, equal digests`;
  },
  migrations: async (dir) => {
    const resumes = await migrateKillsBetween({ dir, exe: master, rounds, seed, tell });
    return `${rounds} kills of the tool, ${resumes} times gone on with, equal at the end`;
  },
  moves: async (dir) => {
    const count = await migrateMoves({ dir, exe: master, rounds, seed, tell });
    return `slots changed hands ${count} times while they were copied, equal at the end`;
  },
  differences: async (dir) => {
    const [keys, times] = [Number(values.keys), Number(values.rounds ?? 1)];
    const exe = values.master ?? required(REAL_SERVER, 'redis-server');
    const count = await seededDifferences({ dir, exe, keys, rounds: times, seed, tell });
    return `${count} differences in ${times} times ${keys} keys: all found, nothing else, and mended`;
  },
  disk: async (dir) => {
    const [port = 0] = await freePorts(1);
    await diskFull(master, port, dir);
    return 'log, rewrite and save on a full disk: nothing lost, and each went on by itself';
  },
  tool: async () => {
    const counts = await toolKills({
      exeOf: () => master,
      moments: 'each',
      progress: (verb, moment) => tell(moment, `${verb} killed`),
    });
    const kinds = [...counts].map(([verb, count]) => `${verb} at ${count} moments`).join(', ');
    return `the tool killed in ${kinds}: each time whole after the next call, no write lost`;
  },
};

function tell(round: number, what: string): void {
  if (round % PROGRESS_EVERY === 0) console.error(`round ${round}: ${what}`);
}

async function run(name: string, scenario: (dir: string) => Promise<string>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
  const started = performance.now();
  try {
    const found = await scenario(dir);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`chaos ${name}: ${found}; seed ${seed}, ${seconds} s`);
    rmSync(dir, { recursive: true, force: true });
  } catch (error) {
    console.error(`chaos ${name}: ${(error as Error).message}`);
    console.error(`seed ${seed}; the nodes' folder is ${dir}`);
    process.exitCode = 1;
  }
}

const wanted = positionals.length === 0 ? Object.keys(SCENARIOS) : positionals;
for (const name of wanted) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) {
    console.error(`chaos: no "${name}"; there are ${Object.keys(SCENARIOS).join(', ')}`);
    process.exitCode = 2;
  } else {
    await run(name, scenario);
  }
}
