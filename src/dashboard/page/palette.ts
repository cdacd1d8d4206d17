/** Colours of shards: the same hue wherever a shard is shown. Pure. */
import type { NodeSnapshot } from '../../tools/watch/index.ts';

/** Far from each other, and far from the red and green that mean something. */
const HUES: readonly number[] = [255, 75, 310, 200, 45, 285, 225, 340];
const STEP_MAX = 3;

/** A colour for the shard with this index, readable on the page's background. */
export function shardColour(index: number, isDark: boolean): string {
  const hue = HUES[index % HUES.length] ?? 255;
  // Beyond the last hue they come again, a little paler.
  const step = Math.floor(index / HUES.length) % STEP_MAX;
  const lightness = (isDark ? 0.7 : 0.64) + step * 0.07 * (isDark ? -1 : 1);
  const chroma = 0.12 - step * 0.03;
  return `oklch(${lightness.toFixed(2)} ${chroma.toFixed(2)} ${hue})`;
}

/** Index of its shard by node id: masters in their order, replicas as their master. */
export function shardIndexes(nodes: readonly NodeSnapshot[]): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>();
  for (const { id, role } of nodes) if (role === 'master') indexes.set(id, indexes.size);
  let spare = indexes.size;
  for (const { id, role, masterId } of nodes) {
    if (role === 'replica') indexes.set(id, indexes.get(masterId ?? '') ?? spare++);
  }
  return indexes;
}
