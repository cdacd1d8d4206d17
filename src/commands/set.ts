/** The set commands: their facts and what runs them. */
import { defineCommands } from './facts.ts';
import { SET_FACTS } from './facts/set.ts';
import {
  sdiff,
  sdiffstore,
  sinter,
  sintercard,
  sinterstore,
  sunion,
  sunionstore,
} from './set-algebra.ts';
import { sadd, scard, sismember, smismember, smove, srem, sscan } from './set-members.ts';
import { spop, srandmember } from './set-random.ts';
import type { CommandSpec } from './spec.ts';

export const setCommands: readonly CommandSpec[] = defineCommands(SET_FACTS, {
  sadd,
  scard,
  sdiff,
  sdiffstore,
  sinter,
  sintercard,
  sinterstore,
  sismember,
  smembers: sinter,
  smismember,
  smove,
  spop,
  srandmember,
  srem,
  sscan,
  sunion,
  sunionstore,
});
