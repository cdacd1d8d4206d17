/** Options of XCLAIM and XAUTOCLAIM. */
import { NOT_INTEGER, upToZero } from '../base/index.ts';
import { StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX, refuse } from './errors.ts';
import { ERR_CLAIM_COUNT } from './stream-errors.ts';
import { idArgument, parsedId, startArgument } from './stream-ids.ts';

const MIN_IDLE_AT = 4;
const FIRST_OPTION_AT = 5;
const COUNT_DEFAULT = 100;
/** Source: 7.0 t_stream.c: the room for as many ids must be countable in bytes. */
const COUNT_MAX = 2n ** 63n / 16n - 1n;
/** XAUTOCLAIM's counts whose ids have no place in the address space of a process. */
export const CLAIM_COUNT_MEMORY_MAX: number = 2 ** 47 / 16;

/** How entries are taken over. */
export interface Claim {
  readonly minIdleMs: number | bigint;
  /** Unix time in milliseconds that counts as the time of delivery. */
  readonly deliveredAt: number | bigint;
  /** Deliveries from now on; below 0: one more, unless only ids are asked for. */
  readonly deliveries: number | bigint;
  readonly isForced: boolean;
  readonly isJustId: boolean;
  /** The group's last id from now on, if it is behind it. */
  readonly lastId: StreamId | undefined;
  /** The argument behind the ids of XCLAIM. */
  readonly idsEnd: number;
}

/** Options of XAUTOCLAIM. */
export interface AutoClaim extends Omit<Claim, 'deliveredAt' | 'idsEnd'> {
  readonly start: StreamId;
  readonly count: number;
}

/** Reads the arguments of XCLAIM from the idle time on; undefined after an error reply. */
export function claimOptions(
  context: Context,
  request: Request,
  reply: ReplyWriter,
): Claim | undefined {
  const minIdleMs = minIdle(request, 'XCLAIM', reply);
  if (minIdleMs === undefined) return undefined;
  let i = FIRST_OPTION_AT;
  for (const id = new StreamId(); i < request.argc && parsedId(request, i, id);) i++;
  const idsEnd = i;
  const now = context.server.unixNow;
  let deliveredAt: number | bigint = -1;
  let deliveries: number | bigint = -1;
  let isForced = false;
  let isJustId = false;
  let lastId: StreamId | undefined;
  for (; i < request.argc; i++) {
    const hasMore = i + 1 < request.argc;
    if (request.is(i, 'force')) isForced = true;
    else if (request.is(i, 'justid')) isJustId = true;
    else if (hasMore && (request.is(i, 'idle') || request.is(i, 'time'))) {
      const isIdle = request.is(i, 'idle');
      const time = request.int(++i);
      if (time === NOT_INTEGER) return refuse(reply, badOption(isIdle ? 'IDLE' : 'TIME'));
      deliveredAt = isIdle ? BigInt.asIntN(64, BigInt(now) - BigInt(time)) : time;
    } else if (hasMore && request.is(i, 'retrycount')) {
      const count = request.int(++i);
      if (count === NOT_INTEGER) return refuse(reply, badOption('RETRYCOUNT'));
      deliveries = count;
    } else if (hasMore && request.is(i, 'lastid')) {
      lastId = new StreamId();
      if (!idArgument(request, ++i, lastId, reply)) return undefined;
    } else return refuse(reply, `ERR Unrecognized XCLAIM option '${upToZero(request.text(i))}'`);
  }
  if (deliveredAt < 0 || deliveredAt > now) deliveredAt = now;
  return { minIdleMs, deliveredAt, deliveries, isForced, isJustId, lastId, idsEnd };
}

/** Reads the arguments of XAUTOCLAIM from the idle time on; undefined after an error reply. */
export function autoOptions(request: Request, reply: ReplyWriter): AutoClaim | undefined {
  const minIdleMs = minIdle(request, 'XAUTOCLAIM', reply);
  if (minIdleMs === undefined) return undefined;
  const start = new StreamId();
  if (!startArgument(request, FIRST_OPTION_AT, start, reply)) return undefined;
  let count = COUNT_DEFAULT;
  let isJustId = false;
  for (let i = FIRST_OPTION_AT + 1; i < request.argc; i++) {
    if (i + 1 < request.argc && request.is(i, 'count')) {
      const asked = request.int(++i);
      if (asked === NOT_INTEGER || asked < 1 || asked > COUNT_MAX) {
        return refuse(reply, ERR_CLAIM_COUNT);
      }
      count = Number(asked);
    } else if (request.is(i, 'justid')) isJustId = true;
    else return refuse(reply, ERR_SYNTAX);
  }
  return {
    minIdleMs,
    start,
    count,
    isJustId,
    deliveries: -1,
    isForced: false,
    lastId: undefined,
  };
}

function minIdle(
  request: Request,
  command: string,
  reply: ReplyWriter,
): number | bigint | undefined {
  const ms = request.int(MIN_IDLE_AT);
  if (ms === NOT_INTEGER) {
    return refuse(reply, `ERR Invalid min-idle-time argument for ${command}`);
  }
  return ms < 0 ? 0 : ms;
}

function badOption(name: string): string {
  return `ERR Invalid ${name} option argument for XCLAIM`;
}
