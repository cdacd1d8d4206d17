/**
 * The items of Lua's patterns, for those who turn them into something quicker than trying them step by step. `%b`, `%f`,
 * `%1` and malformed patterns are left to the matcher. Source: Lua 5.1 manual, 5.4.1.
 */
import { classOf } from './character-classes.ts';

/** How often a character may come: once, any number of times (longest or shortest first), at least once, or perhaps. */
type Repetition = '' | '*' | '+' | '-' | '?';

export interface OneItem {
  readonly kind: 'one';
  /** Element 1 for each byte that the character may be. */
  readonly bytes: Uint8Array;
  readonly repetition: Repetition;
}

export type PatternItem =
  | OneItem
  | { readonly kind: 'open'; readonly isPosition: boolean }
  | { readonly kind: 'close' }
  | { readonly kind: 'end' };

/** Parentheses of a pattern. */
const CAPTURES_MAX = 32;

const SPECIAL_AFTER_PERCENT = /^[bf0-9]$/;
const REPETITIONS: readonly string[] = ['*', '+', '-', '?'];
const ANY: Uint8Array = new Uint8Array(256).fill(1);

/** @param pattern without an anchor at its start; undefined for what the matcher alone knows */
export function itemsOf(pattern: string): readonly PatternItem[] | undefined {
  return new ItemReader(pattern).read();
}

class ItemReader {
  readonly #pattern: string;
  #captures = 0;
  #open = 0;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): readonly PatternItem[] | undefined {
    const items: PatternItem[] = [];
    while (this.#at < this.#pattern.length) {
      const item = this.#item();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return this.#open === 0 ? items : undefined;
  }

  #item(): PatternItem | undefined {
    const pattern = this.#pattern;
    const char = pattern[this.#at]!;
    if (char === '(') return this.#opening();
    if (char === ')') {
      this.#at++;
      return --this.#open < 0 ? undefined : { kind: 'close' };
    }
    if (char === '$' && this.#at + 1 === pattern.length) {
      this.#at++;
      return { kind: 'end' };
    }
    const bytes = char === '[' ? this.#set() : this.#one(char);
    if (bytes === undefined) return undefined;
    const next = pattern[this.#at] ?? '';
    if (!REPETITIONS.includes(next)) return { kind: 'one', bytes, repetition: '' };
    this.#at++;
    return { kind: 'one', bytes, repetition: next as Repetition };
  }

  #opening(): PatternItem | undefined {
    if (this.#captures++ === CAPTURES_MAX) return undefined;
    const isPosition = this.#pattern[this.#at + 1] === ')';
    this.#at += isPosition ? 2 : 1;
    if (!isPosition) this.#open++;
    return { kind: 'open', isPosition };
  }

  /** What the character, or the class, that begins here stands for. */
  #one(char: string): Uint8Array | undefined {
    this.#at++;
    if (char === '.') return ANY;
    if (char !== '%') return only(char.charCodeAt(0));
    const letter = this.#pattern[this.#at++];
    if (letter === undefined || SPECIAL_AFTER_PERCENT.test(letter)) return undefined;
    return classOf(letter.charCodeAt(0)) ?? only(letter.charCodeAt(0));
  }

  #set(): Uint8Array | undefined {
    const pattern = this.#pattern;
    let at = this.#at + 1;
    const isNegated = pattern[at] === '^';
    if (isNegated) at++;
    const bytes = new Uint8Array(256);
    const start = at;
    // A bracket that comes first stands for itself.
    for (; at === start || pattern[at] !== ']'; at++) {
      if (at >= pattern.length) return undefined;
      at = addMember(bytes, pattern, at);
    }
    this.#at = at + 1;
    return isNegated ? bytes.map((isIn) => 1 - isIn) : bytes;
  }
}

function only(code: number): Uint8Array {
  const bytes = new Uint8Array(256);
  bytes[code] = 1;
  return bytes;
}

/** Adds the character, class or range at `at` to a set, and answers where its last character stands. */
function addMember(bytes: Uint8Array, pattern: string, at: number): number {
  const code = pattern.charCodeAt(at);
  if (pattern[at] === '%') {
    const letter = pattern.charCodeAt(at + 1);
    const members = classOf(letter);
    if (members === undefined) bytes[letter] = 1;
    else for (let each = 0; each < 256; each++) bytes[each]! |= members[each]!;
    return at + 1;
  }
  if (pattern[at + 1] === '-' && at + 2 < pattern.length && pattern[at + 2] !== ']') {
    const last = pattern.charCodeAt(at + 2);
    for (let each = code; each <= last; each++) bytes[each] = 1;
    return at + 2;
  }
  bytes[code] = 1;
  return at;
}
