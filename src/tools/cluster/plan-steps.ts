/**
 * Each kind of step of a plan, carried out. What is true already is not done again, so that a step can be repeated after
 * a crash in the middle of it.
 */
import { assertNever } from '../../base/index.ts';
import type { Screen } from '../screen.ts';
import { waitForAgreement } from './agreement.ts';
import { changeSlots } from './claim-slots.ts';
import { callAll, callNode, connectNode, withCredentials } from './connect.ts';
import { type FailoverResult, carryOutFailover } from './failover.ts';
import { type ClusterReport, reportOf } from './inspect.ts';
import { forgetNode, joinNode, replicateNode } from './membership-steps.ts';
import { migrateRuns } from './migrate.ts';
import type { Step } from './plan.ts';
import { restartNode } from './restart.ts';
import { type MoveContext, clientOf, moveSlots, reachable } from './slot-mover.ts';
import { keysInSlots } from './slot-keys.ts';
import { rangesOf, slotsOf } from './slot-ranges.ts';

export interface StepContext extends MoveContext {
  readonly screen: Screen;
}

/** What a step has to tell at the end of the run. */
export type StepNote = FailoverResult;

const KEYS_ASKED = 100;
const REPLY_MARGIN_MS = 5000;

/** Throws ToolError; the step can then be tried again. */
export async function runStep(step: Step, context: StepContext): Promise<StepNote | undefined> {
  const { report, timeoutMs, screen } = context;
  switch (step.kind) {
    case 'moveSlots':
      await moveSlots(step.moves, context);
      await waitForAgreement(report, timeoutMs);
      return undefined;
    case 'assignSlots':
      await assignSlots(step, report);
      return undefined;
    case 'settleSlot':
      await settleSlot(step, report);
      return undefined;
    case 'gatherKeys':
      await gatherKeys(step, context);
      return undefined;
    case 'closeSlots':
      await callAll(
        clientOf(reachable(report, step.node)),
        slotsOf(step.slots).map((slot) => ['CLUSTER', 'SETSLOT', slot, 'STABLE']),
      );
      return undefined;
    case 'join':
      await joinNode(step, { report, timeoutMs, screen });
      return undefined;
    case 'replicate':
      await replicateNode(step, { report, timeoutMs, screen });
      return undefined;
    case 'handOver':
    case 'takeOver':
      return promote(step, context);
    case 'restart':
      await restartNode(step, { report, timeoutMs, screen });
      return undefined;
    case 'forget':
      await forgetNode(step.node, { report, timeoutMs, screen });
      return undefined;
    default:
      return assertNever(step);
  }
}

async function assignSlots(
  step: Extract<Step, { kind: 'assignSlots' }>,
  report: ClusterReport,
): Promise<void> {
  const { own } = reachable(report, step.node);
  if (own === undefined) return;
  const owners = own.view.filter(({ slots }) => slots.length > 0);
  const mine = new Set(slotsOf(owners.find(({ isMyself }) => isMyself)?.slots ?? []));
  const wanted = slotsOf(step.slots).filter((slot) => !mine.has(slot));
  const taken = new Set(owners.flatMap(({ slots }) => slotsOf(slots)));
  // A slot whose owner is lost is still the owner's in the tables: it has to be taken from there first.
  const lost = rangesOf(wanted.filter((slot) => taken.has(slot)));
  await changeSlots(own.client, 'DELSLOTS', lost);
  await changeSlots(own.client, 'ADDSLOTS', rangesOf(wanted));
  // The claim has to be younger than that of whoever owned them, or the others do not believe it.
  await callNode(own.client, 'CLUSTER', 'BUMPEPOCH');
}

async function settleSlot(
  step: Extract<Step, { kind: 'settleSlot' }>,
  report: ClusterReport,
): Promise<void> {
  const { slot } = step;
  for (const id of step.others) {
    const { own } = reachable(report, id);
    const myself = own?.view.find(({ isMyself }) => isMyself);
    if (own === undefined || !slotsOf(myself?.slots ?? []).includes(slot)) continue;
    await callNode(own.client, 'CLUSTER', 'DELSLOTS', slot);
    await callNode(own.client, 'CLUSTER', 'SETSLOT', slot, 'STABLE');
  }
  await assignSlots({ kind: 'assignSlots', node: step.owner, slots: [[slot, slot]] }, report);
  const owner = clientOf(reachable(report, step.owner));
  await callNode(owner, 'CLUSTER', 'SETSLOT', slot, 'STABLE');
}

/** The holder imports the slot from the owner, which is the state in which it may give away keys of it. */
async function gatherKeys(
  step: Extract<Step, { kind: 'gatherKeys' }>,
  { report, options, progress }: StepContext,
): Promise<void> {
  const { slot } = step;
  const owner = reachable(report, step.owner);
  const holder = clientOf(reachable(report, step.holder));
  await callNode(holder, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', step.owner);
  const address = withCredentials(owner.node, report.address);
  const bound = options.migrateTimeoutMs + REPLY_MARGIN_MS;
  const source = await connectNode(
    withCredentials(reachable(report, step.holder).node, report.address),
    bound,
  );
  try {
    for (;;) {
      const [batch] = await keysInSlots(source, [slot], KEYS_ASKED);
      const count = batch?.at.length ?? 0;
      if (batch === undefined || count === 0) break;
      await migrateRuns(
        {
          source,
          target: clientOf(owner),
          targetAddress: address,
          timeoutMs: options.migrateTimeoutMs,
          isReplacing: options.isReplacing,
        },
        [{ batch, from: 0, to: count }],
      );
      progress.keysMoved(count);
    }
  } finally {
    source.close();
  }
  await callNode(holder, 'CLUSTER', 'SETSLOT', slot, 'STABLE');
}

async function promote(
  step: Extract<Step, { kind: 'handOver' | 'takeOver' }>,
  { report, timeoutMs, screen }: StepContext,
): Promise<StepNote | undefined> {
  const replica = reachable(report, step.node);
  const master = reportOf(report, step.master);
  // Done by a run that ended before it could write so.
  const isDone = replica.node.role === 'master' && replica.node.slots.length > 0;
  if (isDone || master === undefined) return undefined;
  const mode = step.kind === 'handOver' ? 'coordinated' : 'takeover';
  return carryOutFailover({ report, replica, master }, { mode, timeoutMs }, screen);
}
