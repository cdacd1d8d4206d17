/** One Lua: its globals, what its libraries need, and the way into its functions. */
import { compile } from './compile.ts';
import { numberText } from './lib/numbers.ts';
import { Operations } from './operations.ts';
import { type PausedCall, callSteps, startCall } from './run.ts';
import {
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  LuaUserdata,
  type LuaValue,
  typeName,
} from './values.ts';

export interface LuaOptions {
  /** Milliseconds of processor time, or of any clock, for `os.clock`. */
  readonly clockMs: () => number;
  /**
   * Asked every some ten thousand loop turns and calls whether a running script shall yield: leaving and entering
   * the stack costs more than this question. Default: always.
   */
  readonly shouldPause?: () => boolean;
  /** How many loop turns and calls that are, at least 1. Default: TICKS_PER_PAUSE. */
  readonly ticksPerPause?: number;
  /** What pcall answers for the value of an error that it caught; by default the value itself. */
  readonly caughtValue?: (value: LuaValue) => LuaValue;
}

const TICKS_PER_PAUSE = 40_000;
const ADDRESS_FIRST = 0x7f_0000_0000_00;
const ADDRESS_STEP = 0x20;

/** A Lua engine. Scripts of one engine share their globals; nothing else is shared. */
export class Lua {
  readonly globals: LuaTable = new LuaTable();
  readonly clockMs: () => number;
  readonly #addresses = new WeakMap<object, string>();
  #lastAddress = ADDRESS_FIRST;
  readonly operations: Operations;

  constructor(options: LuaOptions) {
    this.clockMs = options.clockMs;
    this.operations = new Operations({
      ticksPerPause: options.ticksPerPause ?? TICKS_PER_PAUSE,
      shouldPause: options.shouldPause ?? (() => true),
    });
    if (options.caughtValue !== undefined) this.operations.pcallValue = options.caughtValue;
  }

  /** What strings take their methods from. */
  set stringMetatable(table: LuaTable) {
    this.operations.stringMetatable = table;
  }

  /**
   * The main function of a text. Throws a LuaError for what is no Lua.
   * @param chunkName `@name` for a name in messages; of any other text messages show the first line
   * @param globals what its globals are; by default those of the engine
   */
  compile(text: string, chunkName: string, globals: LuaTable = this.globals): LuaFunction {
    return compile(text, chunkName, { globals, operations: this.operations });
  }

  /**
   * As `compile`, with stops: `mayStop` is asked whenever a line begins as Lua's own hook would be, and if it answers true the call
   * gives way there. What is on the stack then, `stoppedCalls` tells.
   */
  compileWithStops(
    text: string,
    chunkName: string,
    mayStop: (line: number) => boolean,
  ): LuaFunction {
    const { globals, operations } = this;
    return compile(text, chunkName, { globals, operations }, mayStop);
  }

  /** The text of a value as `tostring` gives it; PAUSED if a `__tostring` pauses. */
  text(value: LuaValue): LuaResult {
    const handler = this.operations.handler(value, '__tostring');
    return handler === undefined ? this.plainText(value) : this.operations.invoke(handler, [value]);
  }

  /** As `text`, past all metatables. */
  plainText(value: LuaValue): string {
    if (typeof value === 'object') {
      return value instanceof LuaUserdata
        ? value.text
        : `${typeName(value)}: ${this.#address(value)}`;
    }
    if (typeof value === 'number') return numberText(value);
    return value === undefined ? 'nil' : String(value);
  }

  /** Something like an address: no two living objects of a Lua have the same. */
  #address(value: object): string {
    let address = this.#addresses.get(value);
    if (address === undefined) {
      address = `0x${(this.#lastAddress += ADDRESS_STEP).toString(16)}`;
      this.#addresses.set(value, address);
    }
    return address;
  }

  /**
   * Calls a function: yields to give way, returns the result. Inside a function of ours `yield* lua.call(f, …)`; whoever stands outside
   * asks for `next()` until it is done. What is thrown in from outside and is no LuaError ends all of it.
   */
  call(f: LuaFunction, ...args: readonly LuaValue[]): LuaSteps {
    return callSteps(f, args);
  }

  /**
   * As `call`, for whoever stands outside of all functions: runs at once, and answers the result, or what is left when it
   * gave way. One such call at a time.
   */
  start(f: LuaFunction, args: readonly LuaValue[]): LuaResult | PausedCall {
    return startCall(f, args);
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
