/** `slotline cluster reshard` and `rebalance`. */
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { nodesOf } from './inspect.ts';
import { type OperateOptions, operate } from './operate.ts';
import type { Step } from './plan.ts';
import type { RunResult } from './plan-run.ts';
import { slotLoads } from './slot-loads.ts';
import {
  type MovesDecision,
  type RebalanceWish,
  type ReshardWish,
  planRebalance,
  planReshard,
} from './slot-plan.ts';

/** Moves a number of slots to one master. Throws ToolError. */
export function reshard(
  wish: ReshardWish | undefined,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  return operate(
    {
      verb: 'reshard',
      wish: JSON.stringify(wish ?? null),
      plan: (report) => {
        if (wish === undefined) {
          throw new ToolError('USAGE', 'Cannot reshard: say --from, --to and --slots');
        }
        return stepsOf(planReshard(nodesOf(report), wish), 'reshard');
      },
      nothing: 'Nothing to move',
      done: movedLine,
    },
    options,
    screen,
  );
}

/** Gives each master its share of the slots. Throws ToolError. */
export function rebalance(
  wish: RebalanceWish,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  return operate(
    {
      verb: 'rebalance',
      wish: JSON.stringify({ ...wish, weights: [...wish.weights] }),
      plan: async (report) => {
        const loadOf = wish.by === 'slots' ? undefined : await slotLoads(report, wish.by);
        return stepsOf(planRebalance(nodesOf(report), wish, loadOf), 'rebalance');
      },
      nothing: `OK no master is off its share by more than ${wish.thresholdPercent} %`,
      done: movedLine,
    },
    options,
    screen,
  );
}

function stepsOf(decision: MovesDecision, verb: string): Step[] {
  if (decision.kind === 'refused') {
    throw new ToolError('USAGE', `Cannot ${verb}: ${decision.reason}`);
  }
  return decision.moves.length === 0 ? [] : [{ kind: 'moveSlots', moves: decision.moves }];
}

function movedLine({ totals }: RunResult): string {
  const rate = Math.round(totals.keys / Math.max(totals.durationMs / 1000, 0.001));
  return `${totals.slots} slots with ${totals.keys} keys have moved, ${rate} keys/s`;
}
