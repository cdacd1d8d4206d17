/**
 * JSON as values, as `cjson` reads it: more than JSON allows in numbers and texts, with the place of a
 * mistake counted from 1. Source: lua-cjson's manual; behaviour of redis-server 7.0.15.
 */
import { LuaError, LuaTable, type LuaValue } from '../values.ts';
import { callError } from '../arguments.ts';
import { type Latin1Buffer, newBuffer } from './byte-output.ts';
import { LETTER_U, escapeBytes, escapedPoint, writeUtf8 } from './json-escapes.ts';
import { POWERS_OF_TEN } from './decimal-digits.ts';
import { type FieldList, fieldLists } from './json-fields.ts';
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
/** Memory that stays for the next text, and places for the values of the next. */
const KEPT_BYTES = 16 * 1024;
const KEPT_VALUES = 256;

/** The longest beginning that is a number to C's strtod(). */
const NUMBER =
  /[+-]?(?:0x(?:[\da-f]+(?:\.[\da-f]*)?|\.[\da-f]+)(?:p[+-]?\d+)?|(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)/iy;
/** Numbers that JSON has not: hexadecimal ones, zeros in front, and what is none. */
const INVALID_NUMBER = /[+-]?(?:0x|0\d|inf|nan)/iy;
const LITERAL = /true|false|null/y;
/** What may begin a number besides digits. */
const MAYBE_NUMBER = /[+-]|inf|nan/iy;

/** Bytes that go on inside a string. */
const IS_ORDINARY: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  Number(code !== 0 && code !== QUOTE && code !== BACKSLASH),
);
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

const keptInput = newBuffer(KEPT_BYTES);
/** Values of the tables that are being read, one above the other. No reader runs inside another. */
let stack: LuaValue[] = [];

/** The bytes of a text with a zero byte behind them, which ends it. */
function inputBytes(text: string): Latin1Buffer {
  const bytes = text.length < KEPT_BYTES ? keptInput : newBuffer(text.length + 1);
  bytes.latin1Write(text, 0);
  bytes[text.length] = 0;
  return bytes;
}

class JsonReader {
  readonly #text: string;
  /** The text, and a zero byte, which ends it. */
  readonly #bytes: Latin1Buffer;
  readonly #settings: JsonSettings;
  readonly #depthMax: number;
  #at = 0;
  #depth = 0;
  readonly #fields = fieldLists();
  /** Values on the stack, and how many there have been. */
  #top = 0;
  #topMax = 0;

  constructor(text: string, settings: JsonSettings) {
    this.#text = text;
    this.#bytes = inputBytes(text);
    this.#settings = settings;
    this.#depthMax = Math.min(DEPTH_MAX, settings.decodeDepthMax);
  }

