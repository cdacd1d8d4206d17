/** What is wrong with a cluster, from a look at all its nodes. Pure. */
import { SLOT_COUNT } from '../../base/index.ts';
import { type ClusterReport, type NodeReport, lagOf } from './inspect.ts';
import { type SlotRange, formatRanges, missingRanges, slotCount } from './slot-ranges.ts';
import { type ClusterNode, replicasOf, shortId } from './topology.ts';

export interface Finding {
  /** An error makes `check` end with status 1; a warning does not. */
  readonly severity: 'error' | 'warning';
  readonly code:
    | 'unreachable'
    | 'stateNotOk'
    | 'slotsMissing'
    | 'slotsTwice'
    | 'viewsDiffer'
    | 'membersDiffer'
    | 'slotOpen'
    | 'linkNotUp'
    | 'noReplica'
    | 'sameHost'
    | 'lagging'
    | 'epochTwice'
    | 'fewMasters';
  /** One line that names the nodes. */
  readonly message: string;
}

const RANGES_SHOWN = 5;
/** A replica that is further behind would lose much if it had to take over now. */
const LAG_BYTES_MAX = 16 << 20;
/** Fewer masters cannot agree on the failure of one of them. */
const MASTERS_MIN = 3;

/** All findings, errors first. */
export function findProblems(report: ClusterReport): Finding[] {
  const found = [
    ...report.nodes.flatMap((each) => nodeFindings(each)),
    ...slotFindings(report),
    ...viewFindings(report),
    ...openSlotFindings(report),
    ...shapeFindings(report),
    ...replicaFindings(report),
  ];
  return [
    ...found.filter(({ severity }) => severity === 'error'),
    ...found.filter(({ severity }) => severity === 'warning'),
  ];
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}

function nodeFindings({ node, name, own, failure }: NodeReport): Finding[] {
  if (own === undefined) {
    const flag = node.flags.includes('fail') ? ', marked FAIL by the cluster' : '';
    const message = `${node.role} ${name} (${shortId(node.id)}) cannot be reached${flag}: ${failure ?? ''}`;
    return [{ severity: 'error', code: 'unreachable', message }];
  }
  const found: Finding[] = [];
  if (!own.isStateOk) {
    found.push({ severity: 'error', code: 'stateNotOk', message: `${name} is not in state ok` });
  }
  if (!own.isLinkUp) {
    const state = own.isSyncing ? ', a full copy is on its way' : '';
    const message = `replica ${name} has no link to its master${state}`;
    found.push({ severity: 'error', code: 'linkNotUp', message });
  }
  return found;
}

/** Owners by what every node claims for itself, which is what clients are answered with. */
function slotFindings({ nodes }: ClusterReport): Finding[] {
  const found: Finding[] = [];
  const claims = nodes.map((each) => ({ name: each.name, slots: claimOf(each) }));
  const missing = missingRanges(claims.flatMap(({ slots }) => slots));
  if (missing.length > 0) {
    const which = formatRanges(missing, RANGES_SHOWN);
    const message = `${slotCount(missing)} of ${SLOT_COUNT} slots have no owner: ${which}`;
    found.push({ severity: 'error', code: 'slotsMissing', message });
  }
  for (const [index, a] of claims.entries()) {
    for (const b of claims.slice(index + 1)) {
      const shared = overlap(a.slots, b.slots);
      if (shared.length === 0) continue;
      const message = `${a.name} and ${b.name} both claim slots ${formatRanges(shared, RANGES_SHOWN)}`;
      found.push({ severity: 'error', code: 'slotsTwice', message });
    }
  }
  return found;
}

/** What a node says that it owns; of one that cannot be asked, what the asked node says. */
function claimOf({ node, own }: NodeReport): readonly SlotRange[] {
  if (own !== undefined) return own.view.find(({ isMyself }) => isMyself)?.slots ?? [];
  // A master marked FAIL serves nobody, whatever it owns.
  return node.flags.includes('fail') ? [] : node.slots;
}

