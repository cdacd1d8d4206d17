/** `slotline cluster add-node` and `del-node`: one node comes, one node goes, and everyone knows of it at the end. */
import { type NodeAddress, RespClient } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { callNode, connectNode, resolveIp } from './connect.ts';
import { type NodeFacts, isLoopback, nodeRefusal } from './create-plan.ts';
import { readFacts, waitForCopy, waitForJoin, waitForState } from './create-run.ts';
import { findProblems } from './findings.ts';
import {
  type ClusterReport,
  type OwnReport,
  closeReport,
  inspectCluster,
  nodesOf,
  reportOf,
} from './inspect.ts';
import { type RemovalPlan, chooseMaster, planRemoval } from './membership-plan.ts';
import { type ClusterNode, isUsable } from './topology.ts';

export interface AddNodeOptions {
  readonly newNode: NodeAddress;
  /** Any nodes of the cluster; the first that answers is asked. */
  readonly existing: readonly NodeAddress[];
  readonly isReplica: boolean;
  /** Id, beginning of an id or `host:port` of the master to copy; undefined: the one with the fewest replicas. */
  readonly masterReference: string | undefined;
  readonly timeoutMs: number;
}

export interface DelNodeOptions {
  readonly existing: readonly NodeAddress[];
  /** Id, beginning of an id or `host:port` of the node that goes. */
  readonly reference: string;
}

/** Above so many nodes gossip spreads the word about a new one. */
const MEET_NODES_MAX = 40;

/** Adds an empty node as a master without slots or as a replica. Throws ToolError. */
export async function addNode(options: AddNodeOptions, screen: Screen): Promise<ExitStatus> {
  const startedMs = performance.now();
  const client = await connectNode(options.newNode);
  try {
    const report = await inspectCluster(options.existing);
    try {
      const facts = await readFacts(client, options.newNode);
      const master = await planAddition(facts, report, options);
      await join(client, facts, { report, timeoutMs: options.timeoutMs, screen });
      if (master === undefined) {
        await copyFunctions(client, report);
        await waitForState(client, options.timeoutMs);
      } else {
        screen.note(`Attaching it to ${master.host}:${master.port} and copying the data`);
        await callNode(client, 'CLUSTER', 'REPLICATE', master.id);
        await waitForCopy(client, options.timeoutMs);
      }
      const role = master === undefined ? 'master' : 'replica';
      const durationMs = Math.round(performance.now() - startedMs);
      const { id, name } = facts;
      screen.json({ ok: true, id, address: name, role, masterId: master?.id, durationMs });
      const what =
        master === undefined
          ? 'a master without slots'
          : `a replica of ${master.host}:${master.port}`;
      screen.out(
        `${screen.paint('green', 'OK')} ${name} is ${what} (${(durationMs / 1000).toFixed(1)} s)`,
      );
      return 0;
    } finally {
      closeReport(report);
    }
  } finally {
    client.close();
  }
}

/** Takes a node without slots out of the cluster and resets it. Throws ToolError. */
export async function delNode(options: DelNodeOptions, screen: Screen): Promise<ExitStatus> {
  const report = await inspectCluster(options.existing);
  try {
    const plan = planRemoval(nodesOf(report), options.reference);
    if (plan.kind === 'refused') {
      const code = plan.because === 'usage' ? 'USAGE' : 'NODES_REFUSED';
      throw new ToolError(code, `Cannot remove the node: ${plan.reason}`);
    }
    await carryOutRemoval(plan, report, screen);
    return 0;
  } finally {
    closeReport(report);
  }
}

/** The master to copy, undefined for a new master. Throws when the node or the cluster is not fit for it. */
async function planAddition(
  facts: NodeFacts,
  report: ClusterReport,
  { isReplica, masterReference }: AddNodeOptions,
): Promise<ClusterNode | undefined> {
  const refusal = nodeRefusal(facts);
  if (refusal !== undefined) throw refused(refusal);
  const problem = findProblems(report).find(({ severity }) => severity === 'error');
  if (problem !== undefined) {
    throw refused(
      `the cluster has problems to mend first: ${problem.message}; see "slotline cluster check ${report.seed.name}"`,
    );
  }
  const ip = await resolveIp(report.seed.node.host);
  if (isLoopback(facts.ip) !== isLoopback(ip)) {
    throw refused(
      `${facts.name} and ${report.seed.name} cannot reach each other, one is a loopback address: name the address the others use`,
    );
  }
  if (!isReplica && masterReference === undefined) return undefined;
  const choice = chooseMaster(nodesOf(report), masterReference);
  if (choice.kind === 'refused')
    throw new ToolError('USAGE', `Cannot add the node: ${choice.reason}`);
  return choice.master;
}

