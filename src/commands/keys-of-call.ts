/** Every key of a call with what the call does to it. */
import type { Request } from '../resp/index.ts';
import type { KeyFlag } from './spec.ts';
import { type Command, keysOfSpec } from './table.ts';

export interface FlaggedKey {
  /** Of the argument. */
  readonly index: number;
  readonly flags: readonly KeyFlag[];
}

export function keysOfCall(command: Command, request: Request): FlaggedKey[] {
  const { spec } = command;
  const specs = spec.keys ?? [];
  if (spec.findKeys !== undefined) {
    // The first key is the first specification's, and what more there are the last one's: SORT's STORE.
    return (spec.findKeys(request) ?? []).map((index, i) => {
      const flags = (i === 0 ? specs[0] : specs.at(-1))?.flags ?? [];
      return { index, flags: flags.filter((flag) => flag !== 'incomplete') };
    });
  }
  return specs
    .filter(({ flags }) => !flags.includes('not_key'))
    .flatMap((key) => {
      const isVariable = key.flags.includes('variable_flags');
      const flags = isVariable ? flagsAsCalled(command, request) : key.flags;
      return (keysOfSpec(key, request) ?? []).map((index) => ({ index, flags }));
    });
}

/** What SET and BITFIELD do to their key depends on their arguments. */
function flagsAsCalled(command: Command, request: Request): readonly KeyFlag[] {
  if (command.spec.name === 'bitfield') {
    for (let i = 2; i < request.argc; i++) {
      if (request.is(i, 'set') || request.is(i, 'incrby')) return ['RW', 'access', 'update'];
    }
    return ['RO', 'access'];
  }
  for (let i = 3; i < request.argc; i++)
    if (request.is(i, 'get')) return ['RW', 'access', 'update'];
  return ['OW', 'update'];
}
