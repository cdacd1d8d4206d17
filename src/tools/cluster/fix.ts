/** `slotline cluster fix`: slots get one owner each, closed, with all their keys. */
import { SLOT_COUNT } from '../../base/index.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { callAll } from './connect.ts';
import { type FixOptions, type Holdings, planFix } from './fix-plan.ts';
import type { ClusterReport } from './inspect.ts';
import { type OperateOptions, operate } from './operate.ts';

/** Slots asked about in one write. */
const SLOTS_ASKED = 2048;

/** Mends what `check` finds about slots. Throws ToolError. */
export function fix(
  wish: FixOptions,
  options: OperateOptions,
  screen: Screen,
): Promise<ExitStatus> {
  return operate(
    {
      verb: 'fix',
      wish: JSON.stringify(wish),
      isForBroken: true,
      plan: async (report) => {
        const decision = planFix(report, await countKeys(report), wish);
        if (decision.kind === 'steps') return decision.steps;
        throw new ToolError('NODES_REFUSED', `Cannot fix: ${decision.reason}`);
      },
      nothing: 'OK every slot has one owner and is closed, nothing to fix',
      done: ({ totals }) => `the slots are mended, ${totals.keys} keys have moved`,
    },
    options,
    screen,
  );
}

/** How many keys of each slot each node that answers has. */
async function countKeys(report: ClusterReport): Promise<Holdings> {
  const counts = await Promise.all(
    report.nodes.map(async ({ node, own }) => {
      const keys = new Uint32Array(SLOT_COUNT);
      for (let slot = 0; own !== undefined && slot < SLOT_COUNT; slot += SLOTS_ASKED) {
        const asked = Array.from({ length: SLOTS_ASKED }, (_, index) => slot + index);
        const replies = await callAll(
          own.client,
          asked.map((each) => ['CLUSTER', 'COUNTKEYSINSLOT', each]),
        );
        keys.set(replies.map(Number), slot);
      }
      return [node.id, keys] as const;
    }),
  );
  return new Map(counts);
}
