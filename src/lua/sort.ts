/**
 * table.sort: quicksort with the middle of three as pivot, the smaller part first. Which way it goes shows in the calls of
 * the order function and in the order of what is equal, so it is the way that Lua goes.
 * Source: Lua 5.1 manual, 5.5; R. Sedgewick, Algorithms, on quicksort; observed calls of redis-server 7.0.15.
 */
import { tableArgument, typeError } from './arguments.ts';
import { type Operations, isTruthy } from './operations.ts';
import { leavingNative, pausedSteps } from './run.ts';
import {
  LuaError,
  LuaFunction,
  type LuaResult,
  type LuaSteps,
  type LuaTable,
  type LuaValue,
  NONE,
  PAUSED,
  SteppedFunction,
  firstResult,
} from './values.ts';

type Less = (a: LuaValue, b: LuaValue) => LuaResult;

export function sortFunction(operations: Operations): LuaFunction {
  return new SteppedFunction('sort', function* (...args): LuaSteps {
    const table = tableArgument(args[0], 1, args.length);
    const order = args[1];
    if (order !== undefined && !(order instanceof LuaFunction)) {
      throw typeError('function', args[1], 2, args.length);
    }
    const count = table.length;
    const values: LuaValue[] = [undefined];
    for (let index = 1; index <= count; index++) values.push(table.getIndex(index));
    if (table.isReadonly && count > 1) throw new LuaError('Attempt to modify a readonly table');
    if (order === undefined && sortAlike(values)) {
      store(table, values, count);
      return NONE;
    }
    const less: Less = order === undefined ? (a, b) => operations.isLess(a, b) : order.call;
    try {
      yield* quicksort(values, count, less);
    } finally {
      store(table, values, count);
    }
    return NONE;
  });
}

function store(table: LuaTable, values: readonly LuaValue[], count: number): void {
  for (let index = 1; index <= count; index++) table.setIndex(index, values[index]);
}

/** Sorts values that are all numbers or all strings: what is equal is the same, so that the way does not show. */
function sortAlike(values: LuaValue[]): boolean {
  const rest = values.slice(1);
  if (rest.every((value) => typeof value === 'number' && !Number.isNaN(value))) {
    new Float64Array(rest as number[]).sort().forEach((value, index) => {
      values[index + 1] = value;
    });
    return true;
  }
  if (!rest.every((value) => typeof value === 'string')) return false;
  rest.sort((a, b) => ((a as string) < (b as string) ? -1 : Number((a as string) > (b as string))));
  for (const [index, value] of rest.entries()) values[index + 1] = value;
  return true;
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function* quicksort(values: LuaValue[], count: number, less: Less): LuaSteps {
  const waiting: Range[] = [{ low: 1, high: count }];
  for (let range = waiting.pop(); range !== undefined; range = waiting.pop()) {
    const { low, high } = range;
    if (low >= high) continue;
    const middle = Number(yield* split(values, range, less));
    if (middle === 0) continue;
    const parts: [Range, Range] = [
      { low, high: middle - 1 },
      { low: middle + 1, high },
    ];
    if (middle - low < high - middle) parts.reverse();
    waiting.push(...parts);
  }
  return NONE;
}

/** Puts what is less than a pivot before it and the rest behind it. Answers its place, or 0 if all is sorted by now. */
function* split(values: LuaValue[], { low, high }: Range, less: Less): LuaSteps {
  yield* order(values, { low, high }, less);
  if (high - low === 1) return 0;
  const middle = Math.floor((low + high) / 2);
  const hasSwapped = yield* order(values, { low, high: middle }, less);
  if (hasSwapped !== true) yield* order(values, { low: middle, high }, less);
  if (high - low === 2) return 0;
  const pivot = values[middle];
  swap(values, middle, high - 1);
  let i = low;
  let j = high - 1;
  for (;;) {
    i = Number(yield* scan(values, { pivot, from: i, end: high }, less));
    j = Number(yield* scan(values, { pivot, from: j, end: low }, less));
    if (j < i) break;
    swap(values, i, j);
  }
  swap(values, high - 1, i);
  return i;
}

/** Swaps two values if the second is less; answers whether. */
function* order(values: LuaValue[], { low, high }: Range, less: Less): LuaSteps {
  const isLess = yield* call(less, values[high], values[low]);
  if (isLess === true) swap(values, low, high);
  return isLess;
}

function swap(values: LuaValue[], i: number, j: number): void {
  const value = values[i];
  values[i] = values[j];
  values[j] = value;
}

interface Scan {
  readonly pivot: LuaValue;
  readonly from: number;
  /** The last place of the range; beyond it the order function must have lied. */
  readonly end: number;
}

/**
 * The next place behind `from` whose value is not less than the pivot, or the next before it that the pivot is not
 * less than. Calls itself, without a generator of its own for each: this is where sorting spends its time.
 */
function* scan(values: readonly LuaValue[], { pivot, from, end }: Scan, less: Less): LuaSteps {
  const isUp = from < end;
  const step = isUp ? 1 : -1;
  for (let at = from + step; ; at += step) {
    let result: LuaResult;
    try {
      result = isUp ? less(values[at], pivot) : less(pivot, values[at]);
    } catch (error) {
      throw leavingNative(error);
    }
    if (result === PAUSED) result = yield* pausedSteps();
    if (!isTruthy(firstResult(result))) return at;
    if (isUp ? at > end : at < end) throw invalidOrder();
  }
}

function invalidOrder(): LuaError {
  return new LuaError('invalid order function for sorting', 1);
}

function* call(less: Less, a: LuaValue, b: LuaValue): LuaSteps {
  let result: LuaResult;
  try {
    result = less(a, b);
  } catch (error) {
    throw leavingNative(error);
  }
  if (result === PAUSED) result = yield* pausedSteps();
  return isTruthy(firstResult(result));
}
