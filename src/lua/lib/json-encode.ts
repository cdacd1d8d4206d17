/** Values as JSON, as `cjson` writes it. Source: lua-cjson's manual; behaviour of redis-server 7.0.15. */
import { LuaTable, type LuaValue, typeName } from '../values.ts';
import { callError } from './arguments.ts';
import { unlessTooLarge } from './bounded-text.ts';
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

/** Texts up to this length are looked through byte by byte, longer ones by an expression. */
const SHORT_TEXT = 24;
const IS_ESCAPED: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  Number(ESCAPED.test(String.fromCharCode(code))),
);

export function encodeJson(value: LuaValue, settings: JsonSettings): string {
  return unlessTooLarge(() => new JsonWriter(settings).value(value, 0));
}

class JsonWriter {
  readonly #settings: JsonSettings;
  readonly #depthMax: number;

  constructor(settings: JsonSettings) {
    this.#settings = settings;
    this.#depthMax = Math.min(DEPTH_MAX, settings.encodeDepthMax);
  }

  value(value: LuaValue, depth: number): string {
    if (typeof value === 'string') return quoted(value);
    if (typeof value === 'number') return this.#number(value);
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    if (value instanceof LuaTable) return this.#table(value, depth + 1);
    if (value === undefined || value === JSON_NULL) return 'null';
    throw callError(`Cannot serialise ${typeName(value)}: type not supported`);
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

  #table(table: LuaTable, depth: number): string {
    if (depth > this.#depthMax) {
      throw callError(`Cannot serialise, excessive nesting (${depth})`);
    }
    const length = this.#arrayLength(table);
    return length > 0 ? this.#array(table, length, depth) : this.#object(table, depth);
  }

  #array(table: LuaTable, length: number, depth: number): string {
    let text = `[${this.value(table.getIndex(1), depth)}`;
    for (let index = 2; index <= length; index++) {
      text += `,${this.value(table.getIndex(index), depth)}`;
    }
    return `${text}]`;
  }

  #object(table: LuaTable, depth: number): string {
    let text = '';
    for (let place = table.advance(0); place !== 0; place = table.advance(place)) {
      const key = this.#key(table.keyAt(place));
      text += `${text === '' ? '' : ','}${key}:${this.value(table.valueAt(place), depth)}`;
    }
    return `{${text}}`;
  }

  #key(key: LuaValue): string {
    if (typeof key === 'string') return quoted(key);
    if (typeof key === 'number') return `"${this.#number(key)}"`;
    throw callError(`Cannot serialise ${typeName(key)}: table key must be a number or string`);
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
  if (!isEscaped(text)) return `"${text}"`;
  return `"${text.replace(ALL_ESCAPED, (char) => ESCAPES[char.charCodeAt(0)]!)}"`;
}

/** Whether some byte does not stand for itself. */
function isEscaped(text: string): boolean {
  const { length } = text;
  if (length > SHORT_TEXT) return ESCAPED.test(text);
  for (let at = 0; at < length; at++) {
    if (IS_ESCAPED[text.charCodeAt(at)] === 1) return true;
  }
  return false;
}
