/** What the running nodes say: ready or not, in what role, owning what. */
import {
  type NodeAddress,
  RespClient,
  formatAddress,
  replyFacts,
  replyText,
} from '../../client/index.ts';
import {
  type ClusterNode,
  connectNode,
  formatRanges,
  parseClusterNodes,
  waitUntil,
} from '../cluster/index.ts';
import { ToolError } from '../errors.ts';
import { tableLines } from '../screen.ts';
import { type Ending, type NodeProcess, describeEnding } from './node-process.ts';

/** Waits until a node answers commands. Throws ToolError `LOCAL` when its process ends or the bound passes. */
export async function waitUntilReady(
  node: NodeProcess,
  address: NodeAddress,
  boundMs: number,
): Promise<void> {
  await waitUntil(
    async () => {
      if (node.ending !== undefined) throw startFailure(node, node.ending);
      return answers(address);
    },
    boundMs,
    () => `Node ${node.port} does not answer after ${boundMs} ms: see "${node.logFile}"`,
  );
}

/** Whether every node is in state ok and every replica has its master's data; those that are not, by address. */
export async function notReady(addresses: readonly NodeAddress[]): Promise<readonly string[]> {
  const states = await Promise.all(
    addresses.map(async (address) => {
      const client = await connectNode(address);
      try {
        const [state, replication] = await client.pipeline([
          ['CLUSTER', 'INFO'],
          ['INFO', 'replication'],
        ]);
        const isOk = replyFacts(state).get('cluster_state') === 'ok';
        const link = replyFacts(replication).get('master_link_status') ?? 'up';
        return isOk && link === 'up' ? undefined : client.name;
      } finally {
        client.close();
      }
    }),
  );
  return states.filter((name) => name !== undefined);
}

/** One line a node, in the order of `nodes`, as each one sees itself. */
export async function nodeTable(
  nodes: readonly { readonly address: NodeAddress; readonly pid: number }[],
): Promise<string[]> {
  const views = await Promise.all(
    nodes.map(async ({ address }) => {
      const client = await connectNode(address);
      try {
        return parseClusterNodes(replyText(await client.call('CLUSTER', 'NODES')));
      } finally {
        client.close();
      }
    }),
  );
  const portOf = new Map(views.flat().map(({ id, port }) => [id, port]));
  const rows = nodes.map(({ address, pid }, index) => {
    const myself = views[index]?.find((node) => node.isMyself);
    return [
      myself?.role ?? 'unknown',
      formatAddress(address),
      slotsOrMaster(myself, portOf),
      String(pid),
    ];
  });
  return tableLines(['ROLE', 'ADDRESS', 'SLOTS', 'PID'], rows, [3]);
}

function slotsOrMaster(node: ClusterNode | undefined, portOf: ReadonlyMap<string, number>): string {
  if (node === undefined) return '-';
  if (node.role === 'master') return formatRanges(node.slots, 3);
  return `copies ${portOf.get(node.masterId ?? '') ?? 'nobody'}`;
}

function startFailure(node: NodeProcess, ending: Ending): ToolError {
  if (ending.error !== undefined) {
    const isMissing = 'code' in ending.error && ending.error.code === 'ENOENT';
    const reason = isMissing ? 'no such program' : ending.error.message;
    return new ToolError('LOCAL', `Cannot run "${node.program}": ${reason}`, ending.error);
  }
  return new ToolError(
    'LOCAL',
    `Cannot start node ${node.port}, it ended (${describeEnding(ending)}): ${node.lastWords()}`,
  );
}

async function answers(address: NodeAddress): Promise<boolean> {
  let client: RespClient | undefined;
  try {
    client = await RespClient.connect({ ...address, timeoutMs: 1000 });
    return replyText(await client.call('PING')) === 'PONG';
  } catch {
    // Not listening yet, or loading: the caller asks again and reports after its bound.
    return false;
  } finally {
    client?.close();
  }
}
