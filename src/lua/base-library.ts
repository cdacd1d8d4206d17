/** The functions that are there by themselves, as far as Redis leaves them to scripts. Source: Lua 5.1 manual, 5.1. */
import {
  anyArgument,
  argumentError,
  functionArgument,
  int32Argument,
  optionalInt32,
  optionalText,
  tableArgument,
  textArgument,
} from './arguments.ts';
import { IPAIRS_STEP, NEXT } from './generic-for.ts';
import { numberText } from './lib/numbers.ts';
import type { Lua } from './lua.ts';
import { asNumber, isTruthy, rawSet } from './operations.ts';
import { caughtValue, protectedCalls } from './protected-call.ts';
import {
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  NativeFunction,
  PausingFunction,
  SteppedFunction,
  firstResult,
  typeName,
} from './values.ts';

/** Values on Lua's stack at a time, with room for the call. Source: Lua 5.1, luaconf.h, LUAI_MAXCSTACK. */
const UNPACKED_MAX = 7_999;
/** Memory belongs to JavaScript, which does not say how much a script has: this much is in use. */
const MEMORY_KIB = 32;
/** What `collectgarbage` has set before. */
const COLLECTOR_DEFAULT = 200;
const COLLECTOR_ANSWERS: Readonly<Record<string, LuaValue>> = {
  collect: 0,
  count: MEMORY_KIB,
  restart: 0,
  setpause: COLLECTOR_DEFAULT,
  setstepmul: COLLECTOR_DEFAULT,
  step: false,
  stop: 0,
};
const BASE_MAX = 36;
/** Source: C, strtoul(): what is too large, and the ring that negative numbers live in. */
const UNSIGNED_LIMIT = 2 ** 64;

type Arguments = readonly LuaValue[];

export function installBaseLibrary(lua: Lua): void {
  const { globals, operations } = lua;
  const functions: readonly LuaFunction[] = [
    ...protectedCalls(operations),
    ...textFunctions(lua),
    ...tableFunctions(lua),
    NEXT,
    new NativeFunction('assert', (...args) => assertTruth(args)),
    new NativeFunction('collectgarbage', (...args) => {
      const option = optionalText(args[0], 1, 'collect');
      if (!Object.hasOwn(COLLECTOR_ANSWERS, option)) {
        throw argumentError(1, `invalid option '${option}'`);
      }
      return COLLECTOR_ANSWERS[option];
    }),
    new NativeFunction('gcinfo', () => MEMORY_KIB),
    new NativeFunction('error', (...args) => {
      const level = optionalInt32(args[1], 2, 1);
      const isText = level > 0 && (typeof args[0] === 'string' || typeof args[0] === 'number');
      throw isText ? new LuaError(lua.plainText(args[0]), level) : new LuaError(args[0]);
    }),
    new NativeFunction('select', (...args) => selected(args)),
    new NativeFunction('type', (...args) => typeName(anyArgument(args[0], 1, args.length))),
    new NativeFunction('tonumber', (...args) => toNumber(args)),
    new PausingFunction('tostring', (...args) => lua.text(anyArgument(args[0], 1, args.length))),
  ];
  for (const each of functions) globals.setString(each.name, each);
  globals.setString('_G', globals);
  globals.setString('_VERSION', 'Lua 5.1');
}

function assertTruth(args: Arguments): LuaResult {
  if (isTruthy(anyArgument(args[0], 1, args.length))) return args;
  throw new LuaError(optionalText(args[1], 2, 'assertion failed!'), 1);
}

function selected(args: Arguments): LuaResult {
  const count = args.length - 1;
  if (args[0] === '#') return count;
  const index = int32Argument(args[0], 1, args.length);
  const from = index < 0 ? count + index + 1 : index;
  if (from < 1) throw argumentError(1, 'index out of range');
  return args.slice(from);
}

function toNumber(args: Arguments): LuaValue {
  const base = optionalInt32(args[1], 2, 10);
  if (base === 10) {
    const value = asNumber(anyArgument(args[0], 1, args.length));
    return value;
  }
  const digits = textArgument(args[0], 1, args.length);
  if (base < 2 || base > BASE_MAX) throw argumentError(2, 'base out of range');
  return unsigned(digits, base);
}

