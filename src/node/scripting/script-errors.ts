/** Errors that the server raises in scripts. */
import { LuaTable, type LuaValue } from '../../lua/index.ts';

const FIELD_ERROR: LuaValue[] = ['err'];

/** The text of an error as a debugger shows what the server itself says of a call: the usual code is left out. */
export function withoutCode(text: string): string {
  return text.startsWith('ERR ') ? text.slice(4) : `-${text}`;
}

/** An error that will be counted when it is a client's answer. */
export function plainError(text: string): LuaTable {
  return new LuaTable().adoptFields(FIELD_ERROR, [text]);
}
