/** Progress of slot moves: how much is done, how fast, how long it will take. */
import type { Screen } from '../screen.ts';
import type { BigKey } from './big-keys.ts';

const REPORT_PERIOD_MS = 1000;

export interface MoveTotals {
  readonly slots: number;
  readonly keys: number;
  readonly durationMs: number;
  /** For each slot that stayed, its key that was too large. */
  readonly leftBehind: readonly BigKey[];
}

export class MoveProgress {
  readonly #screen: Screen;
  readonly #startedMs: number = performance.now();
  readonly #all: { slots: number; keys: number } = { slots: 0, keys: 0 };
  readonly #done: { slots: number; keys: number } = { slots: 0, keys: 0 };
  readonly #leftBehind: BigKey[] = [];
  #reportedMs: number = performance.now();

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  expect(slots: number, keys: number): void {
    this.#all.slots += slots;
    this.#all.keys += keys;
  }

  keysMoved(count: number): void {
    this.#done.keys += count;
    this.#report();
  }

  slotsMoved(count: number): void {
    this.#done.slots += count;
    this.#report();
  }

  leftBehind(keys: readonly BigKey[]): void {
    this.#leftBehind.push(...keys);
  }

  totals(): MoveTotals {
    const durationMs = Math.round(performance.now() - this.#startedMs);
    return { ...this.#done, durationMs, leftBehind: this.#leftBehind };
  }

  #report(): void {
    const now = performance.now();
    if (now - this.#reportedMs < REPORT_PERIOD_MS) return;
    this.#reportedMs = now;
    const seconds = (now - this.#startedMs) / 1000;
    // Writers add keys meanwhile, so that more may be moved than were counted.
    const work = Math.max(this.#all.keys + this.#all.slots, 1);
    const part = Math.min(1, (this.#done.keys + this.#done.slots) / work);
    const left = part > 0 ? Math.ceil(seconds / part - seconds) : undefined;
    this.#screen.note(
      [
        `${String(Math.floor(part * 100)).padStart(3)} %`,
        `${this.#done.slots}/${this.#all.slots} slots`,
        `${this.#done.keys} keys`,
        `${Math.round(this.#done.keys / seconds)} keys/s`,
        left === undefined ? '' : `${left} s left`,
      ].join('  '),
    );
  }
}
