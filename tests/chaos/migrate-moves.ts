/**
 * Slots of our nodes change hands as a whole, at random, while a migration follows these nodes and all kinds of commands
 * are sent to them; now and then the tool is killed and started again. At the end the two sides are equal, to the element.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Rng, seededRng } from '../../src/base/index.ts';
import { ClusterClient, parseAddress } from '../../src/client/index.ts';
import { Cluster } from '../interop/harness/cluster.ts';
import { isFollowing } from '../interop/harness/migration.ts';
import { MixedLoad } from '../interop/harness/mixed-load.ts';
import type { NodeProcess } from '../interop/harness/node-process.ts';
import { type Send, fillWithEverything } from '../interop/harness/samples.ts';
import { sendTo } from '../interop/harness/send-to.ts';
import { type Running, runSlotline, startSlotline } from '../interop/harness/slotline.ts';
import { handOver } from '../interop/harness/slots.ts';
import { until } from '../interop/harness/until.ts';

interface MigrateMoves {
  readonly dir: string;
  /** Of the target's nodes; those of the source are ours. */
  readonly exe: string;
  readonly rounds: number;
  readonly seed: number;
  readonly tell?: (round: number, what: string) => void;
}

const SLOTS_MAX = 3000;
const PAUSE_MS_MAX = 400;
/** The tool is killed in one round of so many. */
const KILL_EVERY = 4;
const BOUND_MS = 60_000;
/** Nobody takes over here: a node that a busy machine leaves waiting is not to be taken for one that failed. */
const PATIENT: readonly string[] = ['cluster-node-timeout 15000'];

/** Answers how many times slots changed hands; throws when the two sides differ. */
export async function migrateMoves(options: MigrateMoves): Promise<number> {
  const { exe } = options;
  const source = await Cluster.start({ masters: 3, replicasPerMaster: 0, config: PATIENT });
  const target = await Cluster.start({
    masters: 2,
    replicasPerMaster: 0,
    exeOf: () => exe,
    config: PATIENT,
  });
  const client = await ClusterClient.connect({
    seeds: [parseAddress(addressOf(source.node(0)))],
    timeoutMs: BOUND_MS,
  });
  const send: Send = async (...args) => {
    await client.call(String(args[1]), ...args);
    return null;
  };
  await fillWithEverything(sendTo(source));
  const load = new MixedLoad(send, { isOneSlotEach: true });
  try {
    return await moveAndCompare(options, { source, target, load });
  } finally {
    await load.stop();
    client.close();
    await Promise.all([source.stop(), target.stop()]);
  }
}

async function moveAndCompare(
  { dir, rounds, seed, tell }: MigrateMoves,
  {
    source,
    target,
    load,
  }: { readonly source: Cluster; readonly target: Cluster; readonly load: MixedLoad },
): Promise<number> {
  const rng = seededRng(seed);
  const ends = [addressOf(source.node(0)), addressOf(target.node(0))];
  const migrate = ['migrate', 'run', ...ends, '--json', '--dir', join(dir, 'progress')];
  const start = (): Running => startSlotline(...migrate);
  let run = start();
  await until(() => isFollowing(run), BOUND_MS, 'every master is followed');
  let moves = 0;
  for (let round = 1; round <= rounds; round++) {
    if (await moveSome(source, rng)) moves++;
    tell?.(round, `slots changed hands ${moves} times, ${load.count} commands`);
    await pause(rng.below(PAUSE_MS_MAX));
    if (round % KILL_EVERY !== 0) continue;
    run.child.kill('SIGKILL');
    await run.result;
    run = start();
  }
  await load.stop();
  run.child.kill('SIGTERM');
  await run.result;
  // Slots that moved at the very end may be left to the next run.
  const last = await runSlotline(...migrate, '--stop-when-synced');
  if (last.status !== 0) {
    throw new Error(`The last run ended with ${last.status}, seed ${seed}: ${last.stderr}`);
  }
  const check = await runSlotline('verify', ...ends, '--rounds', '1');
  if (check.status !== 0) throw new Error(`Not equal after seed ${seed}:\n${check.stdout}`);
  return moves;
}

/** Some slots of a random master go to another; answers whether they did. */
async function moveSome(cluster: Cluster, rng: Rng): Promise<boolean> {
  const from = rng.below(cluster.nodes.length);
  const to = (from + 1 + rng.below(cluster.nodes.length - 1)) % cluster.nodes.length;
  const [giver, taker] = [cluster.node(from), cluster.node(to)];
  const { slots } = await cluster.myself(giver);
  const range = slots[rng.below(Math.max(1, slots.length))];
  if (range === undefined) return false;
  const [first, last] = range;
  const begin = first + rng.below(last - first + 1);
  const end = Math.min(last, begin + rng.below(SLOTS_MAX));
  return handOver(cluster, giver, { taker, range: [begin, end] });
}

function addressOf(node: NodeProcess): string {
  return `127.0.0.1:${node.port}`;
}
