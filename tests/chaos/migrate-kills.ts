/**
 * The tool is killed at random moments of a migration and started again, while the source is written to: by commands that
 * must not be carried out twice as much as by others. At the end the two sides are equal, to the element.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRng } from '../../src/base/index.ts';
import { Cluster } from '../interop/harness/cluster.ts';
import { MixedLoad } from '../interop/harness/mixed-load.ts';
import { isFollowing } from '../interop/harness/migration.ts';
import { NodeProcess, freePorts } from '../interop/harness/node-process.ts';
import { type Send, fillWithEverything } from '../interop/harness/samples.ts';
import { runSlotline, startSlotline } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

interface MigrateKills {
  /** Commands to the source, which is a cluster or not. */
  readonly send: Send;
  readonly isCluster: boolean;
  /** Source and target as the tool names them. */
  readonly ends: readonly string[];
  readonly dir: string;
  readonly rounds: number;
  readonly seed: number;
  /** Called after each round. */
  readonly progress?: (round: number) => void;
}

const LIFE_MS_MAX = 600;
const BOUND_MS = 60_000;

/** Between a server and a cluster of its own, which end with it. */
export async function migrateKillsBetween(setting: {
  readonly dir: string;
  readonly exe: string;
  readonly rounds: number;
  readonly seed: number;
  readonly tell?: (round: number, what: string) => void;
}): Promise<number> {
  const { dir, exe, rounds, seed, tell } = setting;
  const [port = 0] = await freePorts(1);
  const config = ['repl-diskless-sync-delay 0', 'repl-backlog-size 64mb'];
  const source = new NodeProcess({ exe, port, dir: join(dir, 'source'), config });
  const target = await Cluster.start({ masters: 3, replicasPerMaster: 0, exeOf: () => exe });
  try {
    await source.start();
    return await migrateKills({
      send: (...args) => source.call(...args),
      isCluster: false,
      ends: [`127.0.0.1:${port}`, `127.0.0.1:${target.node(0).port}`],
      dir: join(dir, 'progress'),
      rounds,
      seed,
      progress: (round) => tell?.(round, 'killed'),
    });
  } finally {
    await Promise.all([source.kill(), target.stop()]);
  }
}

/** Answers how many times a run went on with the stream; throws when the two sides differ. */
async function migrateKills(options: MigrateKills): Promise<number> {
  const { send, isCluster, ends, dir, rounds, seed } = options;
  const rng = seededRng(seed);
  await fillWithEverything(send);
  const load = new MixedLoad(send, { isOneSlotEach: isCluster });
  const args = ['migrate', 'run', ...ends, '--json', '--dir', dir];
  let resumes = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const run = startSlotline(...args);
      // Every other time while the stream is followed.
      const isReady = (): boolean => (round % 2 === 0 ? isFollowing(run) : run.stderr() !== '');
      await until(isReady, BOUND_MS, 'the run has begun');
      await pause(rng.below(LIFE_MS_MAX));
      run.child.kill('SIGKILL');
      await run.result;
      if (/: goes on behind offset/.test(run.stderr())) resumes++;
      options.progress?.(round);
    }
    const last = startSlotline(...args);
    await until(() => isFollowing(last), BOUND_MS, 'all is followed');
    await load.stop();
    last.child.kill('SIGTERM');
    const { status, stderr } = await last.result;
    if (status !== 0 && status !== 1)
      throw new Error(`The last run ended with ${status}: ${stderr}`);
  } finally {
    await load.stop();
  }
  const check = await runSlotline('verify', ...ends, '--rounds', '1');
  if (check.status !== 0) throw new Error(`Not equal after seed ${seed}:\n${check.stdout}`);
  return resumes;
}
