/**
 * What functions of ours make of their arguments: numbers and texts stand for each other where Lua lets
 * them, anything else is an error that names the argument. `count` is how many arguments there are, so
 * that one that is missing is told from a nil.
 */
import { argumentError } from '../arguments.ts';
import {
  LuaError,
  type LuaResult,
  LuaTable,
  type LuaValue,
  NativeFunction,
  typeName,
} from '../values.ts';
import { numberText, textNumber } from './numbers.ts';

const INT64_LIMIT = 2 ** 63;

/** An error with the position of the function that called ours. */
export function callError(text: string): LuaError {
  return new LuaError(text, 1);
}

export function typeError(
  expected: string,
  value: LuaValue,
  index: number,
  count: number,
): LuaError {
  const found = index > count ? 'no value' : typeName(value);
  return argumentError(index, `${expected} expected, got ${found}`);
}

export function textArgument(value: LuaValue, index: number, count: number): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  throw typeError('string', value, index, count);
}

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
