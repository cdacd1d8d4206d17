/** How a comparison came out, counted while it is found. */
import type { DifferenceKind } from './differences.ts';
import { type Finding, KINDS } from './finding.ts';
import type { RoundsProgress } from './rounds.ts';

export class Tally {
  readonly counts: Record<DifferenceKind, number> = {
    ...{ onlyOnSource: 0, onlyOnTarget: 0, type: 0, value: 0, ttl: 0, unread: 0 },
  };
  keys = 0;
  /** Fields, elements and the like that differ within values. */
  parts = 0;
  repaired = 0;

  add({ difference, repair }: Finding): void {
    this.keys++;
    this.counts[difference.kind]++;
    if (difference.type !== 'string') this.parts += difference.partCount ?? 0;
    if (repair === 'done') this.repaired++;
  }
}

export interface Outcome {
  readonly source: string;
  readonly target: string;
  readonly startedAt: Date;
  readonly progress: RoundsProgress;
  readonly tally: Tally;
  readonly isFinished: boolean;
  readonly seconds: number;
}

/** Whether the sides are equal, or were made so. */
export function isEqual({ isFinished, tally }: Outcome): boolean {
  return isFinished && tally.repaired === tally.keys;
}

/** The last event of `--json`. */
export function summaryOf(outcome: Outcome): object {
  const { progress, tally, isFinished, seconds } = outcome;
  return {
    event: 'summary',
    finished: isFinished,
    equal: isEqual(outcome),
    rounds: progress.round,
    sourceKeys: progress.sourceKeys,
    targetKeys: progress.targetKeys,
    differences: tally.counts,
    repaired: tally.repaired,
    seconds: Number(seconds.toFixed(2)),
  };
}

/** What was looked at, and how many keys differ in which way. */
export function countRows({ progress, tally }: Outcome): readonly (readonly [string, string])[] {
  return [
    ['keys of the source', String(progress.sourceKeys)],
    ['keys of the target', String(progress.targetKeys)],
    ...KINDS.map(([kind, name]) => [`keys ${name}`, String(tally.counts[kind])] as const),
  ];
}

export type Verdict = 'OK' | 'DIFFERENT' | 'NOT FINISHED';

export function verdictOf(outcome: Outcome): readonly [Verdict, string] {
  const { progress, tally, isFinished, seconds } = outcome;
  const rounds = progress.round === 1 ? 'round' : 'rounds';
  const when = `after ${progress.round} ${rounds} and ${seconds.toFixed(1)} s`;
  if (!isFinished) return ['NOT FINISHED', when];
  if (tally.keys === 0) return ['OK', `all is equal, ${when}`];
  if (isEqual(outcome)) return ['OK', `${tally.keys} differing keys were repaired, ${when}`];
  const differ = tally.keys === 1 ? 'key differs' : 'keys differ';
  return ['DIFFERENT', `${tally.keys} ${differ}, ${when}`];
}
