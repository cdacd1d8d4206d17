/** All libraries that Redis leaves to scripts. There is no `os`, `io`, `package` or `debug` in 7.0. */
import { installBaseLibrary } from './base-library.ts';
import { installCoroutineLibrary } from './coroutine-library.ts';
import { installBitLibrary } from './lib/bit-library.ts';
import { installCjsonLibrary } from './lib/cjson-library.ts';
import { installCmsgpackLibrary } from './lib/cmsgpack-library.ts';
import { installMathLibrary } from './lib/math-library.ts';
import { Rand48 } from './lib/rand48.ts';
import { installStringLibrary } from './lib/string-library.ts';
import { installStructLibrary } from './lib/struct-library.ts';
import type { Lua } from './lua.ts';
import { installTableLibrary } from './table-library.ts';

/**
 * Puts the libraries into the globals of a new Lua.
 * @param dice the generator of math.random, which all scripts and functions of a server share and none begins anew
 */
export function installStandardLibraries(lua: Lua, dice: Rand48 = new Rand48()): void {
  installBaseLibrary(lua);
  installTableLibrary(lua);
  installCoroutineLibrary(lua);
  installStringLibrary(lua);
  installMathLibrary(lua, dice);
  installBitLibrary(lua);
  installCjsonLibrary(lua);
  installCmsgpackLibrary(lua);
  installStructLibrary(lua);
}
