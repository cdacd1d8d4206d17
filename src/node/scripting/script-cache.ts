/** The scripts that EVAL and SCRIPT LOAD brought, compiled, by their SHA1. Bounded by SCRIPT FLUSH alone, as in Redis. */
import { Sha1, SHA1_BYTES, invariant } from '../../base/index.ts';
import { type Lua, LuaError, type LuaFunction } from '../../lua/index.ts';
import { readShebang } from './script-flags.ts';

const CHUNK_NAME = '@user_script';
/** What an entry takes besides its text, about. */
const ENTRY_BYTES = 120;

export interface CachedScript {
  /** 40 lower-case digits. */
  readonly sha: string;
  readonly run: LuaFunction;
  /** SCRIPT_ bits. */
  readonly flags: number;
}

const digester: Sha1 = new Sha1();

/** The SHA1 of a text, one byte a character, as 40 lower-case digits. */
export function sha1Hex(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const digest = Buffer.alloc(SHA1_BYTES);
  digester.digest(bytes, 0, bytes.length, digest);
  return digest.toString('hex');
}

export class ScriptCache {
  readonly #createLua: () => Lua;
  readonly #bySha: Map<string, CachedScript> = new Map<string, CachedScript>();
  readonly #byText: Map<string, CachedScript> = new Map<string, CachedScript>();
  #lua: Lua | undefined;
  /** What EVAL was called with last, so that the same again is found by a comparison. */
  #last: { readonly text: Buffer; readonly script: CachedScript } | undefined;
  #textBytes = 0;

  /** `createLua` is called at the first script, and at the first one after each flush. */
  constructor(createLua: () => Lua) {
    this.#createLua = createLua;
  }

  get lua(): Lua {
    this.#lua ??= this.#createLua();
    return this.#lua;
  }

  get size(): number {
    return this.#bySha.size;
  }

  /** Bytes of texts and entries, about. */
  get bytes(): number {
    return this.#textBytes + this.size * ENTRY_BYTES;
  }

  /** In any case of its digits. */
  bySha(sha: string): CachedScript | undefined {
    return this.#bySha.get(sha) ?? this.#bySha.get(sha.toLowerCase());
  }

  /** The script of a text in a buffer, compiled now if it was not before; an error's text if it cannot be. */
  ofBytes(buf: Buffer, at: number, size: number): CachedScript | string {
    const last = this.#last;
    if (last !== undefined && last.text.length === size) {
      if (last.text.compare(buf, at, at + size) === 0) return last.script;
    }
    const script = this.ofText(buf.toString('latin1', at, at + size));
    if (typeof script === 'string') return script;
    this.#last = { text: Buffer.from(buf.subarray(at, at + size)), script };
    return script;
  }

  ofText(text: string): CachedScript | string {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const shebang = readShebang(text);
    if (typeof shebang === 'string') return shebang;
    const { flags, bodyAt } = shebang;
    try {
      const run = this.lua.compile(bodyAt === 0 ? text : text.slice(bodyAt), CHUNK_NAME);
      const script = { sha: sha1Hex(text), run, flags };
      this.#bySha.set(script.sha, script);
      this.#byText.set(text, script);
      this.#textBytes += text.length;
      return script;
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      return `ERR Error compiling script (new function): ${error.message}`;
    }
  }

  /** The script of a text that can be compiled, with stops for a debugger: see `Lua.compileWithStops`. It is not kept. */
  withStops(text: string, mayStop: (line: number) => boolean): LuaFunction {
    const shebang = readShebang(text);
    invariant(typeof shebang !== 'string', 'the text has been compiled before');
    return this.lua.compileWithStops(text.slice(shebang.bodyAt), CHUNK_NAME, mayStop);
  }

  /** Forgets all scripts, and the engine with whatever they left in it. */
  flush(): void {
    this.#bySha.clear();
    this.#byText.clear();
    this.#last = undefined;
    this.#lua = undefined;
    this.#textBytes = 0;
  }
}
