/** `slotline verify`: whether two deployments hold the same data, and what differs. */
import { setTimeout as pause } from 'node:timers/promises';
import { Deployment, type DeploymentOptions, formatAddress } from '../../client/index.ts';
import { asToolError } from '../errors.ts';
import type { ExitStatus } from '../errors.ts';
import {
  Abilities,
  type DatabasePair,
  type Databases,
  askAbilities,
  askReadAbilities,
  databasePairs,
  keyCount,
} from '../flow/index.ts';
import { type Notice, RunNotice } from '../run-notice.ts';
import type { Screen } from '../screen.ts';
import { Changes } from './changes.ts';
import type { Finding } from './finding.ts';
import { type Outcome, Tally, isEqual } from './outcome.ts';
import { tellLibraries } from './libraries.ts';
import { type RepairSide, repairKey } from './repair.ts';
import type { SideAbilities } from './differences.ts';
import { ScreenReport } from './report.ts';
import { type ResultFile, openResults } from './result-files.ts';
import type { ResultSink } from './result-sink.ts';
import { Rounds, type RoundsOptions, type Suspect } from './rounds.ts';

export interface VerifyOptions extends Omit<
  RoundsOptions,
  'source' | 'target' | 'pairs' | 'abilities'
> {
  readonly source: DeploymentOptions;
  readonly target: DeploymentOptions;
  readonly databases: Databases;
  /** The side that is changed where it differs. */
  readonly repair: 'source' | 'target' | undefined;
  /** What is found goes there too; of several comparisons the last whole one. */
  readonly files?: readonly ResultFile[];
  /** Compares so often, and shows what comes and goes; once, and all of it, by default. */
  readonly comparisons?: number | undefined;
  /** Ends with the words that readers of RedisFullCheck's log look for. */
  readonly hasFullCheckEnd?: boolean;
}

const PROGRESS_MS = 2000;
const NOTICE_MS = 500;

/** Two deployments, opened. */
interface Ends {
  readonly source: Deployment;
  readonly target: Deployment;
  readonly abilities: SideAbilities;
}

/** Status 0 when both are equal (or were made so), 1 when they differ, 3 when it was broken off. Throws ToolError. */
export async function verify(options: VerifyOptions, screen: Screen): Promise<ExitStatus> {
  const opened: Deployment[] = [];
  try {
    const source = await Deployment.open(options.source);
    opened.push(source);
    const target = await Deployment.open(options.target);
    opened.push(target);
    const compare = options.comparisons === undefined ? compareOnce : compareOften;
    return await compare(
      options,
      { source, target, abilities: await asked(options, source, target) },
      screen,
    );
  } catch (error) {
    throw asToolError(error);
  } finally {
    for (const deployment of opened) deployment.close();
  }
}

/** Who is changed is asked more than who is only read. */
async function asked(
  { repair }: VerifyOptions,
  source: Deployment,
  target: Deployment,
): Promise<SideAbilities> {
  const of = (side: Deployment, isChanged: boolean): Promise<Abilities> =>
    isChanged ? askAbilities(side) : askReadAbilities(side);
  const both = await Promise.all([
    of(source, repair === 'source'),
    of(target, repair === 'target'),
  ]);
  return { source: both[0], target: both[1], both: Abilities.common(both) };
}

async function compareOnce(
  options: VerifyOptions,
  ends: Ends,
  screen: Screen,
): Promise<ExitStatus> {
  const { files = [], hasFullCheckEnd = false } = options;
  const sinks = [new ScreenReport(screen, hasFullCheckEnd), ...(await openResults(files))];
  if (options.filters.length === 0) await tellLibraries(ends.source, ends.target, screen);
  return statusOf(await compared(options, ends, sinks, screen));
}

/** Again and again; the status is that of the last comparison that was whole. */
async function compareOften(
  options: VerifyOptions,
  ends: Ends,
  screen: Screen,
): Promise<ExitStatus> {
  const { files = [], comparisons = 1, signal, intervalMs } = options;
  const changes = new Changes(screen);
  let status: ExitStatus = 3;
  for (let count = 1; !signal.aborted; count++) {
    const sinks = [changes, ...(await openResults(files))];
    const outcome = await compared(options, ends, sinks, screen);
    if (outcome.isFinished) status = statusOf(outcome);
    if (count >= comparisons) break;
    await pause(intervalMs, undefined, { signal }).catch(() => undefined);
    await Promise.all([ends.source.refresh(), ends.target.refresh()]);
  }
  return status;
}

