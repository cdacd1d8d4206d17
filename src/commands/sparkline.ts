/** A small graph in plain characters, as LATENCY GRAPH answers it. */

/** A point of the graph; the label stands below it, a character a line. */
export interface SparklinePoint {
  readonly value: number;
  readonly label: string;
}

const ROWS = 4;
/** Points side by side before a new graph begins below. */
const COLUMNS = 80;
/** A filled column ends in one of three heights. */
const TOPS = '_o#';

/** Draws the points from left to right, scaled from the least to the greatest value. */
export function sparkline(points: readonly SparklinePoint[]): string {
  let min = Infinity;
  let max = -Infinity;
  for (const { value } of points) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const span = max - min || 1;
  const levels = ROWS * TOPS.length;
  const columns = points.map(({ value, label }) => ({
    level: Math.min(levels - 1, Math.trunc(((value - min) * levels) / span)),
    label,
  }));
  let text = '';
  for (let from = 0; from < columns.length; from += COLUMNS) {
    const part = columns.slice(from, from + COLUMNS);
    for (let row = ROWS - 1; row >= 0; row--) {
      text += `${part.map(({ level }) => cell(level - row * TOPS.length)).join('')}\n`;
    }
    const depth = Math.max(...part.map(({ label }) => label.length));
    text += `${' '.repeat(part.length)}\n`;
    for (let i = 0; i < depth; i++)
      text += `${part.map(({ label }) => label[i] ?? ' ').join('')}\n`;
  }
  return text;
}

function cell(above: number): string {
  if (above < 0) return ' ';
  return TOPS[above] ?? '|';
}
