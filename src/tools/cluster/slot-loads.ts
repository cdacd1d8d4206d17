/** How many keys, or about how many bytes, each slot holds. */
import { callAll } from './connect.ts';
import type { ClusterReport, OwnReport } from './inspect.ts';
import { keysInSlots, sizesOf } from './slot-keys.ts';
import { slotsOf } from './slot-ranges.ts';

/** Keys of a slot that are measured; the others are taken to be like them. */
const SAMPLE_KEYS = 5;
/** Questions in one write. */
const AT_ONCE = 1000;

/** Asks every master that answers about its slots; a slot that nobody was asked about holds 0. Throws ToolError. */
export async function slotLoads(
  report: ClusterReport,
  by: 'keys' | 'memory',
): Promise<(slot: number) => number> {
  const loads = new Map<number, number>();
  await Promise.all(
    report.nodes.map(async ({ node, own }) => {
      if (own === undefined || node.role !== 'master') return;
      const slots = slotsOf(node.slots);
      for (let at = 0; at < slots.length; at += AT_ONCE) {
        const some = slots.slice(at, at + AT_ONCE);
        const counts = await countsOf(own, some);
        const sizes = by === 'keys' ? undefined : await meanSizes(own, some);
        for (const [index, slot] of some.entries()) {
          loads.set(slot, (counts[index] ?? 0) * (sizes?.[index] ?? 1));
        }
      }
    }),
  );
  return (slot) => loads.get(slot) ?? 0;
}

async function countsOf({ client }: OwnReport, slots: readonly number[]): Promise<number[]> {
  const asked = slots.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
  return (await callAll(client, asked)).map(Number);
}

/** Bytes of a key of each slot, by a few of its keys; 0 of an empty one. */
async function meanSizes({ client }: OwnReport, slots: readonly number[]): Promise<number[]> {
  const samples = await keysInSlots(client, slots, SAMPLE_KEYS);
  const sizes = await sizesOf(client, samples, SAMPLE_KEYS);
  return sizes.map((own) => own.reduce((sum, size) => sum + size, 0) / Math.max(1, own.length));
}
