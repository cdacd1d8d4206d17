/** What a comparison shows on the screen: a line for each key that differs, as it is found, and a table at the end. */
import { type Colour, type Screen, tableLines } from '../screen.ts';
import { type Finding, jsonOf, lineOf } from './finding.ts';
import { type Outcome, type Verdict, countRows, summaryOf, verdictOf } from './outcome.ts';
import type { ResultSink } from './result-sink.ts';

/** Lines of text that are shown before the rest is only counted; JSON has them all. */
const LINES_MAX = 100;

const COLOURS: Readonly<Record<Verdict, Colour>> = {
  OK: 'green',
  DIFFERENT: 'red',
  'NOT FINISHED': 'yellow',
};

export class ScreenReport implements ResultSink {
  readonly #screen: Screen;
  /** Ends with the words that readers of RedisFullCheck's log look for. */
  readonly #hasFullCheckEnd: boolean;
  #count = 0;

  constructor(screen: Screen, hasFullCheckEnd: boolean) {
    this.#screen = screen;
    this.#hasFullCheckEnd = hasFullCheckEnd;
  }

  add(finding: Finding): void {
    this.#screen.event(jsonOf(finding));
    if (++this.#count <= LINES_MAX) this.#screen.out(lineOf(finding, this.#screen));
  }

  end(outcome: Outcome): void {
    const screen = this.#screen;
    if (this.#count > LINES_MAX) {
      screen.out(`… and ${this.#count - LINES_MAX} more; --json lists all of them`);
    }
    screen.event(summaryOf(outcome));
    for (const line of tableLines(['', 'count'], countRows(outcome), [1])) screen.out(line);
    const [verdict, reason] = verdictOf(outcome);
    screen.out(`${screen.paint(COLOURS[verdict], verdict)} ${reason}`);
    if (!this.#hasFullCheckEnd || !outcome.isFinished) return;
    const { keys, parts } = outcome.tally;
    screen.out('--------------- finished! ----------------');
    screen.out(`all finish successfully, totally ${keys} key(s) and ${parts} field(s) conflict`);
  }
}
