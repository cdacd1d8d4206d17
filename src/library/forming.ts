/** Makes a cluster of nodes that do not know each other, with the commands that an operator would give. */
import { SLOT_COUNT } from '../base/index.ts';
import { replyText } from '../client/index.ts';
import { isWhole } from './agreement.ts';
import type { LocalNode } from './local-node.ts';
import { poll } from './waiting.ts';

/**
 * A master serves nothing for a while after its start and after it saw no majority, because others may know better.
 * Nobody does before there is a cluster, so each node skips the longer one while it is alone. Source: behaviour of 7.0,
 * 2 s after the start, up to 5 s after a minority.
 */
const ALONE_SKIP_MS = 5000;

export interface Forming {
  /** Masters first; then the replicas of the first master, those of the second, and so on. */
  readonly nodes: readonly LocalNode[];
  readonly masterCount: number;
  readonly timeoutMs: number;
}

/** Gives the nodes by their ids once the cluster is whole. */
export async function formCluster(forming: Forming): Promise<Map<string, LocalNode>> {
  const { nodes, masterCount, timeoutMs } = forming;
  const ids = await Promise.all(
    nodes.map(async (node) => replyText(await node.call('CLUSTER', 'MYID'))),
  );
  const byId = new Map(nodes.map((node, index) => [ids[index] ?? '', node]));
  await Promise.all(nodes.map((node, index) => prepare(forming, node, index)));
  for (const node of nodes) node.skip(ALONE_SKIP_MS);
  await Promise.all(nodes.map((node, index) => introduce(nodes, node, index)));
  await poll(() => allKnow(nodes, ids), timeoutMs, `${nodes.length} nodes know each other`);
  const perMaster = (nodes.length - masterCount) / masterCount;
  await Promise.all(
    nodes.slice(masterCount).map((node, index) => {
      const masterId = ids[Math.floor(index / perMaster)] ?? '';
      return node.call('CLUSTER', 'REPLICATE', masterId);
    }),
  );
  await poll(() => isWhole(byId), timeoutMs, 'the cluster is ok');
  return byId;
}

/** Gives a node its epoch and its share of the slots. */
async function prepare(forming: Forming, node: LocalNode, index: number): Promise<void> {
  await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  const { masterCount } = forming;
  if (index >= masterCount) return;
  const first = Math.floor((index * SLOT_COUNT) / masterCount);
  const last = Math.floor(((index + 1) * SLOT_COUNT) / masterCount) - 1;
  await node.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
}

/** Makes a node and all that come before it known to each other. */
async function introduce(
  nodes: readonly LocalNode[],
  node: LocalNode,
  index: number,
): Promise<void> {
  for (const other of nodes.slice(0, index)) {
    await node.call('CLUSTER', 'MEET', '127.0.0.1', other.port, other.busPort);
  }
}

async function allKnow(nodes: readonly LocalNode[], ids: readonly string[]): Promise<boolean> {
  const views = await Promise.all(
    nodes.map(async (node) => replyText(await node.call('CLUSTER', 'NODES'))),
  );
  return views.every((view) => {
    const lines = view.split('\n').filter((line) => line !== '' && !line.includes('handshake'));
    return lines.length >= ids.length;
  });
}
