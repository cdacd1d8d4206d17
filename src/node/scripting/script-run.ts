/** One run of a script or function. */
import type { ScriptCaller, Session } from '../../commands/index.ts';
import type { Lua, LuaFunction, LuaValue } from '../../lua/index.ts';
import type { ReplyWriter } from '../../resp/index.ts';
import type { DebugSession } from './debugger/debug-session.ts';

/** What is to run. */
export interface ScriptJob {
  readonly lua: Lua;
  readonly run: LuaFunction;
  readonly args: readonly LuaValue[];
  /** What errors call it: the SHA1 of a script, the name of a function. */
  readonly name: string;
  /** SCRIPT_ bits. */
  readonly flags: number;
  /** Called by a command that forbids writes: EVAL_RO, FCALL_RO. */
  readonly isReadOnly: boolean;
  /** Of functions FUNCTION STATS tells, and FUNCTION KILL ends them; of scripts SCRIPT KILL. */
  readonly kind: 'script' | 'function';
  /** Stops it and lets its client look. */
  readonly debug?: DebugSession | undefined;
}

/** The run in hand. Its session, like the engine's registers, is the node's one. */
export interface ScriptRun {
  readonly job: ScriptJob;
  readonly caller: Session;
  readonly reply: ReplyWriter;
  readonly call: ScriptCaller;
  /** What the caller does is not refused: it is our master, or data that is loaded. */
  readonly mustObey: boolean;
  readonly isReadOnly: boolean;
  /** The memory was full when it began. */
  readonly isOutOfMemory: boolean;
  /** Microseconds of the forward clock. */
  readonly startedUs: number;
  hasWritten: boolean;
  /** To whom its changes go: FEED_ bits. */
  targets: number;
  /** In a cluster the slot that its keys belong to; undefined while it has none. */
  slot: number | undefined;
  /** SCRIPT KILL, or the like: why it is to end. */
  isKilled: boolean;
}
