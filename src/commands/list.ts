/** The list commands: their facts and what runs them. */
import { defineCommands } from './facts.ts';
import { LIST_FACTS } from './facts/list.ts';
import { blmpop, blpop, brpop } from './list-blocking.ts';
import { blmove, brpoplpush, lmove, rpoplpush } from './list-move.ts';
import { lmpop, lpop, lrem, ltrim, rpop } from './list-pop.ts';
import { linsert, lpush, lpushx, lset, rpush, rpushx } from './list-push.ts';
import { lindex, llen, lpos, lrange } from './list-read.ts';
import type { CommandSpec } from './spec.ts';

export const listCommands: readonly CommandSpec[] = defineCommands(LIST_FACTS, {
  blmove,
  blmpop,
  blpop,
  brpop,
  brpoplpush,
  lindex,
  linsert,
  llen,
  lmove,
  lmpop,
  lpop,
  lpos,
  lpush,
  lpushx,
  lrange,
  lrem,
  lset,
  ltrim,
  rpop,
  rpoplpush,
  rpush,
  rpushx,
});
