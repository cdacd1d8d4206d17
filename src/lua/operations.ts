/**
 * What the signs of the language do where compiled code has no short way: metamethods, numbers in texts, errors. Each answers
 * its result or PAUSED. `what` tells how the program calls the operand: `local 'x'`.
 * Source: Lua 5.1 manual, 2.8; messages as redis-server 7.0.15 gives them.
 */
import { numberText, textNumber } from './lib/numbers.ts';
import {
  type Frame,
  LuaError,
  LuaFunction,
  type LuaResult,
  LuaTable,
  LuaUserdata,
  type LuaValue,
  PAUSED,
  firstResult,
  machine,
  typeName,
} from './values.ts';

/** Metatables that are asked one after the other. Source: Lua 5.1, lvm.c, MAXTAGLOOP. */
const CHAIN_MAX = 100;

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  __add: (a, b) => a + b,
  __sub: (a, b) => a - b,
  __mul: (a, b) => a * b,
  __div: (a, b) => a / b,
  __mod: modulo,
  __pow: power,
};

/** `a % b`: the sign of the result is that of `b`. */
export function modulo(a: number, b: number): number {
  return a - Math.floor(a / b) * b;
}

/** `a ^ b` as C has it, which differs from JavaScript where a is 1 or -1. */
export function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && (b === Infinity || b === -Infinity))) return 1;
  return a ** b;
}

/** A value as a number, if it is one or a text of one. */
export function asNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? textNumber(value) : undefined;
}

