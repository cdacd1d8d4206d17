/**
 * Lua text into tokens, one at a time, with the messages that Lua 5.1 has for what is none.
 * Source: Lua 5.1 manual, 2.1; messages as redis-server 7.0.15 gives them.
 */
import { textNumber } from './lib/numbers.ts';
import { LuaError } from './values.ts';

const KEYWORDS = [
  'and',
  'break',
  'do',
  'else',
  'elseif',
  'end',
  'false',
  'for',
  'function',
  'if',
  'in',
  'local',
  'nil',
  'not',
  'or',
  'repeat',
  'return',
  'then',
  'true',
  'until',
  'while',
] as const;

const KEYWORD_SET: ReadonlySet<string> = new Set(KEYWORDS);

/** A keyword or sign stands for itself. */
export type TokenKind = string;

export interface Token {
  readonly kind: TokenKind;
  /** What messages call it. */
  readonly text: string;
  /** Of a name or string its characters, of a number its value. */
  readonly value: string | number;
}

export const END = '<eof>';
export const NAME = '<name>';
export const NUMBER = '<number>';
export const STRING = '<string>';

const SIGNS_OF_TWO: ReadonlySet<string> = new Set(['==', '~=', '<=', '>=', '..']);
const END_TOKEN: Token = { kind: END, text: END, value: '' };
/** Names of chunks in messages are at most so long; what is cut leaves room for the signs around it. */
const CHUNK_ID_MAX = 79;
const CHUNK_NAME_ROOM = 72;
const CHUNK_TEXT_ROOM = 63;

const BLANK = /[ \t\v\f\r\n]/;
const WORD_START = /[A-Za-z_]/;
const WORD = /[A-Za-z0-9_]*/y;
const NUMERAL = /(?:[\d.]+(?:[Ee][+-]?)?[A-Za-z0-9_]*)/y;
const DIGITS = /\d{1,3}/y;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** How messages name a chunk: `@name` and `=name` give the name, any other text is shown by its first line. */
export function chunkId(chunkName: string): string {
  if (chunkName.startsWith('=')) return chunkName.slice(1, CHUNK_ID_MAX + 1);
  if (chunkName.startsWith('@')) {
    const name = chunkName.slice(1);
    return name.length > CHUNK_NAME_ROOM ? `...${name.slice(-CHUNK_NAME_ROOM)}` : name;
  }
  const line = /^[^\r\n]*/.exec(chunkName)?.[0] ?? '';
  const isCut = line.length < chunkName.length || line.length > CHUNK_TEXT_ROOM;
  return isCut ? `[string "${line.slice(0, CHUNK_TEXT_ROOM)}..."]` : `[string "${line}"]`;
}

export class Lexer {
  /** Line of the character that comes next. */
  line = 1;
  readonly source: string;
  readonly #text: string;
  #at = 0;

  constructor(text: string, chunkName: string) {
    this.#text = text;
    this.source = chunkId(chunkName);
    // A first line that begins with # is a hint for shells only in files, which there are none of here.
  }

  /** An error at this place. */
  error(message: string, near?: string): LuaError {
    const end = near === undefined ? '' : ` near '${near}'`;
    return new LuaError(`${this.source}:${this.line}: ${message}${end}`);
  }

  next(): Token {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) return END_TOKEN;
      if (BLANK.test(char)) this.#skipBlank(char);
      else if (char === '-' && this.#text[this.#at + 1] === '-') this.#skipComment();
      else return this.#token(char);
    }
  }

  #token(char: string): Token {
    if (WORD_START.test(char)) {
      const word = this.#match(WORD);
      return { kind: KEYWORD_SET.has(word) ? word : NAME, text: word, value: word };
    }
    const after = this.#text[this.#at + 1] ?? '';
    if (isDigit(char) || (char === '.' && isDigit(after))) return this.#number();
    if (char === '"' || char === "'") return this.#string(char);
    if (char === '[' && (after === '[' || after === '=')) {
      const start = this.#at;
      const level = this.#longLevel();
      if (level >= 0) {
        const value = this.#longText(level, 'string');
        return { kind: STRING, text: this.#text.slice(start, this.#at), value };
      }
      if (after === '=') {
        throw this.error('invalid long string delimiter', this.#text.slice(start, this.#at));
      }
    }
    const two = char + after;
    const sign = two === '..' && this.#text[this.#at + 2] === '.' ? '...' : two;
    const kind = sign === '...' || SIGNS_OF_TWO.has(two) ? sign : char;
    this.#at += kind.length;
    const code = char.charCodeAt(0);
    const text = code < 0x20 || code === 0x7f ? `char(${code})` : kind;
    return { kind, text, value: kind };
  }

  #skipBlank(char: string): void {
    if (char === '\n' || char === '\r') this.#skipNewline();
    else this.#at++;
  }

  /** A line end is \n, \r or both in either order. */
  #skipNewline(): void {
    const first = this.#text[this.#at++];
    const second = this.#text[this.#at];
    if ((second === '\n' || second === '\r') && second !== first) this.#at++;
    this.line++;
  }

  #skipComment(): void {
    this.#at += 2;
    if (this.#text[this.#at] === '[') {
      const level = this.#longLevel();
      if (level >= 0) {
        this.#longText(level, 'comment');
        return;
      }
    }
    while (this.#at < this.#text.length && !/[\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  /** At a bracket: how many = stand before a second one, and then stands behind that; -1 when there is no second one. */
  #longLevel(): number {
    const start = this.#at;
    let at = start + 1;
    while (this.#text[at] === '=') at++;
    const level = at - start - 1;
    if (this.#text[at] !== '[') {
      if (level > 0) this.#at = at;
      return -1;
    }
    this.#at = at + 1;
    return level;
  }

  #longText(level: number, what: 'string' | 'comment'): string {
    const close = `]${'='.repeat(level)}]`;
    const char = this.#text[this.#at];
    if (char === '\n' || char === '\r') this.#skipNewline();
    const start = this.#at;
    const end = this.#text.indexOf(close, start);
    const raw = this.#text.slice(start, end < 0 ? undefined : end);
    const value = raw.replace(/\r\n|\n\r|\r|\n/g, () => {
      this.line++;
      return '\n';
    });
    if (end < 0) throw this.error(`unfinished long ${what}`, END);
    this.#at = end + close.length;
    return value;
  }

  #number(): Token {
    const text = this.#match(NUMERAL);
    const value = textNumber(text);
    if (value === undefined) throw this.error('malformed number', text);
    return { kind: NUMBER, text, value };
  }

  #string(quote: string): Token {
    let value = '';
    this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.error('unfinished string', END);
      if (char === '\n' || char === '\r') throw this.error('unfinished string', quote + value);
      if (char === '\\') {
        value += this.#escape(quote + value);
        continue;
      }
      this.#at++;
      if (char === quote) break;
      value += char;
    }
    return { kind: STRING, text: quote + value + quote, value };
  }

  #escape(before: string): string {
    this.#at++;
    const char = this.#text[this.#at];
    // The loop around says what is wrong.
    if (char === undefined) return '';
    if (char === '\n' || char === '\r') {
      this.#skipNewline();
      return '\n';
    }
    if (isDigit(char)) {
      const code = Number(this.#match(DIGITS));
      if (code > 0xff) throw this.error('escape sequence too large', before);
      return String.fromCharCode(code);
    }
    this.#at++;
    return SIMPLE_ESCAPES[char] ?? char;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}
