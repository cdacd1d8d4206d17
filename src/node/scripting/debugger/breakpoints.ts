/** The lines where a script is to stop, in the order in which they were told. Source: behaviour of redis-server 7.0.15. */

export const BREAKPOINTS_MAX = 64;

export class Breakpoints {
  lines: readonly number[] = [];

  has(line: number): boolean {
    return this.lines.includes(line);
  }

  /** Whether it is one now, of a script of so many lines, and was none before. */
  add(line: number, lineCount: number): 'added' | 'wrongLine' | 'tooMany' {
    if (this.lines.length === BREAKPOINTS_MAX) return 'tooMany';
    if (line < 1 || line > lineCount || this.has(line)) return 'wrongLine';
    this.lines = [...this.lines, line];
    return 'added';
  }

  /** Whether there was one. */
  remove(line: number): boolean {
    const wasThere = this.has(line);
    this.lines = this.lines.filter((each) => each !== line);
    return wasThere;
  }

  clear(): void {
    this.lines = [];
  }
}
