/** One Lua: its globals, what its libraries need, and the way into its functions. */
import { callSteps } from './run.ts';
import { LuaError, type LuaFunction, type LuaSteps, LuaTable, type LuaValue } from './values.ts';

export interface LuaOptions {
  /** Milliseconds of processor time, or of any clock, for `os.clock`. */
  readonly clockMs: () => number;
}

/** A Lua engine. Scripts of one engine share their globals; nothing else is shared. */
export class Lua {
  readonly globals: LuaTable = new LuaTable();
  readonly clockMs: () => number;
  /** What strings take their methods from. */
  stringMetatable: LuaTable | undefined = undefined;

  constructor(options: LuaOptions) {
    this.clockMs = options.clockMs;
  }

  /**
   * Calls a function: yields to give way, returns the result. Inside a function of ours `yield* lua.call(f, …)`; whoever stands outside
   * asks for `next()` until it is done. What is thrown in from outside and is no LuaError ends all of it.
   */
  call(f: LuaFunction, ...args: readonly LuaValue[]): LuaSteps {
    return callSteps(f, args);
  }

  /**
   * An error with a text, for `throw lua.error(…)`.
   * @param level how many callers up the position stands that goes before it: 1 is the caller of the function of ours, 0 none
   */
  error(message: string, level = 1): LuaError {
    return new LuaError(message, level);
  }

  /** An error about argument `index` (from 1) of the running function of ours, whose name the caller's code tells. */
  argumentError(index: number, text: string): LuaError {
    return new LuaError(text, 1, index);
  }
}
