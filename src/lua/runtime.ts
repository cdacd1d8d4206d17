/** Small things that compiled code calls. */
import { asNumber } from './operations.ts';
import { STACK_BYTES_MAX } from './run.ts';
import {
  type CompiledFunction,
  type Frame,
  LuaError,
  type LuaResult,
  type LuaValue,
  PAUSED,
  machine,
} from './values.ts';

/** A variable that closures share and that changes. */
export class Box {
  v: LuaValue;

  constructor(v: LuaValue) {
    this.v = v;
  }
}

/** A part of a numeric `for` that is no number yet. */
export function forNumber(value: LuaValue, what: string): number {
  const number = asNumber(value);
  if (number === undefined) throw new LuaError(`'for' ${what} must be a number`, 1);
  return number;
}

/** A call that could not begin: it is time to pause, or the stack is full. */
export function enter(
  f: CompiledFunction,
  args: readonly LuaValue[],
  stackBytes: number,
): LuaResult {
  const isDeep = machine.depth > STACK_BYTES_MAX;
  if (isDeep) machine.reason = 'depth';
  machine.depth -= stackBytes;
  machine.captured.push(new CallFrame(f, args, isDeep ? stackBytes : 0));
  return PAUSED;
}

class CallFrame implements Frame {
  readonly isNative = false;
  readonly #f: CompiledFunction;
  readonly #args: readonly LuaValue[];
  /** What the call needs of the stack, if that was full; else 0. */
  readonly #neededBytes: number;

  constructor(f: CompiledFunction, args: readonly LuaValue[], neededBytes: number) {
    this.#neededBytes = neededBytes;
    this.#f = f;
    this.#args = args;
  }

  /** What stands below by now are functions of ours and coroutines, which cannot leave the stack for good. */
  resume(): LuaResult {
    const isFull = this.#neededBytes > 0 && machine.depth + this.#neededBytes > STACK_BYTES_MAX;
    if (isFull) throw new LuaError('C stack overflow', 1);
    return this.#f.call(...this.#args);
  }

  fail(error: unknown): LuaResult {
    throw error;
  }
}