export function isTruthy(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** `attempt to … a … value`, with the operand's name if there is one. */
export function typeError(action: string, value: LuaValue, what?: string): LuaError {
  const type = typeName(value);
  const subject = what === undefined ? `a ${type} value` : `${what} (a ${type} value)`;
  return new LuaError(`attempt to ${action} ${subject}`, 1);
}

/** A handler of a metatable that was called; a coroutine cannot yield out of it. */
class HandlerFrame implements Frame {
  readonly isNative = true;
  readonly #adjust: (value: LuaValue) => LuaValue;

  constructor(adjust: (value: LuaValue) => LuaValue) {
    this.#adjust = adjust;
  }

  resume(value: LuaResult): LuaResult {
    return this.#adjust(firstResult(value));
  }

  fail(error: unknown): LuaResult {
    throw error;
  }
}

const asIs = (value: LuaValue): LuaValue => value;
const isNot = (value: LuaValue): LuaValue => !isTruthy(value);

/** When scripts give way. */
export interface Pausing {
  /** Loop turns and calls after which a script asks. */
  readonly ticksPerPause: number;
  /** Whether it shall leave the stack now. */
  readonly shouldPause: () => boolean;
}

export class Operations {
  readonly #pausing: Pausing;
  /** What strings take their methods from. */
  stringMetatable: LuaTable | undefined = undefined;
  /** What pcall answers for the value of an error. */
  pcallValue: (value: LuaValue) => LuaValue = (value) => value;

  constructor(pausing: Pausing) {
    this.#pausing = pausing;
  }

  /** Asked when enough ticks are gone: whether to leave the stack now. */
  isTimeToPause(): boolean {
    machine.ticks = this.#pausing.ticksPerPause;
    machine.reason = 'tick';
    return this.#pausing.shouldPause();
  }

  metatable(value: LuaValue): LuaTable | undefined {
    if (value instanceof LuaTable || value instanceof LuaUserdata) return value.metatable;
    return typeof value === 'string' ? this.stringMetatable : undefined;
  }

  handler(value: LuaValue, event: string): LuaValue {
    return this.metatable(value)?.getString(event);
  }

  /** Calls what may be no function. */
  call(f: LuaValue, what: string | undefined, args: readonly LuaValue[]): LuaResult {
    if (f instanceof LuaFunction) return f.call(...args);
    const handler = this.handler(f, '__call');
    if (!(handler instanceof LuaFunction)) throw typeError('call', f, what);
    return handler.call(f, ...args);
  }

  index(object: LuaValue, key: LuaValue, what?: string): LuaResult {
    let from = object;
    let name = what;
    for (let count = 0; count < CHAIN_MAX; count++) {
      let handler: LuaValue;
      if (from instanceof LuaTable) {
        const value = from.get(key);
        if (value !== undefined || from.metatable === undefined) return value;
        handler = from.metatable.getString('__index');
        if (handler === undefined) return undefined;
      } else {
        handler = this.handler(from, '__index');
        if (handler === undefined) throw typeError('index', from, name);
      }
      if (handler instanceof LuaFunction) return this.invoke(handler, [from, key]);
      from = handler;
      name = undefined;
    }
    throw new LuaError('loop in gettable', 1);
  }

  setIndex(object: LuaValue, key: LuaValue, value: LuaValue, what?: string): LuaResult {
    let to = object;
    let name = what;
    for (let count = 0; count < CHAIN_MAX; count++) {
      let handler: LuaValue;
      if (to instanceof LuaTable) {
        const isFree = to.metatable === undefined || to.get(key) !== undefined;
        handler = isFree ? undefined : to.metatable?.getString('__newindex');
        if (handler === undefined) {
          rawSet(to, key, value, 1);
          return undefined;
        }
      } else {
        handler = this.handler(to, '__newindex');
        if (handler === undefined) throw typeError('index', to, name);
      }
      if (handler instanceof LuaFunction) return this.invoke(handler, [to, key, value]);
      to = handler;
      name = undefined;
    }
    throw new LuaError('loop in settable', 1);
  }

  /** @param event the name of the metamethod, which tells the operator */
  arithmetic(event: string, a: LuaValue, b: LuaValue, whatA?: string, whatB?: string): LuaResult {
    const x = asNumber(a);
    const y = asNumber(b);
    if (x !== undefined && y !== undefined) {
      return (ARITHMETIC[event] as (a: number, b: number) => number)(x, y);
    }
    const handler = this.handler(a, event) ?? this.handler(b, event);
    if (handler !== undefined) return this.invoke(handler, [a, b]);
    const action = 'perform arithmetic on';
    throw x === undefined ? typeError(action, a, whatA) : typeError(action, b, whatB);
  }

  negate(a: LuaValue, what?: string): LuaResult {
    const x = asNumber(a);
    if (x !== undefined) return -x;
    const handler = this.handler(a, '__unm');
    if (handler !== undefined) return this.invoke(handler, [a, a]);
    throw typeError('perform arithmetic on', a, what);
  }

  length(a: LuaValue, what?: string): LuaResult {
    if (a instanceof LuaTable || typeof a === 'string') return a.length;
    const handler = this.handler(a, '__len');
    if (handler !== undefined) return this.invoke(handler, [a]);
    throw typeError('get length of', a, what);
  }

  concat(a: LuaValue, b: LuaValue, whatA?: string, whatB?: string): LuaResult {
    const x = asText(a);
    const y = asText(b);
    if (x !== undefined && y !== undefined) return joined(x, y);
    const handler = this.handler(a, '__concat') ?? this.handler(b, '__concat');
    if (handler !== undefined) return this.invoke(handler, [a, b]);
    throw x === undefined ? typeError('concatenate', a, whatA) : typeError('concatenate', b, whatB);
  }

  equals(a: LuaValue, b: LuaValue): LuaResult {
    if (a === b) return true;
    const isSameKind =
      (a instanceof LuaTable && b instanceof LuaTable) ||
      (a instanceof LuaUserdata && b instanceof LuaUserdata);
    const handler = isSameKind ? this.#sharedHandler(a, b, '__eq') : undefined;
    return handler === undefined ? false : this.invoke(handler, [a, b], isTruthy);
  }

  isLess(a: LuaValue, b: LuaValue): LuaResult {
    if (typeof a === 'number' && typeof b === 'number') return a < b;
    if (typeof a === 'string' && typeof b === 'string') return a < b;
    const handler = this.#sharedHandler(a, b, '__lt');
    if (handler !== undefined) return this.invoke(handler, [a, b], isTruthy);
    throw comparisonError(a, b);
  }

  isLessOrEqual(a: LuaValue, b: LuaValue): LuaResult {
    if (typeof a === 'number' && typeof b === 'number') return a <= b;
    if (typeof a === 'string' && typeof b === 'string') return a <= b;
    const handler = this.#sharedHandler(a, b, '__le');
    if (handler !== undefined) return this.invoke(handler, [a, b], isTruthy);
    const opposite = this.#sharedHandler(b, a, '__lt');
    if (opposite !== undefined) return this.invoke(opposite, [b, a], isNot);
    throw comparisonError(a, b);
  }

  /** Puts values behind the first `count` of a table that nobody else has seen. */
  append(table: LuaTable, count: number, values: readonly LuaValue[]): void {
    for (const [index, value] of values.entries()) table.setIndex(count + index + 1, value);
  }

  /** The variable `arg` of a function with `...`: the extra arguments, and how many they are. */
  argTable(values: readonly LuaValue[]): LuaTable {
    return new LuaTable().adoptList([undefined, ...values]).adoptFields(['n'], [values.length]);
  }

  /** The handler that two values of one type have in common. */
  #sharedHandler(a: LuaValue, b: LuaValue, event: string): LuaValue {
    if (typeName(a) !== typeName(b)) return undefined;
    const handler = this.handler(a, event);
    return handler !== undefined && handler === this.handler(b, event) ? handler : undefined;
  }

  /** Calls a handler of a metatable, and answers one value. */
  invoke(
    handler: LuaValue,
    args: readonly LuaValue[],
    adjust: (value: LuaValue) => LuaValue = asIs,
  ): LuaResult {
    machine.natives++;
    const result = this.call(handler, undefined, args);
    machine.natives--;
    if (result !== PAUSED) return adjust(firstResult(result));
    machine.captured.push(new HandlerFrame(adjust));
    return PAUSED;
  }
}

/**
 * Sets a key past all metamethods, unless the table is readonly or the key is none.
 * @param level of the error, see LuaError
 */
export function rawSet(table: LuaTable, key: LuaValue, value: LuaValue, level: number): void {
  if (table.isReadonly) throw new LuaError('Attempt to modify a readonly table', level);
  if (key === undefined) throw new LuaError('table index is nil', level);
  if (Number.isNaN(key)) throw new LuaError('table index is NaN', level);
  table.set(key, value);
}

function asText(value: LuaValue): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? numberText(value) : undefined;
}

function joined(a: string, b: string): string {
  return a + b;
}

function comparisonError(a: LuaValue, b: LuaValue): LuaError {
  const [x, y] = [typeName(a), typeName(b)];
  const subject = x === y ? `two ${x} values` : `${x} with ${y}`;
  return new LuaError(`attempt to compare ${subject}`, 1);
}
