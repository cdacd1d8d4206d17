/**
 * `npm run sim -- [--seeds N] [--first N] [--seed N] [--verbose] [--sentinel | --moves | --disk]`: runs seeds on all cores and prints
 * a table; or one seed, with `--verbose` and every log line of every node. SIM_SEED stands for --seed. In place of clusters
 * `--sentinel` runs a master with replicas and Sentinels, `--moves` clusters whose slots move atomically, and `--disk` one node and its append-only log through crashes.
 * Exit code 1 when a seed failed, with the line that replays it.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { runDiskSim } from './disk-sim.ts';
import { type SeedResult, runMoveSeed, runSeed, runSentinelSeed, violationText } from './index.ts';
import { reportTable } from './report.ts';

const USAGE =
  'usage: npm run sim -- [--seeds N] [--first N] [--seed N] [--verbose] [--sentinel | --moves | --disk]';
const DEFAULT_SEEDS = 100;
/** Seeds that failed before the run gives up. */
const FAILURES_MAX = 10;

type WorldName = 'cluster' | 'sentinel' | 'moves';

const RUNS = {
  cluster: runSeed,
  sentinel: runSentinelSeed,
  moves: runMoveSeed,
} as const;

if (isMainThread) await main();
else serve();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  if (options.isDisk)
    return runDiskSeeds(
      options.seed ?? options.first,
      options.seed === undefined ? options.seeds : 1,
    );
  const started = performance.now();
  const { world, isVerbose, seed } = options;
  const run = RUNS[world];
  const results =
    seed === undefined
      ? await runAll(options)
      : [run(seed, isVerbose ? { log: (line) => console.log(line) } : {})];
  const failed = results.filter(({ violations }) => violations.length > 0);
  console.log(reportTable(results, (performance.now() - started) / 1000));
  for (const result of failed) reportFailure(result, world);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

interface Options {
  readonly seeds: number;
  readonly first: number;
  readonly seed: number | undefined;
  readonly isVerbose: boolean;
  readonly isDisk: boolean;
  readonly world: WorldName;
}

function readOptions(): Options | undefined {
  const known = {
    seeds: { type: 'string' },
    first: { type: 'string' },
    seed: { type: 'string' },
    verbose: { type: 'boolean' },
    disk: { type: 'boolean' },
    sentinel: { type: 'boolean' },
    moves: { type: 'boolean' },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ options: known }));
  } catch (error) {
    console.error(`sim: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const seedText = values.seed ?? process.env['SIM_SEED'];
  const texts = [values.seeds, values.first, seedText].filter((text) => text !== undefined);
  if (texts.some((text) => !/^\d{1,9}$/.test(text))) return undefined;
  return {
    seeds: Number(values.seeds ?? DEFAULT_SEEDS),
    first: Number(values.first ?? 1),
    seed: seedText === undefined ? undefined : Number(seedText),
    isVerbose: values.verbose === true,
    isDisk: values.disk === true,
    world: values.sentinel === true ? 'sentinel' : values.moves === true ? 'moves' : 'cluster',
  };
}

/** Each seed with both promises of `appendfsync`. */
function runDiskSeeds(first: number, count: number): void {
  const policies = ['always', 'everysec'] as const;
  let failed = 0;
  let acknowledged = 0;
  for (let seed = first; seed < first + count && failed < FAILURES_MAX; seed++) {
    for (const policy of policies) {
      const result = runDiskSim({ seed, policy });
      acknowledged += result.acknowledged;
      if (result.flaws.length === 0) continue;
      failed++;
      console.log(`  ${policy}: ${result.flaws.join('; ')}`);
      console.log(`FAILED, replay with: npm run sim -- --disk --seed ${seed}`);
    }
  }
  console.log(`${count} seeds, ${failed} failed, ${acknowledged} writes at the last start`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** Hands seeds to workers one by one; results come back in the order of their seeds. */
async function runAll({ first, seeds: count, world }: Options): Promise<SeedResult[]> {
  const results: SeedResult[] = [];
  let next = first;
  let failures = 0;
  const end = first + count;
  const nextSeed = (): number | undefined =>
    next < end && failures < FAILURES_MAX ? next++ : undefined;
  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url));
      const give = (): void => {
        const seed = nextSeed();
        if (seed === undefined) void worker.terminate().then(() => resolve(), reject);
        else worker.postMessage({ seed, world } satisfies Task);
      };
      worker.on('error', reject);
      worker.on('message', (result: SeedResult) => {
        results.push(result);
        if (result.violations.length > 0) {
          failures++;
          reportFailure(result, world);
        }
        if (results.length % 100 === 0) console.error(`sim: ${results.length} of ${count} seeds`);
        give();
      });
      give();
    });
  const workers = Math.min(availableParallelism(), count);
  await Promise.all(Array.from({ length: workers }, runWorker));
  return results.sort((a, b) => a.seed - b.seed);
}

interface Task {
  readonly seed: number;
  readonly world: WorldName;
}

function serve(): void {
  parentPort?.on('message', ({ seed, world }: Task) => {
    parentPort?.postMessage(RUNS[world](seed));
  });
}

function reportFailure({ seed, violations }: SeedResult, world: WorldName): void {
  for (const violation of violations.slice(0, 3)) console.log(`  ${violationText(violation)}`);
  const kind = world === 'cluster' ? '' : `--${world} `;
  console.log(`FAILED, replay with: SIM_SEED=${seed} npm run sim -- ${kind}--verbose`);
}
