/** The table library. Source: Lua 5.1 manual, 5.5. */
import {
  functionArgument,
  int32Argument,
  optionalInt32,
  optionalText,
  tableArgument,
} from './arguments.ts';
import { numberText } from './lib/numbers.ts';
import type { Lua } from './lua.ts';
import { rawSet } from './operations.ts';
import { sortFunction } from './sort.ts';
import {
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  NONE,
  NativeFunction,
  SteppedFunction,
  firstResult,
  typeName,
} from './values.ts';

type Arguments = readonly LuaValue[];

export function installTableLibrary(lua: Lua): void {
  const library = new LuaTable();
  const functions: readonly LuaFunction[] = [
    new NativeFunction('concat', (...args) => concat(args)),
    new NativeFunction('getn', (...args) => tableArgument(args[0], 1, args.length).length),
    new NativeFunction('insert', (...args) => insert(args)),
    new NativeFunction('maxn', (...args) => maxn(tableArgument(args[0], 1, args.length))),
    new NativeFunction('remove', (...args) => remove(args)),
    new NativeFunction('setn', (...args) => {
      tableArgument(args[0], 1, args.length);
      throw new LuaError("'setn' is obsolete", 1);
    }),
    new SteppedFunction('foreach', (...args) => foreach(lua, args)),
    new SteppedFunction('foreachi', (...args) => foreachi(lua, args)),
    sortFunction(lua.operations),
  ];
  for (const each of functions) library.setString(each.name, each);
  lua.globals.setString('table', library);
}

function concat(args: Arguments): string {
  const table = tableArgument(args[0], 1, args.length);
  const separator = optionalText(args[1], 2, '');
  const from = optionalInt32(args[2], 3, 1);
  const to = optionalInt32(args[3], 4, table.length);
  const pieces: string[] = [];
  for (let index = from; index <= to; index++) {
    const value = table.getIndex(index);
    if (typeof value === 'string') pieces.push(value);
    else if (typeof value === 'number') pieces.push(numberText(value));
    else {
      const subject = `invalid value (${typeName(value)}) at index ${index}`;
      throw new LuaError(`${subject} in table for 'concat'`, 1);
    }
  }
  return pieces.join(separator);
}

function insert(args: Arguments): LuaResult {
  const table = tableArgument(args[0], 1, args.length);
  const end = table.length + 1;
  if (args.length === 2) {
    rawSet(table, end, args[1], 0);
    return NONE;
  }
  if (args.length !== 3) throw new LuaError("wrong number of arguments to 'insert'", 1);
  const at = int32Argument(args[1], 2, args.length);
  const value = args[2];
  if (at > 0 && at < end && value !== undefined && !table.isReadonly) {
    table.insertAt(at, value);
    return NONE;
  }
  for (let index = Math.max(end, at); index > at; index--) {
    rawSet(table, index, table.getIndex(index - 1), 0);
  }
  rawSet(table, at, value, 0);
  return NONE;
}

function remove(args: Arguments): LuaResult {
  const table = tableArgument(args[0], 1, args.length);
  const { length } = table;
  const at = optionalInt32(args[1], 2, length);
  if (at < 1 || at > length) return NONE;
  const value = table.getIndex(at);
  if (table.isReadonly || at === length) rawSet(table, length, undefined, 0);
  else table.removeAt(at);
  return value;
}

function maxn(table: LuaTable): number {
  let max = table.length;
  for (const [index, key] of table.keys.entries()) {
    if (typeof key === 'number' && key > max && table.values[index] !== undefined) max = key;
  }
  return max;
}

function* foreach(lua: Lua, args: Arguments): LuaSteps {
  const table = tableArgument(args[0], 1, args.length);
  const f = functionArgument(args[1], 2, args.length);
  for (let entry = table.next(undefined); entry !== undefined; entry = table.next(entry[0])) {
    const result = yield* lua.call(f, ...entry);
    if (firstResult(result) !== undefined) return firstResult(result);
  }
  return NONE;
}

function* foreachi(lua: Lua, args: Arguments): LuaSteps {
  const table = tableArgument(args[0], 1, args.length);
  const f = functionArgument(args[1], 2, args.length);
  const { length } = table;
  for (let index = 1; index <= length; index++) {
    const result = yield* lua.call(f, index, table.getIndex(index));
    if (firstResult(result) !== undefined) return firstResult(result);
  }
  return NONE;
}
