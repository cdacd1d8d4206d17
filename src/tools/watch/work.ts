/** What operators' tools do to a deployment now, from what they leave for others to see. Pure but for the journals. */
import {
  Journal,
  type JournalState,
  type Step,
  describeStep,
  slotCount,
  slotsOf,
} from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import type { Notice } from '../run-notice.ts';
import type { NodeSnapshot, WorkSnapshot } from './model.ts';

/** What tools leave for others to see. */
export interface Traces {
  /** What stands in the cluster's lock key. */
  readonly lock: string | undefined;
  readonly journals: readonly JournalState[];
  /** Of migrations and comparisons. */
  readonly notices: readonly Notice[];
}

/** Everything that is going on. */
export function workOf(
  nodes: readonly NodeSnapshot[],
  { lock, journals, notices }: Traces,
): WorkSnapshot[] {
  const found: WorkSnapshot[] = [];
  if (lock !== undefined) {
    // The last word tells two holders of one process apart.
    const text = `${lock.replace(/ \S+$/, '')} holds the cluster's lock`;
    found.push({ kind: 'lock', text, progress: undefined });
  }
  for (const journal of journals) found.push(journalWork(journal, nodes));
  for (const { text, progress } of notices) found.push({ kind: 'run', text, progress });
  const open = nodes.flatMap((node) =>
    node.open.filter(({ direction }) => direction === 'migrating'),
  );
  if (open.length > 0) {
    const text = `${open.length} ${open.length === 1 ? 'slot is' : 'slots are'} on the way`;
    found.push({ kind: 'openSlots', text, progress: undefined });
  }
  return [...found, ...copyWork(nodes)];
}

/** Whoever copies nodes without being one, by its host: a migration copies every master at once. */
function copyWork(nodes: readonly NodeSnapshot[]): WorkSnapshot[] {
  const byHost = new Map<string, { count: number; lagBytes: number }>();
  for (const { stats } of nodes) {
    for (const { address, lagBytes } of stats?.copiers ?? []) {
      const host = address.slice(0, address.lastIndexOf(':'));
      const known = byHost.get(host) ?? { count: 0, lagBytes: 0 };
      byHost.set(host, { count: known.count + 1, lagBytes: Math.max(known.lagBytes, lagBytes) });
    }
  }
  return [...byHost].map(([host, { count, lagBytes }]) => {
    const what = count === 1 ? 'one node' : `${count} nodes`;
    const text = `a tool on ${host} copies ${what}, ${lagBytes} bytes behind at most`;
    return { kind: 'copy', text, progress: undefined };
  });
}

/** The journals in `folder` of runs for these nodes; none where the folder cannot be read. */
export function journalsFor(folder: string, nodes: readonly NodeSnapshot[]): JournalState[] {
  try {
    return Journal.peek(
      folder,
      nodes.map(({ id }) => id),
    );
  } catch (error) {
    // Damaged ones are the business of the tool that goes on with them.
    if (!(error instanceof ToolError)) throw error;
    return [];
  }
}

function journalWork({ plan, done }: JournalState, nodes: readonly NodeSnapshot[]): WorkSnapshot {
  const names = new Map(nodes.map(({ id, address }) => [id, address]));
  const step = plan.steps[done];
  const count = plan.steps.length;
  const part = step === undefined ? 0 : partOf(step, nodes);
  const lines = step === undefined ? [] : describeStep(step, (id) => names.get(id) ?? id);
  const now = lines.length > 1 ? `${lines.length} moves at once` : (lines[0] ?? 'nearly done');
  return {
    kind: 'journal',
    text: `${plan.verb}: step ${Math.min(done + 1, count)} of ${count}, ${now}`,
    progress: count === 0 ? undefined : (done + part) / count,
  };
}

/** How much of a step is done, as far as the slot map tells. */
function partOf(step: Step, nodes: readonly NodeSnapshot[]): number {
  if (step.kind !== 'moveSlots') return 0;
  const owned = new Map(nodes.map(({ id, slots }) => [id, new Set(slotsOf(slots))]));
  let [all, arrived] = [0, 0];
  for (const { to, slots } of step.moves) {
    all += slotCount(slots);
    const there = owned.get(to);
    for (const slot of slotsOf(slots)) if (there?.has(slot) === true) arrived++;
  }
  return all === 0 ? 0 : arrived / all;
}
