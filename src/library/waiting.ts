/** Waiting for a condition, by asking again and again up to a bound. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LibraryError } from './errors.ts';

const POLL_MS = 10;

/**
 * Resolves once `condition` answers true. A condition that throws is not fulfilled yet: nodes that have just died
 * refuse connections. Throws LibraryError `TIMEOUT` with `what` and the last error.
 */
export async function poll(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await condition()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) {
      throw new LibraryError(
        'TIMEOUT',
        `Waited ${timeoutMs} ms for "${what}": not fulfilled`,
        cause,
      );
    }
    await sleep(POLL_MS);
  }
}
