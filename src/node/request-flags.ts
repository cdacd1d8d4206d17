/** Groups of commands' flags that decide how a request is looked at. */
import {
  FLAG_ADMIN,
  FLAG_DENYOOM,
  FLAG_NO_MULTI,
  FLAG_PROTECTED,
  FLAG_SCRIPT,
  FLAG_WRITE,
} from '../commands/index.ts';

/** Flags that need a look beyond the fast path. */
export const UNUSUAL: number = FLAG_PROTECTED | FLAG_ADMIN | FLAG_NO_MULTI;

/** Flags of commands that the state of the data or of the replicas may forbid. */
export const CHANGES: number = FLAG_WRITE | FLAG_DENYOOM;

/** Those that may turn out to be such. */
export const MAY_CHANGE: number = CHANGES | FLAG_SCRIPT;
