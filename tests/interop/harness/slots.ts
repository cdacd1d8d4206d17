/** Slots change hands as every tool does it. */
import type { Cluster } from './cluster.ts';
import type { NodeProcess } from './node-process.ts';
import { until } from './until.ts';

const HANDOVER_BOUND_MS = 30_000;
const ENDED: ReadonlySet<string | undefined> = new Set(['success', 'failed', 'cancelled']);

type Range = readonly [first: number, last: number];

/** Our nodes hand slots over by themselves; answers whether they did, which a busy machine may prevent. */
export async function handOver(
  cluster: Cluster,
  giver: NodeProcess,
  { taker, range: [first, last] }: { readonly taker: NodeProcess; readonly range: Range },
): Promise<boolean> {
  await orderHandover(giver, await idOf(cluster, giver, taker), [first, last]);
  await until(
    async () => ENDED.has((await lastMove(giver))['state']),
    HANDOVER_BOUND_MS,
    'it ends',
  );
  return (await lastMove(giver))['state'] === 'success';
}

/** Has our node begin to hand slots over to the node with this id. */
export async function orderHandover(
  giver: NodeProcess,
  id: string,
  [first, last]: Range,
): Promise<void> {
  const words = ['SLOTSRANGE', String(first), String(last), 'NODE', id];
  const reply = String(await giver.call('CLUSTER', 'MIGRATESLOTS', ...words));
  if (reply !== 'OK') throw new Error(`MIGRATESLOTS answered ${reply}`);
}

/** What a node says of the slots that it handed over or took last. */
export async function lastMove(node: NodeProcess): Promise<Record<string, string>> {
  const [last] = await moves(node);
  const items = (Array.isArray(last) ? last : []).map(String);
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < items.length; i += 2) fields[items[i]!] = items[i + 1]!;
  return fields;
}

export async function moveCount(node: NodeProcess): Promise<number> {
  return (await moves(node)).length;
}

async function moves(node: NodeProcess): Promise<readonly unknown[]> {
  const reply = await node.call('CLUSTER', 'GETSLOTMIGRATIONS');
  return Array.isArray(reply) ? reply : [];
}

/** The id of a node, which may not answer. */
export async function idOf(
  cluster: Cluster,
  witness: NodeProcess,
  node: NodeProcess,
): Promise<string> {
  const records = await cluster.view(witness);
  return records.find(({ port }) => port === node.port)?.id ?? '';
}

const KEYS_A_BATCH = 100;
const MIGRATE_TIMEOUT_MS = 5000;

/** Moves a slot with its keys, by CLUSTER SETSLOT and MIGRATE. */
export async function moveSlot(
  cluster: Cluster,
  slot: number,
  source: NodeProcess,
  target: NodeProcess,
): Promise<void> {
  const sourceId = await source.text('CLUSTER', 'MYID');
  const targetId = await target.text('CLUSTER', 'MYID');
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId);
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId);
  for (;;) {
    const keys = await source.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_A_BATCH);
    if (!Array.isArray(keys) || keys.length === 0) break;
    const names = keys.map(String);
    const address = ['127.0.0.1', target.port, '', 0, MIGRATE_TIMEOUT_MS];
    await source.call('MIGRATE', ...address, 'KEYS', ...names);
  }
  await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
  await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
  for (const node of cluster.running) {
    if (node !== source && node !== target) {
      await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
    }
  }
}
