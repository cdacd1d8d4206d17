/** The library `cmsgpack`. Source: lua-cmsgpack's manual; behaviour of redis-server 7.0.15. */
import { argumentError, callError, int32Argument, tableOf, textArgument } from '../arguments.ts';
import type { Lua } from '../lua.ts';
import type { LuaValue } from '../values.ts';
import { MsgpackReader } from './msgpack-decode.ts';
import { encodeMsgpack } from './msgpack-encode.ts';

/** Values that a call can give. */
const VALUES_MAX = 7999;

export function installCmsgpackLibrary(lua: Lua): void {
  const table = tableOf({
    pack(...values) {
      if (values.length === 0) throw argumentError(0, 'MessagePack pack needs input.');
      return encodeMsgpack(values);
    },
    unpack(text) {
      return unpackAll(textArgument(text, 1, arguments.length));
    },
    unpack_one(text, offset) {
      const at = offset === undefined ? 0 : int32Argument(offset, 2, 2);
      return unpackSome(textArgument(text, 1, arguments.length), 1, at);
    },
    unpack_limit(text, limit, offset) {
      const { length } = arguments;
      const count = int32Argument(limit, 2, length);
      const at = offset === undefined ? 0 : int32Argument(offset, 3, 3);
      return unpackSome(textArgument(text, 1, length), count, at);
    },
  });
  table.setString('_NAME', 'cmsgpack');
  table.setString('_VERSION', 'lua-cmsgpack 0.4.0');
  table.setString('_COPYRIGHT', 'Copyright (C) 2012, Salvatore Sanfilippo');
  table.setString('_DESCRIPTION', 'MessagePack C implementation for Lua');
  lua.globals.setString('cmsgpack', table);
}

function unpackAll(text: string): LuaValue[] {
  return readUpTo(new MsgpackReader(text, 0), Infinity);
}

/** Where the rest begins, -1 for no rest, and up to `count` values; a count and an offset of 0 are all. */
function unpackSome(text: string, count: number, offset: number): LuaValue[] {
  if (offset < 0 || count < 0) {
    throw callError(
      `Invalid request to unpack with offset of ${offset} and limit of ${text.length}.`,
    );
  }
  if (offset > text.length) {
    throw callError(`Start offset ${offset} greater than input length ${text.length}.`);
  }
  if (count === 0 && offset === 0) return unpackAll(text);
  const reader = new MsgpackReader(text, offset);
  const values = readUpTo(reader, count);
  return [reader.isAtEnd ? -1 : reader.at, ...values];
}

function readUpTo(reader: MsgpackReader, count: number): LuaValue[] {
  const values: LuaValue[] = [];
  while (!reader.isAtEnd && values.length < count) {
    if (values.length === VALUES_MAX) {
      throw callError(
        'stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)',
      );
    }
    values.push(reader.read());
  }
  return values;
}
