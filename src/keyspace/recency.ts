/**
 * The 24 bits an entry keeps about its use: an LRU clock in seconds, or LFU minutes and a
 * logarithmic counter.
 */
import type { Rng } from '../base/index.ts';

/** What the bits hold; follows maxmemory-policy. */
export type RecencyKind = 'lru' | 'lfu';

const CLOCK_MASK = 0xffffff;
const MINUTES_MASK = 0xffff;
const COUNTER_MAX = 255;
/** Counter of a new key, so that it is not the first to go. Source: 7.0 server.h, LFU_INIT_VAL. */
const COUNTER_START = 5;

/** The clock and the settings behind the bits. */
export class Recency {
  kind: RecencyKind = 'lru';
  /** lfu-log-factor: how many hits saturate the counter; 0 counts every hit. */
  lfuLogFactor = 10;
  /** lfu-decay-time: minutes without a hit that cost one count; 0 is never. */
  lfuDecayMinutes = 1;
  /** Seconds since 1970 in 24 bits. */
  clock = 0;
  #minutes = 0;
  readonly #rng: Rng;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  setNow(nowMs: number): void {
    this.clock = Math.floor(nowMs / 1000) & CLOCK_MASK;
    this.#minutes = Math.floor(nowMs / 60_000) & MINUTES_MASK;
  }

  /** The bits of a new key. */
  fresh(): number {
    return this.kind === 'lru' ? this.clock : (this.#minutes << 8) | COUNTER_START;
  }

  /** The bits after a use. Source: 7.0 evict.c, LFULogIncr(). */
  touched(bits: number): number {
    if (this.kind === 'lru') return this.clock;
    const counter = this.frequency(bits);
    const above = Math.max(0, counter - COUNTER_START);
    const isCounted =
      counter < COUNTER_MAX && this.#rng.float() < 1 / (above * this.lfuLogFactor + 1);
    return (this.#minutes << 8) | (isCounted ? counter + 1 : counter);
  }

  /** Seconds since the last use; meaningful for 'lru'. */
  idleSeconds(bits: number): number {
    return (this.clock - bits) & CLOCK_MASK;
  }

  /** The bits of a key idle for `seconds`. */
  bitsForIdle(seconds: number): number {
    return (this.clock - seconds) & CLOCK_MASK;
  }

  /** The counter with its decay; meaningful for 'lfu'. Source: 7.0 evict.c, LFUDecrAndReturn(). */
  frequency(bits: number): number {
    const counter = bits & 255;
    if (this.lfuDecayMinutes === 0) return counter;
    const elapsed = (this.#minutes - (bits >>> 8)) & MINUTES_MASK;
    return Math.max(0, counter - Math.floor(elapsed / this.lfuDecayMinutes));
  }

  /** The bits of a key with this counter, used now. */
  bitsForFrequency(counter: number): number {
    return (this.#minutes << 8) | counter;
  }
}
