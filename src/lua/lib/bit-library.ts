/**
 * The library `bit`: operations on 32-bit integers, whose results are signed. Source: behaviour of
 * redis-server 7.0.15.
 */
import type { Lua } from '../lua.ts';
import type { LuaValue } from '../values.ts';
import { numberArgument, tableOf } from '../arguments.ts';

/** Adding it to a number leaves the number's integer bits, rounded half to even, at the low end. */
const MAGIC = 2 ** 52 + 2 ** 51;
const HEX_DIGITS = 8;

export function installBitLibrary(lua: Lua): void {
  lua.globals.setString('bit', tableOf({ ...single, ...several, ...shifts }));
}

const single = {
  tobit(x?: LuaValue): number {
    return bits(x, 1, arguments.length);
  },
  bnot(x?: LuaValue): number {
    return ~bits(x, 1, arguments.length);
  },
  bswap(x?: LuaValue): number {
    const b = bits(x, 1, arguments.length);
    return (b << 24) | ((b & 0xff00) << 8) | ((b >> 8) & 0xff00) | (b >>> 24);
  },
  tohex(x?: LuaValue, digits?: LuaValue): string {
    const { length } = arguments;
    const b = bits(x, 1, length) >>> 0;
    const wanted = length < 2 ? HEX_DIGITS : bits(digits, 2, length);
    const text = b.toString(16).padStart(HEX_DIGITS, '0');
    const count = Math.min(HEX_DIGITS, Math.abs(wanted));
    const tail = text.slice(HEX_DIGITS - count);
    return wanted < 0 ? tail.toUpperCase() : tail;
  },
};

const several = {
  band(...values: LuaValue[]): number {
    let all = bits(values[0], 1, values.length);
    for (let i = 1; i < values.length; i++) all &= bits(values[i], i + 1, values.length);
    return all;
  },
  bor(...values: LuaValue[]): number {
    let all = bits(values[0], 1, values.length);
    for (let i = 1; i < values.length; i++) all |= bits(values[i], i + 1, values.length);
    return all;
  },
  bxor(...values: LuaValue[]): number {
    let all = bits(values[0], 1, values.length);
    for (let i = 1; i < values.length; i++) all ^= bits(values[i], i + 1, values.length);
    return all;
  },
};

// JavaScript takes the low five bits of a count, as the library does.
const shifts = {
  lshift(x?: LuaValue, count?: LuaValue): number {
    const { length } = arguments;
    return bits(x, 1, length) << bits(count, 2, length);
  },
  rshift(x?: LuaValue, count?: LuaValue): number {
    const { length } = arguments;
    return (bits(x, 1, length) >>> bits(count, 2, length)) | 0;
  },
  arshift(x?: LuaValue, count?: LuaValue): number {
    const { length } = arguments;
    return bits(x, 1, length) >> bits(count, 2, length);
  },
  rol(x?: LuaValue, count?: LuaValue): number {
    const { length } = arguments;
    const b = bits(x, 1, length);
    const n = bits(count, 2, length);
    return (b << n) | (b >>> -n);
  },
  ror(x?: LuaValue, count?: LuaValue): number {
    const { length } = arguments;
    const b = bits(x, 1, length);
    const n = bits(count, 2, length);
    return (b >>> n) | (b << -n);
  },
};

/** The low 32 bits of a number. One that has no place for its integer bits gives what adding leaves of them. */
function bits(value: LuaValue, index: number, count: number): number {
  const number = numberArgument(value, index, count);
  const low = number | 0;
  if (low === number) return low;
  return lowBits(number + MAGIC);
}

const words = new DataView(new ArrayBuffer(8));

function lowBits(number: number): number {
  words.setFloat64(0, number);
  return words.getInt32(4);
}
