/** The hash commands: their facts and what runs them. */
import { defineCommands } from './facts.ts';
import { HASH_FACTS } from './facts/hash.ts';
import { hexists, hget, hgetall, hkeys, hlen, hmget, hscan, hstrlen, hvals } from './hash-get.ts';
import { hrandfield } from './hash-random.ts';
import { hdel, hincrby, hincrbyfloat, hmset, hset, hsetnx } from './hash-set.ts';
import type { CommandSpec } from './spec.ts';

export const hashCommands: readonly CommandSpec[] = defineCommands(HASH_FACTS, {
  hdel,
  hexists,
  hget,
  hgetall,
  hincrby,
  hincrbyfloat,
  hkeys,
  hlen,
  hmget,
  hmset,
  hrandfield,
  hscan,
  hset,
  hsetnx,
  hstrlen,
  hvals,
});
