/**
 * Keys too large to move: MIGRATE takes a key in one piece, and both nodes answer nobody meanwhile, which a large one can
 * make longer than the node timeout.
 */
import type { RespClient } from '../../client/index.ts';
import { type KeyBatch, keyAt } from '../flow/index.ts';
import { callAll } from './connect.ts';
import { keysInSlots, sizesOf } from './slot-keys.ts';

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
    for (const keys of await keysInSlots(source, [slot], count)) {
      const largest = await largestOf(source, keys);
      if (largest.bytes > bytesMax) found.push({ slot, ...largest });
    }
  }
  return found;
}

async function largestOf(source: RespClient, keys: KeyBatch): Promise<Omit<BigKey, 'slot'>> {
  let largest = 0;
  let largestBytes = 0;
  for (let from = 0; from < keys.at.length; from += AT_ONCE) {
    const at = keys.at.slice(from, from + AT_ONCE);
    const size = keys.size.slice(from, from + AT_ONCE);
    const [sizes = []] = await sizesOf(source, [{ buf: keys.buf, at, size }], AT_ONCE);
    for (const [index, bytes] of sizes.entries()) {
      if (bytes <= largestBytes) continue;
      largest = from + index;
      largestBytes = bytes;
    }
  }
  return { key: keyAt(keys, largest).toString(), bytes: largestBytes };
}
