/** Carries out the steps of a plan one after the other, under the cluster's lock and with a journal. */
import type { NodeAddress } from '../../client/index.ts';
import { ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { type ClusterReport, closeReport, inspectCluster } from './inspect.ts';
import type { Journal } from './journal.ts';
import { MoveProgress, type MoveTotals } from './move-progress.ts';
import { describeStep } from './plan.ts';
import { type StepNote, runStep } from './plan-steps.ts';
import type { MoveOptions } from './slot-mover.ts';
import type { Stopping } from './stopping.ts';
import { shortId } from './topology.ts';

export interface RunOptions {
  readonly seeds: readonly NodeAddress[];
  /** Bound of everything that is waited for, each; milliseconds. */
  readonly timeoutMs: number;
  readonly move: MoveOptions;
}

export interface RunResult {
  readonly totals: MoveTotals;
  /** What the steps found worth telling, in their order. */
  readonly notes: readonly StepNote[];
  /** Nodes that are in the cluster at the end. */
  readonly seeds: readonly NodeAddress[];
}

/** Runs what is left of the journal's plan and ends the journal. Throws ToolError; the journal then stays. */
export async function runPlan(
  journal: Journal,
  options: RunOptions,
  { screen, stopping }: { readonly screen: Screen; readonly stopping: Stopping },
): Promise<RunResult> {
  let report = await inspectCluster(options.seeds);
  const progress = new MoveProgress(screen);
  const notes: StepNote[] = [];
  try {
    for (const step of journal.plan.steps.slice(journal.done)) {
      await stopping.untilGoingOn();
      stopping.throwIfRequested();
      if (journal.plan.steps.length > 1) {
        for (const line of describeStep(step, namesOf(report))) screen.note(`- ${line}`);
      }
      const { timeoutMs, move } = options;
      const context = { report, timeoutMs, options: move, progress, stopping, screen };
      const note = await runStep(step, context);
      if (note !== undefined) notes.push(note);
      journal.stepDone();
      report = await inspectedAgain(report, options.seeds);
    }
    journal.end();
    return { totals: progress.totals(), notes, seeds: membersOf(report) };
  } finally {
    journal.leave();
    closeReport(report);
  }
}

/** Addresses for people, short ids of nodes that are not there yet. */
export function namesOf(report: ClusterReport): (id: string) => string {
  const names = new Map(report.nodes.map(({ node, name }) => [node.id, name]));
  return (id) => names.get(id) ?? shortId(id);
}

/** Steps change who is there: each sees the cluster as it is. The node asked first may have left by now. */
async function inspectedAgain(
  before: ClusterReport,
  seeds: readonly NodeAddress[],
): Promise<ClusterReport> {
  closeReport(before);
  for (const seed of [...seeds, ...membersOf(before)]) {
    const report = await lookFrom(seed);
    if (report === undefined) continue;
    // A node that has left knows nobody but itself.
    if (report.nodes.length > 1 || before.nodes.length <= 2) return report;
    closeReport(report);
  }
  throw new ToolError('NODE_FAILED', 'Cannot go on: no node of the cluster answers any more');
}

/** The nodes that answer, masters first. */
function membersOf(report: ClusterReport): NodeAddress[] {
  return report.nodes
    .filter(({ own }) => own !== undefined)
    .toSorted((a, b) => Number(a.node.role === 'replica') - Number(b.node.role === 'replica'))
    .map(({ node }) => ({ ...report.address, host: node.host, port: node.port }));
}

async function lookFrom(seed: NodeAddress): Promise<ClusterReport | undefined> {
  try {
    return await inspectCluster([seed]);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return undefined;
  }
}