interface JoinContext {
  readonly report: ClusterReport;
  readonly timeoutMs: number;
  readonly screen: Screen;
}

async function join(
  client: RespClient,
  facts: NodeFacts,
  { report, timeoutMs, screen }: JoinContext,
): Promise<void> {
  screen.note(`Introducing ${facts.name} to ${report.nodes.length} nodes`);
  const members = await Promise.all(
    nodesOf(report)
      .filter((node) => isUsable(node))
      .map(async ({ id, host, port, busPort }) => ({
        id,
        ip: await resolveIp(host),
        port,
        busPort,
      })),
  );
  for (const { ip, port, busPort } of members.slice(0, MEET_NODES_MAX)) {
    await callNode(client, 'CLUSTER', 'MEET', ip, port, busPort);
  }
  await waitForJoin({ client, nodes: members, timeoutMs });
  // A reshard or a failover right after this must find a node that everybody knows.
  await Promise.all(
    ownReports(report).map((own) => waitForJoin({ client: own.client, nodes: [facts], timeoutMs })),
  );
}

/** A new master needs the cluster's functions, which replicas get with the data. Source: redis-cli --cluster add-node. */
async function copyFunctions(client: RespClient, report: ClusterReport): Promise<void> {
  const source = report.nodes.find(({ node, own }) => node.role === 'master' && own !== undefined);
  if (source?.own === undefined) return;
  try {
    const dump = await source.own.client.call('FUNCTION', 'DUMP');
    if (Buffer.isBuffer(dump)) await client.call('FUNCTION', 'RESTORE', dump);
  } catch (error) {
    // A server without functions has none to copy.
    const isUnknown = error instanceof ReplyError && /unknown command/i.test(error.message);
    if (!isUnknown) throw asToolError(error, client.name);
  }
}

async function carryOutRemoval(
  { node, moves }: RemovalPlan,
  report: ClusterReport,
  screen: Screen,
): Promise<void> {
  const name = `${node.host}:${node.port}`;
  for (const { replica, master } of moves) {
    const own = reportOf(report, replica.id)?.own;
    if (own === undefined) {
      throw refused(
        `replica ${replica.host}:${replica.port} of it cannot be asked to copy another master`,
      );
    }
    screen.note(`${replica.host}:${replica.port} copies ${master.host}:${master.port} from now on`);
    await callNode(own.client, 'CLUSTER', 'REPLICATE', master.id);
  }
  const others = report.nodes.filter((each) => each.node.id !== node.id);
  const silent = others.filter(({ own }) => own === undefined);
  await Promise.all(
    others.map(async ({ own }) => {
      if (own !== undefined) await forget(own.client, node.id);
    }),
  );
  for (const each of silent) {
    screen.note(
      `${each.name} could not be asked to forget it; send it CLUSTER FORGET ${node.id} when it is back`,
    );
  }
  const leaving = reportOf(report, node.id)?.own;
  if (leaving === undefined) screen.note(`${name} cannot be asked, so it was not reset`);
  else await callNode(leaving.client, 'CLUSTER', 'RESET', 'SOFT');
  screen.json({
    ok: true,
    id: node.id,
    address: name,
    isReset: leaving !== undefined,
    moved: moves.map(({ replica, master }) => ({ replicaId: replica.id, masterId: master.id })),
    notAsked: silent.map((each) => each.name),
  });
  screen.out(`${screen.paint('green', 'OK')} ${name} is no longer part of the cluster`);
}

/** A node that does not know it has nothing to forget. */
async function forget(client: RespClient, id: string): Promise<void> {
  try {
    await client.call('CLUSTER', 'FORGET', id);
  } catch (error) {
    const isUnknown = error instanceof ReplyError && /unknown node/i.test(error.message);
    if (!isUnknown) throw asToolError(error, client.name);
  }
}

function ownReports(report: ClusterReport): OwnReport[] {
  return report.nodes.map(({ own }) => own).filter((own) => own !== undefined);
}

function refused(reason: string): ToolError {
  return new ToolError('NODES_REFUSED', `Cannot go on: ${reason}`);
}
