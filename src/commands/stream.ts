/** The stream commands. */
import { defineCommands } from './facts.ts';
import { STREAM_FACTS } from './facts/stream.ts';
import { helpHandler } from './help.ts';
import type { CommandSpec } from './spec.ts';
import { xadd } from './stream-add.ts';
import { xack, xautoclaim, xclaim } from './stream-claim.ts';
import {
  xgroupCreate,
  xgroupCreateconsumer,
  xgroupDelconsumer,
  xgroupDestroy,
  xgroupSetid,
} from './stream-groups.ts';
import { xinfoConsumers, xinfoGroups, xinfoStream } from './stream-info.ts';
import { xpending } from './stream-pending.ts';
import { xdel, xlen, xrange, xrevrange, xsetid } from './stream-range.ts';
import { xread, xreadgroup } from './stream-read.ts';
import { xtrim } from './stream-trim.ts';

export const streamCommands: readonly CommandSpec[] = defineCommands(STREAM_FACTS, {
  xack,
  xadd,
  xautoclaim,
  xclaim,
  xdel,
  'xgroup|create': xgroupCreate,
  'xgroup|createconsumer': xgroupCreateconsumer,
  'xgroup|delconsumer': xgroupDelconsumer,
  'xgroup|destroy': xgroupDestroy,
  'xgroup|help': helpHandler('xgroup'),
  'xgroup|setid': xgroupSetid,
  'xinfo|consumers': xinfoConsumers,
  'xinfo|groups': xinfoGroups,
  'xinfo|help': helpHandler('xinfo'),
  'xinfo|stream': xinfoStream,
  xlen,
  xpending,
  xrange,
  xread,
  xreadgroup,
  xrevrange,
  xsetid,
  xtrim,
});
