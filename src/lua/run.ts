/**
 * One stack of Lua calls, part of it on JavaScript's own and the rest as frames that have left it. The main program has one,
 * each coroutine has one, and so has each call from a function of ours back into Lua.
 */
import {
  type Frame,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaSteps,
  type LuaValue,
  NONE,
  PAUSED,
  machine,
} from './values.ts';

/**
 * Bytes of JavaScript's stack, by estimate, that calls may take before they leave it. Node gives 984 KiB; what a script calls,
 * up to a whole command of the server, needs room above that.
 */
export const STACK_BYTES_MAX = 400_000;
/** Source: Lua 5.1, luaconf.h, LUAI_MAXCALLS. */
const CALLS_MAX = 20_000;
/** Calls of ours back into Lua inside each other. Source: Lua 5.1, luaconf.h, LUAI_MAXCCALLS. */
const NATIVES_MAX = 200;
/** What a run and the functions around it take of the stack, by estimate. */
const RUN_STACK_BYTES = 400;

export class Run {
  /** What has left the stack, the outermost first. */
  readonly #frames: Frame[] = [];
  #natives = 0;
  /** Whether a coroutine begins with it. */
  readonly isCoroutine: boolean;

  constructor(isCoroutine = false) {
    this.isCoroutine = isCoroutine;
  }

  /** What has left the stack, the innermost first. */
  get frames(): readonly Frame[] {
    return this.#frames.toReversed();
  }

  /** Calls a function; answers its result, or PAUSED. */
  start(f: LuaFunction, args: readonly LuaValue[]): LuaResult {
    return this.#go({ isNative: false, resume: () => f.call(...args), fail: raise }, NONE);
  }

  /** Goes on after PAUSED; `value` is the result of what had paused. */
  resume(value: LuaResult): LuaResult {
    const frame = this.#pop();
    return frame === undefined ? value : this.#go(frame, value);
  }

  /** Goes on after PAUSED, with an error where it had paused. */
  fail(error: unknown): LuaResult {
    const frame = this.#pop();
    if (frame === undefined) throw error;
    return this.#go({ isNative: false, resume: () => frame.fail(error), fail: raise }, NONE);
  }

  #go(first: Frame, firstValue: LuaResult): LuaResult {
    const { depth, natives, outerNatives, thread } = machine;
    machine.natives = 0;
    machine.depth += RUN_STACK_BYTES;
    try {
      return this.#loop(first, firstValue);
    } finally {
      machine.depth = depth;
      machine.natives = natives;
      machine.outerNatives = outerNatives;
      machine.thread = thread;
    }
  }

  #loop(first: Frame, firstValue: LuaResult): LuaResult {
    const { depth, thread } = machine;
    const around = machine.outerNatives;
    let frame: Frame | undefined = first;
    let result: LuaResult = firstValue;
    let error: unknown;
    let hasFailed = false;
    while (frame !== undefined) {
      machine.outerNatives = around + this.#natives;
      try {
        result = hasFailed ? frame.fail(error) : frame.resume(result);
        hasFailed = false;
        if (result === PAUSED) {
          this.takeCaptured();
          if (machine.reason !== 'depth' || depth > STACK_BYTES_MAX / 2) return PAUSED;
          result = NONE;
        }
      } catch (caught) {
        machine.captured = [];
        machine.depth = depth;
        machine.natives = 0;
        machine.thread = thread;
        error = caught;
        hasFailed = true;
      }
      frame = this.#pop();
    }
    if (hasFailed) throw error;
    return result;
  }

  #pop(): Frame | undefined {
    const frame = this.#frames.pop();
    if (frame?.isNative === true) this.#natives--;
    return frame;
  }

  /** Takes over what has just left the stack. */
  takeCaptured(): void {
    const { captured } = machine;
    machine.stopped?.push(this);
    for (let at = captured.length - 1; at >= 0; at--) {
      const frame = captured[at] as Frame;
      if (frame.isGone === true && this.#frames.at(-1)?.isGone === true) continue;
      if (frame.isNative) this.#natives++;
      this.#frames.push(frame);
    }
    machine.captured = [];
    if (this.#frames.length > CALLS_MAX) {
      // The innermost frame is the call that is too deep.
      this.#pop();
      throw new LuaError('stack overflow', 1);
    }
  }
}

function raise(error: unknown): never {
  throw error;
}

/** Fails when functions of ours that call back are too many inside each other. */
export function checkNatives(): void {
  if (machine.natives + machine.outerNatives > NATIVES_MAX) {
    throw new LuaError('C stack overflow', 1);
  }
}

/** Calls a function from one of ours that is not compiled, and gives way when it does. Errors lose levels as in any call. */
export function* callSteps(f: LuaFunction, args: readonly LuaValue[]): LuaSteps {
  checkNatives();
  const run = new Run();
  let result: LuaResult;
  try {
    result = run.start(f, args);
  } catch (error) {
    throw leavingNative(error);
  }
  return result === PAUSED ? yield* finish(run) : result;
}

/** A call from outside that gave way. */
export class PausedCall {
  readonly steps: LuaSteps;

  constructor(steps: LuaSteps) {
    this.steps = steps;
  }
}

/** Calls a function from outside of all functions, on a stack that nothing is on. */
export function startCall(f: LuaFunction, args: readonly LuaValue[]): LuaResult | PausedCall {
  emptyStack();
  let result: LuaResult;
  try {
    result = f.call(...args);
  } catch (error) {
    emptyStack();
    throw leavingNative(error);
  }
  if (result !== PAUSED) return result;
  const steps = pausedSteps();
  // Takes over what has left the stack.
  steps.next();
  return new PausedCall(steps);
}

function emptyStack(): void {
  machine.depth = 0;
  machine.natives = 0;
  machine.outerNatives = 0;
  machine.thread = undefined;
  machine.captured = [];
}

/** Goes on with what has just answered PAUSED to a function of ours. */
export function* pausedSteps(): LuaSteps {
  const run = new Run();
  run.takeCaptured();
  return yield* finish(run);
}

function* finish(run: Run): LuaSteps {
  let result: LuaResult = PAUSED;
  while (result === PAUSED) {
    let thrown: unknown;
    let isThrown = false;
    try {
      yield;
    } catch (caught) {
      thrown = caught;
      isThrown = true;
    }
    try {
      result = isThrown ? run.fail(thrown) : run.resume(NONE);
    } catch (error) {
      throw leavingNative(error);
    }
  }
  return result;
}

/** What becomes of an error that passes a function of ours: it has no position, and gives callees no name. */
export function leavingNative(error: unknown): unknown {
  if (error instanceof LuaError && error.level > 0) {
    error.level--;
    nameArgument(error, '?');
  }
  return error;
}

/** Completes `bad argument` once it is known how the function was called. */
export function nameArgument(error: LuaError, name: string): void {
  if (error.argument === undefined) return;
  error.value = `bad argument #${error.argument} to '${name}' (${error.message})`;
  error.argument = undefined;
}
