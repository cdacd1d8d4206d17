/**
 * How long a replica leaves its master alone after it was given what this server does not know. It needs a full copy
 * then, and may meet the same again: each try costs the master a snapshot.
 */

/** In seconds; doubled from one time to the next. */
const FIRST_SECONDS = 10;
const MAX_SECONDS = 320;
/** A link that held so long begins anew. */
const STEADY_MS = 60_000;

export class ForeignWait {
  #seconds: number = FIRST_SECONDS;

  /** Seconds until the next try, after a link that was up for `heldMs`. */
  next(heldMs: number): number {
    if (heldMs >= STEADY_MS) this.reset();
    const seconds = this.#seconds;
    this.#seconds = Math.min(2 * seconds, MAX_SECONDS);
    return seconds;
  }

  reset(): void {
    this.#seconds = FIRST_SECONDS;
  }
}
