/** The library `string`, which is also where strings have their methods. Source: Lua 5.1 manual, 5.4. */
import {
  argumentError,
  callError,
  int32Argument,
  integerArgument,
  optionalInteger,
  tableOf,
  textArgument,
  typeError,
} from '../arguments.ts';
import type { Lua } from '../lua.ts';
import { CompiledFunction, LuaFunction, LuaTable, NONE } from '../values.ts';
import { checkBytes } from './bounded-text.ts';
import { output } from './byte-output.ts';
import { format } from './string-format.ts';
import { gsub, patternFunctions } from './string-patterns.ts';

/**
 * How byte code of Lua 5.1 begins. That is all of it here: neither Redis nor we load any, so a script can look at its
 * beginning and no more.
 */
const BINARY_HEADER = '\x1bLuaQ\0\x01\x04\x08\x04\x08\0';

/** Results that a call can have. */
const RESULTS_MAX = 7997;

export function installStringLibrary(lua: Lua): void {
  const table = tableOf({ ...plainFunctions, ...patternFunctions, format });
  table.setString('gsub', gsub(lua));
  // Its name in Lua 5.0, where it was the same function.
  table.setString('gfind', table.getString('gmatch'));
  lua.globals.setString('string', table);
  const metatable = new LuaTable();
  metatable.setString('__index', table);
  lua.stringMetatable = metatable;
}

const plainFunctions: Readonly<Record<string, LuaFunction['call']>> = {
  byte(s, i, j) {
    const text = textArgument(s, 1, arguments.length);
    const first = optionalInteger(i, 2, 1);
    const start = Math.max(1, placeOf(first, text.length));
    const end = j === undefined ? placeOf(first, text.length) : integerArgument(j, 3, 3);
    const last = Math.min(text.length, placeOf(end, text.length));
    if (start === last) return text.charCodeAt(start - 1);
    if (start > last) return NONE;
    if (last - start >= RESULTS_MAX) throw callError('string slice too long');
    const bytes: number[] = [];
    for (let at = start; at <= last; at++) bytes.push(text.charCodeAt(at - 1));
    return bytes;
  },
  char(...codes) {
    let text = '';
    for (let index = 1; index <= codes.length; index++) {
      const code = int32Argument(codes[index - 1], index, codes.length);
      if (code < 0 || code > 255) throw argumentError(index, 'invalid value');
      text += String.fromCharCode(code);
    }
    return text;
  },
  dump(f) {
    if (!(f instanceof LuaFunction)) throw typeError('function', f, 1, arguments.length);
    if (!(f instanceof CompiledFunction)) throw callError('unable to dump given function');
    return BINARY_HEADER;
  },
  len(s) {
    return textArgument(s, 1, arguments.length).length;
  },
  lower(s) {
    return lowered(textArgument(s, 1, arguments.length));
  },
  rep(s, n) {
    const { length } = arguments;
    const text = textArgument(s, 1, length);
    const count = Math.max(0, int32Argument(n, 2, length));
    checkBytes(text.length * count);
    return text.repeat(count);
  },
  reverse(s) {
    return reversed(textArgument(s, 1, arguments.length));
  },
  sub(s, i, j) {
    const { length } = arguments;
    const text = textArgument(s, 1, length);
    const start = Math.max(1, placeOf(integerArgument(i, 2, length), text.length));
    const end = placeOf(optionalInteger(j, 3, -1), text.length);
    return start > end ? '' : text.slice(start - 1, end);
  },
  upper(s) {
    return raised(textArgument(s, 1, arguments.length));
  },
};

function reversed(text: string): string {
  const { length } = text;
  output.begin();
  output.reserve(length);
  const { bytes } = output;
  for (let at = 0; at < length; at++) bytes[length - 1 - at] = text.charCodeAt(at);
  output.size = length;
  return output.finish();
}

/** A place from 1 on; one below 0 counts from the end, and is 0 where the text is too short for it. */
function placeOf(place: number, length: number): number {
  return place < 0 ? Math.max(0, length + place + 1) : place;
}

/** Letters other than those of ASCII have no case in C's locale, while JavaScript changes them. */
const NOT_ASCII = /[\x80-\xff]/;
const CAPITALS = /[A-Z]+/g;
const SMALL = /[a-z]+/g;

function lowered(text: string): string {
  if (!NOT_ASCII.test(text)) return text.toLowerCase();
  return text.replace(CAPITALS, (letters) => letters.toLowerCase());
}

function raised(text: string): string {
  if (!NOT_ASCII.test(text)) return text.toUpperCase();
  return text.replace(SMALL, (letters) => letters.toUpperCase());
}
