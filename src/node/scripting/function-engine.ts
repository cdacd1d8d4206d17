/**
 * The engine of functions. The code of a library runs once, to register its functions; meanwhile there is little that it may
 * use. The functions then find what scripts have, and no globals of their own. Source: behaviour of redis-server 7.0.15.
 */
import {
  type Lua,
  LuaError,
  type LuaFunction,
  LuaTable,
  NativeFunction,
  type Rand48,
} from '../../lua/index.ts';
import { FunctionRegistration } from './function-registration.ts';
import type { LibraryFunction } from './function-libraries.ts';
import { type RedisLibraryHost, createRedisLibrary } from './redis-library.ts';
import { createScriptEngine } from './script-engine.ts';

export interface FunctionEngineHost extends RedisLibraryHost {
  readonly clock: { monoMs(): number; monoUs(): number };
  /** Of math.random. */
  readonly dice: Rand48;
}

/** What errors call the place of. */
const CHUNK_NAME = '@user_function';
/** Fields of `redis` that scripts have and functions have not. */
const OF_SCRIPTS = ['breakpoint', 'debug', 'replicate_commands'];
/** Fields of `redis` that the code of a library finds while it is loaded, with `register_function`. */
const OF_LOADING = [
  ...['log', 'LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING'],
  ...['REDIS_VERSION', 'REDIS_VERSION_NUM'],
];

export class FunctionEngine {
  readonly lua: Lua;
  readonly #clock: FunctionEngineHost['clock'];
  readonly #registration: FunctionRegistration = new FunctionRegistration();
  /** Of the code of all libraries. What it finds there is exchanged when it has been loaded. */
  readonly #globals: LuaTable = new LuaTable();
  readonly #whenLoaded: LuaTable;
  /** Until when the code that is loaded may run. */
  #loadEndUs: number | undefined;

  constructor(host: FunctionEngineHost) {
    const { clock, dice, runner } = host;
    this.#clock = clock;
    const redis = createRedisLibrary(host);
    for (const name of OF_SCRIPTS) redis.setString(name, undefined);
    this.lua = createScriptEngine({
      clockMs: () => clock.monoMs(),
      shouldPause: () => (this.#loadEndUs === undefined ? runner.shouldPause() : this.#isOverdue()),
      dice,
      redis,
    });
    this.#whenLoaded = this.#loadGlobals(redis);
    this.#globals.metatable = this.lua.globals.metatable;
    this.#globals.isReadonly = true;
    this.#show(this.lua.globals);
  }

  /** Runs the code of a library for so long at most: the functions that it registered, or why it is refused. */
  load(body: string, limitMs: number): readonly LibraryFunction[] | { readonly flaw: string } {
    let main: LuaFunction;
    try {
      main = this.lua.compile(body, CHUNK_NAME, this.#globals);
    } catch (error) {
      return { flaw: `Error compiling function: ${messageOf(error)}` };
    }
    this.#registration.begin();
    this.#show(this.#whenLoaded);
    const startedUs = this.#clock.monoUs();
    this.#loadEndUs = startedUs + limitMs * 1000;
    try {
      if (!this.#run(main)) {
        const seconds = ((this.#clock.monoUs() - startedUs) / 1e6).toFixed(2);
        return { flaw: `Error registering functions: ERR FUNCTION LOAD timeout ${seconds}` };
      }
    } catch (error) {
      return { flaw: `Error registering functions: ${registeringMessage(error)}` };
    } finally {
      this.#loadEndUs = undefined;
      this.#show(this.lua.globals);
      this.#registration.end();
    }
    const { functions } = this.#registration;
    return functions.length === 0 ? { flaw: 'No functions registered' } : functions;
  }

  /** Puts the fields of a table in the place of the globals. */
  #show(fields: LuaTable): void {
    const globals = this.#globals;
    for (let at = globals.advance(0); at !== 0; at = globals.advance(at)) {
      globals.set(globals.keyAt(at), undefined);
    }
    for (let at = fields.advance(0); at !== 0; at = fields.advance(at)) {
      globals.set(fields.keyAt(at), fields.valueAt(at));
    }
  }

  /** Whether it came to its end in time. */
  #run(main: LuaFunction): boolean {
    const steps = this.lua.call(main);
    while (steps.next().done !== true) if (this.#isOverdue()) return false;
    return true;
  }

  #isOverdue(): boolean {
    return this.#clock.monoUs() >= (this.#loadEndUs ?? Infinity);
  }

  #loadGlobals(redis: LuaTable): LuaTable {
    const fields = new LuaTable();
    for (const name of OF_LOADING) fields.setString(name, redis.getString(name));
    const register = new NativeFunction('register_function', (...args) =>
      this.#registration.register(args),
    );
    fields.setString('register_function', register);
    fields.metatable = this.lua.globals.metatable;
    fields.isReadonly = true;
    const globals = new LuaTable();
    globals.setString('redis', fields);
    return globals;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof LuaError) return error.message;
  throw error;
}

/** A text of the engine's own gets the code that others bring along. */
function registeringMessage(error: unknown): string {
  const text =
    error instanceof LuaError && error.value instanceof LuaTable
      ? error.value.getString('err')
      : undefined;
  return typeof text === 'string' ? text : `ERR ${messageOf(error)}`;
}
