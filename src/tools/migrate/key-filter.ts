/** Which keys and commands are copied. */
import { SLOT_COUNT, globMatches, keySlot } from '../../base/index.ts';
import { ToolError } from '../errors.ts';

/** As users write them. */
export interface FilterRules {
  /** A key must match one of these, if there are any: glob-style patterns, or regular expressions as `/…/`. */
  readonly only: readonly string[];
  /** And none of these. */
  readonly without: readonly string[];
  /** Ranges such as `0-100,200` of which the key's slot must be. */
  readonly slots?: string | undefined;
  /** Names of commands of the stream that are copied, all if there are none, and of those that are not. */
  readonly onlyCommands: readonly string[];
  readonly withoutCommands: readonly string[];
}

type Matches = (buf: Buffer, at: number, size: number) => boolean;

export class KeyFilter {
  readonly #only: readonly Matches[];
  readonly #without: readonly Matches[];
  readonly #slots: ReadonlySet<number> | undefined;
  readonly #onlyCommands: ReadonlySet<string>;
  readonly #withoutCommands: ReadonlySet<string>;

  private constructor(rules: FilterRules) {
    this.#only = rules.only.map(matcher);
    this.#without = rules.without.map(matcher);
    this.#slots = rules.slots === undefined ? undefined : slotSet(rules.slots);
    this.#onlyCommands = namesOf(rules.onlyCommands);
    this.#withoutCommands = namesOf(rules.withoutCommands);
  }

  /** Undefined where everything is copied. Throws ToolError `USAGE`. */
  static of(rules: FilterRules): KeyFilter | undefined {
    const lists = [rules.only, rules.without, rules.onlyCommands, rules.withoutCommands];
    const isOpen = rules.slots === undefined && lists.every(({ length }) => length === 0);
    return isOpen ? undefined : new KeyFilter(rules);
  }

  /** Whether the key `buf[at, at + size)` is copied. */
  admits(buf: Buffer, at: number, size: number): boolean {
    if (this.#slots?.has(keySlot(buf, at, size)) === false) return false;
    const matches = (each: Matches): boolean => each(buf, at, size);
    return (this.#only.length === 0 || this.#only.some(matches)) && !this.#without.some(matches);
  }

  /** Whether a command of the stream is copied, by its name in lower case. */
  admitsCommand(name: string): boolean {
    if (this.#withoutCommands.has(name)) return false;
    return this.#onlyCommands.size === 0 || this.#onlyCommands.has(name);
  }
}

/** The pattern that matches keys with this prefix or suffix: its special characters mean themselves. */
export function globLiteral(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`);
}

function matcher(rule: string): Matches {
  const source = /^\/(.+)\/$/.exec(rule)?.[1];
  if (source === undefined) {
    const pattern = Buffer.from(rule);
    return (buf, at, size) => globMatches(pattern, 0, pattern.length, buf, at, size, false);
  }
  const expression = expressionOf(source);
  return (buf, at, size) => expression.test(buf.toString('utf8', at, at + size));
}

function expressionOf(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('USAGE', `Cannot read the filter "/${source}/": ${reason}`, error);
  }
}

function slotSet(text: string): ReadonlySet<number> {
  const slots = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || to >= SLOT_COUNT || from > to) {
      throw new ToolError('USAGE', `Cannot read slots "${text}": write ranges as in 0-100,200`);
    }
    for (let slot = from; slot <= to; slot++) slots.add(slot);
  }
  return slots;
}

function namesOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}
