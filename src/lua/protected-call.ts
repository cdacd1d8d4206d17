/** pcall and xpcall. They take errors of Lua, and what JavaScript says of its limits; whatever else ends a script passes. */
import { anyArgument } from './arguments.ts';
import type { Operations } from './operations.ts';
import { limitError } from './prototype.ts';
import { checkNatives, nameArgument } from './run.ts';
import {
  type Frame,
  LuaError,
  type LuaFunction,
  type LuaResult,
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
  if (!(error instanceof LuaError)) throw error;
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

function protect(call: () => LuaResult, caught: Caught): LuaResult {
  const { depth, natives, thread } = machine;
  machine.natives++;
  machine.depth += STACK_BYTES;
  let result: LuaResult;
  try {
    checkNatives();
    result = call();
  } catch (error) {
    machine.captured = [];
    machine.depth = depth;
    machine.natives = natives;
    machine.thread = thread;
    return caught(caughtValue(error));
  }
  machine.depth = depth;
  machine.natives = natives;
  if (result !== PAUSED) return [true, ...resultList(result)];
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
  const pcall = new PausingFunction('pcall', (...args) => {
    const f = anyArgument(args, 1);
    return protect(
      () => operations.call(f, undefined, args.slice(1)),
      (value) => [false, value],
    );
  });
  const xpcall = new PausingFunction('xpcall', (...args) => {
    const handler = anyArgument(args, 2);
    return protect(
      () => operations.call(args[0], undefined, []),
      (value) => handle(operations, handler, value),
    );
  });
  return [pcall, xpcall];
}
