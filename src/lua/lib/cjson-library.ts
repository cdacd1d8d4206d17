/** The library `cjson`. Source: lua-cjson's manual; behaviour of redis-server 7.0.15. */
import { argumentError, tableOf, textArgument } from '../arguments.ts';
import type { Lua } from '../lua.ts';
import type { LuaTable } from '../values.ts';
import { decodeJson } from './json-decode.ts';
import { encodeJson } from './json-encode.ts';
import { JSON_NULL, defaultSettings, settingFunctions } from './json-settings.ts';

export function installCjsonLibrary(lua: Lua): void {
  lua.globals.setString('cjson', newLibrary());
}

/** A copy of the library with settings of its own. */
function newLibrary(): LuaTable {
  const settings = defaultSettings();
  const table = tableOf({
    encode(value) {
      if (arguments.length !== 1) throw argumentError(1, 'expected 1 argument');
      return encodeJson(value, settings);
    },
    decode(text) {
      if (arguments.length !== 1) throw argumentError(1, 'expected 1 argument');
      return decodeJson(textArgument(text, 1, 1), settings);
    },
    new: newLibrary,
    ...settingFunctions(settings),
  });
  table.setString('null', JSON_NULL);
  table.setString('_NAME', 'cjson');
  table.setString('_VERSION', '2.1.0');
  return table;
}
