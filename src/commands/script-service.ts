/** Scripts as commands see them. The node implements it. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Session } from './session.ts';
import type { Command } from './table.ts';

/** Which of the four commands calls. */
export interface EvalManner {
  /** EVALSHA: the script is named, and was loaded before. */
  readonly bySha: boolean;
  /** EVAL_RO: it must not write. */
  readonly isReadOnly: boolean;
}

/** What a script needs of the call that runs it; `Context` has it. */
export interface ScriptCaller {
  readonly session: Session;
  readonly command: Command;
  preventPropagation(): void;
  suspend(): void;
  noteErrorCounted(): void;
}

export interface ScriptService {
  /** Scripts that are loaded, and the bytes that their texts take. */
  readonly count: number;
  readonly bytes: number;
  /** The error for whoever may not run now; undefined while no script is busy. */
  readonly busyError: string | undefined;
  /** Runs EVAL and its like. Writes the reply now, or when the script has ended in a later turn. */
  evaluate(call: ScriptCaller, request: Request, reply: ReplyWriter, how: EvalManner): void;
  /** Compiles and keeps a script, one character a byte. */
  load(text: string): { readonly sha: string } | { readonly error: string };
  /** Whether a script is loaded; the SHA1 in any case. */
  has(sha: string): boolean;
  /** Forgets all scripts. */
  flush(): void;
  /** Ends the script that runs; an error's text when none does or it must not be ended. */
  kill(): string | undefined;
}
