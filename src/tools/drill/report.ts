/** What a drill found, for machines and for people. */
import { type Screen, tableLines } from '../screen.ts';
import { type Spread, countsByTime, spreadOf } from './gaps.ts';
import type { ShardResult } from './load.ts';
import type { RoundResult } from './round.ts';
import type { DrillKind } from './target.ts';
import type { MergedEvent } from './timeline.ts';

export interface DrillReport {
  /** No acknowledged write was lost or reordered. */
  readonly ok: boolean;
  readonly target: string;
  readonly kind: DrillKind;
  /** Over the struck shards of all rounds, milliseconds; undefined without rounds. */
  readonly gapMs: Spread | undefined;
  readonly unavailableMs: Spread | undefined;
  readonly switchMs: Spread | undefined;
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly rounds: readonly RoundReport[];
}

export type ShardReport = Omit<ShardResult, 'acknowledgedMs'> & {
  /** Acknowledged writes in each `RATE_BUCKET_MS` from `rateFromMs` on. */
  readonly rate: readonly number[];
  readonly rateFromMs: number;
  readonly rateBucketMs: number;
};

export type RoundReport = Omit<RoundResult, 'shards'> & { readonly shards: readonly ShardReport[] };

/** Pieces of the rate: as many as a chart can show. */
const RATE_BUCKETS = 300;
const RATE_BUCKET_MS_MIN = 5;

const EVENTS_SHOWN = 60;
const WITNESSES_SHOWN = 2;

export function reportOf({
  target,
  kind,
  rounds,
}: {
  readonly target: string;
  readonly kind: DrillKind;
  readonly rounds: readonly RoundResult[];
}): DrillReport {
  const all = rounds.flatMap(({ shards }) => shards);
  const struck = all.filter(({ isStruck }) => isStruck);
  const sum = (field: 'acknowledged' | 'lost' | 'duplicated' | 'reordered'): number =>
    all.reduce((total, shard) => total + shard[field], 0);
  const [lost, reordered] = [sum('lost'), sum('reordered')];
  return {
    ok: lost === 0 && reordered === 0,
    target,
    kind,
    gapMs: spreadOf(struck.map(({ gapMs }) => gapMs)),
    unavailableMs: spreadOf(struck.map(({ unavailableMs }) => unavailableMs)),
    switchMs: spreadOf(rounds.map(({ switchMs }) => switchMs).filter((ms) => ms !== undefined)),
    acknowledged: sum('acknowledged'),
    lost,
    duplicated: sum('duplicated'),
    reordered,
    rounds: rounds.map((round) => ({
      ...round,
      shards: round.shards.map((each) => shardReport(each)),
    })),
  };
}

/** One round as a line of progress. */
export function roundLine({ oldMaster, newMaster, switchMs, shards }: RoundResult): string {
  const struck = shards.find(({ isStruck }) => isStruck);
  const lost = shards.reduce((sum, shard) => sum + shard.lost, 0);
  const taken =
    newMaster === undefined
      ? `nobody took over from ${oldMaster}`
      : `${newMaster} took over from ${oldMaster} in ${millis(switchMs)}`;
  return `${taken}, writes stood still for ${millis(struck?.gapMs)}, ${lost} of them lost`;
}

/** A table of the rounds, the time line of each, and the sums. */
export function showReport(report: DrillReport, screen: Screen): void {
  for (const [index, round] of report.rounds.entries()) {
    screen.out('');
    screen.out(screen.paint('bold', `Round ${index + 1}: ${report.kind} of ${round.oldMaster}`));
    for (const line of eventLines(round.events)) screen.out(line);
    for (const line of shardLines(round.shards)) screen.out(line);
  }
  screen.out('');
  const spreads = [
    ['gap between two writes of a client', report.gapMs],
    ['first error to first success', report.unavailableMs],
    ['until the new master was one', report.switchMs],
  ] as const;
  const rows = spreads.map(([name, spread]) => [
    name,
    ...[spread?.p50, spread?.p90, spread?.p99, spread?.max].map((value) => millis(value)),
  ]);
  const header = ['struck shards', 'p50', 'p90', 'p99', 'max'];
  for (const line of tableLines(header, rows, [1, 2, 3, 4])) screen.out(line);
  const { acknowledged, lost, duplicated, reordered } = report;
  const counts = `${acknowledged} writes acknowledged: ${lost} lost, ${duplicated} there twice after a repetition, ${reordered} reordered`;
  screen.out(`${report.ok ? screen.paint('green', 'OK') : screen.paint('red', 'LOSS')} ${counts}`);
}

/** `17.3 ms`; a dash for nothing. */
export function millis(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)} ms`;
}

/** Who saw an event, in short. */
export function witnesses({ by }: MergedEvent): string {
  const shown = by.slice(0, WITNESSES_SHOWN).join(', ');
  return by.length > WITNESSES_SHOWN ? `${shown} and ${by.length - WITNESSES_SHOWN} more` : shown;
}

function eventLines(events: readonly MergedEvent[]): string[] {
  const rows = events
    .slice(0, EVENTS_SHOWN)
    .map((event) => [`${event.firstMs.toFixed(0)} ms`, event.text, `by ${witnesses(event)}`]);
  const left = events.length - rows.length;
  return [
    ...tableLines(['after', 'event', 'seen'], rows, [0]),
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
}

function shardLines(shards: readonly ShardReport[]): string[] {
  const rows = shards.map((shard) => [
    `${shard.isStruck ? '*' : ' '} ${shard.name}`,
    millis(shard.gapMs),
    millis(shard.unavailableMs),
    String(shard.acknowledged),
    String(shard.lost),
    String(shard.duplicated),
    String(shard.reordered),
    Object.entries(shard.errors)
      .map(([word, count]) => `${word} ${count}`)
      .join(', '),
  ]);
  const header = ['shard', 'gap', 'unavailable', 'writes', 'lost', 'twice', 'reordered', 'errors'];
  return tableLines(header, rows, [1, 2, 3, 4, 5, 6]);
}

function shardReport({ acknowledgedMs, ...rest }: ShardResult): ShardReport {
  const fromMs = Math.floor(acknowledgedMs[0] ?? 0);
  const toMs = Math.ceil(acknowledgedMs.at(-1) ?? 0);
  const bucketMs = Math.max(RATE_BUCKET_MS_MIN, Math.ceil((toMs - fromMs) / RATE_BUCKETS));
  return {
    ...rest,
    rate: countsByTime(acknowledgedMs, { fromMs, toMs, bucketMs }),
    rateFromMs: fromMs,
    rateBucketMs: bucketMs,
  };
}
