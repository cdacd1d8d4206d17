/** redis.register_function: what the code of a library says of its functions. Source: behaviour of redis-server 7.0.15. */
import { ERR_LIBRARY_NAME, isFunctionName } from '../../commands/index.ts';
import {
  LuaError,
  LuaFunction,
  LuaTable,
  type LuaResult,
  type LuaValue,
  NONE,
  numberText,
} from '../../lua/index.ts';
import { plainError } from './script-errors.ts';
import type { LibraryFunction } from './function-libraries.ts';
import { scriptFlag, scriptFlagNames } from './script-flags.ts';

const IN_VAIN = 'redis.register_function can only be called on FUNCTION LOAD command';
const ERR_COUNT = 'wrong number of arguments to redis.register_function';
const ERR_SINGLE =
  'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).';
const ERR_FLAGS =
  'flags argument to redis.register_function must be a table representing function flags';

/** Arguments of a call as they are gathered. */
interface Draft {
  name?: string;
  callback?: LuaFunction;
  description?: string;
  flags?: number;
}

/** Takes a named argument. */
type Taker = (draft: Draft, value: LuaValue) => void;

const NAMED: ReadonlyMap<string, Taker> = new Map<string, Taker>([
  ['function_name', (draft, value) => (draft.name = text(value, 'function_name'))],
  ['description', (draft, value) => (draft.description = text(value, 'description'))],
  ['callback', takeCallback],
  ['flags', (draft, value) => (draft.flags = flagsOf(value))],
]);

export class FunctionRegistration {
  #functions: Map<string, LibraryFunction> = new Map();
  #isOpen = false;

  /** A library is loaded from here on. */
  begin(): void {
    this.#isOpen = true;
    this.#functions = new Map();
  }

  end(): void {
    this.#isOpen = false;
  }

  /** What was registered since the beginning. */
  get functions(): readonly LibraryFunction[] {
    return [...this.#functions.values()];
  }

  /** `(name, callback)`, or one table of named arguments. */
  register(args: readonly LuaValue[]): LuaResult {
    if (!this.#isOpen) throw raised(IN_VAIN);
    const { name, callback, description, flags = 0 } = draftOf(args);
    if (name === undefined)
      throw raised('redis.register_function must get a function name argument');
    if (callback === undefined)
      throw raised('redis.register_function must get a callback argument');
    if (!isFunctionName(name)) throw raised(ERR_LIBRARY_NAME);
    const key = name.toLowerCase();
    // Divergence: names that differ by case only make redis-server 7.0.15 end at an assertion.
    if (this.#functions.has(key)) throw raised('Function already exists in the library');
    const flagNames = scriptFlagNames(flags);
    this.#functions.set(key, { name, callback, description, flags, flagNames });
    return NONE;
  }
}

function draftOf(args: readonly LuaValue[]): Draft {
  const [first, second] = args;
  if (args.length === 1) {
    if (first instanceof LuaTable) return namedDraft(first);
    throw raised(ERR_SINGLE);
  }
  if (args.length !== 2) throw raised(ERR_COUNT);
  const name = asText(first);
  if (name === undefined)
    throw raised('first argument to redis.register_function must be a string');
  if (second instanceof LuaFunction) return { name, callback: second };
  throw raised('second argument to redis.register_function must be a function');
}

function namedDraft(table: LuaTable): Draft {
  const draft: Draft = {};
  for (let at = table.advance(0); at !== 0; at = table.advance(at)) {
    const key = asText(table.keyAt(at));
    if (key === undefined) {
      throw raised('named argument key given to redis.register_function is not a string');
    }
    const take = NAMED.get(key.toLowerCase());
    if (take === undefined) throw raised('unknown argument given to redis.register_function');
    take(draft, table.valueAt(at));
  }
  return draft;
}

function takeCallback(draft: Draft, value: LuaValue): void {
  if (!(value instanceof LuaFunction)) {
    throw raised('callback argument given to redis.register_function must be a function');
  }
  draft.callback = value;
}

function text(value: LuaValue, argument: string): string {
  const found = asText(value);
  if (found !== undefined) return found;
  throw raised(`${argument} argument given to redis.register_function must be a string`);
}

function flagsOf(value: LuaValue): number {
  if (!(value instanceof LuaTable)) throw raised(ERR_FLAGS);
  let flags = 0;
  for (let i = 1; ; i++) {
    const name = value.getIndex(i);
    if (name === undefined) return flags;
    const flag = typeof name === 'string' ? scriptFlag(name.toLowerCase()) : undefined;
    if (flag === undefined) throw raised('unknown flag given');
    flags |= flag;
  }
}

/** A number is taken for its text, as everywhere in Lua. */
function asText(value: LuaValue): string | undefined {
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string' ? value : undefined;
}

function raised(message: string): LuaError {
  return new LuaError(plainError(`ERR ${message}`));
}
