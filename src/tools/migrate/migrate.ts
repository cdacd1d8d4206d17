/** `slotline migrate run`: a live copy of a deployment, kept up to date until it is told to stop. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ClientError, Deployment, type DeploymentOptions, replyFacts } from '../../client/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import {
  type DatabasePair,
  type Databases,
  type FieldExpiryPolicy,
  databasePairs,
  isEmpty,
} from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import type { FlowControl } from './control.ts';
import { type StreamPlace, endName, offsetsOf } from './ends.ts';
import { refuseFieldExpiry } from './field-expiry-check.ts';
import type { KeyFilter } from './key-filter.ts';
import { Quarantine } from './quarantine.ts';
import type { ProgressMeter } from './report.ts';
import { ReadBeat } from './read-beat.ts';
import { Reporting } from './reporting.ts';
import type { Conflict } from './snapshot-writer.ts';
import { RunState } from './run-state.ts';
import { SlotDisputes } from './slot-disputes.ts';
import { SourceMasters } from './source-masters.ts';
import type { SourceRun } from './source-run.ts';
import { SourceRuns } from './source-runs.ts';

export interface MigrateOptions {
  readonly source: DeploymentOptions;
  readonly target: DeploymentOptions;
  readonly databases: Databases;
  /** Databases of the source that are left out. */
  readonly withoutDatabases: readonly number[];
  /** Keys and commands that are copied; undefined: all. */
  readonly filter: KeyFilter | undefined;
  readonly conflict: Conflict;
  /** What becomes of fields that expire where the target has none such. */
  readonly fieldExpiry: FieldExpiryPolicy;
  /** Folder for progress, the spool and the quarantine; made when it is not there. */
  readonly dir: string;
  /** Forgets what an earlier run left in `dir`, and begins anew. */
  readonly isRestart: boolean;
  /** For each master of the source. */
  readonly spoolBytesMax: number;
  /** Masters that make a snapshot at once, each of which forks. */
  readonly forksMax: number;
  /** Whether the target loses its keys first, so that it ends with those of the source only. */
  readonly removesExtra: boolean;
  /** Ends when every write of the source is on the target. */
  readonly stopsWhenSynced: boolean;
  /** Bytes a second of each master; 0 for no bound, undefined for what was ordered last. */
  readonly rateBytes: number | undefined;
  /** Ends when raised: what was received is carried out first. */
  readonly signal: AbortSignal;
}

const POLL_MS = 50;
/** How often a source with a lost master is asked who has its place. */
const FIND_MS = 500;

/**
 * Status 0 when the target is a copy as of the end, 1 when commands were put aside in the quarantine, 3 when it ended
 * before the target was a copy. Throws ToolError.
 */
export async function migrate(options: MigrateOptions, screen: Screen): Promise<ExitStatus> {
  if (options.removesExtra && options.conflict !== 'replace') {
    throw new ToolError('USAGE', '--remove-extra goes with --on-conflict replace only');
  }
  const state = openState(options);
  let source: Deployment | undefined;
  let runs: SourceRuns | undefined;
  const reporting = new Reporting(options, endNames(options), screen);
  try {
    source = await opened(options.source);
    const quarantine = new Quarantine(join(options.dir, 'quarantine.ndjson'));
    const { control } = reporting;
    const setting = await prepare({ options, source, state, control, quarantine, screen });
    ({ runs } = setting);
    reporting.begin(() => setting.runs.list.map((run) => run.status()), quarantine);
    const isWhole = await carryOut(setting, reporting.meter);
    reporting.end(isWhole);
    if (!isWhole) return 3;
    return quarantine.count > 0 ? 1 : 0;
  } catch (error) {
    throw asToolError(error);
  } finally {
    reporting.close();
    runs?.close();
    source?.close();
    state.close();
  }
}

interface Ends {
  readonly options: MigrateOptions;
  readonly source: Deployment;
  readonly state: RunState;
  readonly control: FlowControl;
  readonly quarantine: Quarantine;
  readonly screen: Screen;
}

interface Setting extends Ends {
  readonly runs: SourceRuns;
  readonly disputes: SlotDisputes;
}

function openState(options: MigrateOptions): RunState {
  return RunState.open(options.dir, endNames(options), options.isRestart);
}

function endNames({ source, target }: MigrateOptions): {
  readonly source: string;
  readonly target: string;
} {
  return { source: endName(source), target: endName(target) };
}

/** Refuses ends that cannot be meant, and opens a run for each master. */
async function prepare(ends: Ends): Promise<Setting> {
  const { options, source, state, control, quarantine, screen } = ends;
  const target = await opened(options.target);
  try {
    const { pairs, targetDb } = await databaseMap(target, ends);
    const mayLose = state.isNew && options.filter === undefined;
    if (mayLose && options.fieldExpiry === 'refuse') await refuseFieldExpiry(source, target);
    const note = (line: string): void => screen.note(line);
    const { filter, conflict, removesExtra, dir, spoolBytesMax, forksMax } = options;
    const common = { source, state, pairs, filter, removesExtra, note };
    const disputes = new SlotDisputes({ ...common, replaces: conflict === 'replace' });
    const runs = new SourceRuns({
      ...common,
      ...{
        targetDb,
        conflict,
        fieldExpiry: options.fieldExpiry,
        dir,
        spoolBytesMax,
        forksMax,
        quarantine,
        control,
        beat: new ReadBeat(),
      },
      target: options.target,
      onImports: (slots) => disputes.add(slots),
      isDisputed: (slot) => disputes.has(slot),
    });
    await runs.open(target);
    return { ...ends, runs, disputes };
  } finally {
    target.close();
  }
}

interface DatabaseMap {
  readonly pairs: readonly DatabasePair[];
  /** Where each database goes; undefined: nowhere. */
  readonly targetDb: (sourceDb: number) => number | undefined;
}

