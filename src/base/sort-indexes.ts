/** Sorting numbers that stand for something else, such as places in a table. */

/** Runs of this many are sorted one by one. */
const RUN = 12;

/**
 * Sorts `order` by `compare`, which gives less than 0 when its first argument comes first; equal ones keep their order.
 * The engine's sort of a typed array with a comparison takes three times as long, and much to begin.
 */
export function sortIndexes(order: Uint32Array, compare: (a: number, b: number) => number): void {
  const { length } = order;
  for (let start = 0; start < length; start += RUN) {
    sortRun(order, start, Math.min(start + RUN, length), compare);
  }
  if (length <= RUN) return;
  let from = order;
  let to: Uint32Array = new Uint32Array(length);
  for (let width = RUN; width < length; width *= 2) {
    for (let start = 0; start < length; start += width * 2) {
      const middle = Math.min(start + width, length);
      mergeRuns(from, to, { start, middle, end: Math.min(middle + width, length) }, compare);
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
}

function sortRun(
  order: Uint32Array,
  start: number,
  end: number,
  compare: (a: number, b: number) => number,
): void {
  for (let i = start + 1; i < end; i++) {
    const index = order[i]!;
    let to = i;
    for (; to > start && compare(order[to - 1]!, index) > 0; to--) order[to] = order[to - 1]!;
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
  compare: (a: number, b: number) => number,
): void {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const isLeft = left < middle && (right >= end || compare(from[left]!, from[right]!) <= 0);
    to[at] = isLeft ? from[left++]! : from[right++]!;
  }
}
