/** Options of a configuration file that remember which of them somebody asked for. */
import type { ToolError } from '../errors.ts';
import { badOption } from './shake-wishes.ts';

export class WishTable {
  readonly #path: string;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #used: Set<string> = new Set();

  constructor(path: string, values: ReadonlyMap<string, unknown>) {
    this.#path = path;
    this.#values = values;
  }

  hasSection(name: string): boolean {
    return [...this.#values.keys()].some((each) => each.startsWith(`${name}.`));
  }

  /** The option means something here, whatever it says. */
  use(name: string): void {
    this.#used.add(name);
  }

  /** Options that nobody asked for, in the order of the file. */
  unused(): readonly string[] {
    return [...this.#values.keys()].filter((name) => !this.#used.has(name));
  }

  bad(name: string, reason: string): ToolError {
    return badOption(this.#path, name, reason);
  }

  /** '' when it is missing. Each of these throws ToolError when the value is of another kind. */
  text(name: string): string {
    const value = this.#get(name);
    if (value === undefined) return '';
    if (typeof value !== 'string') throw this.bad(name, 'is not a text');
    return value;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === '') throw this.bad(name, 'is missing');
    return value;
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.#get(name);
    if (value === undefined || value === '') return otherwise;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw this.bad(name, 'is neither true nor false');
  }

  number(name: string, otherwise: number): number {
    const value = this.#get(name);
    if (value === undefined || value === '') return otherwise;
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw this.bad(name, 'is not a whole number');
    return number;
  }

  /** What the text stands for. */
  choice<Meaning>(
    name: string,
    meanings: Readonly<Record<string, Meaning>>,
    otherwise: string,
  ): Meaning {
    const meaning = meanings[this.text(name) || otherwise];
    if (meaning === undefined) {
      throw this.bad(name, `is none of ${Object.keys(meanings).join(', ')}`);
    }
    return meaning;
  }

  /** A list, or in older files a text with semicolons. */
  texts(name: string): readonly string[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    const items: readonly unknown[] = Array.isArray(value) ? value : this.text(name).split(';');
    return items.map((item) => `${item as number | string}`.trim()).filter((item) => item !== '');
  }

  numbers(name: string): readonly number[] {
    return this.texts(name).map((text) => {
      if (!/^\d{1,9}$/.test(text)) throw this.bad(name, 'is not a list of whole numbers');
      return Number(text);
    });
  }

  #get(name: string): unknown {
    this.#used.add(name);
    return this.#values.get(name);
  }
}
