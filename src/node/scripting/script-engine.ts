/** The engine that scripts run in: its libraries, and globals that no script can change. */
import {
  Lua,
  LuaTable,
  type LuaValue,
  NativeFunction,
  type Rand48,
  installStandardLibraries,
  numberText,
  typeName,
} from '../../lua/index.ts';

export interface ScriptEngineOptions {
  readonly clockMs: () => number;
  /** See `LuaOptions`. */
  readonly shouldPause: () => boolean;
  /** Of math.random. */
  readonly dice: Rand48;
  /** The table `redis`. */
  readonly redis: LuaTable;
}

/** How Valkey calls the table `redis`: its libraries may come from a master. */
const VALKEY_GLOBAL = 'server';

/** An engine with the standard libraries and `redis`, whose globals nobody can change, nor read where there are none. */
export function createScriptEngine(options: ScriptEngineOptions): Lua {
  const { clockMs, shouldPause, dice, redis } = options;
  const lua = new Lua({ clockMs, shouldPause, caughtValue: textOfError });
  installStandardLibraries(lua, dice);
  const { globals } = lua;
  globals.setString('redis', redis);
  const metatable = new LuaTable();
  metatable.setString(
    '__index',
    new NativeFunction('__index', (table: LuaValue, name: LuaValue) => {
      // Whoever goes through the globals finds those of Redis. Other tables that share this have no such field.
      const known = name === VALKEY_GLOBAL && table instanceof LuaTable && table.getString('redis');
      if (known instanceof LuaTable) return known;
      throw lua.error(`Script attempted to access nonexistent global variable '${nameText(name)}'`);
    }),
  );
  globals.metatable = metatable;
  const seen = new Set<LuaTable>();
  protect(globals, seen);
  // Texts of all scripts share it.
  const { stringMetatable } = lua.operations;
  if (stringMetatable !== undefined) protect(stringMetatable, seen);
  return lua;
}

/** pcall tells the text of an error that redis.call() has raised. */
function textOfError(value: LuaValue): LuaValue {
  if (!(value instanceof LuaTable)) return value;
  const text = value.getString('err');
  return typeof text === 'string' ? text : value;
}

/** What a script looked for among its globals. */
function nameText(name: LuaValue): string {
  if (typeof name === 'string') return name;
  return typeof name === 'number' ? numberText(name) : typeName(name);
}

/** Makes a table, and all that can be reached from it, unchangeable. */
function protect(table: LuaTable, seen: Set<LuaTable>): void {
  if (seen.has(table)) return;
  seen.add(table);
  table.isReadonly = true;
  if (table.metatable !== undefined) protect(table.metatable, seen);
  for (let at = table.advance(0); at !== 0; at = table.advance(at)) {
    const value = table.valueAt(at);
    if (value instanceof LuaTable) protect(value, seen);
  }
}
