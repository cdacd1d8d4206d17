/** The keys of commands as a master sends them to its replicas. */
import { type Command, CommandTable, type Context, commandSpecs } from '../../commands/index.ts';
import { Request } from '../../resp/index.ts';

export interface KnownCommand {
  /** In lower case, without a subcommand. */
  readonly name: string;
  /** Indexes of the arguments that are keys. */
  readonly keys: readonly number[];
}

/** Of later versions, which are not known here otherwise: their key is the first argument. */
const LATER: ReadonlySet<string> = new Set([
  ...['hexpire', 'hpexpire', 'hexpireat', 'hpexpireat', 'hpersist', 'hsetex', 'hgetex', 'hgetdel'],
  ...['vadd', 'vrem', 'vsetattr', 'xdelex', 'xackdel', 'delifeq'],
]);

/** Whether it is a command that writes and that only later versions have; in lower case. */
export function isLaterCommand(name: string): boolean {
  return LATER.has(name);
}

export class CommandKeys {
  readonly #table: CommandTable<Context> = new CommandTable(commandSpecs);

  /** Undefined for a command that is not known here, or whose arguments make no sense. */
  of(request: Request): KnownCommand | undefined {
    const command = this.#table.find(request);
    if (command === undefined) return later(request);
    const keys = concrete(command, request)?.keyIndexes(request);
    return keys === undefined ? undefined : { name: command.spec.name, keys };
  }

  /** The key that decides where a command of these arguments goes; its first argument where that is not known. */
  firstKey(args: readonly Buffer[]): Buffer {
    const request = new Request();
    request.load(args);
    const index = this.of(request)?.keys[0] ?? 1;
    return args[index] ?? Buffer.alloc(0);
  }
}

function later(request: Request): KnownCommand | undefined {
  const name = request.text(0).toLowerCase();
  return request.argc > 1 && LATER.has(name) ? { name, keys: [1] } : undefined;
}

/** The subcommand where the command is only a name for several. */
function concrete(command: Command<Context>, request: Request): Command<Context> | undefined {
  if (!command.isContainer || request.argc < 2) return command;
  return command.subcommands.get(request.text(1).toLowerCase());
}
