/** A difference between two servers. */
import { lineOf } from './script.ts';
import { type Step, nameOf } from './program.ts';
import { isError } from './wire.ts';

export type FindingKind =
  /** Replies to one command do not agree. */
  | 'reply'
  /** The same data is encoded or expires in another way. */
  | 'encoding'
  /** DEBUG DIGEST differs. */
  | 'digest'
  | 'events'
  /** A value of one server cannot be given to the other. */
  | 'transfer'
  /** A replica has other data than its master. */
  | 'replica'
  /** A server ended or hangs. */
  | 'lost';

export interface Finding {
  readonly kind: FindingKind;
  /** Index of the command that showed it; undefined at the end of a program. */
  readonly at: number | undefined;
  readonly step: Step;
  readonly ours: string;
  readonly real: string;
}

/** What makes two findings the same: used to stay with one while a program is made smaller. */
export function signatureOf({ kind, at, step, ours, real }: Finding): string {
  if (kind === 'digest' && at === undefined) return kind;
  const errors = [ours, real].map((text) => isError(Buffer.from(text, 'latin1')));
  return `${kind} ${nameOf(step)} ${errors.join()}`;
}

const SHOWN_BYTES = 1500;

export function describe(finding: Finding): string {
  return [
    `${finding.kind} after: ${lineOf(finding.step)}`,
    `  ours: ${shown(finding.ours)}`,
    `  real: ${shown(finding.real)}`,
  ].join('\n');
}

/** The text, or its beginning, in one line. */
export function shown(text: string): string {
  const visible = JSON.stringify(text);
  return visible.length > SHOWN_BYTES
    ? `${visible.slice(0, SHOWN_BYTES)}… (${text.length})`
    : visible;
}
