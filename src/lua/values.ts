/**
 * What a script works with: its values, functions of three makes, and errors.
 *
 * A compiled function is a plain JavaScript function. It gives way, to let others be served or because a coroutine yields, by
 * returning PAUSED: each function on the stack then puts what it needs to go on, a Frame, into `machine.captured` and
 * returns PAUSED too, until the stack is empty. Whoever stands at its bottom calls the frames again when it is time.
 */
import { TableStore } from './table-store.ts';

/** A value as a script sees it. Nil is undefined; a string has one character (0 to 255) for each byte. */
export type LuaValue =
  undefined | boolean | number | string | LuaTable | LuaFunction | LuaThread | LuaUserdata;

/** What a call gives: a value that is no array is exactly one result, an array holds any other count of them. */
export type LuaResult = LuaValue | readonly LuaValue[];

/** A call in progress that gives way at each yield; what it returns is the call's result. */
export type LuaSteps = Generator<void, LuaResult, void>;

/** No results. */
export const NONE: readonly LuaValue[] = Object.freeze([]);

/** What a function returns that has left the stack and goes on later. An array, so that a caller needs one check for both. */
export const PAUSED: readonly LuaValue[] = Object.freeze([]);

/** A function that has left the stack. */
export interface Frame {
  /** Whether it is a function of ours that called back: a coroutine cannot yield through it. */
  readonly isNative: boolean;
  /** Whether it only stands for functions that have gone: one does for any number of them. */
  readonly isGone?: boolean;
  /** Goes on with the result of what it had called; answers its own result, or PAUSED. */
  resume(value: LuaResult): LuaResult;
  /** Goes on with an error of what it had called: throws, or answers as `resume` does. */
  fail(error: unknown): LuaResult;
}

/** The state of the one stack that JavaScript has. Whoever runs scripts in turns sets it anew for each turn. */
export interface Machine {
  /** Loop turns and calls until the next pause. */
  ticks: number;
  /** Bytes of stack in use, by estimate. */
  depth: number;
  /** How many functions of ours that called back are on the stack of the running coroutine. */
  natives: number;
  /** Frames that have left the stack, the innermost first. */
  captured: Frame[];
  /** Why they left it. */
  reason: 'tick' | 'depth' | 'yield';
  /** What a coroutine yields. */
  yielded: readonly LuaValue[];
  /** The running coroutine; undefined in the main one. */
  thread: LuaThread | undefined;
  /** Frames of the running coroutine that left the stack before and have not gone on. */
  outerNatives: number;
  /** The stacks that a stop for a debugger left, the innermost first; undefined while there is none. */
  stopped: StoppedStack[] | undefined;
}

/** A stack of calls at a stop. */
export interface StoppedStack {
  readonly isCoroutine: boolean;
  /** The innermost first. */
  readonly frames: readonly Frame[];
}

export const machine: Machine = {
  ticks: 0,
  depth: 0,
  natives: 0,
  captured: [],
  reason: 'tick',
  yielded: NONE,
  thread: undefined,
  outerNatives: 0,
  stopped: undefined,
};

/** Any function: `call` runs it, and answers its result or PAUSED. */
export abstract class LuaFunction {
  readonly name: string;
  readonly call: (...args: LuaValue[]) => LuaResult;

  constructor(name: string, call: (...args: LuaValue[]) => LuaResult) {
    this.name = name;
    this.call = call;
  }
}

/** A function of ours that never gives way and calls no Lua. */
export class NativeFunction extends LuaFunction {}

/** A function of ours that calls back: a generator, which hands on the steps of what it calls (`yield* lua.call(f, x)`). */
export class SteppedFunction extends LuaFunction {
  readonly steps: (...args: LuaValue[]) => LuaSteps;

  constructor(name: string, steps: (...args: LuaValue[]) => LuaSteps) {
    super(name, (...args) => new StepsFrame(steps(...args)).resume());
    this.steps = steps;
  }
}

/** A function of ours that calls back and leaves the stack by hand, where a generator would cost too much. */
export class PausingFunction extends LuaFunction {}

/** A function that Lua text was compiled to. */
export class CompiledFunction extends LuaFunction {}

/** A generator of ours that was left at a yield. */
class StepsFrame implements Frame {
  readonly isNative = true;
  readonly #steps: LuaSteps;

  constructor(steps: LuaSteps) {
    this.#steps = steps;
  }

  resume(): LuaResult {
    return this.#after(() => this.#steps.next());
  }

  fail(error: unknown): LuaResult {
    return this.#after(() => this.#steps.throw(error));
  }

  #after(step: () => IteratorResult<void, LuaResult>): LuaResult {
    machine.natives++;
    machine.depth += STEPS_STACK_BYTES;
    const { done, value } = step();
    machine.depth -= STEPS_STACK_BYTES;
    machine.natives--;
    if (done === true) return value as LuaResult;
    machine.reason = 'tick';
    machine.captured.push(this);
    return PAUSED;
  }
}

/** What a generator and the driver inside it take of the stack, by estimate and on the safe side. */
const STEPS_STACK_BYTES = 1200;

/**
 * A table. What it offers by itself is raw: no metamethods, no refusals. Whoever changes one for a script asks first whether
 * it `isReadonly`.
 */
export class LuaTable extends TableStore<LuaValue> {
  metatable: LuaTable | undefined = undefined;
  /** Refuses changes by scripts, as Redis's own tables do. */
  isReadonly = false;
}

/** A coroutine. */
export class LuaThread {
  status: 'suspended' | 'running' | 'normal' | 'dead' = 'suspended';
}

/** A value of ours that a script can only hand on and compare, as `cjson.null`. */
export class LuaUserdata {
  readonly text: string;
  metatable: LuaTable | undefined = undefined;

  /** @param text what `tostring` says of it, such as `userdata: (nil)` */
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * What a script raises. Not an Error: nobody reads its stack of JavaScript, which costs more than all the rest. The
 * position of a text is put before it while the error passes the functions that it comes through.
 */
export class LuaError {
  value: LuaValue;
  /** How many callers up the function is whose position goes before the text; 0 when it is whole. */
  level: number;
  /** Set when the text is to be `bad argument #… to '…' (text)`, and the name is not known yet. */
  argument: number | undefined;
  /** Ends the whole script: neither pcall nor a coroutine keeps it. */
  isFinal = false;
  /** Chunk and line of the innermost Lua function that ran when it was raised; undefined and 0 when none did. */
  source: string | undefined = undefined;
  line = 0;

  constructor(value: LuaValue, level = 0, argument?: number) {
    this.value = value;
    this.level = level;
    this.argument = argument;
  }

  get message(): string {
    return typeof this.value === 'string' ? this.value : typeName(this.value);
  }
}

/** What `type` answers. */
export function typeName(value: LuaValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'boolean':
    case 'number':
    case 'string':
      return typeof value;
    default:
      if (value instanceof LuaFunction) return 'function';
      if (value instanceof LuaThread) return 'thread';
      return value instanceof LuaUserdata ? 'userdata' : 'table';
  }
}

/** The results of a call as an array. */
export function resultList(result: LuaResult): readonly LuaValue[] {
  return Array.isArray(result) ? (result as readonly LuaValue[]) : [result as LuaValue];
}

/** The first result of a call. */
export function firstResult(result: LuaResult): LuaValue {
  return Array.isArray(result) ? (result as readonly LuaValue[])[0] : (result as LuaValue);
}
