/**
 * Lua text to functions. Each function of the text becomes a factory that is given its upvalues; all factories of a text are
 * compiled by one `new Function`, whose text holds nothing of the program but numbers and quoted strings.
 */
import { type EmittedFunction, emitFactory, emitResumer } from './emit-function.ts';
import { walkOf } from './generic-for.ts';
import { type Operations, modulo, power } from './operations.ts';
import { parseChunk } from './parser.ts';
import { Prototype, type Resumer } from './prototype.ts';
import { Box, enter, forNumber } from './runtime.ts';
import { noteTailCall, prepareStop } from './stopped-calls.ts';
import { STACK_BYTES_MAX } from './run.ts';
import {
  CompiledFunction,
  LuaError,
  LuaFunction,
  LuaTable,
  NONE,
  PAUSED,
  machine,
} from './values.ts';

/** What compiled code knows of the world, under short names. */
function environment(globals: LuaTable, operations: Operations): Record<string, unknown> {
  return {
    M: machine,
    P: PAUSED,
    NONE,
    T: LuaTable,
    F: LuaFunction,
    C: CompiledFunction,
    B: Box,
    D: STACK_BYTES_MAX,
    R: operations,
    G: globals,
    modulo,
    power,
    forNumber,
    walkOf,
    enter,
  };
}

type Factory = () => CompiledFunction;

/**
 * The main function of a text. Throws a LuaError with Lua's message for what is no Lua.
 * @param chunkName `@name` for a name in messages, any other text to be shown itself
 * @param mayStop for a debugger: asked when a line begins, and leaves the stack if it answers true; without it code has no stops
 */
export function compile(
  text: string,
  chunkName: string,
  lua: { readonly globals: LuaTable; readonly operations: Operations },
  mayStop?: (line: number) => boolean,
): CompiledFunction {
  const { source, functions, loadLines } = parse(text, chunkName);
  const numbers = new Map(functions.map((node, index) => [node, index]));
  const options = { numbers, loadLines: mayStop === undefined ? undefined : loadLines };
  const names = environment(lua.globals, lua.operations);
  if (mayStop !== undefined) {
    names['S'] = (line: number) => mayStop(line) && prepareStop();
    names['noteTailCall'] = noteTailCall;
  }
  const emitted = functions.map((node) => emitFactory(node, options));
  for (const [index, node] of functions.entries()) {
    names[`p${index}`] = new Prototype(source, emitted[index] as EmittedFunction, () => {
      const code = emitResumer(node, options);
      return evaluate(code, names) as Resumer;
    });
  }
  const factoryNames = functions.map((_node, index) => `F${index}`);
  const code = `${emitted.map((each) => each.code).join('\n')}\nreturn [${factoryNames.join(', ')}];`;
  const factories = evaluate(code, names) as readonly Factory[];
  for (const [index, factory] of factories.entries()) names[`F${index}`] = factory;
  return (factories[0] as Factory)();
}

/** JavaScript's stack ends before Lua's limits do only where the caller has nearly used it up. */
function parse(text: string, chunkName: string): ReturnType<typeof parseChunk> {
  try {
    return parseChunk(text, chunkName);
  } catch (error) {
    if (error instanceof RangeError) throw new LuaError('stack overflow');
    throw error;
  }
}

function evaluate(code: string, names: Readonly<Record<string, unknown>>): unknown {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- compiling is what this is for; see above
  const run = new Function(...Object.keys(names), `'use strict';\n${code}`) as (
    ...values: readonly unknown[]
  ) => unknown;
  return run(...Object.values(names));
}
