/** Ranges of slots, both ends included as the wire and redis-cli write them. */
import { SLOT_COUNT } from '../../base/index.ts';

export type SlotRange = readonly [first: number, last: number];

/** Slots in `ranges`. */
export function slotCount(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** `0-5460 7000`, or `-` for no slots; at most `rangesMax` ranges, then how many are left. */
export function formatRanges(ranges: readonly SlotRange[], rangesMax: number = Infinity): string {
  if (ranges.length === 0) return '-';
  const shown = ranges
    .slice(0, rangesMax)
    .map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
  const left = ranges.length - shown.length;
  return left > 0 ? `${shown.join(' ')} +${left} more` : shown.join(' ');
}

/** The slots that no range holds, as ranges. */
export function missingRanges(ranges: readonly SlotRange[]): SlotRange[] {
  const isOwned = new Uint8Array(SLOT_COUNT);
  for (const [first, last] of ranges) isOwned.fill(1, first, last + 1);
  const missing: SlotRange[] = [];
  for (let first = isOwned.indexOf(0); first >= 0;) {
    const next = isOwned.indexOf(1, first);
    const last = (next < 0 ? SLOT_COUNT : next) - 1;
    missing.push([first, last]);
    first = next < 0 ? -1 : isOwned.indexOf(0, next);
  }
  return missing;
}

/** All slots cut into `count` ranges whose sizes differ by one at most. Same cuts as redis-cli's. */
export function evenRanges(count: number): SlotRange[] {
  const share = SLOT_COUNT / count;
  return Array.from({ length: count }, (_, index) => [
    Math.round(index * share),
    Math.round((index + 1) * share) - 1,
  ]);
}

/** Every slot of `ranges`, in their order. */
export function slotsOf(ranges: readonly SlotRange[]): number[] {
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

/** Slots as ranges, sorted. */
export function rangesOf(slots: Iterable<number>): SlotRange[] {
  const sorted = [...slots].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const slot of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && slot <= last[1] + 1) last[1] = slot;
    else ranges.push([slot, slot]);
  }
  return ranges;
}
