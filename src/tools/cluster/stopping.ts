/** A request to stop: SIGINT or SIGTERM, or a failure beside. Work that has begun is brought to a safe end first. */
import { ToolError } from '../errors.ts';

export class Stopping {
  #reason: string | undefined;

  get isRequested(): boolean {
    return this.#reason !== undefined;
  }

  /** The first reason counts. */
  request(reason: string): void {
    this.#reason ??= reason;
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

/** Runs `work`; signals ask it to stop, and a second one ends the process at once. */
export async function withSignals<T>(
  stopping: Stopping,
  onFirst: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const onSignal = (name: NodeJS.Signals): void => {
    if (stopping.isRequested) process.exit(SECOND_SIGNAL_STATUS);
    stopping.request(name);
    onFirst();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work();
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** "Could not finish". */
const SECOND_SIGNAL_STATUS = 3;
