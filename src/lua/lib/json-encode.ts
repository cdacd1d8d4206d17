/** Values as JSON, as `cjson` writes it. Source: lua-cjson's manual; behaviour of redis-server 7.0.15. */
import { LuaTable, type LuaValue, typeName } from '../values.ts';
import { callError } from './arguments.ts';
import { appended, escaped } from './bounded-text.ts';
import { JSON_NULL, type JsonSettings } from './json-settings.ts';
import { formatGeneral } from './number-format.ts';
import { numberText } from './numbers.ts';

/** Whatever a script allows, deeper tables are refused: one level is one call here. */
const DEPTH_MAX = 1500;
/** Digits that numberText has. */
const USUAL_PRECISION = 14;
const INT32_LIMIT = 2 ** 31;

// All but what stands for itself: quote, slashes and control characters.
const ESCAPED = /[^ !#-.0-[\]-~\x80-\xff]/;
const ALL_ESCAPED = /[^ !#-.0-[\]-~\x80-\xff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};
/** By the code of each byte that is escaped. */
const ESCAPES: readonly string[] = Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return SHORT_ESCAPES[char] ?? `\\u${code.toString(16).padStart(4, '0')}`;
});

export function encodeJson(value: LuaValue, settings: JsonSettings): string {
  return new JsonWriter(settings).write(value);
}

class JsonWriter {
  readonly #settings: JsonSettings;
  readonly #depthMax: number;
  #text = '';

  constructor(settings: JsonSettings) {
    this.#settings = settings;
    this.#depthMax = Math.min(DEPTH_MAX, settings.encodeDepthMax);
  }

  write(value: LuaValue): string {
    this.#value(value, 0);
    return this.#text;
  }

  #value(value: LuaValue, depth: number): void {
    if (typeof value === 'string') this.#add(quoted(value));
    else if (typeof value === 'number') this.#add(this.#number(value));
    else if (typeof value === 'boolean') this.#add(value ? 'true' : 'false');
    else if (value instanceof LuaTable) this.#table(value, depth + 1);
    else if (value === undefined || value === JSON_NULL) this.#add('null');
    else throw callError(`Cannot serialise ${typeName(value)}: type not supported`);
  }

  #add(text: string): void {
    this.#text = appended(this.#text, text);
  }

  #number(value: number): string {
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
    for (let index = 1; index <= length; index++) {
      this.#add(index === 1 ? '[' : ',');
      this.#value(table.getIndex(index), depth);
    }
    this.#add(']');
  }

  #object(table: LuaTable, depth: number): void {
    let separator = '{';
    for (let place = table.advance(0); place !== 0; place = table.advance(place)) {
      const key = table.keyAt(place);
      if (typeof key === 'string') this.#add(`${separator}${quoted(key)}:`);
      else if (typeof key === 'number') this.#add(`${separator}"${this.#number(key)}":`);
      else
        throw callError(`Cannot serialise ${typeName(key)}: table key must be a number or string`);
      separator = ',';
      this.#value(table.valueAt(place), depth);
    }
    this.#add(separator === '{' ? '{}' : '}');
  }

  /** Elements of the array that the table is; 0 or less for none, which makes it an object. */
  #arrayLength(table: LuaTable): number {
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

function quoted(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`;
  return `"${escaped(text, ALL_ESCAPED, (char) => ESCAPES[char.charCodeAt(0)]!)}"`;
}
