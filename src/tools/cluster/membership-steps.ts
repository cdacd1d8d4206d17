/** Nodes that come, copy and go: the steps of a plan that change who is in the cluster. */
import { type RespClient, parseAddress, replyText } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { callNode, connectNode, resolveIp, waitUntil, withCredentials } from './connect.ts';
import { type NodeFacts, nodeRefusal } from './create-plan.ts';
import { greet, readFacts, waitForCopy, waitForJoin, waitForState } from './create-run.ts';
import { type ClusterReport, type OwnReport, reportOf } from './inspect.ts';
import { clientOf, reachable } from './slot-mover.ts';
import { isUsable, parseClusterNodes } from './topology.ts';

export interface MembershipContext {
  readonly report: ClusterReport;
  readonly timeoutMs: number;
  readonly screen: Screen;
}

/** Above so many nodes gossip spreads the word about a new one. */
const MEET_NODES_MAX = 40;

/** Lets an empty node join, with the cluster's functions, and waits until everybody knows it. Throws ToolError. */
export async function joinNode(
  { node, address }: { readonly node: string; readonly address: string },
  { report, timeoutMs }: MembershipContext,
): Promise<void> {
  const at = withCredentials(parseAddress(address), report.address);
  const client = await connectNode(at);
  try {
    const facts = await readFacts(client, at);
    if (facts.id !== node) {
      throw new ToolError('NODES_REFUSED', `Cannot go on: ${address} is another node by now`);
    }
    if (reportOf(report, node) === undefined) {
      const isOnItsWay = await knowsOnlyMembers(client, report);
      const refusal = nodeRefusal(isOnItsWay ? { ...facts, knownNodes: 1 } : facts);
      if (refusal !== undefined) throw new ToolError('NODES_REFUSED', `Cannot go on: ${refusal}`);
    }
    await introduce(client, facts, report, timeoutMs);
    // Where slots have no owner nobody is in state ok, and the newcomer may be the one who gets them.
    if (ownReports(report).some(({ isStateOk }) => isStateOk))
      await waitForState(client, timeoutMs);
    await copyFunctions(client, report);
  } finally {
    client.close();
  }
}

/** A run that ended in the middle of a join has introduced the node to some members of this cluster, and to nobody else. */
async function knowsOnlyMembers(client: RespClient, report: ClusterReport): Promise<boolean> {
  const view = parseClusterNodes(replyText(await callNode(client, 'CLUSTER', 'NODES')));
  const members = await Promise.all(
    report.nodes.map(async ({ node }) => `${await resolveIp(node.host)} ${node.port}`),
  );
  return view.every(({ isMyself, host, port }) => isMyself || members.includes(`${host} ${port}`));
}

/** Makes a node copy a master and waits until it has the data and all know of it. Throws ToolError. */
export async function replicateNode(
  { node, master }: { readonly node: string; readonly master: string },
  { report, timeoutMs }: MembershipContext,
): Promise<void> {
  const client = clientOf(reachable(report, node));
  await callNode(client, 'CLUSTER', 'REPLICATE', master);
  await waitForCopy(client, timeoutMs);
  const name = client.name;
  await Promise.all(
    ownReports(report).map((own) =>
      waitUntil(
        async () => {
          const view = parseClusterNodes(replyText(await callNode(own.client, 'CLUSTER', 'NODES')));
          return view.find(({ id }) => id === node)?.masterId === master;
        },
        timeoutMs,
        () => `${own.client.name} does not know ${name} as a replica after ${timeoutMs} ms`,
      ),
    ),
  );
}

/** Resets a node when it answers and takes it out of every table. Throws ToolError. */
export async function forgetNode(
  node: string,
  { report, timeoutMs, screen }: MembershipContext,
): Promise<void> {
  await waitUntilNotCopied(node, report, timeoutMs);
  const leaving = reportOf(report, node);
  // Reset first: once the others have forgotten it, a run that goes on from here would not find it any more.
  if (leaving?.own !== undefined) await callNode(leaving.own.client, 'CLUSTER', 'RESET', 'SOFT');
  else if (leaving !== undefined) {
    screen.note(`${leaving.name} cannot be asked, so it was not reset`);
  }
  const others = report.nodes.filter((each) => each.node.id !== node);
  await Promise.all(
    others.map(async ({ own }) => {
      if (own !== undefined) await forget(own.client, node);
    }),
  );
  for (const { name } of others.filter(({ own }) => own === undefined)) {
    screen.note(
      `${name} could not be asked to forget it; send it CLUSTER FORGET ${node} when it is back`,
    );
  }
}

/** Replicas of a master that was taken over from follow the new one by themselves, in a moment. */
async function waitUntilNotCopied(
  node: string,
  report: ClusterReport,
  timeoutMs: number,
): Promise<void> {
  const replicas = report.nodes.filter((each) => each.node.masterId === node);
  await Promise.all(
    replicas.map(({ node: { id }, name, own }) =>
      waitUntil(
        async () => {
          if (own === undefined) return true;
          const view = parseClusterNodes(replyText(await callNode(own.client, 'CLUSTER', 'NODES')));
          return view.find((each) => each.id === id)?.masterId !== node;
        },
        timeoutMs,
        () => `${name} still copies the node that leaves after ${timeoutMs} ms`,
      ),
    ),
  );
}

async function introduce(
  client: RespClient,
  facts: NodeFacts,
  report: ClusterReport,
  timeoutMs: number,
): Promise<void> {
  const members = await Promise.all(
    report.nodes
      .filter(({ node, own }) => own !== undefined && isUsable(node) && node.id !== facts.id)
      .map(async ({ node: { id, host, port, busPort } }) => ({
        id,
        ip: await resolveIp(host),
        port,
        busPort,
      })),
  );
  await greet(client, members.slice(0, MEET_NODES_MAX));
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
    if (Buffer.isBuffer(dump)) await client.call('FUNCTION', 'RESTORE', dump, 'REPLACE');
  } catch (error) {
    // A server without functions has none to copy.
    const isUnknown = error instanceof ReplyError && /unknown command/i.test(error.message);
    if (!isUnknown) throw asToolError(error, client.name);
  }
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
