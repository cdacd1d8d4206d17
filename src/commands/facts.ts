/** What generated tables say of a command, and how its function joins it. */
import { invariant } from '../base/index.ts';
import type { CommandSpec, Handler } from './spec.ts';

/** A command without its function. */
export interface CommandFacts extends Omit<CommandSpec, 'run' | 'findKeys' | 'subcommands'> {
  readonly subcommands?: readonly CommandFacts[];
}

/** Joins facts and functions by full name, such as `ping` and `config|get`. Every fact needs its function. */
export function defineCommands(
  facts: readonly CommandFacts[],
  handlers: Readonly<Record<string, Handler>>,
): readonly CommandSpec[] {
  return facts.map((fact) => define(fact, fact.name, handlers));
}

function define(
  facts: CommandFacts,
  fullName: string,
  handlers: Readonly<Record<string, Handler>>,
): CommandSpec {
  const run = handlers[fullName];
  const { subcommands, ...own } = facts;
  invariant(run !== undefined || subcommands !== undefined, `"${fullName}" has a function`);
  return {
    ...own,
    ...(run === undefined ? {} : { run }),
    ...(subcommands === undefined
      ? {}
      : {
          subcommands: subcommands.map((sub) => define(sub, `${fullName}|${sub.name}`, handlers)),
        }),
  };
}
