/** A drill's report as one page that needs nothing else: charts are drawings in it, colours follow the reader's. */
import {
  type DrillReport,
  type RoundReport,
  type ShardReport,
  millis,
  witnesses,
} from './report.ts';
import type { Spread } from './gaps.ts';

const WIDTH = 900;
const HEIGHT = 120;
/** Events whose lines would lie on each other are told in the table only. */
const MARKED_KINDS: ReadonlySet<string> = new Set(['fault', 'FAIL', 'role', 'election', 'vote']);

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d5dae0; --bar: #2f6fab; --mark: #b3261e; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #3a424c; --bar: #6ca8dd; --mark: #ff8a80; --paper: #15191e; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
.bar { fill: var(--bar); } .mark { stroke: var(--mark); stroke-width: 1; } .axis { stroke: var(--line); }
.loss { color: var(--mark); font-weight: bold; } .soft { color: var(--soft); }
`;

/** The page. */
export function htmlReport(report: DrillReport): string {
  const { acknowledged, lost, duplicated, reordered } = report;
  const verdict = `${acknowledged} writes acknowledged: ${lost} lost, ${duplicated} there twice after a repetition, ${reordered} reordered`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Failover drill: ${escaped(report.kind)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Failover drill: ${escaped(report.kind)} on ${escaped(report.target)}</h1>
<p class="${report.ok ? 'soft' : 'loss'}">${verdict}</p>
${table(
  ['struck shards', 'p50', 'p90', 'p99', 'max'],
  [
    ['gap between two writes of a client', ...spreadCells(report.gapMs)],
    ['first error to first success', ...spreadCells(report.unavailableMs)],
    ['until the new master was one', ...spreadCells(report.switchMs)],
  ],
  1,
)}
${report.rounds.map((round, index) => roundSection(round, index)).join('\n')}
</body>
</html>
`;
}

function roundSection(round: RoundReport, index: number): string {
  const struck = round.shards.find(({ isStruck }) => isStruck);
  const heading = `Round ${index + 1}: ${round.oldMaster} to ${round.newMaster ?? 'nobody'}, shard ${round.shard}`;
  const shards = round.shards.map((shard) => [
    `${shard.name}${shard.isStruck ? ' (struck)' : ''}`,
    millis(shard.gapMs),
    millis(shard.unavailableMs),
    ...[shard.acknowledged, shard.lost, shard.duplicated, shard.reordered].map(String),
    Object.entries(shard.errors)
      .map(([word, count]) => `${word} ${count}`)
      .join(', '),
  ]);
  const events = round.events.map((event) => [
    event.text,
    `${event.firstMs.toFixed(0)} ms`,
    `${event.lastMs.toFixed(0)} ms`,
    witnesses(event),
  ]);
  return `<h2>${escaped(heading)}</h2>
${struck === undefined ? '' : chart(struck, round)}
${table(['shard', 'gap', 'unavailable', 'writes', 'lost', 'twice', 'reordered', 'errors'], shards, 1)}
${table(['event', 'first seen', 'last seen', 'by'], events, 1)}`;
}

/** Acknowledged writes over time, with a line for each event that matters. */
function chart({ rate, rateFromMs, rateBucketMs }: ShardReport, { events }: RoundReport): string {
  const most = Math.max(1, ...rate);
  const step = WIDTH / Math.max(1, rate.length);
  const bars = rate.map((count, index) => {
    const height = (count / most) * HEIGHT;
    return `<rect class="bar" x="${px(index * step)}" y="${px(HEIGHT - height)}" width="${px(step)}" height="${px(height)}"/>`;
  });
  const at = (ms: number): number => ((ms - rateFromMs) / rateBucketMs) * step;
  const marks = events
    .filter(
      ({ kind, firstMs }) => MARKED_KINDS.has(kind) && at(firstMs) >= 0 && at(firstMs) <= WIDTH,
    )
    .map(({ firstMs, text }) => {
      const x = px(at(firstMs));
      return `<line class="mark" x1="${x}" x2="${x}" y1="0" y2="${HEIGHT}"><title>${escaped(text)}</title></line>`;
    });
  const rateText = Math.round((most * 1000) / rateBucketMs);
  const endMs = rateFromMs + rate.length * rateBucketMs;
  return `<svg viewBox="0 -14 ${WIDTH} ${HEIGHT + 32}" role="img" aria-label="Acknowledged writes over time">
<line class="axis" x1="0" x2="${WIDTH}" y1="${HEIGHT}" y2="${HEIGHT}"/>
${bars.join('')}${marks.join('')}
<text x="0" y="-3">at most ${rateText} writes a second</text>
<text x="0" y="${HEIGHT + 14}">${rateFromMs} ms</text>
<text x="${px(at(0))}" y="${HEIGHT + 14}">0: the fault</text>
<text x="${WIDTH}" y="${HEIGHT + 14}" text-anchor="end">${endMs} ms</text>
</svg>`;
}

function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numbersFrom: number,
): string {
  const isNumber = (cell: string): boolean => /^-?[\d.]+(?: ms)?$|^-$/.test(cell);
  const line = (cells: readonly string[], tag: 'th' | 'td'): string =>
    cells
      .map((cell, column) => {
        const isRight = tag === 'td' && column >= numbersFrom && isNumber(cell);
        return `<${tag}${isRight ? ' class="n"' : ''}>${escaped(cell)}</${tag}>`;
      })
      .join('');
  const body = rows.map((row) => `<tr>${line(row, 'td')}</tr>`).join('\n');
  return `<div class="wide"><table><thead><tr>${line(header, 'th')}</tr></thead><tbody>
${body}
</tbody></table></div>`;
}

function spreadCells(spread: Spread | undefined): string[] {
  return [spread?.p50, spread?.p90, spread?.p99, spread?.max].map((value) => millis(value));
}

function px(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
