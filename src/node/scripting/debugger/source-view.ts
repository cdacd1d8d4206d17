/** The text of a script as a debugger shows it, line by line. Source: behaviour of redis-server 7.0.15. */

const ABSENT_LINE = '<out of range source code line>';
/** Columns of a line's number. */
const NUMBER_WIDTH = 3;

/** What is marked beside a line. */
export interface Marks {
  readonly current: number;
  readonly breakpoints: readonly number[];
}

export class SourceView {
  readonly #lines: readonly string[];

  constructor(text: string) {
    const end = text.replace(/[\r\n]+$/, '');
    this.#lines = end === '' ? [] : end.split('\n');
  }

  get lineCount(): number {
    return this.#lines.length;
  }

  line(number: number, { current, breakpoints }: Marks): string {
    const arrow = number === current ? '->' : '  ';
    const sign = breakpoints.includes(number) ? '#' : ' ';
    const text = this.#lines[number - 1] ?? ABSENT_LINE;
    return `${arrow}${sign}${String(number).padEnd(NUMBER_WIDTH)} ${text}`;
  }

  /** The lines not more than `context` away from one. */
  around(center: number, context: number, marks: Marks): string[] {
    const found: string[] = [];
    const last = Math.min(this.lineCount, center + context);
    for (let number = Math.max(1, center - context); number <= last; number++) {
      found.push(this.line(number, marks));
    }
    return found;
  }
}
