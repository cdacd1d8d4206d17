/**
 * How many keys go in one write of MIGRATEs: the source answers nobody else meanwhile, so that its time is what clients
 * feel. Grows and shrinks with the time that the last ones took. Pure.
 */

/** What a write should take, milliseconds. Clients wait for two of them, and on a busy machine for more. */
const GOAL_MS = 3;
const KEYS_FIRST = 32;
/** Growth from one batch to the next: the next may hold larger values. */
const GROWTH_MAX = 2;
/** Weight of the last batch against all before: a machine that was busy for a moment is not a slow one. */
const NEWEST_WEIGHT = 0.25;

export class BatchPace {
  readonly #keysMax: number;
  #keys: number;
  #msPerKey: number | undefined;
  #lastEndedMs = 0;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
    this.#keys = Math.min(KEYS_FIRST, keysMax);
  }

  /** Keys of the next batch, at least 1. */
  get keys(): number {
    return this.#keys;
  }

  /** A batch of `keys` was sent and answered then. The source works on one at a time, in the order in which they came. */
  note(keys: number, { sentMs, endedMs }: { sentMs: number; endedMs: number }): void {
    const newest = (endedMs - Math.max(sentMs, this.#lastEndedMs)) / keys;
    this.#lastEndedMs = endedMs;
    const before = this.#msPerKey ?? newest;
    this.#msPerKey = before + (newest - before) * NEWEST_WEIGHT;
    const fitting = Math.floor(GOAL_MS / Math.max(this.#msPerKey, 0.001));
    this.#keys = Math.max(1, Math.min(fitting, this.#keys * GROWTH_MAX, this.#keysMax));
  }
}

/**
 * How many of the first `sizes` (bytes) go together: at most `keysMax`, and no more than `bytesMax` in all, but always
 * one.
 */
export function batchLength(sizes: readonly number[], keysMax: number, bytesMax: number): number {
  let bytes = 0;
  for (const [index, size] of sizes.entries()) {
    bytes += size;
    if (index >= keysMax || (index > 0 && bytes > bytesMax)) return index;
  }
  return sizes.length;
}
