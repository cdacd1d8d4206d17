/**
 * Values as MessagePack, as `cmsgpack` writes it: the shortest form of each number, and nil for what has
 * none. Source: the MessagePack specification; behaviour of redis-server 7.0.15.
 */
import { LuaTable, type LuaValue } from '../values.ts';
import { appended } from './bounded-text.ts';
import { bytesOf, doubleBytes, floatBytes } from './byte-text.ts';

/** Tables inside more tables than this are nil. */
const NESTING_MAX = 16;
const INT64_LIMIT = 2 ** 63;

/** The first byte of a text, array or map, by how its length is written. */
interface LengthForms {
  readonly short: number;
  readonly shortLimit: number;
  readonly one: number | undefined;
  readonly two: number;
  readonly four: number;
}

const TEXT: LengthForms = { short: 0xa0, shortLimit: 32, one: 0xd9, two: 0xda, four: 0xdb };
const ARRAY: LengthForms = { short: 0x90, shortLimit: 16, one: undefined, two: 0xdc, four: 0xdd };
const MAP: LengthForms = { short: 0x80, shortLimit: 16, one: undefined, two: 0xde, four: 0xdf };

export function encodeMsgpack(values: readonly LuaValue[]): string {
  const writer = new MsgpackWriter();
  for (const value of values) writer.value(value, 0);
  return writer.text;
}

class MsgpackWriter {
  text = '';

  value(value: LuaValue, depth: number): void {
    if (typeof value === 'string') {
      this.#length(TEXT, value.length);
      this.#add(value);
    } else if (typeof value === 'number') this.#add(numberBytes(value));
    else if (typeof value === 'boolean') this.#add(value ? '\xc3' : '\xc2');
    else if (value instanceof LuaTable && depth < NESTING_MAX) this.#table(value, depth + 1);
    else this.#add('\xc0');
  }

  #add(bytes: string): void {
    this.text = appended(this.text, bytes);
  }

  #length(forms: LengthForms, length: number): void {
    if (length < forms.shortLimit) this.#add(String.fromCharCode(forms.short | length));
    else if (length <= 0xff && forms.one !== undefined) this.#add(sized(forms.one, length, 1));
    else if (length <= 0xffff) this.#add(sized(forms.two, length, 2));
    else this.#add(sized(forms.four, length, 4));
  }

  #table(table: LuaTable, depth: number): void {
    const { count, isArray } = shapeOf(table);
    this.#length(isArray ? ARRAY : MAP, count);
    if (isArray) {
      for (let index = 1; index <= count; index++) this.value(table.getIndex(index), depth);
      return;
    }
    for (let place = table.advance(0); place !== 0; place = table.advance(place)) {
      this.value(table.keyAt(place), depth);
      this.value(table.valueAt(place), depth);
    }
  }
}

/** How many elements a table has, and whether their keys are 1, 2, 3 and so on without a gap. */
function shapeOf(table: LuaTable): { readonly count: number; readonly isArray: boolean } {
  let count = 0;
  let max = 0;
  let isArray = true;
  for (let place = table.advance(0); place !== 0; place = table.advance(place)) {
    const key = table.keyAt(place);
    count++;
    if (typeof key !== 'number' || key < 1 || !Number.isInteger(key)) isArray = false;
    else if (key > max) max = key;
  }
  return { count, isArray: isArray && max === count };
}

function numberBytes(value: number): string {
  if (Number.isInteger(value) && value >= -INT64_LIMIT && value < INT64_LIMIT) {
    return value < 0 ? negativeBytes(value) : positiveBytes(value);
  }
  const isSingle = Object.is(Math.fround(value), value) && !Number.isNaN(value);
  return isSingle ? `\xca${floatBytes(value)}` : `\xcb${doubleBytes(value)}`;
}

function positiveBytes(value: number): string {
  if (value < 0x80) return String.fromCharCode(value);
  if (value <= 0xff) return sized(0xcc, value, 1);
  if (value <= 0xffff) return sized(0xcd, value, 2);
  return value <= 0xffffffff ? sized(0xce, value, 4) : sized(0xcf, value, 8);
}

function negativeBytes(value: number): string {
  if (value >= -0x20) return String.fromCharCode(value & 0xff);
  if (value >= -0x80) return sized(0xd0, value, 1);
  if (value >= -0x8000) return sized(0xd1, value, 2);
  return value >= -0x80000000 ? sized(0xd2, value, 4) : sized(0xd3, value, 8);
}

/** A first byte and an integer behind it. */
function sized(first: number, value: number, size: 1 | 2 | 4 | 8): string {
  switch (size) {
    case 1:
      return String.fromCharCode(first, value & 0xff);
    case 2:
      return String.fromCharCode(first, (value >> 8) & 0xff, value & 0xff);
    case 4: {
      const bits = value | 0;
      const high = [(bits >> 24) & 0xff, (bits >> 16) & 0xff] as const;
      return String.fromCharCode(first, ...high, (bits >> 8) & 0xff, bits & 0xff);
    }
    case 8:
      return String.fromCharCode(first) + bytesOf(BigInt.asUintN(64, BigInt(value)), 8);
  }
}
