/** From a difference to the smallest program that shows it. */
import { type Finding, describe, signatureOf } from './finding.ts';
import { Minimiser } from './minimise.ts';
import type { Program } from './program.ts';
import type { Runner } from './runner.ts';
import { scriptOf } from './script.ts';

const CHECKS_MAX = 3000;
/** A lost server takes a second to come back. */
const LOST_CHECKS_MAX = 100;

export interface Investigated {
  readonly signature: string;
  readonly program: Program;
  readonly finding: Finding;
  /** Whether the program fails again when it is run again. */
  readonly isSteady: boolean;
}

export async function investigate(
  runner: Runner,
  program: Program,
  first: Finding,
): Promise<Investigated> {
  const isCareful = first.kind === 'digest';
  const again = await runner.run(program, isCareful);
  if (again === undefined) {
    return { signature: signatureOf(first), program, finding: first, isSteady: false };
  }
  const signature = signatureOf(again);
  const upTo = again.at === undefined ? program.steps.length : again.at + 1;
  const minimiser = new Minimiser(
    async (candidate) => {
      const found = await runner.run(candidate, isCareful);
      return found !== undefined && signatureOf(found) === signature;
    },
    first.kind === 'lost' ? LOST_CHECKS_MAX : CHECKS_MAX,
  );
  const start = { ...program, steps: program.steps.slice(0, upTo) };
  const small = await minimiser.minimise(start);
  const finding = (await runner.run(small, isCareful)) ?? again;
  return { signature, program: small, finding, isSteady: true };
}

/** The program for redis-cli and both replies. */
export function report({ program, finding, isSteady }: Investigated): string {
  const remark = isSteady ? '' : '# It did not fail when it was run again.\n';
  return `${remark}${scriptOf(program)}\n${describe(finding)}`;
}
