/** How long nobody was served, from the times at which writes were acknowledged. Pure; all times in milliseconds. */

/** A write that did not succeed at its first sending. */
export interface Trouble {
  /** When it was sent first. */
  readonly fromMs: number;
  /** When it was acknowledged. */
  readonly toMs: number;
}

export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The longest time between two acknowledgements of one writer of which the later came at `sinceMs` or after it. */
export function longestGap(acknowledgedMs: readonly number[], sinceMs: number): number {
  let longest = 0;
  let before: number | undefined;
  for (const at of acknowledgedMs) {
    if (before !== undefined && at >= sinceMs) longest = Math.max(longest, at - before);
    before = at;
  }
  return longest;
}

/** The longest time from the first sending of a write that met an error to its success; 0 when none did. */
export function longestTrouble(troubles: readonly Trouble[], sinceMs: number): number {
  const spans = troubles
    .filter(({ toMs }) => toMs >= sinceMs)
    .map(({ fromMs, toMs }) => toMs - fromMs);
  return Math.max(0, ...spans);
}

/** Nearest rank, without interpolation; undefined of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

/** How many of `times` fall into each piece of `bucketMs` from `fromMs` to `toMs` (excluded). */
export function countsByTime(
  times: readonly number[],
  {
    fromMs,
    toMs,
    bucketMs,
  }: { readonly fromMs: number; readonly toMs: number; readonly bucketMs: number },
): number[] {
  const counts = Array.from(
    { length: Math.max(0, Math.ceil((toMs - fromMs) / bucketMs)) },
    () => 0,
  );
  for (const at of times) {
    const index = Math.floor((at - fromMs) / bucketMs);
    if (at < toMs && index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