  read(): LuaValue {
    try {
      const value = this.#value(this.#skip());
      if (this.#skip() !== 0) throw this.#unexpected('the end');
      return value;
    } finally {
      // Nothing is held that the script may have let go.
      const used = Math.max(this.#top, this.#topMax);
      if (used > KEPT_VALUES) stack = [];
      else for (let at = 0; at < used; at++) stack[at] = undefined;
    }
  }

  /** Passes white space, and answers the byte that follows; 0 at the end. */
  #skip(): number {
    const bytes = this.#bytes;
    let code = bytes[this.#at]!;
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      code = bytes[++this.#at]!;
    }
    return code;
  }

  #push(value: LuaValue): void {
    stack[this.#top++] = value;
  }

  /** Takes what is above `base` from the stack. */
  #popFrom(base: number): LuaValue[] {
    const values = stack.slice(base, this.#top);
    if (this.#top > this.#topMax) this.#topMax = this.#top;
    this.#top = base;
    return values;
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
    const bytes = this.#bytes;
    let at = this.#at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const first = at;
    let value = 0;
    let code = bytes[at]!;
    for (; code >= ZERO && code <= NINE; code = bytes[++at]!) value = value * 10 + code - ZERO;
    const wholeEnd = at;
    if (code === POINT) {
      code = bytes[++at]!;
      for (; code >= ZERO && code <= NINE; code = bytes[++at]!) value = value * 10 + code - ZERO;
      // Both are exact, and so their quotient is rounded once.
      if (at - first <= SHORT_DIGITS + 1) value /= POWERS_OF_TEN[at - wholeEnd - 1]!;
    }
    const isShort = wholeEnd > first && at - first <= SHORT_DIGITS && at !== wholeEnd + 1;
    // Letters may go on with it, as in 1e5 and 0x1f, and a zero in front needs a closer look.
    const hasMore = code === POINT || (code | 0x20) >= 0x61;
    if (isShort && !hasMore && (bytes[first] !== ZERO || wholeEnd === first + 1)) {
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
    let code = this.#skip();
    if (code === CLOSE_BRACKET) {
      this.#at++;
      this.#depth--;
      return new LuaTable();
    }
    const base = this.#top;
    this.#push(undefined);
    for (;;) {
      this.#push(this.#value(code));
      code = this.#skip();
      if (code === CLOSE_BRACKET) break;
      if (code !== COMMA) throw this.#unexpected('comma or array end');
      this.#at++;
      code = this.#skip();
    }
    this.#at++;
    this.#depth--;
    return new LuaTable().adoptList(this.#popFrom(base));
  }

  #object(): LuaTable {
    this.#descend();
    const base = this.#top;
    let fields = this.#fields;
    /** What has more fields than are kept, or one of them twice. */
    let table: LuaTable | undefined;
    let code = this.#skip();
    if (code !== CLOSE_BRACE) {
      for (;;) {
        if (code !== QUOTE) throw this.#unexpected('object key string');
        let name = '';
        if (table === undefined) {
          let longer = this.#expected(fields);
          if (longer === undefined) {
            name = this.#string();
            longer = fields.with(name);
          }
          if (longer !== undefined) fields = longer;
          else table = new LuaTable().adoptFields(fields.names, this.#popFrom(base));
        } else name = this.#string();
        if (this.#skip() !== COLON) throw this.#unexpected('colon');
        this.#at++;
        const value = this.#value(this.#skip());
        if (table === undefined) this.#push(value);
        else table.setString(name, value);
        code = this.#skip();
        if (code === CLOSE_BRACE) break;
        if (code !== COMMA) throw this.#unexpected('comma or object end');
        this.#at++;
        code = this.#skip();
      }
    }
    this.#at++;
    this.#depth--;
    if (table !== undefined) return table;
    if (fields === this.#fields) return new LuaTable();
    return new LuaTable().adoptFields(fields.names, this.#popFrom(base));
  }

  /** Passes the name that came next the last time, if it is here, and answers the list with it. */
  #expected(fields: FieldList): FieldList | undefined {
    const { lastName, last } = fields;
    if (last === undefined) return undefined;
    const bytes = this.#bytes;
    const start = this.#at + 1;
    const { length } = lastName;
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] !== lastName.charCodeAt(index)) return undefined;
    }
    if (bytes[start + length] !== QUOTE) return undefined;
    this.#at = start + length + 1;
    return last;
  }

  #string(): string {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    while (IS_ORDINARY[bytes[at]!] === 1) at++;
    if (bytes[at] === QUOTE) {
      this.#at = at + 1;
      return this.#text.slice(start, at);
    }
    return this.#escapedString(start, at);
  }

  /** A string from its first backslash or its end without a quote, at `at`: what the escapes stand for takes their places, and is never longer. */
  #escapedString(start: number, at: number): string {
    const bytes = this.#bytes;
    let to = at;
    let next = at;
    for (let code = bytes[at]!; code !== QUOTE; code = bytes[next]!) {
      if (code === BACKSLASH) {
        const point = escapedPoint(bytes, next);
        if (point < 0) {
          const what = bytes[next + 1] === LETTER_U ? 'unicode escape' : 'escape';
          throw this.#mistake('value', `invalid ${what} code`, next);
        }
        next += escapeBytes(bytes, next, point);
        to = writeUtf8(bytes, to, point);
      } else {
        if (code === 0) throw this.#mistake('value', 'unexpected end of string', next);
        bytes[to++] = code;
        next++;
      }
    }
    this.#at = next + 1;
    return bytes.latin1Slice(start, to);
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
