/** The library `math`. Source: Lua 5.1 manual, 5.6; behaviour of redis-server 7.0.15. */
import { argumentError, callError, int32Argument, numberArgument, tableOf } from '../arguments.ts';
import type { Lua } from '../lua.ts';
import { power } from '../operations.ts';
import type { LuaValue } from '../values.ts';
import type { Rand48 } from './rand48.ts';

const DEGREES = 180 / Math.PI;
/** Exponent of the least number that a double holds. */
const EXPONENT_MIN = -1074;
/** Smallest exponent of numbers with all their bits. */
const NORMAL_EXPONENT_MIN = -1022;
const EXPONENT_MAX = 1024;
/** Beyond this any double becomes infinite or zero. */
const SHIFT_MAX = 2200;

export function installMathLibrary(lua: Lua, dice: Rand48): void {
  const table = tableOf({ ...plainFunctions(), ...partsOfNumbers, ...extremes, ...chance(dice) });
  table.setString('pi', Math.PI);
  table.setString('huge', Infinity);
  table.setString('mod', table.getString('fmod'));
  lua.globals.setString('math', table);
}

/** Functions of one number, and of two. */
function plainFunctions(): Record<string, (a?: LuaValue, b?: LuaValue) => number> {
  const { abs, acos, asin, atan, ceil, cos, cosh, exp, floor, log, log10 } = Math;
  const { sin, sinh, sqrt, tan, tanh } = Math;
  const unary = { abs, acos, asin, atan, ceil, cos, cosh, exp, floor, log, log10 };
  const more = { sin, sinh, sqrt, tan, tanh, deg: degrees, rad: radians };
  const functions: Record<string, (a?: LuaValue, b?: LuaValue) => number> = {};
  for (const [name, f] of Object.entries({ ...unary, ...more })) {
    functions[name] = function (x) {
      return f(typeof x === 'number' ? x : numberArgument(x, 1, arguments.length));
    };
  }
  const binary = { atan2: Math.atan2, fmod: remainder, pow: power };
  for (const [name, f] of Object.entries(binary)) {
    functions[name] = function (x, y) {
      const { length } = arguments;
      return f(numberArgument(x, 1, length), numberArgument(y, 2, length));
    };
  }
  return functions;
}

const partsOfNumbers = {
  frexp(x?: LuaValue): LuaValue[] {
    const value = numberArgument(x, 1, arguments.length);
    if (value === 0 || !Number.isFinite(value)) return [value, 0];
    const exponent = exponentOf(Math.abs(value));
    return [scaled(value, -exponent), exponent];
  },
  ldexp(x?: LuaValue, shift?: LuaValue): number {
    const { length } = arguments;
    return scaled(numberArgument(x, 1, length), int32Argument(shift, 2, length));
  },
  modf(x?: LuaValue): LuaValue[] {
    const value = numberArgument(x, 1, arguments.length);
    const whole = Math.trunc(value);
    if (Number.isFinite(value)) return [whole, value - whole];
    return [value, Number.isNaN(value) ? value : value > 0 ? 0 : -0];
  },
};

const extremes = {
  max(...values: LuaValue[]): number {
    let best = numberArgument(values[0], 1, values.length);
    for (let i = 1; i < values.length; i++) {
      const value = numberArgument(values[i], i + 1, values.length);
      if (value > best) best = value;
    }
    return best;
  },
  min(...values: LuaValue[]): number {
    let best = numberArgument(values[0], 1, values.length);
    for (let i = 1; i < values.length; i++) {
      const value = numberArgument(values[i], i + 1, values.length);
      if (value < best) best = value;
    }
    return best;
  },
};

function chance(dice: Rand48): Record<string, (...args: LuaValue[]) => LuaValue | never[]> {
  return {
    random(...args) {
      const r = dice.next();
      if (args.length === 0) return r;
      if (args.length > 2) throw callError('wrong number of arguments');
      const first = int32Argument(args[0], 1, args.length);
      if (args.length === 1) {
        if (first < 1) throw argumentError(1, 'interval is empty');
        return Math.floor(r * first) + 1;
      }
      const last = int32Argument(args[1], 2, args.length);
      if (first > last) throw argumentError(2, 'interval is empty');
      // The width is a 32-bit integer there, and overflows as such.
      return Math.floor(r * ((last - first + 1) | 0)) + first;
    },
    randomseed(seed) {
      dice.seed(int32Argument(seed, 1, arguments.length));
      return [];
    },
  };
}

function degrees(x: number): number {
  return x * DEGREES;
}

function radians(x: number): number {
  return x / DEGREES;
}

function remainder(x: number, y: number): number {
  return x % y;
}

/** The exponent e for which magnitude = m·2^e with m from 0.5 to below 1. */
function exponentOf(magnitude: number): number {
  let exponent = Math.floor(Math.log2(magnitude)) + 1;
  // The logarithm may be off by one beside a power of two.
  while (scaled(magnitude, -exponent) >= 1) exponent++;
  while (scaled(magnitude, -exponent) < 0.5) exponent--;
  return exponent;
}

/** value·2^shift, rounded once. */
function scaled(value: number, shift: number): number {
  const rest = Math.max(-SHIFT_MAX, Math.min(SHIFT_MAX, shift));
  if (rest >= EXPONENT_MAX) return scaled(value * 2 ** (EXPONENT_MAX - 1), rest - EXPONENT_MAX + 1);
  if (rest >= NORMAL_EXPONENT_MIN) return value * 2 ** rest;
  const magnitude = Math.abs(value);
  // Steps that stay among numbers with all their bits lose nothing; only the last one rounds.
  if (magnitude >= 1) return scaled(value * 2 ** -1000, rest + 1000);
  return rest >= EXPONENT_MIN ? value * 2 ** rest : value * 2 ** -600 * 2 ** (rest + 600);
}
