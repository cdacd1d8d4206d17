/** Who takes what a comparison finds. */
import type { Finding } from './finding.ts';
import type { Outcome } from './outcome.ts';

/** Takes findings one by one, so that none has to be remembered. */
export interface ResultSink {
  add(finding: Finding): void;
  /** Called once, when there are no more. */
  end(outcome: Outcome): void;
}
