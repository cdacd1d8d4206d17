/** string.find, match, gmatch and gsub. Source: Lua 5.1 manual, 5.4; behaviour of redis-server 7.0.15. */
import {
  argumentError,
  callError,
  integerArgument,
  optionalInteger,
  textArgument,
} from '../arguments.ts';
import type { Lua } from '../lua.ts';
import { isTruthy } from '../operations.ts';
import { leavingNative, pausedSteps } from '../run.ts';
import {
  LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  NONE,
  NativeFunction,
  PAUSED,
  PausingFunction,
  SteppedFunction,
  firstResult,
  typeName,
} from '../values.ts';
import { appended } from './bounded-text.ts';
import { type Pattern, PatternSearch, anchoredPattern, freePattern } from './pattern-search.ts';
import { replaceByText } from './text-replacement.ts';

export const patternFunctions: Readonly<Record<string, LuaFunction['call']>> = {
  find(s, p, init, isPlain) {
    const { length } = arguments;
    const subject = textArgument(s, 1, length);
    const text = textArgument(p, 2, length);
    const from = init === undefined ? 0 : startOf(init, subject.length);
    const pattern = anchoredPattern(text);
    if (pattern.isPlain || isTruthy(isPlain)) {
      const found = subject.indexOf(text, from);
      return found < 0 ? undefined : [found + 1, found + text.length];
    }
    const search = new PatternSearch(subject, pattern);
    if (!search.next(from)) return undefined;
    const { start, end } = search;
    return search.captureCount === 0 ? [start + 1, end] : search.captures([start + 1, end]);
  },
  match(s, p, init) {
    const { length } = arguments;
    const subject = textArgument(s, 1, length);
    const text = textArgument(p, 2, length);
    const from = init === undefined ? 0 : startOf(init, subject.length);
    const search = new PatternSearch(subject, anchoredPattern(text));
    return search.next(from) ? found(search) : undefined;
  },
  gmatch(s, p) {
    const { length } = arguments;
    const subject = textArgument(s, 1, length);
    const search = new PatternSearch(subject, freePattern(textArgument(p, 2, length)));
    let from = 0;
    return new NativeFunction('?', () => {
      if (from > subject.length || !search.next(from)) {
        from = subject.length + 1;
        return NONE;
      }
      from = search.end === search.start ? search.end + 1 : search.end;
      return found(search);
    });
  },
};

/** The index that the third argument of a search says. */
function startOf(init: LuaValue, length: number): number {
  const at = optionalInteger(init, 3, 1);
  return Math.min(length, at > 0 ? at - 1 : at < 0 ? Math.max(0, length + at) : 0);
}

/** The captures of what was found. */
function found(search: PatternSearch): LuaResult {
  return search.captureCount <= 1 ? search.capture(0) : search.captures([]);
}

/** gsub, which calls back for each match if its replacement is a function or a table with a metatable. */
export function gsub(lua: Lua): LuaFunction {
  const steps = new SteppedFunction('gsub', (...args) => replaceStepwise(lua, args));
  return new PausingFunction('gsub', function (s, p, replacement, max) {
    if (typeof s === 'string' && typeof p === 'string' && typeof replacement === 'string') {
      const countMax = max === undefined ? Infinity : integerArgument(max, 4, 4);
      return replaceByText(s, anchoredPattern(p), replacement, countMax);
    }
    const args = [s, p, replacement, max];
    if (arguments.length < args.length) args.length = arguments.length;
    if (!(replacement instanceof LuaFunction) && !hasIndex(replacement)) return replaceAtOnce(args);
    return steps.call(...args);
  });
}

function hasIndex(value: LuaValue): value is LuaTable {
  return value instanceof LuaTable && value.metatable !== undefined;
}

interface Task {
  readonly subject: string;
  readonly pattern: Pattern;
  readonly countMax: number;
}

function taskOf(args: readonly LuaValue[]): Task {
  const { length } = args;
  const subject = textArgument(args[0], 1, length);
  const text = textArgument(args[1], 2, length);
  const replacement = args[2];
  const isUsable = typeof replacement === 'string' || typeof replacement === 'number';
  if (!isUsable && !(replacement instanceof LuaTable) && !(replacement instanceof LuaFunction)) {
    throw argumentError(3, 'string/function/table expected');
  }
  const countMax = args[3] === undefined ? Infinity : integerArgument(args[3], 4, length);
  return { subject, pattern: anchoredPattern(text), countMax };
}

function replaceAtOnce(args: readonly LuaValue[]): LuaResult {
  const task = taskOf(args);
  const replacement = args[2];
  if (!(replacement instanceof LuaTable)) {
    const text = textArgument(replacement, 3, args.length);
    return replaceByText(task.subject, task.pattern, text, task.countMax);
  }
  const building = new Building(task);
  while (building.next()) {
    const key = building.search.capture(0);
    building.put(key === undefined ? undefined : replacement.get(key));
  }
  return building.result();
}

function* replaceStepwise(lua: Lua, args: readonly LuaValue[]): LuaSteps {
  const building = new Building(taskOf(args));
  const { search } = building;
  const replacement = args[2];
  while (building.next()) {
    const first = search.capture(0);
    const captures = search.captureCount > 1 ? search.captures([]) : undefined;
    let result: LuaResult;
    try {
      if (!(replacement instanceof LuaFunction)) result = lua.operations.index(replacement, first);
      else if (captures === undefined) result = replacement.call(first);
      else result = replacement.call(...captures);
    } catch (error) {
      throw leavingNative(error);
    }
    if (result === PAUSED) result = yield* pausedSteps();
    building.put(firstResult(result));
  }
  return building.result();
}

/** A text in which matches are being replaced. */
class Building {
  readonly search: PatternSearch;
  readonly #countMax: number;
  #text = '';
  #count = 0;
  /** What is before it has been dealt with. */
  #done = 0;
  #from = 0;

  constructor({ subject, pattern, countMax }: Task) {
    this.search = new PatternSearch(subject, pattern);
    this.#countMax = countMax;
  }

  /** Goes to the next match. */
  next(): boolean {
    const { search } = this;
    if (this.#count >= this.#countMax || this.#from > search.subject.length) return false;
    if (this.#count > 0 && search.pattern.isAnchored) return false;
    if (!search.next(this.#from)) return false;
    this.#count++;
    this.#from = search.end === search.start ? search.end + 1 : search.end;
    return true;
  }

  /** Puts a value in the place of the match; nil and false leave it as it is. */
  put(value: LuaValue): void {
    if (value === undefined || value === false) return;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw callError(`invalid replacement value (a ${typeName(value)})`);
    }
    const { subject, start, end } = this.search;
    if (start > this.#done) this.#text = appended(this.#text, subject.slice(this.#done, start));
    this.#text = appended(this.#text, textArgument(value, 1, 1));
    this.#done = end;
  }

  result(): readonly LuaValue[] {
    const { subject } = this.search;
    const rest = this.#done === 0 ? subject : subject.slice(this.#done);
    return [appended(this.#text, rest), this.#count];
  }
}
