/**
 * What a command is: its facts, told once as data, and the function that runs it. COMMAND, ACL
 * categories and cluster routing derive from the same facts.
 */
import type { ReplyWriter, Request } from '../resp/index.ts';

/** Flags as COMMAND INFO names them; `movablekeys` and `pubsub` categories derive where they can. */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'module'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'may_replicate'
  | 'sentinel'
  | 'only_sentinel'
  | 'no_mandatory_keys'
  | 'protected'
  | 'movablekeys'
  | 'no_async_loading'
  | 'no_multi'
  | 'allow_busy';

/** Flags of a key specification as COMMAND INFO names them. */
export type KeyFlag =
  | 'RO'
  | 'RW'
  | 'OW'
  | 'RM'
  | 'access'
  | 'update'
  | 'insert'
  | 'delete'
  | 'not_key'
  | 'incomplete'
  | 'variable_flags';

export interface KeySpec {
  readonly flags: readonly KeyFlag[];
  readonly notes?: string;
  /** Where keys begin: at an argument, or behind a keyword searched from an argument (negative: from the end). */
  readonly begin:
    { readonly at: number } | { readonly keyword: string; readonly startFrom: number } | 'unknown';
  /** How many there are: a range relative to the begin (negative `last`: from the end), or counted by an argument. */
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly countAt: number; readonly first: number; readonly step: number }
    | 'unknown';
}

/** Runs a command: reads arguments, changes data through the context, writes exactly one reply. */
export type HandlerOf<C> = (context: C, request: Request, reply: ReplyWriter) => void;

/** `C` is what handlers get; `Context` in all of our commands. It is a parameter because contexts know commands. */
export interface CommandSpecOf<C> {
  /** Lower case; a subcommand has its own name only, such as `get` of `config`. */
  readonly name: string;
  readonly since: string;
  /** Group as COMMAND DOCS names it, such as `string` or `server`. */
  readonly group: string;
  /** Arguments with the name: exactly, or at least when negative. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** ACL categories with the `@`, exactly as COMMAND INFO lists them. */
  readonly categories: readonly string[];
  readonly keys?: readonly KeySpec[];
  readonly tips?: readonly string[];
  readonly subcommands?: readonly CommandSpecOf<C>[];
  /**
   * For commands whose keys the specs cannot tell (MIGRATE, SORT…): the argument indexes of all keys,
   * undefined when the arguments make no sense.
   */
  readonly findKeys?: (request: Request) => readonly number[] | undefined;
  /** Absent for a container of subcommands. */
  readonly run?: HandlerOf<C>;
}
