/** The report of a comparison for people to keep: Markdown, or a page of HTML. */
import { type Finding, textsOf } from './finding.ts';
import { type Outcome, countRows, verdictOf } from './outcome.ts';
import type { ResultSink } from './result-sink.ts';
import type { TextFile } from './text-file.ts';

/** Keys that a report lists; the others are only counted. */
const LISTED_MAX = 1000;

export class ReportFile implements ResultSink {
  readonly #file: TextFile;
  readonly #format: 'markdown' | 'html';
  readonly #rows: (readonly string[])[] = [];

  constructor(file: TextFile, format: 'markdown' | 'html') {
    this.#file = file;
    this.#format = format;
  }

  add(finding: Finding): void {
    if (this.#rows.length < LISTED_MAX) this.#rows.push(textsOf(finding));
  }

  end(outcome: Outcome): void {
    const { source, target, startedAt, tally } = outcome;
    const [verdict, reason] = verdictOf(outcome);
    const page = this.#format === 'html' ? new HtmlPage() : new MarkdownPage();
    page.title(`Comparison: ${verdict}`);
    page.text(`${reason}. Begun ${startedAt.toISOString()}.`);
    page.table(
      ['side', 'address'],
      [
        ['source', source],
        ['target', target],
      ],
    );
    page.table(['', 'count'], countRows(outcome));
    if (this.#rows.length > 0) {
      page.table(['key', 'differs: it is', 'details'], this.#rows);
      const left = tally.keys - this.#rows.length;
      if (left > 0) page.text(`${left} more differ; a .ndjson file lists all of them.`);
    }
    for (const line of page.lines()) this.#file.line(line);
    this.#file.end();
  }
}

interface Page {
  title(text: string): void;
  text(text: string): void;
  table(header: readonly string[], rows: readonly (readonly string[])[]): void;
  lines(): readonly string[];
}

class MarkdownPage implements Page {
  readonly #lines: string[] = [];

  title(text: string): void {
    this.#lines.push(`# ${text}`, '');
  }

  text(text: string): void {
    this.#lines.push(escapedForMarkdown(text), '');
  }

  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const line = (cells: readonly string[]): string =>
      `| ${cells.map(escapedForMarkdown).join(' | ')} |`;
    const rule = `| ${header.map(() => '---').join(' | ')} |`;
    this.#lines.push(line(header), rule, ...rows.map(line), '');
  }

  lines(): readonly string[] {
    return this.#lines;
  }
}

const STYLE = `body { font: 16px/1.5 sans-serif; margin: 2em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { border: 1px solid #bbb; padding: 0.2em 0.6em; text-align: left; overflow-wrap: anywhere; }`;

class HtmlPage implements Page {
  readonly #lines: string[] = ['<!doctype html>', '<meta charset="utf-8">'];

  title(text: string): void {
    const title = escapedForHtml(text);
    this.#lines.push(`<title>${title}</title>`, `<style>${STYLE}</style>`, `<h1>${title}</h1>`);
  }

  text(text: string): void {
    this.#lines.push(`<p>${escapedForHtml(text)}</p>`);
  }

  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const line = (cells: readonly string[], tag: string): string =>
      `<tr>${cells.map((cell) => `<${tag}>${escapedForHtml(cell)}</${tag}>`).join('')}</tr>`;
    const body = rows.map((row) => line(row, 'td'));
    this.#lines.push('<table>', line(header, 'th'), ...body, '</table>');
  }

  lines(): readonly string[] {
    return this.#lines;
  }
}

/** Data must not become markup: keys are whatever their users chose. */
function escapedForMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>#|!]/g, (char) => `\\${char}`);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escapedForHtml(text: string): string {
  return text.replaceAll(/[&<>]/g, (char) => ENTITIES[char] ?? char);
}
