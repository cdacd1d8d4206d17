/**
 * Keys too large to move: MIGRATE takes a key in one piece, and both nodes answer nobody meanwhile, which a large one can
 * make longer than the node timeout.
 */
import { type RespClient, replyItems } from '../../client/index.ts';
import { callAll } from './connect.ts';

export interface BigKey {
  readonly slot: number;
  /** As text; bytes that are none are replaced. */
  readonly key: string;
  /** By MEMORY USAGE. */
  readonly bytes: number;
}

/** Keys asked about in one write. */
const AT_ONCE = 1000;

/** The largest key above `bytesMax` of each of `slots` that has one. Throws ToolError. */
export async function bigKeysIn(
  source: RespClient,
  slots: readonly number[],
  bytesMax: number,
): Promise<BigKey[]> {
  const counts = await callAll(
    source,
    slots.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]),
  );
  const found: BigKey[] = [];
  for (const [index, slot] of slots.entries()) {
    const count = Number(counts[index] ?? 0);
    if (count === 0) continue;
    const [reply] = await callAll(source, [['CLUSTER', 'GETKEYSINSLOT', slot, count]]);
    const keys = replyItems(reply).filter((key) => Buffer.isBuffer(key));
    const largest = await largestOf(source, keys);
    if (largest !== undefined && largest.bytes > bytesMax) found.push({ slot, ...largest });
  }
  return found;
}

async function largestOf(
  source: RespClient,
  keys: readonly Buffer[],
): Promise<Omit<BigKey, 'slot'> | undefined> {
  let largest: Omit<BigKey, 'slot'> | undefined;
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const some = keys.slice(at, at + AT_ONCE);
    const sizes = await callAll(
      source,
      some.map((key) => ['MEMORY', 'USAGE', key]),
    );
    for (const [index, key] of some.entries()) {
      const bytes = Number(sizes[index] ?? 0);
      if (bytes > (largest?.bytes ?? 0)) largest = { key: key.toString(), bytes };
    }
  }
  return largest;
}
