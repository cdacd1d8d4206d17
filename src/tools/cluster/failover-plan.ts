/** Which replica takes over, and whether it can. Pure. */
import type { ClusterReport, NodeReport } from './inspect.ts';
import { reportOf } from './inspect.ts';

/**
 * `coordinated`: the master hands over and no write is lost. `force`: without the master, with the votes of the other
 * masters. `takeover`: without anybody's agreement.
 */
export type FailoverMode = 'coordinated' | 'force' | 'takeover';

export type FailoverDecision =
  | {
      readonly kind: 'plan';
      readonly replica: NodeReport;
      readonly master: NodeReport;
      /** The user named the master, and this replica was chosen. */
      readonly isChosen: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** The failover meant by the node that was asked: itself when it is a replica, else its most up-to-date replica. */
export function planFailover(report: ClusterReport, mode: FailoverMode): FailoverDecision {
  const { seed } = report;
  if (seed.node.role === 'replica') {
    const master = reportOf(report, seed.node.masterId ?? '');
    if (master === undefined) return refused(`${seed.name} does not know its master`);
    return checkLink({ replica: seed, master, isChosen: false }, mode);
  }
  const candidates = report.nodes.filter(
    ({ node, own }) => node.masterId === seed.node.id && own !== undefined,
  );
  const [first, ...rest] = candidates;
  if (first === undefined) {
    return refused(
      `master ${seed.name} has no replica that answers: add one with "slotline cluster add-node --replica-of"`,
    );
  }
  const best = rest.reduce((a, b) => (rank(b) > rank(a) ? b : a), first);
  return checkLink({ replica: best, master: seed, isChosen: true }, mode);
}

function checkLink(
  plan: { replica: NodeReport; master: NodeReport; isChosen: boolean },
  mode: FailoverMode,
): FailoverDecision {
  const { replica, master } = plan;
  if (mode !== 'coordinated' || replica.own?.isLinkUp === true) return { kind: 'plan', ...plan };
  return refused(
    `${replica.name} has no link to its master ${master.name}: wait for it, or use --force when the master cannot be reached`,
  );
}

/** Up-to-date replicas first, those with a link to the master before the others. */
function rank({ own }: NodeReport): number {
  if (own === undefined) return -1;
  return own.isLinkUp ? Number.MAX_SAFE_INTEGER / 2 + own.offset : own.offset;
}

function refused(reason: string): FailoverDecision {
  return { kind: 'refused', reason };
}
