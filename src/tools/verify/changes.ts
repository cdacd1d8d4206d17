/** What comes and goes from one comparison to the next. */
import type { Screen } from '../screen.ts';
import { type Finding, equalEvent, jsonOf, lineOf, shownKey } from './finding.ts';
import { type Outcome, summaryOf, verdictOf } from './outcome.ts';
import type { ResultSink } from './result-sink.ts';

/** Lines of a comparison that are shown before the rest is only counted; JSON has them all. */
const LINES_MAX = 100;

export class Changes implements ResultSink {
  readonly #screen: Screen;
  /** Kinds of what differed in the last whole comparison, and in the one that goes on, by database and key. */
  #before: ReadonlyMap<string, string> = new Map();
  #now: Map<string, string> = new Map();
  #lines = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  add(finding: Finding): void {
    // What was mended differs no more.
    if (finding.repair !== 'done') {
      const { pair, key, difference } = finding;
      const name = `${pair.source} ${key.toString('latin1')}`;
      this.#now.set(name, difference.kind);
      if (this.#before.get(name) === difference.kind) return;
    }
    this.#screen.event(jsonOf(finding));
    this.#line(() => `+ ${lineOf(finding, this.#screen)}`);
  }

  end(outcome: Outcome): void {
    const screen = this.#screen;
    // One that was broken off has not seen everything.
    if (outcome.isFinished) {
      for (const name of this.#before.keys()) if (!this.#now.has(name)) this.#showEqual(name);
      this.#before = this.#now;
    }
    this.#now = new Map();
    if (this.#lines > LINES_MAX) screen.out(`… and ${this.#lines - LINES_MAX} more changes`);
    this.#lines = 0;
    const [verdict, reason] = verdictOf(outcome);
    screen.event(summaryOf(outcome));
    screen.out(`${outcome.startedAt.toISOString()} ${verdict} ${reason}`);
  }

  #showEqual(name: string): void {
    const db = Number(name.slice(0, name.indexOf(' ')));
    const key = Buffer.from(name.slice(name.indexOf(' ') + 1), 'latin1');
    this.#screen.event(equalEvent(key, db));
    this.#line(() => `- ${shownKey(key, db)} is equal now`);
  }

  #line(text: () => string): void {
    if (++this.#lines <= LINES_MAX) this.#screen.out(text());
  }
}
