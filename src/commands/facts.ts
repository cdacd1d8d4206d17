/** What generated tables say of a command, and how its function joins it. */
import { invariant } from '../base/index.ts';
import type { CommandSpec, Handler } from './spec.ts';

/** A command without its function. */
export interface CommandFacts extends Omit<CommandSpec, 'run' | 'findKeys' | 'subcommands'> {
  readonly subcommands?: readonly CommandFacts[];
}

/**
 * Joins facts and functions by full name, such as `ping` and `config|get`. Every fact needs its function. `finders` are
 * the `findKeys` of commands whose specifications do not tell all keys, by name.
 */
export function defineCommands(
  facts: readonly CommandFacts[],
  handlers: Readonly<Record<string, Handler>>,
  finders: Readonly<Record<string, NonNullable<CommandSpec['findKeys']>>> = {},
): readonly CommandSpec[] {
  return facts.map((fact) => {
    const spec = define(fact, fact.name, handlers);
    const findKeys = finders[fact.name];
    return findKeys === undefined ? spec : { ...spec, findKeys };
  });
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
