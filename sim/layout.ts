/** The cluster at the beginning: who owns what, as configuration text and as the nodes.conf of a cluster that has met. */
import {
  type NodeId,
  type Rng,
  SLOT_COUNT,
  type Slot,
  keySlot,
  nodeId,
  randomHex,
} from '../src/base/index.ts';
import { type NodesConfNode, formatNodesConf } from '../src/config/index.ts';

export interface Seat {
  /** `m1` is a master, `m1r2` its second replica. */
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly id: NodeId;
  /** From 0. */
  readonly shard: number;
  readonly masterId: NodeId | undefined;
}

export interface Layout {
  readonly seats: readonly Seat[];
  readonly shardCount: number;
}

const PORT = 6379;
const BUS_PORT = 16379;

export function drawLayout(rng: Rng, masters: number, replicasPerMaster: number): Layout {
  const seats: Seat[] = [];
  const add = (name: string, shard: number, masterId: NodeId | undefined): NodeId => {
    const id = nodeId(randomHex(rng, 40));
    seats.push({ name, ip: `10.0.0.${seats.length + 1}`, port: PORT, id, shard, masterId });
    return id;
  };
  for (let shard = 0; shard < masters; shard++) {
    const masterId = add(`m${shard + 1}`, shard, undefined);
    for (let i = 1; i <= replicasPerMaster; i++) add(`m${shard + 1}r${i}`, shard, masterId);
  }
  return { seats, shardCount: masters };
}

/** Slots of a shard, both ends included. */
export function shardRange(shard: number, shardCount: number): readonly [number, number] {
  const from = Math.floor((shard * SLOT_COUNT) / shardCount);
  return [from, Math.floor(((shard + 1) * SLOT_COUNT) / shardCount) - 1];
}

/** nodes.conf of `seat`, as if the cluster had been running before. */
export function nodesConfOf(layout: Layout, seat: Seat): string {
  return formatNodesConf({
    nodes: layout.seats.map((other): NodesConfNode => {
      const isMaster = other.masterId === undefined;
      return {
        id: other.id,
        host: other.ip,
        port: other.port,
        busPort: BUS_PORT,
        hostname: undefined,
        flags: [...(other === seat ? (['myself'] as const) : []), isMaster ? 'master' : 'slave'],
        masterId: other.masterId,
        pingSentUnixMs: 0,
        pongReceivedUnixMs: 0,
        configEpoch: other.shard + 1,
        linkState: other === seat ? 'connected' : 'disconnected',
        slots: isMaster ? [shardRange(other.shard, layout.shardCount)] : [],
        migrating: [],
        importing: [],
      };
    }),
    currentEpoch: layout.shardCount,
    lastVoteEpoch: 0,
  });
}

/** redis.conf of every node: time-outs short enough to be met often. */
export function configText(nodeTimeoutMs: number): string {
  return [
    `port ${PORT}`,
    'protected-mode no',
    'cluster-enabled yes',
    `cluster-node-timeout ${nodeTimeoutMs}`,
    'cluster-allow-replica-migration no',
    'repl-diskless-sync-delay 0',
    'repl-ping-replica-period 1',
    'repl-timeout 5',
    'save ""',
  ].join('\n');
}

/** `perShard` hash tags for each shard, whose slots lie in it. */
export function drawTags(
  rng: Rng,
  layout: Layout,
  perShard: number,
): readonly { readonly tag: string; readonly slot: Slot }[] {
  const tags: { tag: string; slot: Slot }[] = [];
  for (let shard = 0; shard < layout.shardCount; shard++) {
    const [from, to] = shardRange(shard, layout.shardCount);
    for (let found = 0; found < perShard;) {
      const tag = randomHex(rng, 6);
      const bytes = Buffer.from(tag);
      const slot = keySlot(bytes, 0, bytes.length);
      if (slot < from || slot > to) continue;
      tags.push({ tag, slot });
      found++;
    }
  }
  return tags;
}