function statusOf(outcome: Outcome): ExitStatus {
  if (!outcome.isFinished) return 3;
  return isEqual(outcome) ? 0 : 1;
}

/** One comparison, from the first look to the last round. */
async function compared(
  options: VerifyOptions,
  ends: Ends,
  sinks: readonly ResultSink[],
  screen: Screen,
): Promise<Outcome> {
  const startedAt = new Date();
  const startedMs = performance.now();
  const pairs = await databasePairs(ends.source, ends.target, options.databases);
  const tally = new Tally();
  const rounds: Rounds = new Rounds({ ...options, ...ends, pairs }, async (suspect) => {
    const finding = await mended(suspect, { repair: options.repair, ends, rounds });
    tally.add(finding);
    for (const sink of sinks) sink.add(finding);
  });
  const notice = new RunNotice('verify', screen);
  const allKeys = await keyCounts(options, ends, pairs);
  const tell = (): void => notice.tell(noticeOf(ends, rounds, allKeys));
  tell();
  const timers = [
    setInterval(() => showProgress(rounds, screen), PROGRESS_MS),
    setInterval(tell, NOTICE_MS),
  ];
  try {
    await rounds.run();
  } finally {
    for (const timer of timers) clearInterval(timer);
    notice.end();
  }
  const outcome = {
    ...{ source: ends.source.name, target: ends.target.name, startedAt, tally },
    progress: rounds.progress,
    isFinished: !options.signal.aborted,
    seconds: (performance.now() - startedMs) / 1000,
  };
  for (const sink of sinks) sink.end(outcome);
  return outcome;
}

function showProgress({ progress }: Rounds, screen: Screen): void {
  const { round, sourceKeys, targetKeys, suspects } = progress;
  screen.note(
    `round ${round}: ${sourceKeys} keys of the source, ${targetKeys} of the target, ${suspects} differ`,
  );
  screen.event({ event: 'progress', ...progress });
}

/** For watchers. `allKeys` is what the first round looks at, if that is known. */
function noticeOf(
  { source, target }: Ends,
  { progress }: Rounds,
  allKeys: number | undefined,
): Omit<Notice, 'pid' | 'word'> {
  const { round, sourceKeys, targetKeys, suspects } = progress;
  const isFirst = round === 1 && allKeys !== undefined && allKeys > 0;
  const name = `comparison of ${source.name} with ${target.name}`;
  return {
    nodes: [source, target].flatMap((end) => [end.name, ...end.masters().map(formatAddress)]),
    text: `${name}: round ${round}, ${sourceKeys} and ${targetKeys} keys, ${suspects} differ`,
    progress: isFirst ? Math.min(1, (sourceKeys + targetKeys) / allKeys) : undefined,
  };
}

/** Keys of both sides; undefined where only some are looked at. */
async function keyCounts(
  { filters, sample }: VerifyOptions,
  { source, target }: Ends,
  pairs: readonly DatabasePair[],
): Promise<number | undefined> {
  if (filters.length > 0 || sample < 1) return undefined;
  const counts = pairs.flatMap((pair) => [
    keyCount(source, pair.source),
    keyCount(target, pair.target),
  ]);
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

interface Repair {
  readonly repair: VerifyOptions['repair'];
  readonly ends: Ends;
  readonly rounds: Rounds;
}

/** Repairs where that was asked for, and looks at the key once more. */
async function mended(suspect: Suspect, { repair, ends, rounds }: Repair): Promise<Finding> {
  if (repair === undefined) return { ...suspect, repair: 'none' };
  const { pair, key, difference } = suspect;
  const [model, copy] = sidesOf(pair, ends, repair);
  const refusal = await repairKey(model, copy, key);
  const { difference: rest } = await rounds.judgeOf(pair).judge(key);
  return {
    ...{ pair, key, repair: rest === undefined ? 'done' : 'failed' },
    difference: refusal === undefined ? difference : { ...difference, detail: refusal },
  };
}

function sidesOf(
  pair: DatabasePair,
  { source, target, abilities }: Ends,
  repaired: 'source' | 'target',
): [model: RepairSide, copy: RepairSide] {
  const [one, other] = [
    { deployment: source, db: pair.source, abilities: abilities.source },
    { deployment: target, db: pair.target, abilities: abilities.target },
  ];
  return repaired === 'target' ? [one, other] : [other, one];
}
