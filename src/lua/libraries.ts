/** All libraries of the language that Redis leaves to scripts. */
import { installBaseLibrary } from './base-library.ts';
import { installCoroutineLibrary } from './coroutine-library.ts';
import type { Lua } from './lua.ts';
import { installTableLibrary } from './table-library.ts';

/** Puts the language's own libraries into the globals of a new Lua. */
export function installStandardLibraries(lua: Lua): void {
  installBaseLibrary(lua);
  installTableLibrary(lua);
  installCoroutineLibrary(lua);
}
