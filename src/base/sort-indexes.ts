/** Sorting numbers that stand for something else, such as places in a table. */

/** Runs of this many are sorted one by one. */
const RUN = 12;

/** What says in which order two indexes are. */
export interface SortKeys {
  /** The key of each index: the lower comes first. */
  readonly keys: Float64Array;
  /** For two of the same key: above 0 when the first one comes behind the second. */
  readonly compareEqual: (a: number, b: number) => number;
  /** Turns the order of what differs round. */
  readonly isDescending?: boolean;
}

/**
 * The indexes [0, count), sorted if there is an order; what is equal keeps its place. The engine's sort of a typed array takes a function for
 * all comparisons, whose calls make it three times as slow, and much to begin.
 */
export function sortedIndexes(count: number, by?: SortKeys): Uint32Array {
  let from: Uint32Array = new Uint32Array(count);
  for (let i = 0; i < count; i++) from[i] = i;
  if (by === undefined) return from;
  for (let start = 0; start < count; start += RUN) {
    sortRun(from, start, Math.min(start + RUN, count), by);
  }
  if (count <= RUN) return from;
  let to: Uint32Array = new Uint32Array(count);
  for (let width = RUN; width < count; width *= 2) {
    for (let start = 0; start < count; start += width * 2) {
      const middle = Math.min(start + width, count);
      mergeRuns(from, to, { start, middle, end: Math.min(middle + width, count) }, by);
    }
    [from, to] = [to, from];
  }
  return from;
}

function isBehind(by: SortKeys, a: number, b: number): boolean {
  return by.isDescending === true ? isHigher(by, b, a) : isHigher(by, a, b);
}

function isHigher({ keys, compareEqual }: SortKeys, a: number, b: number): boolean {
  const first = keys[a]!;
  const second = keys[b]!;
  return first === second ? compareEqual(a, b) > 0 : first > second;
}

function sortRun(order: Uint32Array, start: number, end: number, by: SortKeys): void {
  for (let i = start + 1; i < end; i++) {
    const index = order[i]!;
    let to = i;
    for (; to > start && isBehind(by, order[to - 1]!, index); to--) order[to] = order[to - 1]!;
    order[to] = index;
  }
}

/** Two sorted runs that follow each other: [start, middle) and [middle, end). */
interface Runs {
  readonly start: number;
  readonly middle: number;
  readonly end: number;
}

function mergeRuns(
  from: Uint32Array,
  to: Uint32Array,
  { start, middle, end }: Runs,
  by: SortKeys,
): void {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const isLeft = left < middle && (right >= end || !isBehind(by, from[left]!, from[right]!));
    to[at] = isLeft ? from[left++]! : from[right++]!;
  }
}