/** Digits of any base as C's strtoul() reads them: a minus counts down from 2^64. */
function unsigned(digits: string, base: number): number | undefined {
  const prefix = base === 16 ? '(?:0[xX](?=[0-9a-fA-F]))?' : '';
  const pattern = new RegExp(
    `^[ \\t-\\r]*([+-]?)${prefix}([0-9a-zA-Z]+)[ \\t-\\r]*(?:\\0.*)?$`,
    's',
  );
  const [, sign, body] = pattern.exec(digits) ?? [];
  if (body === undefined) return undefined;
  let value = 0;
  for (const char of body) {
    const digit = Number.parseInt(char, BASE_MAX);
    if (digit >= base) return undefined;
    value = value * base + digit;
  }
  if (value >= UNSIGNED_LIMIT) return UNSIGNED_LIMIT;
  return sign === '-' && value > 0 ? UNSIGNED_LIMIT - value : value;
}

/** What turns text into functions. */
function textFunctions(lua: Lua): readonly LuaFunction[] {
  const load = (text: string, chunkName: string): LuaResult => {
    try {
      return lua.compile(text, chunkName);
    } catch (error) {
      if (error instanceof LuaError) return [undefined, error.value];
      throw error;
    }
  };
  return [
    new NativeFunction('loadstring', (...args) => {
      const text = textArgument(args[0], 1, args.length);
      return load(text, optionalText(args[1], 2, text));
    }),
    new SteppedFunction('load', function* (...args): LuaSteps {
      const reader = functionArgument(args[0], 1, args.length);
      const chunkName = optionalText(args[1], 2, '=(load)');
      const pieces: string[] = [];
      for (;;) {
        let piece: LuaValue;
        try {
          piece = firstResult(yield* lua.call(reader));
        } catch (error) {
          return [undefined, caughtValue(error)];
        }
        if (piece === undefined || piece === '') return load(pieces.join(''), chunkName);
        if (typeof piece !== 'string' && typeof piece !== 'number') {
          return [undefined, 'reader function must return a string'];
        }
        pieces.push(typeof piece === 'number' ? numberText(piece) : piece);
      }
    }),
  ];
}

function tableFunctions(lua: Lua): readonly LuaFunction[] {
  return [
    new NativeFunction('getmetatable', (...args) => {
      const metatable = lua.operations.metatable(anyArgument(args[0], 1, args.length));
      return metatable?.getString('__metatable') ?? metatable;
    }),
    new NativeFunction('setmetatable', (...args) => setMetatable(args)),
    new NativeFunction('ipairs', (...args) => [
      IPAIRS_STEP,
      tableArgument(args[0], 1, args.length),
      0,
    ]),
    new NativeFunction('pairs', (...args) => [
      NEXT,
      tableArgument(args[0], 1, args.length),
      undefined,
    ]),
    new NativeFunction(
      'rawequal',
      (...args) => anyArgument(args[0], 1, args.length) === anyArgument(args[1], 2, args.length),
    ),
    new NativeFunction('rawget', (...args) =>
      tableArgument(args[0], 1, args.length).get(anyArgument(args[1], 2, args.length)),
    ),
    new NativeFunction('rawset', (...args) => {
      const table = tableArgument(args[0], 1, args.length);
      rawSet(table, anyArgument(args[1], 2, args.length), anyArgument(args[2], 3, args.length), 0);
      return table;
    }),
    new NativeFunction('unpack', (...args) => unpacked(args)),
  ];
}

function setMetatable(args: Arguments): LuaTable {
  const table = tableArgument(args[0], 1, args.length);
  const metatable = args[1];
  const isNil = metatable === undefined && args.length > 1;
  if (!isNil && !(metatable instanceof LuaTable)) {
    throw argumentError(2, 'nil or table expected');
  }
  if (table.metatable?.getString('__metatable') !== undefined) {
    throw new LuaError('cannot change a protected metatable', 1);
  }
  if (table.isReadonly) throw new LuaError('Attempt to modify a readonly table');
  table.metatable = metatable as LuaTable | undefined;
  return table;
}

function unpacked(args: Arguments): LuaResult {
  const table = tableArgument(args[0], 1, args.length);
  const from = optionalInt32(args[1], 2, 1);
  const to = optionalInt32(args[2], 3, table.length);
  if (to - from >= UNPACKED_MAX) throw new LuaError('too many results to unpack', 1);
  const values: LuaValue[] = [];
  for (let index = from; index <= to; index++) values.push(table.getIndex(index));
  return values;
}