function viewFindings({ nodes, seed }: ClusterReport): Finding[] {
  const found: Finding[] = [];
  const wanted = seed.own === undefined ? undefined : ownersText(seed.own.view);
  const nameOf = new Map(nodes.map(({ node, name }) => [node.id, name]));
  const all = nodes.flatMap(({ own }) => own?.view ?? []);
  for (const { name, own } of nodes) {
    if (own === undefined) continue;
    if (wanted !== undefined && ownersText(own.view) !== wanted) {
      const message = `${name} and ${seed.name} do not agree who owns which slots`;
      found.push({ severity: 'error', code: 'viewsDiffer', message });
    }
    const missing = membersOf(all).filter((id) => !membersOf(own.view).includes(id));
    if (missing.length > 0) {
      const names = missing.map((id) => nameOf.get(id) ?? shortId(id)).join(', ');
      const message = `${name} does not know ${names}`;
      found.push({ severity: 'error', code: 'membersDiffer', message });
    }
  }
  return found;
}

/** Who owns what in a view, the same text for the same owners. */
export function ownersText(view: readonly ClusterNode[]): string {
  const owners = view.filter(({ slots }) => slots.length > 0);
  return owners
    .map(({ id, slots }) => `${id} ${formatRanges(slots)}`)
    .sort()
    .join('\n');
}

/** Ids of those that have joined, each once. */
function membersOf(view: readonly ClusterNode[]): string[] {
  const members = view.filter(({ flags }) => !flags.includes('handshake'));
  return [...new Set(members.map(({ id }) => id))];
}

function openSlotFindings({ nodes }: ClusterReport): Finding[] {
  return nodes.flatMap(({ name, own }) => {
    const open = own?.view.find(({ isMyself }) => isMyself)?.open ?? [];
    return open.map(({ slot, direction, peerId }): Finding => {
      const peer = nodes.find(({ node }) => node.id === peerId)?.name ?? shortId(peerId);
      const way = direction === 'migrating' ? `migrating to ${peer}` : `importing from ${peer}`;
      const message = `slot ${slot} is open on ${name}: ${way}`;
      return { severity: 'error', code: 'slotOpen', message };
    });
  });
}

function shapeFindings(report: ClusterReport): Finding[] {
  const found: Finding[] = [];
  const all = report.nodes.map(({ node }) => node);
  const owners = all.filter(({ role, slots }) => role === 'master' && slots.length > 0);
  if (owners.length < MASTERS_MIN) {
    const message = `${owners.length} masters with slots: at least ${MASTERS_MIN} are needed to agree on a failover`;
    found.push({ severity: 'warning', code: 'fewMasters', message });
  }
  for (const master of owners) {
    if (replicasOf(master, all).length > 0) continue;
    const message = `master ${master.host}:${master.port} has no replica`;
    found.push({ severity: 'warning', code: 'noReplica', message });
  }
  for (const [index, a] of owners.entries()) {
    const twin = owners.slice(index + 1).find(({ configEpoch }) => configEpoch === a.configEpoch);
    if (twin === undefined) continue;
    const message = `${a.host}:${a.port} and ${twin.host}:${twin.port} have the same configEpoch ${a.configEpoch}, which settles by itself`;
    found.push({ severity: 'warning', code: 'epochTwice', message });
  }
  return found;
}

function replicaFindings(report: ClusterReport): Finding[] {
  const found: Finding[] = [];
  // On one machine there is nothing to avoid, and whoever does that knows.
  const areSpread = new Set(report.nodes.map(({ node }) => node.host)).size > 1;
  for (const replica of report.nodes) {
    const master = report.nodes.find(({ node }) => node.id === replica.node.masterId);
    if (master === undefined) continue;
    if (areSpread && master.node.host === replica.node.host) {
      const message = `${replica.name} copies ${master.name} on the same host: they fail together`;
      found.push({ severity: 'warning', code: 'sameHost', message });
    }
    const lag = lagOf(replica, report) ?? 0;
    if (lag > LAG_BYTES_MAX && replica.own?.isLinkUp === true) {
      const message = `${replica.name} is ${lag} bytes behind ${master.name}`;
      found.push({ severity: 'warning', code: 'lagging', message });
    }
  }
  return found;
}

function overlap(a: readonly SlotRange[], b: readonly SlotRange[]): SlotRange[] {
  const shared: SlotRange[] = [];
  for (const [firstA, lastA] of a) {
    for (const [firstB, lastB] of b) {
      const first = Math.max(firstA, firstB);
      const last = Math.min(lastA, lastB);
      if (first <= last) shared.push([first, last]);
    }
  }
  return shared;
}
