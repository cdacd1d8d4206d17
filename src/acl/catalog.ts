/** The commands that an ACL speaks of, by number: each subcommand is a command of its own. */

/** What the ACL must know of a command. */
export interface AclCommand {
  /** `config|get` for a subcommand. */
  readonly fullName: string;
  /** With the `@`. */
  readonly categories: readonly string[];
  /** Whether everybody may run it, such as AUTH. */
  readonly isOpen: boolean;
  readonly subcommands: Iterable<AclCommand>;
}

/** Categories in the order of ACL CAT. Source: ACL CAT of redis-server 7.0.15. */
export const CATEGORIES: readonly string[] = [
  ...['keyspace', 'read', 'write', 'set', 'sortedset', 'list', 'hash', 'string', 'bitmap'],
  ...['hyperloglog', 'geo', 'stream', 'pubsub', 'admin', 'fast', 'slow', 'blocking', 'dangerous'],
  ...['connection', 'transaction', 'scripting'],
];

interface Numbered {
  readonly fullName: string;
  readonly isOpen: boolean;
  readonly subcommands: readonly number[];
  readonly isSubcommand: boolean;
}

export class AclCatalog {
  readonly #commands: Numbered[] = [];
  readonly #byName = new Map<string, number>();
  readonly #byCategory = new Map<string, number[]>(CATEGORIES.map((name) => [name, []]));

  constructor(commands: Iterable<AclCommand>) {
    for (const command of commands) this.#add(command, false);
  }

  /** How many commands and subcommands there are; their numbers begin with 0. */
  get size(): number {
    return this.#commands.length;
  }

  /** The number of a command by its full name in lower case. */
  find(fullName: string): number | undefined {
    return this.#byName.get(fullName);
  }

  name(command: number): string {
    return this.#commands[command]!.fullName;
  }

  isOpen(command: number): boolean {
    return this.#commands[command]!.isOpen;
  }

  isSubcommand(command: number): boolean {
    return this.#commands[command]!.isSubcommand;
  }

  subcommands(command: number): readonly number[] {
    return this.#commands[command]!.subcommands;
  }

  /** Commands of a category, by its name without the `@`; undefined when there is no such. */
  category(name: string): readonly number[] | undefined {
    return this.#byCategory.get(name);
  }

  #add(command: AclCommand, isSubcommand: boolean): number {
    const { fullName, isOpen } = command;
    const subcommands: number[] = [];
    const number = this.#commands.length;
    this.#commands.push({ fullName, isOpen, isSubcommand, subcommands });
    this.#byName.set(fullName, number);
    for (const category of command.categories) {
      this.#byCategory.get(category.slice(1))?.push(number);
    }
    for (const sub of command.subcommands) subcommands.push(this.#add(sub, true));
    return number;
  }
}
