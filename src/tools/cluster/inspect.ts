/** A look at a whole cluster: one node names the others, and each is asked for its own view. */
import {
  type NodeAddress,
  RespClient,
  formatAddress,
  replyFacts,
  replyText,
} from '../../client/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import { connectNode, withCredentials } from './connect.ts';
import { type ClusterNode, parseClusterNodes } from './topology.ts';

/** One node: as the node that was asked sees it, and what it says of itself. */
export interface NodeReport {
  readonly node: ClusterNode;
  /** `host:port` under which it was tried. */
  readonly name: string;
  /** Undefined when it could not be asked; then `failure` says why. */
  readonly own: OwnReport | undefined;
  readonly failure: string | undefined;
}

export interface OwnReport {
  readonly client: RespClient;
  readonly view: readonly ClusterNode[];
  readonly isStateOk: boolean;
  /** Of a replica: whether its link to the master is up. */
  readonly isLinkUp: boolean;
  readonly keys: number;
  /** Replication offset, bytes. */
  readonly offset: number;
  /** Of a replica: a full copy is on its way. */
  readonly isSyncing: boolean;
  /** Bytes of memory in use. */
  readonly memory: number;
  readonly currentEpoch: number;
}

export interface ClusterReport {
  /** The node that was asked. */
  readonly seed: NodeReport;
  readonly nodes: readonly NodeReport[];
  /** Address and credentials that answered. */
  readonly address: NodeAddress;
}

/**
 * Asks the first of `seeds` that answers, then every node it names. The connections stay open until `closeReport`.
 * Throws ToolError `NODE_FAILED` when no seed answers or the node is not in cluster mode.
 */
export async function inspectCluster(seeds: readonly NodeAddress[]): Promise<ClusterReport> {
  let failure: unknown;
  for (const address of seeds) {
    let client: RespClient | undefined;
    try {
      client = await connectNode(address);
      const known = parseClusterNodes(replyText(await client.call('CLUSTER', 'NODES')));
      return await askAll(address, known);
    } catch (error) {
      failure ??= asToolError(error, client?.name);
      if (!(failure instanceof ToolError)) throw error;
    } finally {
      client?.close();
    }
  }
  throw failure ?? new ToolError('USAGE', 'No node to ask: name one as host:port');
}

export function closeReport(report: ClusterReport): void {
  for (const { own } of report.nodes) own?.client.close();
}

/** The nodes of a report as the asked node sees them. */
export function nodesOf(report: ClusterReport): ClusterNode[] {
  return report.nodes.map(({ node }) => node);
}

/** The report of one node. */
export function reportOf(report: ClusterReport, id: string): NodeReport | undefined {
  return report.nodes.find(({ node }) => node.id === id);
}

/** Bytes of its master's stream that a replica lacks; undefined of a master, and when one of them could not be asked. */
export function lagOf({ node, own }: NodeReport, report: ClusterReport): number | undefined {
  const master = node.masterId === undefined ? undefined : reportOf(report, node.masterId);
  if (own === undefined || master?.own === undefined) return undefined;
  // They were asked one after the other, so that the replica may seem to be ahead.
  return Math.max(0, master.own.offset - own.offset);
}

async function askAll(address: NodeAddress, known: readonly ClusterNode[]): Promise<ClusterReport> {
  const nodes = await Promise.all(known.map((node) => ask(address, node)));
  const seed = nodes.find(({ node }) => node.isMyself);
  if (seed === undefined) {
    throw new ToolError(
      'NODE_FAILED',
      `Node ${formatAddress(address)} does not name itself in CLUSTER NODES`,
    );
  }
  return { seed, nodes, address };
}

async function ask(seed: NodeAddress, node: ClusterNode): Promise<NodeReport> {
  // The node that was asked is reached as it was; it may not know its own address.
  const where = node.isMyself || node.host === '' ? { host: seed.host, port: node.port } : node;
  const at = node.isMyself ? seed : withCredentials(where, seed);
  const name = formatAddress(at);
  const shown = { ...node, host: at.host, port: at.port };
  if (node.flags.includes('noaddr')) {
    return { node: shown, name, own: undefined, failure: 'its address is not known' };
  }
  let client: RespClient | undefined;
  try {
    client = await connectNode(at);
    return { node: shown, name, own: await readOwn(client), failure: undefined };
  } catch (thrown) {
    client?.close();
    const error = asToolError(thrown, name);
    if (!(error instanceof ToolError)) throw error;
    return { node: shown, name, own: undefined, failure: reasonOf(error.message) };
  }
}

/** The message without the address, which stands beside it wherever it is shown. */
function reasonOf(message: string): string {
  return message.replace(/^Cannot (?:connect|talk|log in) to \S+: /, '');
}

async function readOwn(client: RespClient): Promise<OwnReport> {
  const [nodes, cluster, replication, size, memory] = await client.pipeline([
    ['CLUSTER', 'NODES'],
    ['CLUSTER', 'INFO'],
    ['INFO', 'replication'],
    ['DBSIZE'],
    ['INFO', 'memory'],
  ]);
  const link = replyFacts(replication);
  const facts = replyFacts(cluster);
  const offset = link.get('role') === 'slave' ? 'slave_repl_offset' : 'master_repl_offset';
  return {
    client,
    view: parseClusterNodes(replyText(nodes)),
    isStateOk: facts.get('cluster_state') === 'ok',
    isLinkUp: (link.get('master_link_status') ?? 'up') === 'up',
    keys: typeof size === 'number' ? size : 0,
    offset: Number(link.get(offset) ?? 0),
    isSyncing: link.get('master_sync_in_progress') === '1',
    memory: Number(replyFacts(memory).get('used_memory') ?? 0),
    currentEpoch: Number(facts.get('cluster_current_epoch') ?? 0),
  };
}
