/** Which commands a selector allows, and the shortest rules that say so. */
import { type AclCatalog, CATEGORIES } from './catalog.ts';
import type { RuleFlaw } from './flaws.ts';

export class CommandRights {
  readonly #catalog: AclCatalog;
  readonly #allowed: Uint8Array;
  /** Whether commands that are yet to come (modules) are allowed: rules begin with +@all. */
  #takesNew = false;
  /** First arguments with which a command that is not allowed may be run all the same. */
  readonly #firstArguments = new Map<number, string[]>();

  constructor(catalog: AclCatalog) {
    this.#catalog = catalog;
    this.#allowed = new Uint8Array(catalog.size);
  }

  copy(): CommandRights {
    const copy = new CommandRights(this.#catalog);
    copy.#allowed.set(this.#allowed);
    copy.#takesNew = this.#takesNew;
    for (const [command, words] of this.#firstArguments) {
      copy.#firstArguments.set(command, [...words]);
    }
    return copy;
  }

  get isAll(): boolean {
    return this.#takesNew && this.#allowed.every((bit) => bit === 1);
  }

  allows(command: number): boolean {
    return this.#allowed[command] === 1 || this.#catalog.isOpen(command);
  }

  /** First arguments that make up for a command that is not allowed, in lower case. */
  firstArguments(command: number): readonly string[] {
    return this.#firstArguments.get(command) ?? [];
  }

  setAll(isAllowed: boolean): void {
    this.#takesNew = isAllowed;
    this.#allowed.fill(isAllowed ? 1 : 0);
    this.#firstArguments.clear();
  }

  /** Carries out `+what` or `-what`: a command, a subcommand, `@category`, or `command|argument`. */
  change(what: string, isAllowed: boolean): RuleFlaw | undefined {
    const name = what.toLowerCase();
    if (name === '@all') {
      this.setAll(isAllowed);
      return undefined;
    }
    if (name.startsWith('@')) return this.#changeCategory(name.slice(1), isAllowed);
    const command = this.#catalog.find(name);
    if (command !== undefined) {
      this.#set(command, isAllowed);
      return undefined;
    }
    return isAllowed ? this.#allowFirstArgument(name) : 'unknown';
  }

  /** The rules, beginning with `+@all` or `-@all`. */
  text(): string {
    const described = new CommandRights(this.#catalog);
    described.setAll(this.#takesNew);
    const rules = [
      this.#takesNew ? '+@all' : '-@all',
      ...this.#categoryRules(described),
      ...this.#commandRules(described),
    ];
    for (const [command, words] of this.#firstArguments) {
      rules.push(...words.map((word) => `+${this.#catalog.name(command)}|${word}`));
    }
    return rules.join(' ');
  }

  #changeCategory(name: string, isAllowed: boolean): RuleFlaw | undefined {
    const commands = this.#catalog.category(name);
    if (commands === undefined) return 'unknown';
    for (const command of commands) this.#set(command, isAllowed);
    return undefined;
  }

  #set(command: number, isAllowed: boolean): void {
    this.#allowed[command] = isAllowed ? 1 : 0;
    this.#firstArguments.delete(command);
    for (const sub of this.#catalog.subcommands(command)) this.#set(sub, isAllowed);
  }

  #allowFirstArgument(name: string): RuleFlaw | undefined {
    const cut = name.lastIndexOf('|');
    const command = this.#catalog.find(name.slice(0, cut));
    if (cut < 0 || command === undefined) return 'unknown';
    if (this.#catalog.isSubcommand(command)) return 'firstArgumentOfSubcommand';
    if (this.#catalog.subcommands(command).length > 0) return 'unknown';
    const word = name.slice(cut + 1);
    if (word === '') return 'syntax';
    if (this.#allowed[command] === 1) return undefined;
    const words = this.firstArguments(command);
    if (!words.includes(word)) this.#firstArguments.set(command, [...words, word]);
    return undefined;
  }

  /**
   * Rules for categories that come nearest to what is allowed: each time the one that is wrong for the fewest commands not
   * spoken for yet, and right for most.
   */
  #categoryRules(described: CommandRights): string[] {
    const rules: string[] = [];
    const isSpokenFor = new Uint8Array(this.#catalog.size);
    for (;;) {
      let best: { name: string; right: number; wrong: number } | undefined;
      for (const name of CATEGORIES) {
        const { right, wrong } = this.#fit(name, isSpokenFor);
        const isBetter =
          best === undefined || wrong < best.wrong || (wrong === best.wrong && right > best.right);
        if (right > wrong && isBetter) best = { name, right, wrong };
      }
      if (best === undefined) return rules;
      rules.push(`${this.#takesNew ? '-' : '+'}@${best.name}`);
      described.#changeCategory(best.name, !this.#takesNew);
      for (const command of this.#catalog.category(best.name) ?? []) isSpokenFor[command] = 1;
    }
  }

  /** For how many commands a rule for the category would be right, and for how many wrong. */
  #fit(category: string, isSpokenFor: Uint8Array): { right: number; wrong: number } {
    const wanted = this.#takesNew ? 0 : 1;
    let right = 0;
    let wrong = 0;
    for (const command of this.#catalog.category(category) ?? []) {
      const isRight = this.#allowed[command] === wanted && isSpokenFor[command] === 0;
      if (isRight) right++;
      else wrong++;
    }
    return { right, wrong };
  }

  /** Rules for single commands where the categories are wrong. */
  #commandRules(described: CommandRights): string[] {
    const rules: string[] = [];
    for (let command = 0; command < this.#catalog.size; command++) {
      if (described.#allowed[command] === this.#allowed[command]) continue;
      const isAllowed = this.#allowed[command] === 1;
      rules.push(`${isAllowed ? '+' : '-'}${this.#catalog.name(command)}`);
      described.#set(command, isAllowed);
    }
    return rules;
  }
}
