/** The sorted set commands: their facts and what runs them. */
import { defineCommands } from './facts.ts';
import { SORTED_SET_FACTS } from './facts/sorted-set.ts';
import type { CommandSpec } from './spec.ts';
import { zadd, zincrby } from './zset-add.ts';
import {
  zdiff,
  zdiffstore,
  zinter,
  zintercard,
  zinterstore,
  zunion,
  zunionstore,
} from './zset-algebra.ts';
import { bzmpop, bzpopmax, bzpopmin, zmpop, zpopmax, zpopmin } from './zset-pop.ts';
import { zrandmember } from './zset-random.ts';
import {
  zrange,
  zrangebylex,
  zrangebyscore,
  zrangestore,
  zrevrange,
  zrevrangebylex,
  zrevrangebyscore,
} from './zset-range.ts';
import { zcard, zcount, zlexcount, zmscore, zrank, zrevrank, zscan, zscore } from './zset-read.ts';
import { zrem, zremrangebylex, zremrangebyrank, zremrangebyscore } from './zset-remove.ts';

export const zsetCommands: readonly CommandSpec[] = defineCommands(SORTED_SET_FACTS, {
  bzmpop,
  bzpopmax,
  bzpopmin,
  zadd,
  zcard,
  zcount,
  zdiff,
  zdiffstore,
  zincrby,
  zinter,
  zintercard,
  zinterstore,
  zlexcount,
  zmpop,
  zmscore,
  zpopmax,
  zpopmin,
  zrandmember,
  zrange,
  zrangebylex,
  zrangebyscore,
  zrangestore,
  zrank,
  zrem,
  zremrangebylex,
  zremrangebyrank,
  zremrangebyscore,
  zrevrange,
  zrevrangebylex,
  zrevrangebyscore,
  zrevrank,
  zscan,
  zscore,
  zunion,
  zunionstore,
});
