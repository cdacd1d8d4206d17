/** Slots change hands as every tool does it. */
import type { Cluster } from './cluster.ts';
import type { NodeProcess } from './node-process.ts';

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
