/** pcall and xpcall. They take errors of Lua, and what JavaScript says of its limits; whatever else ends a script passes. */
import { anyArgument } from './arguments.ts';
import type { Operations } from './operations.ts';
import { limitError } from './prototype.ts';
import { checkNatives, nameArgument } from './run.ts';
import {
  type Frame,
  LuaError,
  LuaFunction,
  type LuaResult,
  type LuaThread,
  type LuaValue,
  PAUSED,
  PausingFunction,
  firstResult,
  machine,
  resultList,
} from './values.ts';

const STACK_BYTES = 400;

type Caught = (value: LuaValue) => LuaResult;

/** The value of an error that is caught here; throws what is no error of Lua. */
export function caughtValue(thrown: unknown): LuaValue {
  const error = thrown instanceof RangeError ? limitError(thrown) : thrown;
  if (!(error instanceof LuaError) || error.isFinal) throw error;
  nameArgument(error, '?');
  return error.value;
}

class ProtectedFrame implements Frame {
  readonly isNative = true;
  readonly #caught: Caught;

  constructor(caught: Caught) {
    this.#caught = caught;
  }

  resume(value: LuaResult): LuaResult {
    return [true, ...resultList(value)];
  }

  fail(error: unknown): LuaResult {
    return this.#caught(caughtValue(error));
  }
}

/** The end of a protected call that has failed on the stack, where `depth`, `natives` and `thread` were as given. */
function failed(error: unknown, before: Before, caught: Caught): LuaResult {
  if (machine.captured.length > 0) machine.captured = [];
  machine.depth = before.depth;
  machine.natives = before.natives;
  machine.thread = before.thread;
  return caught(caughtValue(error));
}

interface Before {
  readonly depth: number;
  readonly natives: number;
  readonly thread: LuaThread | undefined;
}

/** The end of a protected call that has answered. */
function answered(result: LuaResult, caught: Caught): LuaResult {
  if (!Array.isArray(result)) return [true, result as LuaValue];
  if (result !== PAUSED) return [true, ...(result as readonly LuaValue[])];
  machine.captured.push(new ProtectedFrame(caught));
  return PAUSED;
}

/** The handler of xpcall at work. */
class ErrorHandlerFrame implements Frame {
  readonly isNative = true;

  resume(value: LuaResult): LuaResult {
    return [false, firstResult(value)];
  }

  fail(error: unknown): LuaResult {
    return handlerFailed(error);
  }
}

function handlerFailed(error: unknown): LuaResult {
  caughtValue(error);
  return [false, 'error in error handling'];
}

function handle(operations: Operations, handler: LuaValue, value: LuaValue): LuaResult {
  const { depth, natives } = machine;
  machine.natives++;
  let result: LuaResult;
  try {
    result = operations.call(handler, undefined, [value]);
  } catch (error) {
    machine.depth = depth;
    machine.natives = natives;
    return handlerFailed(error);
  }
  machine.natives = natives;
  if (result !== PAUSED) return [false, firstResult(result)];
  machine.captured.push(new ErrorHandlerFrame());
  return PAUSED;
}

export function protectedCalls(operations: Operations): readonly LuaFunction[] {
  const protect = (f: LuaValue, args: readonly LuaValue[], caught: Caught): LuaResult => {
    const { depth, natives, thread } = machine;
    machine.natives++;
    machine.depth += STACK_BYTES;
    let result: LuaResult;
    try {
      checkNatives();
      result = f instanceof LuaFunction ? f.call(...args) : operations.call(f, undefined, args);
    } catch (error) {
      return failed(error, { depth, natives, thread }, caught);
    }
    machine.depth = depth;
    machine.natives = natives;
    return answered(result, caught);
  };
  const caughtByPcall: Caught = (value) => [false, operations.pcallValue(value)];
  const pcall = new PausingFunction('pcall', (...all) => {
    const f = anyArgument(all[0], 1, all.length);
    return protect(f, all.slice(1), caughtByPcall);
  });
  const xpcall = new PausingFunction('xpcall', (...all) => {
    const handler = anyArgument(all[1], 2, all.length);
    return protect(all[0], [], (value) => handle(operations, handler, value));
  });
  return [pcall, xpcall];
}
