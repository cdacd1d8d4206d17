/**
 * What every changing tool does: look, go on with what an earlier run left, plan, show, ask, carry out, and look again
 * whether all is well. The tools differ in how they plan.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { confirm } from '../confirm.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { showFindings } from './check.ts';
import { waitUntil } from './connect.ts';
import { failoverLines } from './failover.ts';
import { type Finding, findProblems, hasErrors } from './findings.ts';
import { type ClusterReport, closeReport, inspectCluster, nodesOf } from './inspect.ts';
import { Journal } from './journal.ts';
import { withLock } from './locked.ts';
import { type Plan, type Step, describeStep, parsePlan } from './plan.ts';
import { type RunOptions, type RunResult, namesOf, runPlan } from './plan-run.ts';
import type { Stopping } from './stopping.ts';
import { isOfMoves, undoOf } from './undo.ts';

export interface OperateOptions extends RunOptions {
  /** Does not ask before it begins. */
  readonly isConfirmed: boolean;
  /** Shows the plan and does nothing. */
  readonly isDryRun: boolean;
  /** Writes the plan there and does nothing. */
  readonly planFile: string | undefined;
  /** Takes the plan from there. */
  readonly applyFile: string | undefined;
  /** Where the journal of a run lives. */
  readonly journalFolder: string;
}

export interface Operation {
  readonly verb: string;
  /** The request in words, equal for equal requests. */
  readonly wish: string;
  /** Plans for the cluster as it is. Throws ToolError when it cannot be. */
  readonly plan: (report: ClusterReport) => readonly Step[] | Promise<readonly Step[]>;
  /** It is there to mend a cluster, so that one with errors is welcome. */
  readonly isForBroken?: boolean;
  /** Said when nothing has to be done. */
  readonly nothing: string;
  /** One line about what was done. */
  readonly done: (result: RunResult) => string;
}

const STEPS_SHOWN = 40;
const SETTLE_POLL_MS = 100;
/** What gossip settles by itself after a change. */
const PASSING: ReadonlySet<Finding['code']> = new Set([
  'stateNotOk',
  'viewsDiffer',
  'membersDiffer',
  'linkNotUp',
]);

/** Status 0 when done and the cluster is well, 1 when it has errors afterwards. Throws ToolError. */
export async function operate(
  operation: Operation,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  if (options.isDryRun || options.planFile !== undefined) {
    const plan = await makePlan(operation, options, screen);
    if (options.planFile !== undefined) writePlan(options.planFile, plan);
    screen.json({ ok: true, verb: plan.verb, isDryRun: true, steps: plan.steps });
    if (plan.steps.length === 0) screen.out(operation.nothing);
    const where = options.planFile === undefined ? 'Dry run' : `The plan is in ${options.planFile}`;
    screen.out(`${where}: nothing was changed`);
    return 0;
  }
  return withLock(operation.verb, options, screen, async (stopping) => {
    const run = { options, screen, stopping };
    const resumed = await resume(run);
    if (resumed?.plan.verb === operation.verb && resumed.plan.wish === operation.wish) {
      return report(operation, resumed, run);
    }
    const plan = await makePlan(operation, options, screen);
    if (plan.steps.length === 0) {
      screen.json({ ok: true, verb: plan.verb, isDryRun: false, steps: [] });
      screen.out(operation.nothing);
      return 0;
    }
    if (!options.isConfirmed) await confirm('Carry out this plan?', screen);
    const journal = Journal.begin(options.journalFolder, plan);
    return report(operation, { plan, result: await runPlan(journal, options, run) }, run);
  });
}

