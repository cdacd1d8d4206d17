/** Groups of commands, mostly by their flags, that decide how a request is looked at. */
import {
  FLAG_ADMIN,
  FLAG_NO_MULTI,
  FLAG_PROTECTED,
  FLAG_SCRIPT,
  FLAG_WRITE,
} from '../commands/index.ts';

/** Flags that need a look beyond the fast path. */
export const UNUSUAL: number = FLAG_PROTECTED | FLAG_ADMIN | FLAG_NO_MULTI;

/** Flags of commands that the state of the replicas may forbid. */
export const MAY_CHANGE: number = FLAG_WRITE | FLAG_SCRIPT;

/** Commands that run at once inside MULTI. */
export const UNQUEUED_COMMANDS: ReadonlySet<string> = new Set([
  'exec',
  'discard',
  'multi',
  'watch',
  'quit',
  'reset',
]);
