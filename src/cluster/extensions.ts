/**
 * What nodes say of themselves in ping extensions, to those who read them: hostnames as 7.0 has them, and what 7.2, Redis 8
 * and Valkey add. Among nodes that all speak 7.0 nothing is added: a node begins when it hears a shard id from somebody.
 */
import { isHexId, nodeId, randomHex } from '../base/index.ts';
import { MESSAGE_FLAG, type PacketHeader, type PingBody } from '../bus/index.ts';
import { type ClusterContext, FORGET_MS } from './context.ts';
import { isHostname } from './links.ts';
import { deleteNode } from './roles.ts';
import type { ClusterNode } from './types.ts';

/** Takes in what `node` said of itself in a ping, pong or meet. */
export function learnExtensions(
  c: ClusterContext,
  node: ClusterNode,
  packet: { readonly header: PacketHeader; readonly body: PingBody },
): void {
  const { extensions } = packet.body;
  node.readsExtensions = (packet.header.messageFlags & MESSAGE_FLAG.extensions) !== 0;
  learnShardId(c, node, extensions.shardId);
  // Whoever has a shard and tells nothing does not know yet that we would read it.
  const isSilent = node.readsExtensions && extensions.shardId === undefined;
  if (!isSilent || node.shardId === undefined) learnHostname(c, node, extensions.hostname);
  for (const { nodeId: id, ttlSeconds } of extensions.forgotten) {
    forgetElsewhereForgotten(c, node, { id, ttlMs: Math.min(ttlSeconds * 1000, FORGET_MS) });
  }
}

function learnShardId(c: ClusterContext, node: ClusterNode, shardId: string | undefined): void {
  if (shardId !== undefined && shardId !== node.shardId && isHexId(shardId)) {
    node.shardId = shardId;
    c.save('save');
  }
  settleShard(c);
}

/**
 * A replica is of its master's shard, a master of one of its own. Without a word from the master a replica says nothing:
 * whoever reads shard ids then holds it for one of its master's shard, too.
 */
export function settleShard(c: ClusterContext): void {
  const { myself } = c;
  let { shardId } = myself;
  if (myself.role === 'replica') shardId = myself.master?.shardId;
  else if (shardId === undefined && c.nodeList.some((node) => node.shardId !== undefined)) {
    shardId = randomHex(c.rng, 40);
  }
  if (shardId === myself.shardId) return;
  myself.shardId = shardId;
  c.save('save');
}

function learnHostname(c: ClusterContext, node: ClusterNode, hostname: string): void {
  if (hostname === node.hostname || (hostname !== '' && !isHostname(hostname))) return;
  node.hostname = hostname;
  c.save('save');
}

/** From 7.2 on CLUSTER FORGET is for all nodes, wherever it was asked for. */
function forgetElsewhereForgotten(
  c: ClusterContext,
  sender: ClusterNode,
  { id, ttlMs }: { readonly id: string; readonly ttlMs: number },
): void {
  const node = c.nodes.get(nodeId(id));
  if (node === undefined || node === c.myself || node === sender || ttlMs === 0) return;
  if (c.myself.role === 'replica' && c.myself.master === node) return;
  c.forgotten.set(node.id, c.after(ttlMs));
  c.log({ name: 'nodeForgotten', node: node.id, sender: sender.id });
  deleteNode(c, node);
  c.save('save');
  c.updateWanted = true;
}
