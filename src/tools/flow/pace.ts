/** Keeps work to a rate: whoever is ahead of it waits. */
import { setTimeout as pause } from 'node:timers/promises';

/** A wait that is not worth a timer. */
const WAIT_MS_MIN = 5;

export class Pace {
  readonly #perSecond: number;
  #dueMs = 0;

  /** `perSecond` 0: no bound. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes `count` pieces of work; returns when they may be done. */
  async take(count: number): Promise<void> {
    if (this.#perSecond <= 0) return;
    const now = performance.now();
    this.#dueMs = Math.max(this.#dueMs, now) + (count * 1000) / this.#perSecond;
    const waitMs = this.#dueMs - now;
    if (waitMs >= WAIT_MS_MIN) await pause(waitMs);
  }
}
