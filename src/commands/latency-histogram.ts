/**
 * Durations of one command counted in buckets two significant digits wide, as LATENCY HISTOGRAM and INFO
 * latencystats read them. The buckets are those of the HDR histogram that Redis uses: 256 steps of one nanosecond,
 * then 128 steps for every doubling, up to one second.
 */

/** Steps of a doubling; half of the steps of the first range. */
const HALF_STEPS = 128;
const STEP_BITS = 8;
/** Longest duration told apart, nanoseconds. Source: 7.0 server.h, LATENCY_HISTOGRAM_MAX_VALUE. */
const DURATION_NS_MAX = 1_000_000_000;
/** Doublings that cover the longest duration, the first range included. */
const RANGES = 23;
/** The first bucket that LATENCY HISTOGRAM shows holds this and what is below, nanoseconds. */
const FIRST_SHOWN_NS = 1024;

/** Durations of one command, 12 KB of counters. */
export class LatencyHistogram {
  readonly #counts: Uint32Array = new Uint32Array((RANGES + 1) * HALF_STEPS);
  count = 0;

  record(durationUs: number, calls: number): void {
    const ns = Math.max(1, Math.min(DURATION_NS_MAX, durationUs * 1000)) | 0;
    this.#counts[indexOf(ns)]! += calls;
    this.count += calls;
  }

  /** The duration that `percent` of the calls did not exceed, microseconds with three digits behind the point. */
  percentileUs(percent: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * this.count + 0.5));
    let seen = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i]!;
      if (seen >= wanted) return highestOf(i) / 1000;
    }
    return 0;
  }

  /** Calls that took at most so many microseconds, for every power of two where the number grows. */
  *cumulative(): Generator<{ readonly upToUs: number; readonly count: number }> {
    let seen = 0;
    let index = 0;
    for (let bound = FIRST_SHOWN_NS; seen < this.count; bound *= 2) {
      const before = seen;
      const end = indexOf(bound);
      for (; index <= end && index < this.#counts.length; index++) seen += this.#counts[index]!;
      if (seen > before) yield { upToUs: Math.floor(highestOf(end) / 1000), count: seen };
    }
  }

  reset(): void {
    this.#counts.fill(0);
    this.count = 0;
  }
}

function indexOf(ns: number): number {
  const range = 32 - Math.clz32(ns | (2 * HALF_STEPS - 1)) - STEP_BITS;
  return (range + 1) * HALF_STEPS + (ns >>> range) - HALF_STEPS;
}

/** Longest duration of a bucket. */
function highestOf(index: number): number {
  const range = Math.max(0, Math.floor(index / HALF_STEPS) - 1);
  const step = index - range * HALF_STEPS;
  return (step + 1) * 2 ** range - 1;
}
