/** Arguments of functions of ours, checked. Messages as redis-server 7.0.15 gives them; indexes count from 1. */
import { numberText } from './lib/numbers.ts';
import { asNumber } from './operations.ts';
import { LuaError, LuaFunction, LuaTable, type LuaValue, typeName } from './values.ts';

type Arguments = readonly LuaValue[];

/** `bad argument #… to '…' (text)`; the name and the position come with the call. */
export function argumentError(index: number, text: string): LuaError {
  return new LuaError(text, 1, index);
}

/** `… expected, got …` */
export function typeArgumentError(args: Arguments, index: number, expected: string): LuaError {
  const got = index > args.length ? 'no value' : typeName(args[index - 1]);
  return argumentError(index, `${expected} expected, got ${got}`);
}

export function anyArgument(args: Arguments, index: number): LuaValue {
  if (index > args.length) throw argumentError(index, 'value expected');
  return args[index - 1];
}

export function tableArgument(args: Arguments, index: number): LuaTable {
  const value = args[index - 1];
  if (!(value instanceof LuaTable)) throw typeArgumentError(args, index, 'table');
  return value;
}

export function functionArgument(args: Arguments, index: number): LuaFunction {
  const value = args[index - 1];
  if (!(value instanceof LuaFunction)) throw typeArgumentError(args, index, 'function');
  return value;
}

/** A number, or a text of one. */
export function numberArgument(args: Arguments, index: number): number {
  const value = asNumber(args[index - 1]);
  if (value === undefined) throw typeArgumentError(args, index, 'number');
  return value;
}

/** As `numberArgument`, cut to an integer. */
export function integerArgument(args: Arguments, index: number): number {
  const value = Math.trunc(numberArgument(args, index));
  return Number.isNaN(value) ? 0 : value;
}

/** As `integerArgument`; `fallback` for none or nil. */
export function optionalInteger(args: Arguments, index: number, fallback: number): number {
  return args[index - 1] === undefined ? fallback : integerArgument(args, index);
}

/** A string, or the text of a number. */
export function stringArgument(args: Arguments, index: number): string {
  const value = args[index - 1];
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') throw typeArgumentError(args, index, 'string');
  return numberText(value);
}

/** As `stringArgument`; `fallback` for none or nil. */
export function optionalString(args: Arguments, index: number, fallback: string): string {
  return args[index - 1] === undefined ? fallback : stringArgument(args, index);
}
