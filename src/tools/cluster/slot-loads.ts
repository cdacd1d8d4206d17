/** How many keys, or about how many bytes, each slot holds. */
import { replyItems } from '../../client/index.ts';
import type { Reply } from '../../resp/index.ts';
import { callAll } from './connect.ts';
import type { ClusterReport, OwnReport } from './inspect.ts';
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
  const asked = slots.map((slot) => ['CLUSTER', 'GETKEYSINSLOT', slot, SAMPLE_KEYS]);
  const samples = (await callAll(client, asked)).map((reply) => keysIn(reply));
  const sizes = await callAll(
    client,
    samples.flat().map((key) => ['MEMORY', 'USAGE', key]),
  );
  let at = 0;
  return samples.map((keys) => {
    const own = sizes.slice(at, at + keys.length).map((size) => Number(size ?? 0));
    at += keys.length;
    return own.reduce((sum, size) => sum + size, 0) / Math.max(1, own.length);
  });
}

function keysIn(reply: Reply): Buffer[] {
  return replyItems(reply).filter((key) => Buffer.isBuffer(key));
}
