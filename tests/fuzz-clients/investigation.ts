/** From a difference to the smallest program that shows it. */
import { fewest } from '../fuzz-commands/minimise.ts';
import { type Finding, describe, signatureOf } from './finding.ts';
import type { Program } from './program.ts';
import { scriptOf } from './script.ts';

const CHECKS_MAX = 600;
/** A lost server takes seconds to come back. */
const LOST_CHECKS_MAX = 30;

/** Runs a program from an empty server on and says what differs. */
export type Run = (program: Program) => Promise<Finding | undefined>;

export interface Investigated {
  readonly signature: string;
  readonly program: Program;
  readonly finding: Finding;
  /** Whether the program fails again when it is run again. */
  readonly isSteady: boolean;
}

export async function investigate(
  run: Run,
  program: Program,
  first: Finding,
): Promise<Investigated> {
  const signature = signatureOf(first);
  let finding: Finding | undefined;
  let checksLeft = first.kind === 'lost' ? LOST_CHECKS_MAX : CHECKS_MAX;
  const fails = async (candidate: Program): Promise<boolean> => {
    if (checksLeft-- <= 0) return false;
    const found = await run(candidate);
    if (found === undefined || signatureOf(found) !== signature) return false;
    finding = found;
    return true;
  };
  let small: Program = program.slice(0, first.at + 1);
  const isSteady = await fails(small);
  if (!isSteady) return { signature, program: small, finding: first, isSteady };
  for (let size = Infinity; small.length < size;) {
    size = small.length;
    small = await fewest(small, fails);
  }
  return { signature, program: small, finding: finding ?? first, isSteady };
}

/** The program, which `parseScript` reads, and what each client got. */
export function report({ program, finding, isSteady }: Investigated): string {
  const remark = isSteady ? '' : '\n# It did not fail when it was run again.';
  return `${scriptOf(program)}\n${describe(finding.kind, finding.differences)}${remark}`;
}
