/**
 * Lua's patterns as regular expressions, which the engine below turns into machine code. Every item of a
 * pattern has its equal there, with the same order of trials; what has none (`%b`, `%f`, `%1`, a
 * malformed pattern) is left to the matcher. No text of a user becomes an expression unescaped.
 */
import { classOf } from './character-classes.ts';

/** An expression with the captures of its pattern. */
export interface PatternExpression {
  /** Sticky: matches at `lastIndex` only. */
  readonly here: RegExp;
  /** Global: finds the first match from `lastIndex` on. */
  readonly anywhere: RegExp;
  /** One for each capture: whether it is a position. */
  readonly positions: readonly boolean[];
}

/** Parentheses of a pattern that has an expression. */
const CAPTURES_MAX = 32;
/** Longer patterns are rare, and the nesting of the expression's own machinery is unknown. */
const LENGTH_MAX = 1000;

const SPECIAL_AFTER_PERCENT = /^[bf0-9]$/;
const REPETITIONS: Readonly<Record<string, string>> = { '*': '*', '+': '+', '-': '*?', '?': '?' };

/** @param pattern without an anchor at its start; undefined if there is no such expression */
export function expressionOf(pattern: string): PatternExpression | undefined {
  if (pattern.length > LENGTH_MAX) return undefined;
  const source = new SourceBuilder(pattern).build();
  if (source === undefined) return undefined;
  const flags = source.positions.includes(true) ? 'sd' : 's';
  return {
    here: new RegExp(source.text, `${flags}y`),
    anywhere: new RegExp(source.text, `${flags}g`),
    positions: source.positions,
  };
}

class SourceBuilder {
  readonly #pattern: string;
  readonly #positions: boolean[] = [];
  #open = 0;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  build(): { readonly text: string; readonly positions: readonly boolean[] } | undefined {
    const pattern = this.#pattern;
    let text = '';
    while (this.#at < pattern.length) {
      const part = this.#part();
      if (part === undefined) return undefined;
      text += part;
    }
    return this.#open === 0 ? { text, positions: this.#positions } : undefined;
  }

  #part(): string | undefined {
    const pattern = this.#pattern;
    const char = pattern[this.#at]!;
    if (char === '(') return this.#opening();
    if (char === ')') {
      this.#at++;
      return --this.#open < 0 ? undefined : ')';
    }
    if (char === '$' && this.#at + 1 === pattern.length) {
      this.#at++;
      return '$';
    }
    const one = this.#one(char);
    if (one === undefined) return undefined;
    const repetition = REPETITIONS[pattern[this.#at] ?? ''];
    if (repetition === undefined) return one;
    this.#at++;
    return one + repetition;
  }

  #opening(): string | undefined {
    if (this.#positions.length === CAPTURES_MAX) return undefined;
    const isPosition = this.#pattern[this.#at + 1] === ')';
    this.#positions.push(isPosition);
    this.#at += isPosition ? 2 : 1;
    if (isPosition) return '()';
    this.#open++;
    return '(';
  }

  /** The item for one character that begins here. */
  #one(char: string): string | undefined {
    if (char === '[') return this.#set();
    this.#at++;
    if (char === '.') return '.';
    if (char !== '%') return escaped(char.charCodeAt(0));
    const letter = this.#pattern[this.#at++];
    if (letter === undefined || SPECIAL_AFTER_PERCENT.test(letter)) return undefined;
    const bytes = classOf(letter.charCodeAt(0));
    return bytes === undefined ? escaped(letter.charCodeAt(0)) : `[${rangesOf(bytes)}]`;
  }

  #set(): string | undefined {
    const pattern = this.#pattern;
    let at = this.#at + 1;
    const isNegated = pattern[at] === '^';
    if (isNegated) at++;
    const bytes = new Uint8Array(256);
    const start = at;
    for (; at === start || pattern[at] !== ']'; at++) {
      if (at >= pattern.length) return undefined;
      at = addMember(bytes, pattern, at);
    }
    this.#at = at + 1;
    if (isNegated) for (let code = 0; code < 256; code++) bytes[code] = 1 - bytes[code]!;
    const ranges = rangesOf(bytes);
    // An empty set matches nothing.
    return ranges === '' ? '[]' : `[${ranges}]`;
  }
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

function rangesOf(bytes: Uint8Array): string {
  let text = '';
  for (let first = 0; first < 256; first++) {
    if (bytes[first] === 0) continue;
    let last = first;
    while (last < 255 && bytes[last + 1] === 1) last++;
    text += last === first ? escaped(first) : `${escaped(first)}-${escaped(last)}`;
    first = last;
  }
  return text;
}

/** A byte as nothing but itself, inside a set or outside. */
function escaped(code: number): string {
  return `\\x${code.toString(16).padStart(2, '0')}`;
}
