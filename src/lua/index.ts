/**
 * Lua 5.1 for scripts that run inside the server: they give way, never reach JavaScript, and end when they are told to. Knows
 * nothing of Redis. A library is a function that puts a table of NativeFunctions into `lua.globals`.
 */
export { formatGeneral } from './lib/number-format.ts';
export { numberText, preciseNumberText, textNumber } from './lib/numbers.ts';
export { Rand48 } from './lib/rand48.ts';
export { installStandardLibraries } from './libraries.ts';
export { Lua, type LuaOptions } from './lua.ts';
export { PausedCall } from './run.ts';
export { type StoppedCall, type StoppedLocal, stoppedCalls } from './stopped-calls.ts';
export {
  LuaError,
  LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  LuaThread,
  LuaUserdata,
  type LuaValue,
  NONE,
  NativeFunction,
  SteppedFunction,
  firstResult,
  resultList,
  typeName,
} from './values.ts';
