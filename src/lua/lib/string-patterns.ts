/** string.find, match, gmatch and gsub. Source: Lua 5.1 manual, 5.4; behaviour of redis-server 7.0.15. */
import { argumentError } from '../arguments.ts';
import type { Lua } from '../lua.ts';
import {
  LuaError,
  LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  NativeFunction,
  SteppedFunction,
  firstResult,
  typeName,
} from '../values.ts';
import { callError, integerArgument, optionalInteger, textArgument } from './arguments.ts';
import { checkBytes } from './bounded-text.ts';
import { type Pattern, PatternSearch, anchoredPattern, freePattern } from './pattern-search.ts';
import { replaceByText } from './text-replacement.ts';

/** Without any of these a text to find is found as it is. */
const SPECIALS = /[$%(*+.?[^-]/;
/** Tables of tables in which a metatable sends one to look. */
const INDEX_CHAIN_MAX = 100;

export const patternFunctions: Readonly<Record<string, LuaFunction['call']>> = {
  find(...args) {
    return findOrMatch(args, true);
  },
  match(...args) {
    return findOrMatch(args, false);
  },
  gmatch(s, p) {
    const { length } = arguments;
    const subject = textArgument(s, 1, length);
    const search = new PatternSearch(subject, freePattern(textArgument(p, 2, length)));
    let from = 0;
    return new NativeFunction('?', () => {
      if (from > subject.length || !search.next(from)) {
        from = subject.length + 1;
        return undefined;
      }
      from = search.end === search.start ? search.end + 1 : search.end;
      return listed(search.captures());
    });
  },
};

function findOrMatch(args: readonly LuaValue[], isFind: boolean): LuaResult {
  const { length } = args;
  const subject = textArgument(args[0], 1, length);
  const text = textArgument(args[1], 2, length);
  const at = optionalInteger(args[2], 3, 1);
  const from = Math.min(
    subject.length,
    at > 0 ? at - 1 : at < 0 ? Math.max(0, subject.length + at) : 0,
  );
  if (isFind && (isTrue(args[3]) || isPlain(text))) {
    const found = subject.indexOf(text, from);
    return found < 0 ? undefined : [found + 1, found + text.length];
  }
  const search = new PatternSearch(subject, anchoredPattern(text));
  if (!search.next(from)) return undefined;
  if (!isFind) return listed(search.captures());
  const place = [search.start + 1, search.end];
  return search.captureCount === 0 ? place : [...place, ...search.captures()];
}

function listed(values: LuaValue[]): LuaResult {
  return values.length === 1 ? values[0] : values;
}

function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** Whether a text has no special characters before its first zero byte, where a pattern ends. */
function isPlain(text: string): boolean {
  const at = text.search(SPECIALS);
  if (at < 0) return true;
  const zeroAt = text.indexOf('\0');
  return zeroAt >= 0 && zeroAt < at;
}

/** gsub, which calls back for each match if its replacement is a function or a table with a metatable. */
export function gsub(lua: Lua): LuaFunction {
  const steps = new SteppedFunction('gsub', (...args) => replaceStepwise(lua, args));
  return new GsubFunction('gsub', (...args) => {
    const replacement = args[2];
    if (!(replacement instanceof LuaFunction) && !hasIndex(replacement)) return replaceAtOnce(args);
    return steps.call(...args);
  });
}

/** Neither native nor stepped: which of both, the arguments tell. */
class GsubFunction extends LuaFunction {}

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
  const replacement = args[2];
  while (building.next()) {
    const { search } = building;
    if (replacement instanceof LuaFunction) {
      building.put(firstResult(yield* called(lua, replacement, search.captures())));
    } else {
      building.put(yield* indexed(lua, replacement as LuaTable, search.capture(0)));
    }
  }
  return building.result();
}

function* called(lua: Lua, f: LuaFunction, args: readonly LuaValue[]): LuaSteps {
  return f instanceof NativeFunction ? f.call(...args) : yield* lua.call(f, ...args);
}

/** A field of a table as a script sees it, metatables included. */
function* indexed(lua: Lua, table: LuaTable, key: LuaValue): Generator<void, LuaValue, void> {
  let holder = table;
  for (let depth = 0; depth < INDEX_CHAIN_MAX; depth++) {
    const value = holder.get(key);
    if (value !== undefined) return value;
    const index = holder.metatable?.getString('__index');
    if (index === undefined) return undefined;
    if (index instanceof LuaFunction) return firstResult(yield* called(lua, index, [holder, key]));
    if (!(index instanceof LuaTable)) {
      throw new LuaError(`attempt to index a ${typeName(index)} value`);
    }
    holder = index;
  }
  throw new LuaError('loop in gettable');
}

/** A text in which matches are being replaced. */
class Building {
  readonly search: PatternSearch;
  readonly #countMax: number;
  readonly #parts: string[] = [];
  #bytes = 0;
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
    return true;
  }

  /** Puts a value in the place of the match; nil and false leave it as it is. */
  put(value: LuaValue): void {
    const { search } = this;
    const { subject, start, end } = search;
    this.#from = end === start ? end + 1 : end;
    if (value === undefined || value === false) return;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw callError(`invalid replacement value (a ${typeName(value)})`);
    }
    this.#add(subject.slice(this.#done, start));
    this.#add(textArgument(value, 1, 1));
    this.#done = end;
  }

  #add(text: string): void {
    this.#bytes += text.length;
    checkBytes(this.#bytes);
    this.#parts.push(text);
  }

  result(): readonly LuaValue[] {
    const { subject } = this.search;
    if (this.#parts.length === 0) return [subject, this.#count];
    this.#add(subject.slice(this.#done));
    return [this.#parts.join(''), this.#count];
  }
}
