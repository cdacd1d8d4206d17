/**
 * The libraries of a node and their functions, by name. A library's name is told apart by case, a function's is not, and
 * no two libraries have a function of one name. Source: behaviour of redis-server 7.0.15.
 */
import type { FunctionFacts, LibraryFacts, RestorePolicy } from '../../commands/index.ts';
import type { Lua, LuaFunction } from '../../lua/index.ts';

export interface LibraryFunction extends FunctionFacts {
  readonly callback: LuaFunction;
  /** The bits of its flags. */
  readonly flags: number;
}

export interface Library extends Omit<LibraryFacts, 'functions'> {
  readonly functions: readonly LibraryFunction[];
  /** What its functions run in. */
  readonly lua: Lua;
}

/** A function and where it belongs. */
export interface FoundFunction {
  readonly library: Library;
  readonly fn: LibraryFunction;
}

export class FunctionLibraries {
  readonly #libraries: Map<string, Library> = new Map();
  /** By name in lower case. */
  readonly #functions: Map<string, FoundFunction> = new Map();

  constructor(libraries: Iterable<Library> = []) {
    for (const library of libraries) this.#put(library);
  }

  get count(): number {
    return this.#libraries.size;
  }

  get functionCount(): number {
    return this.#functions.size;
  }

  /** All, in the order in which they came. */
  all(): Iterable<Library> {
    return this.#libraries.values();
  }

  find(name: string): Library | undefined {
    return this.#libraries.get(name);
  }

  findFunction(name: string): FoundFunction | undefined {
    return this.#functions.get(name.toLowerCase());
  }

  /** Takes a library in, in the place of the one that has its name, if so; says why that cannot be. */
  add(library: Library): string | undefined {
    const flaw = this.#clash(library);
    if (flaw !== undefined) return flaw;
    this.delete(library.name);
    this.#put(library);
    return undefined;
  }

  /** False when there is none of this name. */
  delete(name: string): boolean {
    const library = this.#libraries.get(name);
    if (library === undefined) return false;
    this.#libraries.delete(name);
    for (const fn of library.functions) this.#functions.delete(fn.name.toLowerCase());
    return true;
  }

  /** These and others, as FUNCTION RESTORE joins them; or why that cannot be. */
  joined(others: FunctionLibraries, policy: RestorePolicy): FunctionLibraries | string {
    if (policy === 'flush') return others;
    for (const { name } of others.all()) {
      if (policy === 'append' && this.find(name) !== undefined) {
        return `Library ${name} already exists`;
      }
    }
    const kept = [...this.all()].filter(({ name }) => others.find(name) === undefined);
    const result = new FunctionLibraries(kept);
    for (const library of others.all()) {
      const flaw = result.add(library);
      if (flaw !== undefined) return flaw;
    }
    return result;
  }

  /** Why a library cannot be beside the others: somebody else's function has the name of one of its own. */
  #clash(library: Library): string | undefined {
    for (const { name } of library.functions) {
      const found = this.findFunction(name);
      if (found !== undefined && found.library.name !== library.name) {
        return `Function ${name} already exists`;
      }
    }
    return undefined;
  }

  #put(library: Library): void {
    this.#libraries.set(library.name, library);
    for (const fn of library.functions) {
      this.#functions.set(fn.name.toLowerCase(), { library, fn });
    }
  }
}
