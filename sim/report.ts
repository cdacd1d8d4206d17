/** The table at the end of a run. */
import type { SeedResult } from './seed-run.ts';

const COLUMNS = [
  'kind',
  'seeds',
  'failed',
  'nodes',
  'faults',
  'elections',
  'writes',
  'events',
  'virtual s',
] as const;
const WIDTH = 11;

/** One row a kind of swarm, and the sum. */
export function reportTable(results: readonly SeedResult[], seconds: number): string {
  const kinds = [...new Set(results.map(({ kind }) => kind))].sort();
  const rows = kinds.map((kind) =>
    row(
      kind,
      results.filter((result) => result.kind === kind),
    ),
  );
  const lines = [[...COLUMNS], ...rows, row('all', results)].map((cells) =>
    cells.map((cell) => cell.padStart(WIDTH)).join(''),
  );
  const failed = results.filter(({ violations }) => violations.length > 0).length;
  const trace = results.length === 1 ? `, trace ${results[0]!.traceHash}` : '';
  lines.push(`${results.length} seeds, ${failed} failed, ${seconds.toFixed(1)} s${trace}`);
  return lines.join('\n');
}

function row(name: string, results: readonly SeedResult[]): string[] {
  const sum = (value: (result: SeedResult) => number): string =>
    String(Math.round(results.reduce((total, result) => total + value(result), 0)));
  return [
    name,
    String(results.length),
    sum(({ violations }) => (violations.length > 0 ? 1 : 0)),
    sum(({ nodes }) => nodes),
    sum(({ faults }) => faults),
    sum(({ elections }) => elections),
    sum(({ acknowledgedWrites }) => acknowledgedWrites),
    sum(({ events }) => events),
    sum(({ simMs }) => simMs / 1000),
  ];
}
