/** `slotline cluster create`: plan, show, ask, carry out. */
import { confirm } from '../confirm.ts';
import { type Screen, tableLines } from '../screen.ts';
import {
  type CreateOptions,
  type CreateSession,
  carryOutCreate,
  closeAll,
  prepareCreate,
} from './create-run.ts';
import type { CreatePlan } from './create-plan.ts';
import { formatRanges } from './slot-ranges.ts';
import { shortId } from './topology.ts';

export interface CreateToolOptions extends CreateOptions {
  /** Does not ask before it begins. */
  readonly isConfirmed: boolean;
  /** Shows the plan and does nothing. */
  readonly isDryRun: boolean;
}

/** A node as the JSON result names it. `slots` of a master, `masterId` of a replica. */
export interface CreatedNode {
  readonly id: string;
  readonly address: string;
  readonly role: 'master' | 'replica';
  readonly slots?: string;
  readonly masterId?: string;
}

export interface CreateResult {
  readonly ok: boolean;
  readonly isDryRun: boolean;
  readonly nodes: readonly CreatedNode[];
  readonly warnings: readonly string[];
  readonly durationMs: number;
}

/** Creates a cluster and answers its nodes. Throws ToolError. */
export async function createCluster(
  options: CreateToolOptions,
  screen: Screen,
): Promise<CreateResult> {
  const session = await prepareCreate(options);
  try {
    showPlan(session.plan, screen);
    if (options.isDryRun) return report(session, { screen, isDryRun: true, startedMs: 0 });
    if (!options.isConfirmed) await confirm('Create this cluster?', screen);
    const startedMs = performance.now();
    await carryOutCreate(session, options.timeoutMs, screen);
    return report(session, { screen, isDryRun: false, startedMs });
  } finally {
    closeAll(session.clients.values());
  }
}

/** The nodes of a plan, masters first. */
export function plannedNodes(plan: CreatePlan): CreatedNode[] {
  const masters = plan.masters.map(({ node, slots }): CreatedNode => ({
    id: node.id,
    address: node.name,
    role: 'master',
    slots: formatRanges([slots]),
  }));
  const replicas = plan.replicas.map(({ node, master }): CreatedNode => ({
    id: node.id,
    address: node.name,
    role: 'replica',
    masterId: master.id,
  }));
  return [...masters, ...replicas];
}

function showPlan(plan: CreatePlan, screen: Screen): void {
  const nodes = plannedNodes(plan);
  const addressOf = new Map(nodes.map(({ id, address }) => [id, address]));
  const rows = nodes.map(({ id, address, role, slots, masterId }) => [
    role,
    address,
    shortId(id),
    slots ?? '-',
    addressOf.get(masterId ?? '') ?? '-',
  ]);
  for (const line of tableLines(['ROLE', 'ADDRESS', 'ID', 'SLOTS', 'COPIES'], rows))
    screen.out(line);
  for (const warning of plan.warnings) screen.note(`Warning: ${warning}`);
}

function report(
  { plan }: CreateSession,
  { screen, isDryRun, startedMs }: { screen: Screen; isDryRun: boolean; startedMs: number },
): CreateResult {
  const durationMs = isDryRun ? 0 : Math.round(performance.now() - startedMs);
  const nodes = plannedNodes(plan);
  const result = { ok: true, isDryRun, nodes, warnings: plan.warnings, durationMs };
  screen.json(result);
  if (isDryRun) screen.out('Dry run: nothing was changed');
  else {
    const done = `Cluster of ${plan.masters.length} masters and ${plan.replicas.length} replicas is ready`;
    screen.out(`${screen.paint('green', 'OK')} ${done} (${(durationMs / 1000).toFixed(1)} s)`);
  }
  return result;
}
