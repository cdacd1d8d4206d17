/** How an interrupted run is taken back instead of gone on with. Pure. */
import { type Plan, type Step, reversed } from './plan.ts';

export type UndoDecision =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** Whether the run is one of slot moves only: those are finished first, so that no client misses a key in between. */
export function isOfMoves({ steps }: Plan): boolean {
  return steps.every(({ kind }) => kind === 'moveSlots');
}

/**
 * The steps that take back the first `done` of a plan and the one that was under way, last one first. Nodes that have left
 * were reset, and what was given an owner had none: there is no way back from that.
 */
export function undoOf(plan: Plan, done: number): UndoDecision {
  const joined = new Set(plan.steps.flatMap((step) => (step.kind === 'join' ? [step.node] : [])));
  const steps: Step[] = [];
  for (const step of plan.steps.slice(0, done + 1).toReversed()) {
    const back = inverse(step, joined);
    if (back === undefined) {
      return {
        kind: 'refused',
        reason: `the interrupted ${plan.verb} has come to "${step.kind}", which cannot be taken back: go on with it`,
      };
    }
    steps.push(...back);
  }
  return { kind: 'steps', steps };
}

/** Undefined when there is no way back. */
function inverse(step: Step, joined: ReadonlySet<string>): Step[] | undefined {
  switch (step.kind) {
    case 'moveSlots':
      return [{ kind: 'moveSlots', moves: reversed(step.moves) }];
    case 'join':
      return [{ kind: 'forget', node: step.node }];
    case 'replicate':
      // A newcomer leaves as a whole; of another nobody knows any more whom it copied before.
      return joined.has(step.node) ? [] : undefined;
    case 'handOver':
      return [{ kind: 'handOver', node: step.master, master: step.node }];
    case 'restart':
      return [];
    default:
      return undefined;
  }
}
