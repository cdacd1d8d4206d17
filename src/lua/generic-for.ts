/** Walks over tables in place of calls of an iterator: what `for … in pairs(t)` and `ipairs(t)` do unless one looks closely. */
import {
  LuaTable,
  type LuaFunction,
  LuaError,
  type LuaResult,
  type LuaValue,
  NONE,
  NativeFunction,
} from './values.ts';
import { tableArgument } from './arguments.ts';

export const NEXT: LuaFunction = new NativeFunction('next', (...args) => {
  const table = tableArgument(args[0], 1, args.length);
  try {
    return table.next(args[1]);
  } catch (error) {
    if (error instanceof RangeError) throw new LuaError(error.message);
    throw error;
  }
});

export const IPAIRS_STEP: LuaFunction = new NativeFunction('', (...args): LuaResult => {
  const table = tableArgument(args[0], 1, args.length);
  const index = Number(args[1]) + 1;
  const value = table.getIndex(index);
  return value === undefined ? NONE : [index, value];
});

/** A walk that is under way. */
export interface Walk {
  key: LuaValue;
  value: LuaValue;
  /** Goes to the next entry, if there is one. */
  advance(): boolean;
}

class PairsWalk implements Walk {
  key: LuaValue = undefined;
  value: LuaValue = undefined;
  readonly #table: LuaTable;
  /** Keys that come later are not seen, so that the walk ends. */
  readonly #keyCount: number;
  #place = 0;

  constructor(table: LuaTable) {
    this.#table = table;
    this.#keyCount = table.keys.length;
  }

  advance(): boolean {
    const table = this.#table;
    const place = table.advance(this.#place);
    if (place === 0 || -place > this.#keyCount) return false;
    this.#place = place;
    this.key = table.keyAt(place);
    this.value = table.valueAt(place);
    return true;
  }
}

class IpairsWalk implements Walk {
  key = 0;
  value: LuaValue = undefined;
  readonly #table: LuaTable;

  constructor(table: LuaTable) {
    this.#table = table;
  }

  advance(): boolean {
    this.value = this.#table.getIndex(++this.key);
    return this.value !== undefined;
  }
}

/** The walk that a generic `for` can take; undefined when it must call its function. */
export function walkOf(f: LuaValue, state: LuaValue, control: LuaValue): Walk | undefined {
  if (!(state instanceof LuaTable)) return undefined;
  if (f === NEXT && control === undefined) return new PairsWalk(state);
  return f === IPAIRS_STEP && control === 0 ? new IpairsWalk(state) : undefined;
}
