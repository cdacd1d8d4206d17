/** Values as JSON, as `cjson` writes it. Source: lua-cjson's manual; behaviour of redis-server 7.0.15. */
import { LuaTable, type LuaValue, typeName } from '../values.ts';
import { callError } from '../arguments.ts';
import { output } from './byte-output.ts';
import { JSON_NULL, type JsonSettings } from './json-settings.ts';
import { formatGeneral } from './number-format.ts';
import { numberText } from './numbers.ts';

/** Whatever a script allows, deeper tables are refused: one level is one call here. */
const DEPTH_MAX = 1500;
/** Digits that numberText has. */
const USUAL_PRECISION = 14;
const INT32_LIMIT = 2 ** 31;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const ZERO = 0x30;
const LETTER_U = 0x75;
const HEX_DIGITS = '0123456789abcdef';

/** Texts up to this length are copied by a loop. */
const SHORT_TEXT = 16;
/** Digits of a 32-bit integer and its sign, and what may stand before and behind it. */
const SHORT_BYTES = 16;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\f': 'f',
  '\r': 'r',
};
/** What stands behind the backslash for each byte that is escaped: `u` for its number, 0 for none. */
const ESCAPE_LETTERS: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => {
  const letter = SHORT_ESCAPES[String.fromCharCode(code)];
  if (letter !== undefined) return letter.charCodeAt(0);
  return code < 0x20 || code === 0x7f ? LETTER_U : 0;
});
/** By how many bytes an escape is longer than what it stands for. */
const ESCAPE_EXTRA: Uint8Array = ESCAPE_LETTERS.map((letter) =>
  letter === 0 ? 0 : letter === LETTER_U ? 5 : 1,
);

export function encodeJson(value: LuaValue, settings: JsonSettings): string {
  output.begin();
  new JsonWriter(settings).value(value, 0);
  return output.finish();
}

class JsonWriter {
  readonly #settings: JsonSettings;
  readonly #depthMax: number;

  constructor(settings: JsonSettings) {
    this.#settings = settings;
    this.#depthMax = Math.min(DEPTH_MAX, settings.encodeDepthMax);
  }

  value(value: LuaValue, depth: number): void {
    if (typeof value === 'string') writeQuoted(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') output.text(value ? 'true' : 'false');
    else if (value instanceof LuaTable) this.#table(value, depth + 1);
    else if (value === undefined || value === JSON_NULL) output.text('null');
    else throw callError(`Cannot serialise ${typeName(value)}: type not supported`);
  }

  #number(value: number): void {
    const { precision } = this.#settings;
    if (precision === USUAL_PRECISION && (value | 0) === value && !Object.is(value, -0)) {
      writeInteger(value);
    } else output.text(this.#numberText(value));
  }

  #numberText(value: number): string {
    if (Number.isFinite(value)) {
      const { precision } = this.#settings;
      return precision === USUAL_PRECISION ? numberText(value) : formatGeneral(value, precision);
    }
    const { encodeInvalid } = this.#settings;
    if (encodeInvalid === 'off') {
      throw callError('Cannot serialise number: must not be NaN or Inf');
    }
    if (encodeInvalid === 'null') return 'null';
    return Number.isNaN(value) ? 'nan' : numberText(value);
  }

