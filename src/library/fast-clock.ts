/** A clock that runs faster than the machine's, for nodes whose time-outs would keep a test waiting. */
import { type Clock, type MonoMs, monoMs } from '../base/index.ts';

/**
 * Between two looks at it, it moves by no more than this much of the machine's time. Sentinels look every few
 * milliseconds; a test that keeps the process busy for longer must not look to them like nodes that are silent.
 */
const STALL_US_MAX = 12_000;

export class FastClock implements Clock {
  readonly #clock: Clock;
  readonly #scale: number;
  #machineUs: number;
  #ownUs: number;

  /** @param scale how many times as fast */
  constructor(clock: Clock, scale: number) {
    this.#clock = clock;
    this.#scale = scale;
    this.#machineUs = clock.monoUs();
    this.#ownUs = this.#machineUs;
  }

  monoMs(): MonoMs {
    return monoMs(Math.floor(this.monoUs() / 1000));
  }

  monoUs(): number {
    const nowUs = this.#clock.monoUs();
    const passedUs = Math.min(nowUs - this.#machineUs, STALL_US_MAX);
    this.#machineUs = nowUs;
    this.#ownUs += passedUs * this.#scale;
    return this.#ownUs;
  }

  /** The wall clock is what others see: it is the machine's. */
  unixMs(): ReturnType<Clock['unixMs']> {
    return this.#clock.unixMs();
  }

  /** The machine's moment for a moment of this clock. */
  machineMs(at: MonoMs): MonoMs {
    const leftMs = (at - this.monoMs()) / this.#scale;
    return monoMs(this.#clock.monoMs() + Math.max(0, Math.ceil(leftMs)));
  }
}
