/**
 * JavaScript of one function, statement by statement.
 *
 * A function is written in one of two forms. The direct form runs from its beginning. The resuming form is entered at a point
 * where the direct one, or itself, has paused: `re` is that point's number, and everything is skipped until it is reached;
 * from there on `re` is 0 and it runs as the direct one does. Statements without points stand in `if (re === 0)`, and a
 * compound one is entered if it holds the point.
 */
import type { Point } from './prototype.ts';

/** Points of a piece of code: from `first` to before `end`. */
export interface Piece {
  readonly code: string;
  readonly first: number;
  readonly end: number;
}

export class CodeWriter {
  /** Point 0 is where nothing can fail. */
  readonly points: Point[];
  readonly isResuming: boolean;
  #done: string[] = [];
  /** Statements without points since the last one with. */
  #plain: string[] = [];
  /** What is told of each point, for a debugger. */
  readonly #facts: () => Partial<Point> | undefined;
  /** The line that surely was the last one to begin, for a debugger; 0 when that is not known. */
  lastLine = 0;
  #temporaries = 0;
  #temporariesMax = 0;
  #labels = 0;

  constructor(
    isResuming: boolean,
    line: number,
    facts: () => Partial<Point> | undefined = () => undefined,
  ) {
    this.isResuming = isResuming;
    this.#facts = facts;
    this.points = [{ line, callee: undefined, isMethod: false, isTail: false }];
  }

  get temporariesMax(): number {
    return this.#temporariesMax;
  }

  /** A statement that cannot pause. */
  plain(code: string): void {
    this.#plain.push(code);
  }

  /**
   * A statement that can pause or fail.
   * @param code answers the statement for a point's number
   * @param target what gets the value that the function goes on with
   */
  point(point: Point, code: (index: number) => string, target?: string): void {
    const facts = this.#facts();
    const index = this.points.push(facts === undefined ? point : { ...point, ...facts }) - 1;
    const direct = code(index);
    if (!this.isResuming) {
      this.#flush();
      this.#done.push(direct);
      return;
    }
    this.#flush();
    const goOn = target === undefined ? 're = 0;' : `re = 0; ${target} = rv;`;
    this.#done.push(`if (re === 0) { ${direct} } else if (re === ${index}) { ${goOn} }`);
  }

  /** A statement with other statements inside, whose code already minds `re`. */
  compound(code: string): void {
    this.#flush();
    this.#done.push(code);
  }

  /** What `write` writes, apart. */
  capture(write: () => void): Piece {
    const [done, plain] = [this.#done, this.#plain];
    this.#done = [];
    this.#plain = [];
    const first = this.points.length;
    this.lastLine = 0;
    write();
    this.lastLine = 0;
    this.#flush();
    const code = this.#done.join('\n');
    this.#done = done;
    this.#plain = plain;
    return { code, first, end: this.points.length };
  }

  /** The condition to enter a piece. @param condition what the direct form asks */
  entry(condition: string, { first, end }: Piece): string {
    if (!this.isResuming) return condition;
    if (first === end) return condition === 'true' ? 're === 0' : `re === 0 && ${condition}`;
    const isInside = `re >= ${first} && re < ${end}`;
    return condition === 'true'
      ? `re === 0 || ${isInside}`
      : `re === 0 ? ${condition} : ${isInside}`;
  }

  /** A loop, or another statement that is entered whenever it is reached. */
  enclosed(code: string, piece: Piece): void {
    this.compound(this.isResuming ? `if (${this.entry('true', piece)}) ${code}` : code);
  }

  /** A variable of JavaScript until `release`. */
  temporary(): string {
    const index = this.#temporaries++;
    if (this.#temporaries > this.#temporariesMax) this.#temporariesMax = this.#temporaries;
    return `t${index}`;
  }

  get mark(): number {
    return this.#temporaries;
  }

  /** Gives the variables that were taken since `mark` back. */
  release(mark: number): void {
    this.#temporaries = mark;
  }

  label(): string {
    return `L${this.#labels++}`;
  }

  #flush(): void {
    if (this.#plain.length === 0) return;
    const code = this.#plain.join('\n');
    this.#plain = [];
    this.#done.push(this.isResuming ? `if (re === 0) { ${code} }` : code);
  }
}