  #table(table: LuaTable, depth: number): void {
    if (depth > this.#depthMax) {
      throw callError(`Cannot serialise, excessive nesting (${depth})`);
    }
    const length = this.#arrayLength(table);
    if (length > 0) this.#array(table, length, depth);
    else this.#object(table, depth);
  }

  #array(table: LuaTable, length: number, depth: number): void {
    writeByte(OPEN_BRACKET);
    const { list } = table;
    for (let index = 1; index <= length; index++) {
      if (index > 1) writeByte(COMMA);
      this.value(index < list.length ? list[index] : table.getIndex(index), depth);
    }
    writeByte(CLOSE_BRACKET);
  }

  #object(table: LuaTable, depth: number): void {
    writeByte(OPEN_BRACE);
    const start = output.size;
    const { list, keys, values } = table;
    for (let index = 1; index < list.length; index++) {
      if (list[index] !== undefined) this.#field(index, list[index], depth, start);
    }
    for (let at = 0; at < keys.length; at++) {
      if (values[at] !== undefined) this.#field(keys[at], values[at], depth, start);
    }
    writeByte(CLOSE_BRACE);
  }

  #field(key: LuaValue, value: LuaValue, depth: number, start: number): void {
    if (output.size > start) writeByte(COMMA);
    if (typeof key === 'string') writeQuoted(key);
    else if (typeof key === 'number') {
      writeByte(QUOTE);
      this.#number(key);
      writeByte(QUOTE);
    } else {
      throw callError(`Cannot serialise ${typeName(key)}: table key must be a number or string`);
    }
    writeByte(COLON);
    this.value(value, depth);
  }

  /** Elements of the array that the table is; 0 or less for none, which makes it an object. */
  #arrayLength(table: LuaTable): number {
    if (table.length === 0) {
      const first = table.advance(0);
      if (first === 0 || typeof table.keyAt(first) === 'string') return 0;
    }
    let max = 0;
    let count = 0;
    for (let place = table.advance(0); place !== 0; place = table.advance(place)) {
      const key = table.keyAt(place);
      if (typeof key !== 'number' || !Number.isInteger(key) || key < 1) return 0;
      // The length is a 32-bit integer there.
      if (key > max) max = key < INT32_LIMIT ? key : -INT32_LIMIT;
      count++;
    }
    const { sparseRatio, sparseSafe, sparseConvert } = this.#settings;
    if (sparseRatio > 0 && max > count * sparseRatio && max > sparseSafe) {
      if (sparseConvert) return 0;
      throw callError('Cannot serialise table: excessively sparse array');
    }
    return max;
  }
}

function writeByte(code: number): void {
  output.reserve(1);
  output.byte(code);
}

function writeInteger(value: number): void {
  output.reserve(SHORT_BYTES);
  const { bytes } = output;
  let rest = value;
  if (rest < 0) {
    output.byte(MINUS);
    rest = -rest;
  }
  let end = output.size + 1;
  for (let limit = 10; limit <= rest; limit *= 10) end++;
  output.size = end;
  do {
    const tens = Math.floor(rest / 10);
    bytes[--end] = ZERO + rest - tens * 10;
    rest = tens;
  } while (rest > 0);
}

/** A text in quotes: first as it is, then with room for what is to be escaped, from its end on. */
function writeQuoted(text: string): void {
  const { length } = text;
  output.reserve(length + 2);
  const { bytes } = output;
  const start = output.size + 1;
  const end = start + length;
  let extra = 0;
  if (length > SHORT_TEXT) {
    bytes.latin1Write(text, start);
    for (let at = start; at < end; at++) extra += ESCAPE_EXTRA[bytes[at]!]!;
  } else {
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      bytes[start + at] = code;
      extra += ESCAPE_EXTRA[code]!;
    }
  }
  bytes[start - 1] = QUOTE;
  if (extra > 0) {
    output.size = end;
    output.reserve(extra + 1);
    escapeBackwards(end, extra);
  }
  output.bytes[end + extra] = QUOTE;
  output.size = end + extra + 1;
}

/** Moves what ends at `end` by `extra` bytes, and escapes on the way, until all of them are used. */
function escapeBackwards(end: number, extra: number): void {
  const { bytes } = output;
  let from = end;
  let to = end + extra;
  while (from < to) {
    const code = bytes[--from]!;
    const letter = ESCAPE_LETTERS[code]!;
    if (letter === LETTER_U) {
      bytes[--to] = HEX_DIGITS.charCodeAt(code & 15);
      bytes[--to] = HEX_DIGITS.charCodeAt(code >> 4);
      bytes[--to] = ZERO;
      bytes[--to] = ZERO;
    }
    bytes[--to] = letter === 0 ? code : letter;
    if (letter !== 0) bytes[--to] = BACKSLASH;
  }
}