/** Goes on with what an interrupted run left, or takes it back. Throws ToolError. */
export async function resumeOnly(
  isRollback: boolean,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  const operation: Operation = {
    verb: 'resume',
    wish: '',
    plan: () => [],
    nothing: 'No interrupted run for this cluster in this folder',
    done: ({ totals }) =>
      isRollback
        ? `the interrupted run is taken back, ${totals.slots} slots have moved`
        : `the interrupted run is complete, ${totals.slots} slots have moved`,
  };
  return withLock('resume', options, screen, async (stopping) => {
    const run = { options, screen, stopping };
    const journal = await findJournal(options);
    if (journal === undefined) {
      screen.json({ ok: true, verb: 'resume', isDryRun: false, steps: [] });
      screen.out(operation.nothing);
      return 0;
    }
    if (!isRollback) return report(operation, await goOn(journal, run), run);
    const back = await takenBack(journal, run);
    return report(operation, { plan: back.plan, result: await runPlan(back, options, run) }, run);
  });
}

/** The journal of a plan that takes back what another has done; begun before the other is ended. */
async function takenBack(journal: Journal, run: Run): Promise<Journal> {
  const { plan } = journal;
  const { journalFolder } = run.options;
  if (isOfMoves(plan)) {
    // Open slots are finished first: keys that go back one by one could be missed by a client in between.
    await goOn(journal, run);
    return Journal.begin(journalFolder, rollbackPlan(plan, undoneSteps(plan, plan.steps.length)));
  }
  const steps = undoneSteps(plan, journal.done);
  run.screen.note(`Taking back an interrupted ${plan.verb}, ${journal.done} steps were done`);
  const back = Journal.begin(journalFolder, rollbackPlan(plan, steps));
  journal.end();
  return back;
}

function undoneSteps(plan: Plan, done: number): readonly Step[] {
  const decision = undoOf(plan, done);
  if (decision.kind === 'steps') return decision.steps;
  throw new ToolError('NODES_REFUSED', `Cannot take it back: ${decision.reason}`);
}

function rollbackPlan(plan: Plan, steps: readonly Step[]): Plan {
  return { ...plan, verb: 'rollback', steps };
}

/** A run in progress: its options, its screen and whether it has to stop. */
interface Run {
  readonly options: OperateOptions;
  readonly screen: Screen;
  readonly stopping: Stopping;
}

interface Outcome {
  readonly plan: Plan;
  readonly result: RunResult;
}

async function resume(run: Run): Promise<Outcome | undefined> {
  const journal = await findJournal(run.options);
  return journal === undefined ? undefined : goOn(journal, run);
}

async function findJournal({ seeds, journalFolder }: OperateOptions): Promise<Journal | undefined> {
  const look = await inspectCluster(seeds);
  closeReport(look);
  const members = nodesOf(look).map(({ id }) => id);
  const journal = Journal.find(journalFolder, members);
  if (journal === undefined || members.length > 1 || journal.plan.members.length === 1) {
    return journal;
  }
  const { plan } = journal;
  journal.leave();
  const joined = plan.steps.find((step) => step.kind === 'join');
  throw new ToolError(
    'NODES_REFUSED',
    `Cannot go on from ${look.seed.name}: it has left the cluster in the interrupted ${plan.verb}; name a node that stays${joined === undefined ? '' : `, such as ${joined.address}`}`,
  );
}

async function goOn(journal: Journal, run: Run): Promise<Outcome> {
  const { plan } = journal;
  run.screen.note(
    `Going on with an interrupted ${plan.verb}, ${journal.done} of ${plan.steps.length} steps done; delete ${journal.path} and run fix to give it up`,
  );
  return { plan, result: await runPlan(journal, run.options, run) };
}

