/**
 * How `fix` mends slots: those without an owner, with several, left open, and keys that lie where no client finds them.
 * Pure: from what the masters claim and how many keys of each slot they hold.
 */
import { SLOT_COUNT } from '../../base/index.ts';
import type { ClusterReport, NodeReport } from './inspect.ts';
import type { SlotMove, Step } from './plan.ts';
import { rangesOf, slotCount, slotsOf } from './slot-ranges.ts';
import type { OpenSlot } from './topology.ts';

/** Keys by slot, by node id. */
export type Holdings = ReadonlyMap<string, Uint32Array>;

export interface FixOptions {
  /** Slots of masters that cannot be reached are given away; their keys are lost. */
  readonly usesUnreachable: boolean;
}

export type FixDecision =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** A master as far as slots go. */
interface Master {
  readonly id: string;
  readonly configEpoch: number;
  readonly owned: ReadonlySet<number>;
  readonly open: ReadonlyMap<number, OpenSlot>;
  readonly keys: Uint32Array;
  /** Slots it owns, those that this plan gives it included. */
  slots: number;
}

/** What has been decided so far, by kind, because the kinds have an order. */
interface Repairs {
  readonly assigned: Map<string, number[]>;
  readonly closed: Map<string, number[]>;
  readonly settled: Step[];
  readonly gathered: Step[];
  readonly moved: Map<string, { readonly from: string; readonly to: string; slots: number[] }>;
}

/** The steps that leave every slot with one owner, closed, and all its keys there. */
export function planFix(
  report: ClusterReport,
  holdings: Holdings,
  { usesUnreachable }: FixOptions,
): FixDecision {
  const lost = report.nodes.find(
    ({ node, own }) => own === undefined && node.role === 'master' && node.slots.length > 0,
  );
  if (lost !== undefined && !usesUnreachable) {
    return refused(
      `master ${lost.name} with ${slotCount(lost.node.slots)} slots cannot be reached: bring it back, let a replica of it take over, or say --fix-with-unreachable-masters to go on without its keys`,
    );
  }
  const masters = report.nodes
    .filter(({ own }) => own?.view.some((node) => node.isMyself && node.role === 'master'))
    .map((each) => masterOf(each, holdings));
  if (masters.length === 0) return refused('no master can be reached');
  const repairs: Repairs = {
    assigned: new Map(),
    closed: new Map(),
    settled: [],
    gathered: [],
    moved: new Map(),
  };
  for (let slot = 0; slot < SLOT_COUNT; slot++) mendSlot(slot, masters, repairs);
  return { kind: 'steps', steps: stepsOf(repairs) };
}

function mendSlot(slot: number, masters: readonly Master[], repairs: Repairs): void {
  const owners = masters.filter(({ owned }) => owned.has(slot));
  const byKeys = (a: Master, b: Master): number => keysOf(b, slot) - keysOf(a, slot);
  const [only] = owners;
  let owner: Master | undefined;
  if (owners.length === 0) {
    // Whoever has keys of it had it last; else it goes where there are fewest.
    owner = masters.toSorted((a, b) => byKeys(a, b) || a.slots - b.slots)[0];
    if (owner === undefined) return;
    owner.slots++;
    push(repairs.assigned, owner.id, slot);
  } else if (owners.length > 1) {
    owner = owners.toSorted((a, b) => byKeys(a, b) || b.configEpoch - a.configEpoch)[0] ?? only;
    if (owner === undefined) return;
    const others = owners.filter((each) => each !== owner).map(({ id }) => id);
    repairs.settled.push({ kind: 'settleSlot', slot, owner: owner.id, others });
  } else if (only !== undefined) {
    owner = only;
  } else return;
  const target = owners.length === 1 ? targetOf(slot, owner, masters) : undefined;
  if (target !== undefined) {
    const pair = `${owner.id} ${target.id}`;
    const move = repairs.moved.get(pair) ?? { from: owner.id, to: target.id, slots: [] };
    move.slots.push(slot);
    repairs.moved.set(pair, move);
  } else if (owner.open.has(slot)) push(repairs.closed, owner.id, slot);
  for (const other of masters) {
    if (other === owner || other === target) continue;
    if (keysOf(other, slot) > 0) {
      repairs.gathered.push({ kind: 'gatherKeys', slot, owner: owner.id, holder: other.id });
    } else if (other.open.has(slot)) push(repairs.closed, other.id, slot);
  }
}

/** Where an interrupted move of a slot was going, when it had begun at the other end too. */
function targetOf(slot: number, owner: Master, masters: readonly Master[]): Master | undefined {
  const way = owner.open.get(slot);
  if (way?.direction !== 'migrating') return undefined;
  const target = masters.find(({ id }) => id === way.peerId);
  if (target === undefined || target === owner) return undefined;
  const isImporting = target.open.get(slot)?.direction === 'importing';
  return isImporting || keysOf(target, slot) > 0 ? target : undefined;
}

/** Owners first, because keys can only go to an owner. */
function stepsOf({ assigned, settled, closed, gathered, moved }: Repairs): Step[] {
  const moves = [...moved.values()].map(({ from, to, slots }): SlotMove => ({
    from,
    to,
    slots: rangesOf(slots),
  }));
  return [
    ...[...assigned].map(([node, slots]): Step => ({
      kind: 'assignSlots',
      node,
      slots: rangesOf(slots),
    })),
    ...settled,
    ...[...closed].map(([node, slots]): Step => ({
      kind: 'closeSlots',
      node,
      slots: rangesOf(slots),
    })),
    ...gathered,
    ...(moves.length === 0 ? [] : [{ kind: 'moveSlots', moves } as const]),
  ];
}

function masterOf({ node, own }: NodeReport, holdings: Holdings): Master {
  const myself = own?.view.find(({ isMyself }) => isMyself);
  const owned = new Set(slotsOf(myself?.slots ?? []));
  return {
    id: node.id,
    configEpoch: myself?.configEpoch ?? 0,
    owned,
    open: new Map(myself?.open.map((open) => [open.slot, open])),
    keys: holdings.get(node.id) ?? new Uint32Array(SLOT_COUNT),
    slots: owned.size,
  };
}

function keysOf({ keys }: Master, slot: number): number {
  return keys[slot] ?? 0;
}

function push(lists: Map<string, number[]>, id: string, slot: number): void {
  const list = lists.get(id);
  if (list === undefined) lists.set(id, [slot]);
  else list.push(slot);
}

function refused(reason: string): FixDecision {
  return { kind: 'refused', reason };
}
