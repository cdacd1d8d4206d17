/** Lua for tests: programs run to their end, and answers as text. */
import { installStandardLibraries } from './libraries.ts';
import { Lua, type LuaOptions } from './lua.ts';
import {
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  resultList,
  typeName,
} from './values.ts';

/** A Lua whose globals that are not there are errors, as Redis has it. */
export function testLua(options: Partial<LuaOptions> = {}): Lua {
  const lua = new Lua({ clockMs: () => 0, ...options });
  installStandardLibraries(lua);
  const missing = `local _, name = ...
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)`;
  lua.globals.metatable = new LuaTable();
  lua.globals.metatable.setString('__index', lua.compile(missing, '@missing'));
  return lua;
}

/** The result of steps, and how often they paused. */
export function finish(steps: LuaSteps): { result: LuaResult; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done === true) return { result: value, pauses };
  }
}

export function run(lua: Lua, text: string): readonly LuaValue[] {
  return resultList(finish(lua.call(lua.compile(text, '@user_script'))).result);
}

/** Whether a program succeeds and with what results, between bars; or the error of its syntax. */
export function answer(lua: Lua, text: string): string {
  let f: LuaFunction;
  try {
    f = lua.compile(text, '@user_script');
  } catch (error) {
    if (error instanceof LuaError) return lua.plainText(error.value);
    throw error;
  }
  try {
    const { result } = finish(lua.call(f));
    return ['true', ...resultList(result).map((value) => shown(lua, value))].join('|');
  } catch (error) {
    if (error instanceof LuaError) return `false|${shown(lua, error.value)}`;
    throw error;
  }
}

/** A value in short. */
export function shown(lua: Lua, value: LuaValue): string {
  const type = typeName(value);
  return ['table', 'function', 'thread'].includes(type) ? type : lua.plainText(value);
}
