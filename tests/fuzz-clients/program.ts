/** What the fuzzer of several clients runs: commands, each with the client that sends it. */
import type { Step } from '../fuzz-commands/program.ts';

export const CLIENT_COUNT = 5;

/** From this client on they only listen: they change no data, see `generator.ts`. */
export const FIRST_LISTENER = 3;

export interface ClientStep {
  /** Index of the client. */
  readonly client: number;
  /** Whether it is sent even while the client waits for the reply to an earlier one; it is left out then otherwise. */
  readonly isBehind: boolean;
  /** `@3` as an argument stands for the id of client 3. */
  readonly step: Step;
}

export type Program = readonly ClientStep[];

/** The client that an argument names, or undefined. */
export function namedClient(arg: Buffer): number | undefined {
  const text = arg.length === 2 ? arg.toString('latin1') : '';
  return /^@[0-4]$/.test(text) ? Number(text[1]) : undefined;
}
