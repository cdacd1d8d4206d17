/**
 * JSON as values, as `cjson` reads it: more than JSON allows in numbers and texts, with the place of a
 * mistake counted from 1. Source: lua-cjson's manual; behaviour of redis-server 7.0.15.
 */
import { LuaError, LuaTable, type LuaValue } from '../values.ts';
import { callError } from './arguments.ts';
import { JSON_NULL, type JsonSettings } from './json-settings.ts';
import { textNumber } from './numbers.ts';

/** Whatever a script allows, deeper texts are refused: one level is one call here. */
const DEPTH_MAX = 1500;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
/** Integers of up to so many digits are exact as they are read. */
const SHORT_DIGITS = 15;
/** Keys that a small table takes over as they are. */
const FIELDS_MAX = 8;

/** The longest beginning that is a number to C's strtod(). */
const NUMBER =
  /[+-]?(?:0x(?:[\da-f]+(?:\.[\da-f]*)?|\.[\da-f]+)(?:p[+-]?\d+)?|(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)/iy;
/** Numbers that JSON has not: hexadecimal ones, zeros in front, and what is none. */
const INVALID_NUMBER = /[+-]?(?:0x|0\d|inf|nan)/iy;
const LITERAL = /true|false|null/y;
/** What may begin a number besides digits. */
const MAYBE_NUMBER = /[+-]|inf|nan/iy;
const HEX4 = /[\da-f]{4}/iy;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const TOKEN_NAMES: Readonly<Record<string, string>> = {
  '{': 'T_OBJ_BEGIN',
  '}': 'T_OBJ_END',
  '[': 'T_ARR_BEGIN',
  ']': 'T_ARR_END',
  ',': 'T_COMMA',
  ':': 'T_COLON',
  '"': 'T_STRING',
  true: 'T_BOOLEAN',
  false: 'T_BOOLEAN',
  null: 'T_NULL',
};

export function decodeJson(text: string, settings: JsonSettings): LuaValue {
  if (text.length >= 2 && (text.charCodeAt(0) === 0 || text.charCodeAt(1) === 0)) {
    throw callError('JSON parser does not support UTF-16 or UTF-32');
  }
  return new JsonReader(text, settings).read();
}

class JsonReader {
  readonly #text: string;
  readonly #settings: JsonSettings;
  readonly #depthMax: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, settings: JsonSettings) {
    this.#text = text;
    this.#settings = settings;
    this.#depthMax = Math.min(DEPTH_MAX, settings.decodeDepthMax);
  }

  read(): LuaValue {
    const value = this.#value(this.#skip());
    const code = this.#skip();
    if (!isEnd(code)) throw this.#unexpected('the end');
    return value;
  }

  /** Passes white space, and answers the byte that follows; NaN at the end. */
  #skip(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      code = this.#text.charCodeAt(++this.#at);
    }
    return code;
  }

  /** The value that begins here, with `code`. */
  #value(code: number): LuaValue {
    if (code === QUOTE) return this.#string();
    if (code === OPEN_BRACE) return this.#object();
    if (code === OPEN_BRACKET) return this.#array();
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.#number();
    const literal = this.#sticky(LITERAL);
    if (literal === undefined) return this.#oddNumber();
    this.#at += literal.length;
    return literal === 'null' ? JSON_NULL : literal === 'true';
  }

  #sticky(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at;
    return expression.exec(this.#text)?.[0];
  }

  #number(): number {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    const isNegative = text.charCodeAt(at) === MINUS;
    if (isNegative) at++;
    const first = at;
    let value = 0;
    let code = text.charCodeAt(at);
    for (; code >= ZERO && code <= NINE; code = text.charCodeAt(++at))
      value = value * 10 + code - ZERO;
    const isShort = at > first && at - first <= SHORT_DIGITS;
    // Letters may go on with it, as in 1e5 and 0x1f, and a zero in front needs a closer look.
    const hasMore = code === POINT || (code | 0x20) >= 0x61;
    if (isShort && !hasMore && (text.charCodeAt(first) !== ZERO || at === first + 1)) {
      this.#at = at;
      return isNegative ? -value : value;
    }
    return this.#wholeNumber();
  }

  #wholeNumber(): number {
    if (!this.#settings.decodeInvalid && this.#sticky(INVALID_NUMBER) !== undefined) {
      throw this.#mistake('value', 'invalid number', this.#at);
    }
    const found = this.#sticky(NUMBER);
    if (found === undefined) throw this.#mistake('value', 'invalid number', this.#at);
    this.#at += found.length;
    return textNumber(found)!;
  }

  /** A number that does not begin as one of JSON does. */
  #oddNumber(): number {
    if (!this.#isOddNumber()) throw this.#unexpected('value');
    return this.#wholeNumber();
  }

  #isOddNumber(): boolean {
    return this.#settings.decodeInvalid && this.#sticky(MAYBE_NUMBER) !== undefined;
  }

  #descend(): void {
    this.#at++;
    if (++this.#depth > this.#depthMax) {
      throw callError(
        `Found too many nested data structures (${this.#depth}) at character ${this.#at}`,
      );
    }
  }

  #array(): LuaTable {
    this.#descend();
    const list: LuaValue[] = [undefined];
    let code = this.#skip();
    if (code === CLOSE_BRACKET) this.#at++;
    else {
      for (;;) {
        list.push(this.#value(code));
        code = this.#skip();
        if (code === CLOSE_BRACKET) break;
        if (code !== COMMA) throw this.#unexpected('comma or array end');
        this.#at++;
        code = this.#skip();
      }
      this.#at++;
    }
    this.#depth--;
    const table = new LuaTable();
    return list.length > 1 ? table.adoptList(list) : table;
  }

  #object(): LuaTable {
    this.#descend();
    const keys: string[] = [];
    const values: LuaValue[] = [];
    let code = this.#skip();
    if (code !== CLOSE_BRACE) {
      for (;;) {
        if (code !== QUOTE) throw this.#unexpected('object key string');
        keys.push(this.#string());
        if (this.#skip() !== COLON) throw this.#unexpected('colon');
        this.#at++;
        values.push(this.#value(this.#skip()));
        code = this.#skip();
        if (code === CLOSE_BRACE) break;
        if (code !== COMMA) throw this.#unexpected('comma or object end');
        this.#at++;
        code = this.#skip();
      }
    }
    this.#at++;
    this.#depth--;
    return tableOfFields(keys, values);
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let at = start;
    let code = text.charCodeAt(at);
    // NaN, behind the last byte, is neither above 0 nor equal to anything.
    while (code !== QUOTE && code !== BACKSLASH && code > 0) code = text.charCodeAt(++at);
    if (code === QUOTE) {
      this.#at = at + 1;
      return text.slice(start, at);
    }
    return this.#escapedString(start, at);
  }

  /** A string from its first backslash, at `at`. */
  #escapedString(start: number, at: number): string {
    const text = this.#text;
    let value = text.slice(start, at);
    let from = at;
    for (let next = at; ;) {
      const code = text.charCodeAt(next);
      if (code !== QUOTE && code !== BACKSLASH) {
        if (!(code > 0)) throw this.#mistake('value', 'unexpected end of string', next);
        next++;
        continue;
      }
      value += text.slice(from, next);
      this.#at = next;
      if (code === QUOTE) {
        this.#at++;
        return value;
      }
      value += this.#escape();
      next = this.#at;
      from = next;
    }
  }

  /** What the backslash here and the letters behind it stand for. */
  #escape(): string {
    const at = this.#at;
    const letter = this.#text[at + 1] ?? '';
    if (letter === 'u') return this.#unicode();
    const char = ESCAPES[letter];
    if (char === undefined) throw this.#mistake('value', 'invalid escape code', at);
    this.#at = at + 2;
    return char;
  }

  #unicode(): string {
    const at = this.#at;
    const first = this.#hex4(at + 2);
    this.#at = at + 6;
    if (first !== undefined && (first & 0xf800) !== 0xd800) return utf8(first);
    const isPair = this.#text.startsWith('\\u', at + 6);
    const second = isPair ? this.#hex4(at + 8) : undefined;
    if (
      first === undefined ||
      first >= 0xdc00 ||
      second === undefined ||
      (second & 0xfc00) !== 0xdc00
    ) {
      throw this.#mistake('value', 'invalid unicode escape code', at);
    }
    this.#at = at + 12;
    return utf8(0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff));
  }

  #hex4(at: number): number | undefined {
    HEX4.lastIndex = at;
    const digits = HEX4.exec(this.#text)?.[0];
    return digits === undefined ? undefined : Number.parseInt(digits, 16);
  }

  /** An error about the token that stands here instead of what was expected. */
  #unexpected(expected: string): LuaError {
    const at = this.#at;
    const code = this.#text.charCodeAt(at);
    if (isEnd(code)) return this.#mistake(expected, 'T_END', at);
    const char = this.#text[at]!;
    // A string or number that is there in the wrong place is read first, and may be wrong itself.
    if (code === QUOTE) this.#tokenOf(expected, () => this.#string());
    const name = TOKEN_NAMES[char] ?? TOKEN_NAMES[this.#sticky(LITERAL) ?? ''];
    if (name !== undefined) return this.#mistake(expected, name, at);
    if (code === MINUS || (code >= ZERO && code <= NINE) || this.#isOddNumber()) {
      this.#tokenOf(expected, () => this.#wholeNumber());
      return this.#mistake(expected, 'T_NUMBER', at);
    }
    return this.#mistake(expected, 'invalid token', at);
  }

  /** Reads a token; its own mistake names what was expected. */
  #tokenOf(expected: string, read: () => unknown): void {
    try {
      read();
    } catch (error) {
      if (error instanceof LuaError && typeof error.value === 'string') {
        error.value = error.value.replace('Expected value', `Expected ${expected}`);
      }
      throw error;
    }
  }

  #mistake(expected: string, found: string, index: number): LuaError {
    return callError(`Expected ${expected} but found ${found} at character ${index + 1}`);
  }
}

/** Whether the text ends: behind its last byte, or at a zero byte. */
function isEnd(code: number): boolean {
  return Number.isNaN(code) || code === 0;
}

function tableOfFields(keys: string[], values: LuaValue[]): LuaTable {
  const table = new LuaTable();
  if (keys.length > 0 && keys.length <= FIELDS_MAX && areDifferent(keys)) {
    return table.adoptFields(keys, values);
  }
  for (let i = 0; i < keys.length; i++) table.setString(keys[i]!, values[i]);
  return table;
}

function areDifferent(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) {
    for (let j = 0; j < i; j++) if (keys[i] === keys[j]) return false;
  }
  return true;
}

/** The bytes of a code point. */
function utf8(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  const last = 0x80 | (point & 0x3f);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), last);
  const middle = 0x80 | ((point >> 6) & 0x3f);
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), middle, last);
  return String.fromCharCode(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), middle, last);
}
