/**
 * Moments at which a run reads what is not urgent, the same for all its connections. A master sends its stream command by
 * command, and a target answers soon after each batch: to wake up for each of these costs ten times as much as a command.
 * So they gather at the system, and one moment serves the streams of all masters and the answers of all nodes.
 */

/** At most so much is a command, or an answer, later for it. */
const BEAT_MS = 7;

export class ReadBeat {
  #waiting: (() => void)[] = [];

  /** Calls `readOn` at the next moment, which is never at once. */
  next(readOn: () => void): void {
    this.#waiting.push(readOn);
    if (this.#waiting.length === 1) setTimeout(() => this.#beat(), BEAT_MS);
  }

  #beat(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const readOn of waiting) readOn();
  }
}
