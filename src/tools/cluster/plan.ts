/**
 * A plan: the steps that a changing tool will take, as data. It can be shown, kept in a file, applied later, and gone on
 * with after a crash, because every step says what has to be true at its end and can be taken twice.
 */
import { SLOT_COUNT, assertNever, isHexId } from '../../base/index.ts';
import { ToolError } from '../errors.ts';
import { type SlotRange, formatRanges, slotCount } from './slot-ranges.ts';
import { shortId } from './topology.ts';

/** Slots that go from one master to another with their keys. Nodes are ids. */
export interface SlotMove {
  readonly from: string;
  readonly to: string;
  readonly slots: readonly SlotRange[];
}

export type Step =
  /** All moves at once. */
  | { readonly kind: 'moveSlots'; readonly moves: readonly SlotMove[] }
  /** Slots that nobody owns get an owner. */
  | { readonly kind: 'assignSlots'; readonly node: string; readonly slots: readonly SlotRange[] }
  /** One of several claimants becomes the only owner: the others drop the slot. */
  | {
      readonly kind: 'settleSlot';
      readonly slot: number;
      readonly owner: string;
      readonly others: readonly string[];
    }
  /** Keys of a slot that lie with `holder`, where no client finds them, go to the owner. */
  | {
      readonly kind: 'gatherKeys';
      readonly slot: number;
      readonly owner: string;
      readonly holder: string;
    }
  /** An open slot without a purpose is closed. */
  | { readonly kind: 'closeSlots'; readonly node: string; readonly slots: readonly SlotRange[] }
  /** An empty node joins; `address` is `host:port`. */
  | { readonly kind: 'join'; readonly node: string; readonly address: string }
  | { readonly kind: 'replicate'; readonly node: string; readonly master: string }
  /** A replica takes over without losing a write. */
  | { readonly kind: 'handOver'; readonly node: string; readonly master: string }
  /** A replica takes over without anybody's agreement. */
  | { readonly kind: 'takeOver'; readonly node: string; readonly master: string }
  /** The user's command restarts the node, which is a replica by then. */
  | { readonly kind: 'restart'; readonly node: string; readonly command: string }
  /** The node leaves the cluster and is reset when it can be asked. */
  | { readonly kind: 'forget'; readonly node: string };

export interface Plan {
  readonly version: 1;
  /** The tool that made it. */
  readonly verb: string;
  /** What it was asked for, to know the same request again. */
  readonly wish: string;
  /** Ids of the nodes it was made for: another cluster's plan is not applied. */
  readonly members: readonly string[];
  readonly steps: readonly Step[];
}

const RANGES_SHOWN = 6;
const PLAN_VERSION = 1;

/** What a step does, one line for people; `nameOf` answers a node's address. */
export function describeStep(step: Step, nameOf: (id: string) => string): string[] {
  switch (step.kind) {
    case 'moveSlots':
      return step.moves.map(
        ({ from, to, slots }) =>
          `move ${slotCount(slots)} slots from ${nameOf(from)} to ${nameOf(to)}: ${shown(slots)}`,
      );
    case 'assignSlots':
      return [`give ${slotCount(step.slots)} slots to ${nameOf(step.node)}: ${shown(step.slots)}`];
    case 'settleSlot':
      return [
        `let ${nameOf(step.owner)} alone own slot ${step.slot}, not ${step.others.map(nameOf).join(', ')}`,
      ];
    case 'gatherKeys':
      return [
        `bring keys of slot ${step.slot} from ${nameOf(step.holder)} to ${nameOf(step.owner)}`,
      ];
    case 'closeSlots':
      return [`close open slots on ${nameOf(step.node)}: ${shown(step.slots)}`];
    case 'join':
      return [`let ${step.address} (${shortId(step.node)}) join`];
    case 'replicate':
      return [`let ${nameOf(step.node)} copy ${nameOf(step.master)}`];
    case 'handOver':
      return [`hand over from ${nameOf(step.master)} to its replica ${nameOf(step.node)}`];
    case 'takeOver':
      return [`let ${nameOf(step.node)} take over from ${nameOf(step.master)} without agreement`];
    case 'restart':
      return [`restart ${nameOf(step.node)}`];
    case 'forget':
      return [`let all nodes forget ${nameOf(step.node)} and reset it`];
    default:
      return assertNever(step);
  }
}

/** The plan in a text made by `JSON.stringify`. Throws ToolError `USAGE` that names the first flaw. */
export function parsePlan(text: string, where: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw flaw(where, 'not JSON', error);
  }
  if (!isRecord(value)) throw flaw(where, 'not an object');
  if (value['version'] !== PLAN_VERSION) throw flaw(where, `version is not ${PLAN_VERSION}`);
  const { verb, wish, members, steps } = value;
  if (typeof verb !== 'string') throw flaw(where, 'verb is missing');
  if (typeof wish !== 'string') throw flaw(where, 'wish is missing');
  if (!isIds(members)) throw flaw(where, 'members are not node ids');
  if (!Array.isArray(steps)) throw flaw(where, 'steps are missing');
  const read = steps.map((step: unknown, index) => {
    if (!isStep(step)) throw flaw(where, `step ${index + 1} makes no sense`);
    return step;
  });
  return { version: PLAN_VERSION, verb, wish, members, steps: read };
}

/** Moves that take back what `moves` did. */
export function reversed(moves: readonly SlotMove[]): SlotMove[] {
  return moves.map(({ from, to, slots }) => ({ from: to, to: from, slots }));
}

function shown(slots: readonly SlotRange[]): string {
  return formatRanges(slots, RANGES_SHOWN);
}

function flaw(where: string, reason: string, cause?: unknown): ToolError {
  return new ToolError('USAGE', `Cannot read the plan in "${where}": ${reason}`, cause);
}

/** The fields that each kind of step has beside `kind`, and what they hold. */
const STEP_FIELDS: Readonly<
  Record<Step['kind'], Readonly<Record<string, (v: unknown) => boolean>>>
> = {
  moveSlots: { moves: (v) => Array.isArray(v) && v.every((each) => isMove(each)) },
  assignSlots: { node: isId, slots: isRanges },
  settleSlot: { slot: isSlotNumber, owner: isId, others: isIds },
  gatherKeys: { slot: isSlotNumber, owner: isId, holder: isId },
  closeSlots: { node: isId, slots: isRanges },
  join: { node: isId, address: (v) => typeof v === 'string' },
  replicate: { node: isId, master: isId },
  handOver: { node: isId, master: isId },
  takeOver: { node: isId, master: isId },
  restart: { node: isId, command: (v) => typeof v === 'string' },
  forget: { node: isId },
};

function isStep(value: unknown): value is Step {
  if (!isRecord(value) || typeof value['kind'] !== 'string') return false;
  if (!Object.hasOwn(STEP_FIELDS, value['kind'])) return false;
  const fields = STEP_FIELDS[value['kind'] as Step['kind']];
  return Object.entries(fields).every(([name, isRight]) => isRight(value[name]));
}

function isMove(value: unknown): boolean {
  return isRecord(value) && isId(value['from']) && isId(value['to']) && isRanges(value['slots']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && isHexId(value);
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => isId(each));
}

function isSlotNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < SLOT_COUNT;
}

function isRanges(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (range: unknown) =>
        Array.isArray(range) &&
        range.length === 2 &&
        isSlotNumber(range[0]) &&
        isSlotNumber(range[1]) &&
        range[0] <= range[1],
    )
  );
}