async function makePlan(
  operation: Operation,
  options: OperateOptions,
  screen: Screen,
): Promise<Plan> {
  const look = await inspectCluster(options.seeds);
  try {
    const members = nodesOf(look).map(({ id }) => id);
    const problem = findProblems(look).find(({ severity }) => severity === 'error');
    if (problem !== undefined && operation.isForBroken !== true) {
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot go on: the cluster has problems to mend first: ${problem.message}; see "slotline cluster check ${look.seed.name}" and "slotline cluster fix"`,
      );
    }
    const plan: Plan =
      options.applyFile === undefined
        ? {
            version: 1,
            verb: operation.verb,
            wish: operation.wish,
            members,
            steps: await operation.plan(look),
          }
        : readPlan(options.applyFile, operation.verb, members);
    showPlan(plan, look, screen);
    return plan;
  } finally {
    closeReport(look);
  }
}

function showPlan(plan: Plan, look: ClusterReport, screen: Screen): void {
  const lines = plan.steps.flatMap((step) => describeStep(step, namesOf(look)));
  for (const line of lines.slice(0, STEPS_SHOWN)) screen.out(`- ${line}`);
  if (lines.length > STEPS_SHOWN) screen.out(`- and ${lines.length - STEPS_SHOWN} more`);
}

function readPlan(file: string, verb: string, members: readonly string[]): Plan {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(`Cannot read the plan "${file}"`, error);
  }
  const plan = parsePlan(text, file);
  if (plan.verb !== verb) {
    throw new ToolError('USAGE', `The plan in "${file}" is one of ${plan.verb}, not of ${verb}`);
  }
  const isStrange = plan.members.some((id) => !members.includes(id));
  if (isStrange || plan.members.length !== members.length) {
    throw new ToolError(
      'NODES_REFUSED',
      `The plan in "${file}" was made for other nodes than this cluster has: plan again`,
    );
  }
  return plan;
}

function writePlan(file: string, plan: Plan): void {
  try {
    writeFileSync(file, `${JSON.stringify(plan, undefined, 2)}\n`);
  } catch (error) {
    throw fileError(`Cannot write the plan "${file}"`, error);
  }
}

function fileError(what: string, error: unknown): ToolError {
  return new ToolError('LOCAL', `${what}: ${error instanceof Error ? error.message : ''}`, error);
}

/** Looks at the cluster once more: done is done only when it is well. */
async function report(
  operation: Operation,
  { plan, result }: Outcome,
  { options, screen }: Run,
): Promise<ExitStatus> {
  const findings = await findingsAfter(result, options);
  // Whoever works on a broken cluster knows who is gone.
  const { slots, keys, durationMs, leftBehind } = result.totals;
  const isWell = !hasErrors(
    findings.filter(({ code }) => operation.isForBroken !== true || code !== 'unreachable'),
  );
  const isOk = isWell && leftBehind.length === 0;
  screen.json({
    ok: isOk,
    verb: plan.verb,
    isDryRun: false,
    steps: plan.steps,
    slotsMoved: slots,
    keysMoved: keys,
    durationMs,
    leftBehind,
    failovers: result.notes,
    findings,
  });
  for (const note of result.notes) {
    for (const line of failoverLines(note, screen)) screen.out(line);
  }
  for (const { slot, key, bytes } of leftBehind) {
    screen.out(`slot ${slot} stays: its key ${JSON.stringify(key)} has ${bytes} bytes`);
  }
  showFindings(
    findings.filter(({ severity }) => severity === 'error'),
    screen,
  );
  const word = isOk ? screen.paint('green', 'OK') : screen.paint('red', 'PROBLEMS LEFT');
  screen.out(`${word} ${operation.done(result)} (${(durationMs / 1000).toFixed(1)} s)`);
  return isOk ? 0 : 1;
}

/** What is wrong once the nodes had the time to agree. */
async function findingsAfter(
  { seeds }: RunResult,
  { timeoutMs }: OperateOptions,
): Promise<readonly Finding[]> {
  let findings: readonly Finding[] = [];
  const isSettled = async (): Promise<boolean> => {
    const look = await inspectCluster(seeds);
    closeReport(look);
    findings = findProblems(look);
    return !findings.some(({ code }) => PASSING.has(code));
  };
  try {
    await waitUntil(isSettled, timeoutMs, () => 'the nodes do not agree', SETTLE_POLL_MS);
  } catch (error) {
    // The findings say what did not settle.
    if (!(error instanceof ToolError) || error.code !== 'NOT_IN_TIME') throw error;
  }
  return findings;
}
