/**
 * The judgement over one writer: it pushed the numbers 1, 2, 3 … onto lists, each after the one before was acknowledged,
 * and again when it could not know whether a push had been carried out. Pure.
 */
export interface Verdict {
  /** Acknowledged numbers that are gone. */
  readonly lost: readonly number[];
  /** Numbers that are there more often than once, counted for each time too many: the writer had repeated them. */
  readonly duplicatedCount: number;
  /** Numbers that stand behind a larger one. */
  readonly reorderedCount: number;
}

/** `found` are the numbers as they lie in the lists, `acknowledged` the last number that was acknowledged, 0 for none. */
export function judge(found: readonly number[], acknowledged: number): Verdict {
  const seen = new Set<number>();
  let [largest, duplicatedCount, reorderedCount] = [0, 0, 0];
  for (const number of found) {
    if (seen.has(number)) duplicatedCount++;
    else if (number < largest) reorderedCount++;
    seen.add(number);
    largest = Math.max(largest, number);
  }
  const lost: number[] = [];
  for (let number = 1; number <= acknowledged; number++) if (!seen.has(number)) lost.push(number);
  return { lost, duplicatedCount, reorderedCount };
}
