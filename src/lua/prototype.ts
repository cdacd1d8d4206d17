/** What all functions compiled from one place in a text have in common, and their frames once they have left the stack. */
import { leavingNative, nameArgument } from './run.ts';
import { type Frame, LuaError, type LuaResult, PAUSED, machine } from './values.ts';

/** A place where a function can fail or pause. */
export interface Point {
  readonly line: number;
  /** How the program calls what it calls there; undefined where it calls nothing that has a name. */
  readonly callee: string | undefined;
  readonly isMethod: boolean;
  /** Whether the call is the last thing the function does. */
  readonly isTail: boolean;
  /** The variables that are visible there; of code for a debugger only. */
  readonly locals?: readonly PlacedLocal[];
}

/** A variable of a function, and where its value is. */
export interface PlacedLocal {
  readonly name: string;
  /** The name in compiled code; undefined where there is nothing but nil. */
  readonly place: string | undefined;
}

/** Goes on behind a point with the values that the function had there and what it waited for. */
export type Resumer = (values: readonly unknown[], point: number, value: LuaResult) => LuaResult;

export class Prototype {
  readonly source: string;
  readonly points: readonly Point[];
  /** What compiled code calls the values that a function keeps while it is not on the stack. */
  readonly places: readonly string[];
  readonly #makeResumer: () => Resumer;
  #resumer: Resumer | undefined = undefined;

  constructor(
    source: string,
    code: { readonly points: readonly Point[]; readonly state: readonly string[] },
    makeResumer: () => Resumer,
  ) {
    this.source = source;
    this.points = code.points;
    this.places = code.state;
    this.#makeResumer = makeResumer;
  }

  /** Made when the first function of this text pauses, which most never do. */
  get resumer(): Resumer {
    this.#resumer ??= this.#makeResumer();
    return this.#resumer;
  }

  /** Puts away a function that pauses at a point. */
  pause(point: number, values: readonly unknown[]): LuaResult {
    machine.captured.push(new CompiledFrame(this, point, values));
    return PAUSED;
  }

  /** What becomes of something that was thrown at a point of a function. */
  failure(thrown: unknown, pointIndex: number): unknown {
    const error = thrown instanceof RangeError ? limitError(thrown) : thrown;
    if (!(error instanceof LuaError)) return error;
    const point = this.points[pointIndex] as Point;
    // The frame of a tail call is gone in Lua, so that nobody knows its line. What it calls itself is another matter.
    const isForgotten = point.isTail && error.source !== undefined;
    if (error.source === undefined) {
      error.source = this.source;
      error.line = point.line;
    }
    if (error.level === 0) return error;
    if (isForgotten) return leavingNative(error);
    if (point.isMethod) nameMethodArgument(error, point.callee);
    else nameArgument(error, point.callee ?? '?');
    if (--error.level === 0 && typeof error.value === 'string') {
      error.value = `${this.source}:${point.line}: ${error.value}`;
    }
    return error;
  }
}

export class CompiledFrame implements Frame {
  readonly isNative = false;
  readonly #prototype: Prototype;
  readonly #point: number;
  readonly #values: readonly unknown[];

  constructor(prototype: Prototype, point: number, values: readonly unknown[]) {
    this.#prototype = prototype;
    this.#point = point;
    this.#values = values;
  }

  get source(): string {
    return this.#prototype.source;
  }

  /** Where it stands. */
  get at(): Point {
    return this.#prototype.points[this.#point] as Point;
  }

  /** What it keeps in a place: a value, or the box of one. */
  kept(place: string): unknown {
    return this.#values[this.#prototype.places.indexOf(place)];
  }

  resume(value: LuaResult): LuaResult {
    return this.#prototype.resumer(this.#values, this.#point, value);
  }

  fail(error: unknown): LuaResult {
    throw this.#prototype.failure(error, this.#point);
  }
}

/** The object of a method call counts as no argument. */
function nameMethodArgument(error: LuaError, name = '?'): void {
  if (error.argument === undefined) return;
  error.argument--;
  if (error.argument > 0) nameArgument(error, name);
  else {
    error.value = `calling '${name}' on bad self (${error.message})`;
    error.argument = undefined;
  }
}

/** What JavaScript says when its stack or its longest string ends. */
export function limitError(error: RangeError): LuaError {
  const isStack = error.message.includes('call stack');
  return new LuaError(isStack ? 'stack overflow' : 'not enough memory', isStack ? 1 : 0);
}