/** Also looks at what the target has. */
async function databaseMap(
  target: Deployment,
  { options, source, state }: Pick<Ends, 'options' | 'source' | 'state'>,
): Promise<DatabaseMap> {
  const ids = await Promise.all([source, target].map((each) => runIds(each)));
  const shared = ids[0]?.find((id) => ids[1]?.includes(id));
  if (shared !== undefined) {
    throw new ToolError('USAGE', `Cannot copy ${source.name} to ${target.name}: they are the same`);
  }
  const isWanted = (db: number): boolean => !options.withoutDatabases.includes(db);
  const all = await databasePairs(source, target, options.databases);
  const pairs = all.filter((pair) => isWanted(pair.source));
  if (state.isNew) state.wasEmpty = await isEmpty(target);
  const map = new Map(pairs.map((pair) => [pair.source, pair.target]));
  const isListed = options.databases !== undefined || target.isCluster;
  const namesake = (db: number): number | undefined => (isWanted(db) ? db : undefined);
  return { pairs, targetDb: isListed ? (db) => map.get(db) : namesake };
}

async function runIds(deployment: Deployment): Promise<(string | undefined)[]> {
  const masters = deployment.masters().map(async (_, index) => {
    const client = await deployment.connection(index);
    return replyFacts(await client.call('INFO', 'server')).get('run_id');
  });
  return Promise.all(masters);
}

async function opened(options: DeploymentOptions): Promise<Deployment> {
  try {
    return await Deployment.open(options);
  } catch (error) {
    throw asToolError(error);
  }
}

/** Answers whether the target is a copy of the source as of the end. */
async function carryOut(setting: Setting, meter: ProgressMeter): Promise<boolean> {
  const { options, control, runs, disputes } = setting;
  const isOver = new AbortController();
  try {
    await Promise.race([runs.failure, supervise(setting, { isOver: isOver.signal, meter })]);
  } finally {
    isOver.abort();
  }
  const isCopy = disputes.isEmpty && runs.list.every((run) => run.isCaughtUp);
  const isLeft = !isCopy || control.orders.isPaused;
  for (const run of runs.list) {
    if (isLeft) run.abandon();
    else run.finish();
  }
  await runs.ended();
  const isWhole = !isLeft && (await isStill(setting));
  const isWanted = options.stopsWhenSynced || control.orders.isToComplete;
  const isComplete = isWanted && !options.signal.aborted && isWhole;
  for (const run of runs.list) await (isComplete ? run.complete() : run.leave());
  if (isComplete) setting.state.end();
  // What came late at the very end is left to the next run, where there is one.
  return isWhole && (isComplete || runs.list.every((run) => run.isCaughtUp));
}

/** Whether no slot moved while the runs ended one after the other. A source that is gone can move none. */
async function isStill({ disputes, runs }: Setting): Promise<boolean> {
  try {
    return await disputes.isStill(runs.list);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return true;
  }
}

/**
 * Starts the masters in turn; returns when it is time to end. When it is told to, that is as soon as the target has all
 * that the source had at that moment, or at once before the target is a copy.
 */
async function supervise(
  setting: Setting,
  { isOver, meter }: { readonly isOver: AbortSignal; readonly meter: ProgressMeter },
): Promise<void> {
  const { options, source, control, runs, disputes } = setting;
  const masters = new SourceMasters(source, options.source);
  let goal: readonly StreamPlace[] | undefined;
  let findAtMs = 0;
  while (!isOver.aborted) {
    await runs.startNext();
    meter.showPhases(runs.list.map((run) => run.status()));
    for (const run of runs.list) run.probe();
    const isCopy = disputes.isEmpty && runs.list.every((run) => run.isCaughtUp);
    const isNear = disputes.isEmpty && runs.list.every((run) => run.isCaughtUp || run.isMending);
    const { isPaused, isToComplete } = control.orders;
    if (options.signal.aborted && (!isNear || isPaused)) return;
    if (isCopy && (options.signal.aborted || options.stopsWhenSynced || isToComplete)) {
      const isKnown = goal?.every(({ name }) => runs.list.some((run) => run.address === name));
      if (!options.signal.aborted || isKnown !== true) goal = await goalOf(source, options.signal);
      if (goal?.every((place) => hasArrived(runs.list, place)) === true) return;
    }
    if (performance.now() >= findAtMs) {
      await keepUpWithMasters(setting, masters);
      findAtMs = performance.now() + FIND_MS;
    }
    await pause(POLL_MS);
  }
}

/** Follows what becomes of the source's masters and their slots. */
async function keepUpWithMasters(
  { runs, disputes, screen }: Setting,
  masters: SourceMasters,
): Promise<void> {
  try {
    for (const { host, port } of await masters.look(runs.list)) {
      screen.note(`${host}:${port} has slots of the source since this run began`);
      await runs.join({ host, port });
    }
    disputes.notice(runs.list);
    await disputes.settle(runs.list);
    if (disputes.isEmpty) await runs.retire();
  } catch (error) {
    // A node of either side does not answer: the slots stay disputed, and are copied later.
    if (!(error instanceof ClientError)) throw error;
  }
}

/**
 * What the target must have before the end; undefined while a master does not answer. Somebody who has enough is given
 * what was received until then.
 */
async function goalOf(
  source: Deployment,
  signal: AbortSignal,
): Promise<readonly StreamPlace[] | undefined> {
  try {
    return await offsetsOf(source);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return signal.aborted ? [] : undefined;
  }
}

/** Whether all that a master had is on the target. */
function hasArrived(runs: readonly SourceRun[], { name, offset }: StreamPlace): boolean {
  return runs.find((run) => run.address === name)?.hasApplied(offset) === true;
}
