/** Which command a request names, and what is said where it names none. */
import { Command, type Context, errors } from '../commands/index.ts';
import type { Request } from '../resp/index.ts';

type RunnableCommand = Command<Context>;

/** A browser tricked into sending HTTP to this port: its first line or its `Host:` header read as a command. */
export function isForeignProtocol(request: Request): boolean {
  return request.is(0, 'post') || request.is(0, 'host:');
}

/** The subcommand that a request of a container names; without any, the container itself or what refuses for it. */
export function subcommand(main: RunnableCommand, request: Request): RunnableCommand | undefined {
  if (request.argc < 2) return main.run === undefined ? new MissingSubcommand(main) : main;
  return main.subcommands.get(request.text(1).toLowerCase());
}

/** A container named without a subcommand has too few arguments. */
class MissingSubcommand extends Command<Context> {
  constructor(main: RunnableCommand) {
    super({ ...main.spec, subcommands: [], arity: -2 });
  }
}

/** The error of a request that names no command, or with `main` no subcommand of it. */
export function unknownText(main: RunnableCommand | undefined, request: Request): string {
  const { SHOWN_BYTES_MAX, shown } = errors;
  if (main !== undefined) {
    const name = main.spec.name.toUpperCase();
    return `ERR unknown subcommand '${shown(request.text(1))}'. Try ${name} HELP.`;
  }
  let args = '';
  for (let i = 1; i < request.argc && args.length < SHOWN_BYTES_MAX; i++) {
    args += `'${shown(request.text(i), SHOWN_BYTES_MAX - args.length)}' `;
  }
  return `ERR unknown command '${shown(request.text(0))}', with args beginning with: ${args}`;
}
