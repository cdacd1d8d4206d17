/** What FUNCTION asks of the node: the libraries of functions that it has. Texts have one character for each byte. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { ScriptCaller } from './script-service.ts';

export interface FunctionFacts {
  readonly name: string;
  readonly description: string | undefined;
  /** Names of its flags, in the order of FUNCTION LIST. */
  readonly flagNames: readonly string[];
}

export interface LibraryFacts {
  readonly name: string;
  /** All of it, with the first line. */
  readonly code: string;
  readonly functions: readonly FunctionFacts[];
}

/** What becomes of libraries that are there already when others are restored. */
export type RestorePolicy = 'flush' | 'append' | 'replace';

/** A function that takes long. */
export interface RunningFunction {
  readonly name: string;
  /** The arguments of the call, its command among them. */
  readonly command: readonly Buffer[];
  readonly durationMs: number;
}

export interface FunctionService {
  readonly libraryCount: number;
  readonly functionCount: number;
  /** Bytes of code, by estimate with what is kept beside it. */
  readonly codeBytes: number;
  libraries(): Iterable<LibraryFacts>;
  /**
   * FUNCTION LOAD. `isTrusted`: it comes from our master or the log, for which it was fast enough.
   * @returns its name, or why it is refused: the text of the error reply after `ERR `
   */
  load(
    code: string,
    options: { readonly replaces: boolean; readonly isTrusted: boolean },
  ): { readonly name: string } | { readonly flaw: string };
  /** False when there is none of this name. */
  delete(name: string): boolean;
  flush(): void;
  /** FUNCTION RESTORE: all of them, or none and why. */
  restore(
    codes: readonly string[],
    options: { readonly policy: RestorePolicy; readonly isTrusted: boolean },
  ): string | undefined;
  /** FCALL, and FCALL_RO with `isReadOnly`. Writes the reply now, or when the function has ended in a later turn. */
  call(call: ScriptCaller, request: Request, reply: ReplyWriter, isReadOnly: boolean): void;
  /** The function that runs; the text of an error while a script does instead. */
  running(): RunningFunction | string | undefined;
  /** Ends the function that runs; an error's text when none does or it must not be ended. */
  kill(): string | undefined;
}
