/** Coroutines: each is a Run that is left at a yield. Source: Lua 5.1 manual, 5.2. */
import { argumentError } from './arguments.ts';
import type { Lua } from './lua.ts';
import { caughtValue } from './protected-call.ts';
import { Run } from './run.ts';
import {
  CompiledFunction,
  type Frame,
  LuaError,
  type LuaResult,
  LuaTable,
  LuaThread,
  type LuaValue,
  NativeFunction,
  PAUSED,
  PausingFunction,
  machine,
  resultList,
} from './values.ts';

/** Coroutines inside the first that resume each other. Source: redis-server 7.0.15, which has 199 in all. */
const NESTING_MAX = 198;

class Coroutine extends LuaThread {
  readonly run: Run = new Run(true);
  readonly body: CompiledFunction;
  hasStarted = false;
  nesting = 0;

  constructor(body: CompiledFunction) {
    super();
    this.body = body;
  }
}

/** What a resumed coroutine came to. */
interface Outcome {
  readonly hasFailed: boolean;
  readonly values: readonly LuaValue[];
}

type Finish = (outcome: Outcome) => LuaResult;

/** A coroutine that others wait for while all of them pause. */
class ResumeFrame implements Frame {
  readonly isNative = false;
  readonly #coroutine: Coroutine;
  readonly #finish: Finish;

  constructor(coroutine: Coroutine, finish: Finish) {
    this.#coroutine = coroutine;
    this.#finish = finish;
  }

  resume(value: LuaResult): LuaResult {
    return enter(this.#coroutine, () => this.#coroutine.run.resume(value), this.#finish);
  }

  fail(error: unknown): LuaResult {
    return enter(this.#coroutine, () => this.#coroutine.run.fail(error), this.#finish);
  }
}

function resume(coroutine: Coroutine, args: readonly LuaValue[], finish: Finish): LuaResult {
  const around = machine.thread;
  const nesting = around instanceof Coroutine ? around.nesting + 1 : 0;
  if (coroutine.status !== 'suspended') {
    return finish(failure(`cannot resume ${coroutine.status} coroutine`));
  }
  if (nesting > NESTING_MAX) return finish(failure('C stack overflow'));
  coroutine.nesting = nesting;
  const { run, body, hasStarted } = coroutine;
  coroutine.hasStarted = true;
  return enter(coroutine, () => (hasStarted ? run.resume(args) : run.start(body, args)), finish);
}

function failure(message: string): Outcome {
  return { hasFailed: true, values: [message] };
}

function enter(coroutine: Coroutine, run: () => LuaResult, finish: Finish): LuaResult {
  const { thread: around, outerNatives } = machine;
  if (around !== undefined) around.status = 'normal';
  coroutine.status = 'running';
  machine.thread = coroutine;
  machine.outerNatives = 0;
  let result: LuaResult;
  try {
    result = run();
  } catch (error) {
    coroutine.status = 'dead';
    leave(around, outerNatives);
    return finish({ hasFailed: true, values: [caughtValue(error)] });
  }
  leave(around, outerNatives);
  if (result !== PAUSED) {
    coroutine.status = 'dead';
    return finish({ hasFailed: false, values: resultList(result) });
  }
  if (machine.reason === 'yield') {
    coroutine.status = 'suspended';
    return finish({ hasFailed: false, values: machine.yielded });
  }
  machine.captured.push(new ResumeFrame(coroutine, finish));
  return PAUSED;
}

function leave(around: LuaThread | undefined, outerNatives: number): void {
  machine.thread = around;
  machine.outerNatives = outerNatives;
  if (around !== undefined) around.status = 'running';
}

function asResults({ hasFailed, values }: Outcome): LuaResult {
  return [!hasFailed, ...values];
}

function orRaise({ hasFailed, values }: Outcome): LuaResult {
  if (!hasFailed) return values.length === 1 ? values[0] : values;
  const [value] = values;
  throw new LuaError(value, typeof value === 'string' ? 1 : 0);
}

function coroutineArgument(args: readonly LuaValue[]): Coroutine {
  const [value] = args;
  if (!(value instanceof Coroutine)) throw argumentError(1, 'coroutine expected');
  return value;
}

function bodyArgument(args: readonly LuaValue[]): CompiledFunction {
  const [value] = args;
  if (!(value instanceof CompiledFunction)) throw argumentError(1, 'Lua function expected');
  return value;
}

export function installCoroutineLibrary(lua: Lua): void {
  const library = new LuaTable();
  const functions = [
    new NativeFunction('create', (...args) => new Coroutine(bodyArgument(args))),
    new PausingFunction('resume', (...args) =>
      resume(coroutineArgument(args), args.slice(1), asResults),
    ),
    new NativeFunction('running', () => machine.thread),
    new NativeFunction('status', (...args) => coroutineArgument(args).status),
    new NativeFunction('wrap', (...args) => {
      const coroutine = new Coroutine(bodyArgument(args));
      return new PausingFunction('', (...values) => resume(coroutine, values, orRaise));
    }),
    new PausingFunction('yield', (...args) => {
      if (machine.thread === undefined || machine.natives + machine.outerNatives > 0) {
        throw new LuaError('attempt to yield across metamethod/C-call boundary');
      }
      machine.reason = 'yield';
      machine.yielded = args;
      return PAUSED;
    }),
  ];
  for (const each of functions) library.setString(each.name, each);
  lua.globals.setString('coroutine', library);
}
