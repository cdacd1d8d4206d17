/** A difference between two servers in what one step did. */
import { shown } from '../fuzz-commands/finding.ts';
import { type Step, nameOf } from '../fuzz-commands/program.ts';
import type { Outcome } from './side.ts';

export type FindingKind =
  /** A client received something else. */
  | 'received'
  /** Other clients wait, or the server says something else of a client. */
  | 'clients'
  /** DEBUG DIGEST differs. */
  | 'data'
  /** A server ended, hangs, or does not come to rest. */
  | 'lost';

export interface Difference {
  /** Such as `client 3`. */
  readonly where: string;
  readonly ours: string;
  readonly real: string;
}

export interface Finding {
  readonly kind: FindingKind;
  /** Index of the step that showed it. */
  readonly at: number;
  readonly step: Step;
  readonly differences: readonly Difference[];
}

/** What makes two findings the same: used to stay with one while a program is made smaller. */
export function signatureOf({ kind, step }: Finding): string {
  return `${kind} ${nameOf(step)}`;
}

/** In what two outcomes of a step differ, the most telling kind first; undefined when they agree. */
export function compare(
  ours: Outcome,
  real: Outcome,
): Pick<Finding, 'kind' | 'differences'> | undefined {
  const received = differing('client', ours.received, real.received);
  if (received.length > 0) return { kind: 'received', differences: received };
  const states = differing('state of client', ours.states, real.states);
  const [mine, theirs] = [ours, real].map(({ blockedCount }) => String(blockedCount));
  if (mine !== undefined && theirs !== undefined && mine !== theirs) {
    states.push({ where: 'blocked clients', ours: mine, real: theirs });
  }
  if (states.length > 0) return { kind: 'clients', differences: states };
  if (ours.digest === real.digest) return undefined;
  const digests = { where: 'DEBUG DIGEST', ours: ours.digest, real: real.digest };
  return { kind: 'data', differences: [digests] };
}

function differing(what: string, ours: readonly string[], real: readonly string[]): Difference[] {
  return ours
    .map((mine, i) => ({ where: `${what} ${i}`, ours: mine, real: real[i] ?? '' }))
    .filter((each) => each.ours !== each.real);
}

/** Lines for a person, none of which `parseScript` reads. */
export function describe(kind: FindingKind, differences: readonly Difference[]): string {
  return [
    `# ${kind}:`,
    ...differences.flatMap(({ where, ours, real }) => [
      `# ${where}`,
      `#   ours: ${shown(ours)}`,
      `#   real: ${shown(real)}`,
    ]),
  ].join('\n');
}
