/** `slotline cluster check` and `info`: what the cluster looks like and what is wrong with it. */
import { SLOT_COUNT } from '../../base/index.ts';
import type { NodeAddress } from '../../client/index.ts';
import type { ExitStatus } from '../errors.ts';
import { type Screen, tableLines } from '../screen.ts';
import { type Finding, findProblems, hasErrors } from './findings.ts';
import {
  type ClusterReport,
  type NodeReport,
  closeReport,
  inspectCluster,
  lagOf,
  nodesOf,
} from './inspect.ts';
import { formatRanges, slotCount } from './slot-ranges.ts';
import { replicasOf, shortId } from './topology.ts';

const RANGES_SHOWN = 3;
const MEGABYTE = 1 << 20;

/** One node of the JSON result. */
interface NodeLine {
  readonly id: string;
  readonly address: string;
  readonly role: 'master' | 'replica';
  readonly flags: readonly string[];
  readonly slots: string;
  readonly slotCount: number;
  readonly masterId: string | undefined;
  /** Undefined when the node could not be asked. */
  readonly keys: number | undefined;
  readonly memory: number | undefined;
  /** Of a replica: whether it has a link to its master, and the bytes it is behind. */
  readonly link: 'up' | 'syncing' | 'down' | undefined;
  readonly lagBytes: number | undefined;
  readonly configEpoch: number;
}

/** Status 0 when nothing is wrong, 1 with errors among the findings. Throws ToolError. */
export async function checkCluster(
  seeds: readonly NodeAddress[],
  screen: Screen,
): Promise<ExitStatus> {
  const report = await inspectCluster(seeds);
  closeReport(report);
  const findings = findProblems(report);
  const isOk = !hasErrors(findings);
  screen.json({ ok: isOk, nodes: nodeLines(report), findings });
  showNodes(report, screen);
  screen.out('');
  showFindings(findings, screen);
  if (isOk) {
    screen.out(
      `${screen.paint('green', 'OK')} all ${SLOT_COUNT} slots have one owner, and all nodes agree`,
    );
  }
  return isOk ? 0 : 1;
}

/** Masters with their slots, keys and replicas. Status 1 when a node could not be asked. Throws ToolError. */
export async function showInfo(seeds: readonly NodeAddress[], screen: Screen): Promise<ExitStatus> {
  const report = await inspectCluster(seeds);
  closeReport(report);
  const nodes = nodesOf(report);
  const masters = report.nodes.filter(({ node }) => node.role === 'master');
  const rows = masters.map(({ node, name, own }) => [
    name,
    shortId(node.id),
    String(slotCount(node.slots)),
    own === undefined ? '?' : String(own.keys),
    own === undefined ? '?' : (own.memory / MEGABYTE).toFixed(1),
    String(replicasOf(node, nodes).length),
  ]);
  const keys = masters.reduce((sum, { own }) => sum + (own?.keys ?? 0), 0);
  const silent = report.nodes.filter(({ own }) => own === undefined);
  screen.json({ ok: silent.length === 0, keys, nodes: nodeLines(report) });
  const header = ['MASTER', 'ID', 'SLOTS', 'KEYS', 'MB', 'REPLICAS'];
  for (const line of tableLines(header, rows, [2, 3, 4, 5])) screen.out(line);
  screen.out('');
  screen.out(`${keys} keys in ${masters.length} masters`);
  for (const { name, failure } of silent) screen.note(`Cannot ask ${name}: ${failure ?? ''}`);
  return silent.length === 0 ? 0 : 1;
}

/** The findings as lines, errors in red. */
export function showFindings(findings: readonly Finding[], screen: Screen): void {
  for (const { severity, message } of findings) {
    const isError = severity === 'error';
    screen.out(
      `${screen.paint(isError ? 'red' : 'yellow', isError ? 'PROBLEM' : 'WARNING')} ${message}`,
    );
  }
}

function showNodes(report: ClusterReport, screen: Screen): void {
  const nodes = nodesOf(report);
  const nameOf = new Map(report.nodes.map(({ node, name }) => [node.id, name]));
  const masters = report.nodes.filter(({ node }) => node.role === 'master');
  const replicas = report.nodes.filter(({ node }) => node.role === 'replica');
  const rows = [...masters, ...replicas].map(({ node, name, own, failure }) => [
    node.role,
    name,
    shortId(node.id),
    node.role === 'master'
      ? formatRanges(node.slots, RANGES_SHOWN)
      : `copies ${nameOf.get(node.masterId ?? '') ?? 'nobody'}`,
    own === undefined ? '?' : String(own.keys),
    node.role === 'master' ? String(replicasOf(node, nodes).length) : '',
    stateText({ node, name, own, failure }, report),
  ]);
  const header = ['ROLE', 'ADDRESS', 'ID', 'SLOTS', 'KEYS', 'REPLICAS', 'STATE'];
  for (const line of tableLines(header, rows, [4, 5])) screen.out(line);
}

/** `ok`, or what is wrong; of a replica how far it is behind. */
function stateText(each: NodeReport, report: ClusterReport): string {
  if (each.own === undefined) return each.node.flags.includes('fail') ? 'FAIL' : 'no answer';
  const link = linkOf(each);
  if (link === undefined) return each.own.isStateOk ? 'ok' : 'cluster down';
  const lag = lagOf(each, report);
  return link === 'up' && lag !== undefined ? `${lag} bytes behind` : `link ${link}`;
}

function linkOf({ node, own }: NodeReport): NodeLine['link'] {
  if (own === undefined || node.role === 'master') return undefined;
  if (own.isLinkUp) return 'up';
  return own.isSyncing ? 'syncing' : 'down';
}

function nodeLines(report: ClusterReport): NodeLine[] {
  return report.nodes.map(({ node, name, own, failure }) => ({
    id: node.id,
    address: name,
    role: node.role,
    flags: node.flags,
    slots: formatRanges(node.slots),
    slotCount: slotCount(node.slots),
    masterId: node.masterId,
    keys: own?.keys,
    memory: own?.memory,
    link: linkOf({ node, name, own, failure }),
    lagBytes: lagOf({ node, name, own, failure }, report),
    configEpoch: node.configEpoch,
  }));
}
