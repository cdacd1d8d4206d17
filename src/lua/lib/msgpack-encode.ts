/**
 * Values as MessagePack, as `cmsgpack` writes it: the shortest form of each number, and nil for what has
 * none. Source: the MessagePack specification; behaviour of redis-server 7.0.15.
 */
import { LuaTable, type LuaValue } from '../values.ts';
import { output } from './byte-output.ts';
import { NEGATIVE_NAN_BYTE } from './byte-text.ts';

/** Tables inside more tables than this are nil. */
const NESTING_MAX = 16;
const INT64_LIMIT = 2 ** 63;
const HALF_LIMIT = 2 ** 32;

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;

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

/** Bytes of the longest number or length with the byte before it. */
const NUMBER_BYTES = 9;

export function encodeMsgpack(values: readonly LuaValue[]): string {
  output.begin();
  for (const value of values) writeValue(value, 0);
  return output.finish();
}

function writeValue(value: LuaValue, depth: number): void {
  if (typeof value === 'string') {
    writeLength(TEXT, value.length);
    output.text(value);
  } else if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'boolean') writeByte(value ? TRUE : FALSE);
  else if (value instanceof LuaTable && depth < NESTING_MAX) writeTable(value, depth + 1);
  else writeByte(NIL);
}

function writeTable(table: LuaTable, depth: number): void {
  const { list, keys, values } = table;
  const { count, isArray } = shapeOf(table);
  writeLength(isArray ? ARRAY : MAP, count);
  if (isArray) {
    for (let index = 1; index <= count; index++) {
      writeValue(index < list.length ? list[index] : table.getIndex(index), depth);
    }
    return;
  }
  for (let index = 1; index < list.length; index++) {
    if (list[index] === undefined) continue;
    writeNumber(index);
    writeValue(list[index], depth);
  }
  for (let at = 0; at < keys.length; at++) {
    if (values[at] === undefined) continue;
    writeValue(keys[at], depth);
    writeValue(values[at], depth);
  }
}

/** How many elements a table has, and whether their keys are 1, 2, 3 and so on without a gap. */
function shapeOf(table: LuaTable): { readonly count: number; readonly isArray: boolean } {
  const { list, keys, values } = table;
  let count = 0;
  for (let index = 1; index < list.length; index++) if (list[index] !== undefined) count++;
  let max = list.length - 1;
  let isArray = true;
  for (let at = 0; at < keys.length; at++) {
    if (values[at] === undefined) continue;
    count++;
    const key = keys[at];
    if (typeof key !== 'number' || key < 1 || !Number.isInteger(key)) isArray = false;
    else if (key > max) max = key;
  }
  return { count, isArray: isArray && max === count };
}

function writeByte(byte: number): void {
  output.reserve(1);
  output.byte(byte);
}

function writeLength(forms: LengthForms, length: number): void {
  if (length < forms.shortLimit) writeByte(forms.short | length);
  else if (length <= 0xff && forms.one !== undefined) writeSized(forms.one, length, 1);
  else if (length <= 0xffff) writeSized(forms.two, length, 2);
  else writeSized(forms.four, length, 4);
}

function writeNumber(value: number): void {
  if (!Number.isInteger(value) || value < -INT64_LIMIT || value >= INT64_LIMIT) writeFloat(value);
  else if (value < 0) writeNegative(value);
  else if (value < 0x80) writeByte(value);
  else if (value <= 0xff) writeSized(0xcc, value, 1);
  else if (value <= 0xffff) writeSized(0xcd, value, 2);
  else if (value <= 0xffffffff) writeSized(0xce, value, 4);
  else writeSized(0xcf, value, 8);
}

function writeNegative(value: number): void {
  if (value >= -0x20) writeByte(value & 0xff);
  else if (value >= -0x80) writeSized(0xd0, value, 1);
  else if (value >= -0x8000) writeSized(0xd1, value, 2);
  else if (value >= -0x80000000) writeSized(0xd2, value, 4);
  else writeSized(0xd3, value, 8);
}

/** A first byte and an integer behind it. */
function writeSized(first: number, value: number, size: 1 | 2 | 4 | 8): void {
  output.reserve(NUMBER_BYTES);
  const { bytes } = output;
  let at = output.size;
  output.size = at + 1 + size;
  bytes[at++] = first;
  if (size === 8) {
    // Both halves of a whole number are exact, as below 0 the upper one is rounded down.
    const high = Math.floor(value / HALF_LIMIT);
    bytes[at++] = high >> 24;
    bytes[at++] = high >> 16;
    bytes[at++] = high >> 8;
    bytes[at++] = high;
  }
  if (size >= 4) {
    bytes[at++] = value >>> 24;
    bytes[at++] = value >>> 16;
  }
  if (size >= 2) bytes[at++] = value >>> 8;
  bytes[at] = value;
}

function writeFloat(value: number): void {
  output.reserve(NUMBER_BYTES);
  const isSingle = Object.is(Math.fround(value), value) && !Number.isNaN(value);
  const { bytes, view } = output;
  const at = output.size + 1;
  bytes[at - 1] = isSingle ? 0xca : 0xcb;
  if (isSingle) view.setFloat32(at, value);
  else view.setFloat64(at, value);
  if (Number.isNaN(value)) bytes[at] = NEGATIVE_NAN_BYTE;
  output.size = at + (isSingle ? 4 : 8);
}
