/**
 * Slot moves after a failover in the middle of them: the plan names nodes that are gone, or replicas by now. Who has their
 * place follows from who owns the slots. Pure.
 */
import type { ClusterReport } from './inspect.ts';
import { reportOf } from './inspect.ts';
import type { SlotMove } from './plan.ts';
import { rangesOf, slotCount, slotsOf } from './slot-ranges.ts';
import type { ClusterNode } from './topology.ts';

/** `moves` between masters that are there; a move whose ends are, or whose heirs are not known, stays as it is. */
export function movesNow(moves: readonly SlotMove[], report: ClusterReport): SlotMove[] {
  return moves.flatMap((move) => moveNow(move, report));
}

function moveNow(move: SlotMove, report: ClusterReport): SlotMove[] {
  const to = targetNow(move, report);
  if (to === undefined) return [move];
  if (isMaster(move.from, report)) return [{ ...move, to }];
  const owners = ownersOf(move, report);
  // Nobody has the place of the source yet.
  if (owners.size < slotCount(move.slots)) return [move];
  const bySource = new Map<string, number[]>();
  for (const [slot, owner] of owners) {
    if (owner === to) continue;
    bySource.set(owner, [...(bySource.get(owner) ?? []), slot]);
  }
  return [...bySource].map(([from, slots]) => ({ from, to, slots: rangesOf(slots) }));
}

/** A replica has a master; in the place of a node that is gone is who owns what has moved already. */
function targetNow({ to, ...rest }: SlotMove, report: ClusterReport): string | undefined {
  if (isMaster(to, report)) return to;
  const known = myselfOf(to, report);
  if (known !== undefined) return known.masterId;
  const owners = new Set(ownersOf({ to, ...rest }, report).values());
  // Its source is not meant, whether it is there or has an heir: that owns most of what is left.
  owners.delete(rest.from);
  return owners.size === 1 && isMaster(rest.from, report) ? [...owners][0] : undefined;
}

/** By what each node claims for itself: a node that is importing does not see who else has taken over its source. */
function ownersOf({ slots }: SlotMove, report: ClusterReport): Map<number, string> {
  const wanted = new Set(slotsOf(slots));
  const owners = new Map<number, string>();
  for (const { node } of report.nodes) {
    if (!isMaster(node.id, report)) continue;
    for (const slot of slotsOf(myselfOf(node.id, report)?.slots ?? [])) {
      if (wanted.has(slot)) owners.set(slot, node.id);
    }
  }
  return owners;
}

function isMaster(id: string, report: ClusterReport): boolean {
  return myselfOf(id, report)?.role === 'master';
}

/** Undefined of a node that does not answer. */
function myselfOf(id: string, report: ClusterReport): ClusterNode | undefined {
  return reportOf(report, id)?.own?.view.find(({ isMyself }) => isMyself);
}
