/**
 * Requests to a run from outside. To stop: SIGINT or SIGTERM, or a failure beside; to pause: SIGUSR1, until SIGUSR2. Work
 * that has begun is brought to a safe end first.
 */
import { endSignals } from '../end-signals.ts';
import { ToolError } from '../errors.ts';

export class Stopping {
  #reason: string | undefined;
  #isPaused = false;
  #wake: (() => void)[] = [];

  get isRequested(): boolean {
    return this.#reason !== undefined;
  }

  /** The first reason counts. */
  request(reason: string): void {
    this.#reason ??= reason;
    this.goOn();
  }

  pause(): void {
    this.#isPaused = this.#reason === undefined;
  }

  goOn(): void {
    this.#isPaused = false;
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Resolves when there is no pause, or no longer. */
  async untilGoingOn(): Promise<void> {
    while (this.#isPaused) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Throws ToolError `INTERRUPTED` once a stop was asked for. */
  throwIfRequested(): void {
    if (this.#reason === undefined) return;
    throw new ToolError(
      'INTERRUPTED',
      `Stopped by ${this.#reason}: the same command goes on from here`,
    );
  }
}

/** Runs `work`; signals ask it to stop, a second one ends the process at once; `note` says what a signal was taken for. */
export async function withSignals<T>(
  stopping: Stopping,
  note: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const ends = endSignals();
  ends.signal.addEventListener('abort', () => {
    stopping.request(String(ends.signal.reason));
    note('Stopping: what has begun is finished first; once more ends at once');
  });
  const onPause = (): void => {
    stopping.pause();
    note('Pausing: what has begun is finished first; SIGUSR2 goes on');
  };
  const onGoOn = (): void => {
    stopping.goOn();
    note('Going on');
  };
  process.on('SIGUSR1', onPause);
  process.on('SIGUSR2', onGoOn);
  try {
    return await work();
  } finally {
    ends.release();
    process.off('SIGUSR1', onPause);
    process.off('SIGUSR2', onGoOn);
  }
}
