/**
 * What a tool shows: results on standard output, progress on standard error, colours only where a terminal reads and
 * NO_COLOR is not set, JSON instead of text on request.
 */
import { appendFileSync } from 'node:fs';
import { ToolError } from './errors.ts';

/** Where text goes. `out` is for results, `err` for progress. */
export interface Screen {
  readonly isJson: boolean;
  /** A line of the result; nothing in JSON mode. */
  out(line: string): void;
  /** The whole result of a tool in JSON mode; nothing otherwise. */
  json(value: unknown): void;
  /** One of many results in JSON mode, on a line of its own; nothing otherwise. */
  event(value: unknown): void;
  /** A line of progress or a remark. */
  note(line: string): void;
  paint(colour: Colour, text: string): string;
}

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

const SGR: Readonly<Record<Colour, string>> = {
  red: '31',
  green: '32',
  yellow: '33',
  bold: '1',
  dim: '2',
};

export interface ScreenOptions {
  readonly isJson?: boolean;
}

/** The process's own standard streams. */
export function terminalScreen({ isJson = false }: ScreenOptions = {}): Screen {
  // A reader that left (a closed terminal, `| head`) must not keep the tool from ending what it began in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const hasColour = process.stdout.isTTY && !process.env['NO_COLOR'];
  return {
    isJson,
    out: (line) => {
      if (!isJson) process.stdout.write(`${line}\n`);
    },
    json: (value) => {
      if (isJson) process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
    event: (value) => {
      if (isJson) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    note: (line) => {
      process.stderr.write(`${line}\n`);
    },
    paint: (colour, text) => (hasColour ? `\u001b[${SGR[colour]}m${text}\u001b[0m` : text),
  };
}

/** Says in a file what `screen` would say on the way, and there too what it shows. Throws ToolError. */
export function loggingScreen(screen: Screen, path: string): Screen {
  const log = (line: string): void => {
    try {
      appendFileSync(path, `${new Date().toISOString()} ${line}\n`);
    } catch (error) {
      throw new ToolError('LOCAL', `Cannot write the log "${path}"`, error);
    }
  };
  return {
    ...screen,
    out: (line) => {
      log(line);
      screen.out(line);
    },
    note: log,
  };
}

/**
 * Lines of a table with aligned columns, two blanks between them and none at the end of a line. Columns in `right`
 * (indexes) are aligned to the right.
 */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A screen whose lines are kept. */
export function collectingScreen(lines: string[], onLine: () => void = () => undefined): Screen {
  const add = (line: string): void => {
    lines.push(line);
    onLine();
  };
  return {
    isJson: false,
    out: add,
    note: add,
    json: () => undefined,
    event: () => undefined,
    paint: (_colour, text) => text,
  };
}
