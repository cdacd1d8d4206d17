/**
 * What functions of ours make of their arguments: numbers and texts stand for each other where Lua lets them, anything else
 * is an error that names the argument, in the words of redis-server 7.0.15. Indexes count from 1; `count` is how many
 * arguments there are, so that one that is missing is told from a nil.
 */
import { numberText, textNumber } from './lib/numbers.ts';
import {
  LuaError,
  LuaFunction,
  type LuaResult,
  LuaTable,
  type LuaValue,
  NativeFunction,
  typeName,
} from './values.ts';

const INT64_LIMIT = 2 ** 63;

/** `bad argument #… to '…' (text)`; the name and the position come with the call. */
export function argumentError(index: number, text: string): LuaError {
  return new LuaError(text, 1, index);
}

/** An error with the position of the function that called ours. */
export function callError(text: string): LuaError {
  return new LuaError(text, 1);
}

/** `… expected, got …` */
export function typeError(
  expected: string,
  value: LuaValue,
  index: number,
  count: number,
): LuaError {
  const found = index > count ? 'no value' : typeName(value);
  return argumentError(index, `${expected} expected, got ${found}`);
}

export function anyArgument(value: LuaValue, index: number, count: number): LuaValue {
  if (index > count) throw argumentError(index, 'value expected');
  return value;
}

export function tableArgument(value: LuaValue, index: number, count: number): LuaTable {
  if (!(value instanceof LuaTable)) throw typeError('table', value, index, count);
  return value;
}

export function functionArgument(value: LuaValue, index: number, count: number): LuaFunction {
  if (!(value instanceof LuaFunction)) throw typeError('function', value, index, count);
  return value;
}

/** A string, or the text of a number. */
export function textArgument(value: LuaValue, index: number, count: number): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  throw typeError('string', value, index, count);
}

/** The same, or a default for nil. */
export function optionalText(value: LuaValue, index: number, fallback: string): string {
  return value === undefined ? fallback : textArgument(value, index, index);
}

/** A number, or a text of one. */
export function numberArgument(value: LuaValue, index: number, count: number): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' ? textNumber(value) : undefined;
  if (number === undefined) throw typeError('number', value, index, count);
  return number;
}

/** A whole number as a 64-bit integer of C has it: what is out of its range is its least one. */
export function integerArgument(value: LuaValue, index: number, count: number): number {
  const number = Math.trunc(numberArgument(value, index, count));
  return number < INT64_LIMIT && number >= -INT64_LIMIT ? number : -INT64_LIMIT;
}

/** The same, or a default for nil. */
export function optionalInteger(value: LuaValue, index: number, fallback: number): number {
  return value === undefined ? fallback : integerArgument(value, index, index);
}

/** A whole number as a 32-bit integer of C has it: the low bits of the 64-bit one. */
export function int32Argument(value: LuaValue, index: number, count: number): number {
  return integerArgument(value, index, count) | 0;
}

/** The same, or a default for nil. */
export function optionalInt32(value: LuaValue, index: number, fallback: number): number {
  return value === undefined ? fallback : int32Argument(value, index, index);
}

/** A table of functions under their names. */
export function tableOf(
  functions: Readonly<Record<string, (...args: LuaValue[]) => LuaResult>>,
): LuaTable {
  const table = new LuaTable();
  for (const [name, call] of Object.entries(functions)) {
    table.setString(name, new NativeFunction(name, call));
  }
  return table;
}
