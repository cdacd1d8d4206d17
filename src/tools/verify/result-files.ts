/** The files that take what a comparison finds; their endings tell their format. */
import { ToolError } from '../errors.ts';
import { type Finding, conflictOf, jsonOf, namedParts, partConflictOf } from './finding.ts';
import { type Outcome, summaryOf } from './outcome.ts';
import { ReportFile } from './report-file.ts';
import { DatabaseFile, openSqlite } from './result-database.ts';
import type { ResultSink } from './result-sink.ts';
import { TextFile } from './text-file.ts';

/** `tabs`: RedisFullCheck's lines of database, conflict, key and field. */
export type ResultFormat = 'ndjson' | 'sqlite' | 'markdown' | 'html' | 'tabs';

export interface ResultFile {
  readonly path: string;
  readonly format: ResultFormat;
}

const FORMATS: Readonly<Record<string, ResultFormat>> = {
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  sqlite: 'sqlite',
  db: 'sqlite',
  md: 'markdown',
  html: 'html',
};

/** The format that the ending asks for. Throws ToolError `USAGE`. */
export function resultFile(path: string): ResultFile {
  const format = FORMATS[/\.([a-z]+)$/.exec(path)?.[1] ?? ''];
  if (format !== undefined) return { path, format };
  throw new ToolError(
    'USAGE',
    `Cannot write the results to "${path}": it must end in .md, .html, .ndjson or .sqlite`,
  );
}

/** Throws ToolError when a file cannot be made. */
export async function openResults(files: readonly ResultFile[]): Promise<readonly ResultSink[]> {
  const sinks: ResultSink[] = [];
  for (const { path, format } of files) {
    if (format === 'sqlite') sinks.push(new DatabaseFile(await openSqlite(path)));
    else if (format === 'ndjson') sinks.push(new JsonLines(path));
    else if (format === 'tabs') sinks.push(new TabLines(path));
    else sinks.push(new ReportFile(new TextFile(path), format));
  }
  return sinks;
}

class JsonLines implements ResultSink {
  readonly #file: TextFile;

  constructor(path: string) {
    this.#file = new TextFile(path);
  }

  add(finding: Finding): void {
    this.#file.line(JSON.stringify(jsonOf(finding)));
  }

  end(outcome: Outcome): void {
    this.#file.line(JSON.stringify(summaryOf(outcome)));
    this.#file.end();
  }
}

class TabLines implements ResultSink {
  readonly #file: TextFile;

  constructor(path: string) {
    this.#file = new TextFile(path);
  }

  add({ pair, key, difference }: Finding): void {
    const parts = namedParts(difference);
    const fields =
      parts.length === 0
        ? [[conflictOf(difference), ''] as const]
        : parts.map((part) => [partConflictOf(part), part.part] as const);
    for (const [conflict, field] of fields) {
      this.#file.line([pair.source, conflict, key.toString(), field].join('\t'));
    }
  }

  end(): void {
    this.#file.end();
  }
}
