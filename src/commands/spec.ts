/** The commands of this server: facts and a handler that gets a `Context`. */
import type { CommandSpecOf, HandlerOf } from './command-spec.ts';
import type { Context } from './context.ts';

export type { CommandFlag, KeyFlag, KeySpec } from './command-spec.ts';
export type CommandSpec = CommandSpecOf<Context>;
export type Handler = HandlerOf<Context>;
