/** Microseconds of the wall clock, out of its milliseconds and the microseconds of a forward-only clock. */
import type { Clock } from './ports.ts';

export class WallMicros {
  readonly #clock: Pick<Clock, 'monoUs' | 'unixMs'>;
  /** What the forward clock lacks, as far as known: each reading narrows it down from below. */
  #offsetUs = -Infinity;

  constructor(clock: Pick<Clock, 'monoUs' | 'unixMs'>) {
    this.#clock = clock;
  }

  /**
   * Whole microseconds since 1970 UTC: in the millisecond that the wall clock tells, and never before an earlier
   * answer unless that clock was set back.
   */
  now(): number {
    const unixUs = this.#clock.unixMs() * 1000;
    const monoUs = Math.floor(this.#clock.monoUs());
    const least = unixUs - monoUs;
    this.#offsetUs = Math.min(Math.max(this.#offsetUs, least), least + 999);
    return monoUs + this.#offsetUs;
  }
}
