/** Waiting in tests of real processes: poll a condition up to a bound, then say what did not come. */
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/** Thrown by a condition that cannot come true any more. */
export class GiveUp extends Error {
  override readonly name: string = 'GiveUp';
}

/**
 * Polls until `condition` answers something other than false and undefined, and gives that answer. A condition that
 * throws is not fulfilled yet: nodes that just died refuse connections.
 * Throws after `boundMs` with `what` and the last answer or error.
 */
export async function until<T>(
  condition: () => Promise<T> | T,
  boundMs: number,
  what: string,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + boundMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer !== false && answer !== undefined) {
        return answer as Exclude<T, false | undefined>;
      }
      last = answer;
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${boundMs} ms for "${what}": last answer ${String(last)}`);
    }
    await pause(POLL_MS);
  }
}

/** Throws when `condition` comes true within `ms`: for what must not happen. */
export async function never(
  condition: () => Promise<boolean>,
  ms: number,
  what: string,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    if (await condition()) throw new Error(`Came true within ${ms} ms: ${what}`);
    await pause(POLL_MS);
  }
}
