/** XPENDING. */
import { NOT_INTEGER } from '../base/index.ts';
import { LOOKUP_READ, NONE, type Ref, StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, refuse } from './errors.ts';
import { noKeyOrGroup } from './stream-errors.ts';
import { endArgument, startArgument } from './stream-ids.ts';
import { replyId, replyView, streamAt, streamKey, streamsOf, viewOf } from './stream-keys.ts';

const GROUP_AT = 2;
const RANGE_AT = 3;
/** Arguments of a call that asks for entries, at least and at most. Source: 7.0 t_stream.c. */
const RANGE_ARGC_MIN = 6;
const RANGE_ARGC_MAX = 9;

interface PendingRange {
  readonly minIdleMs: number | bigint;
  readonly count: number | bigint;
  /** Argument with a consumer's name, 0 for all. */
  readonly consumerAt: number;
}

// Scratch: set and read within one call, never kept between two.
const FROM = new StreamId();
const TO = new StreamId();
const ID = new StreamId();

/** XPENDING key group [[IDLE min-idle-time] start end count [consumer]]. */
export function xpending(context: Context, request: Request, reply: ReplyWriter): void {
  const isSummary = request.argc === RANGE_AT;
  const range = isSummary ? undefined : pendingRange(request, reply);
  if (!isSummary && range === undefined) return;
  const ref = streamKey(context, request, 1, LOOKUP_READ, reply);
  if (ref === undefined) return;
  const { groups } = streamsOf(context);
  const group =
    ref === NONE ? NONE : groups.find(streamAt(context, ref), viewOf(request, GROUP_AT));
  if (group === NONE) {
    return reply.error(noKeyOrGroup(request.text(1), request.text(GROUP_AT)));
  }
  if (range === undefined) replySummary(context, group, reply);
  else replyRange(context, request, { group, range }, reply);
}

/** Reads what is asked of entries; undefined after an error reply. */
function pendingRange(request: Request, reply: ReplyWriter): PendingRange | undefined {
  const { argc } = request;
  if (argc < RANGE_ARGC_MIN || argc > RANGE_ARGC_MAX) return refuse(reply, ERR_SYNTAX);
  let at = RANGE_AT;
  let minIdleMs: number | bigint = 0;
  if (request.is(at, 'idle')) {
    const ms = request.int(at + 1);
    if (ms === NOT_INTEGER) return refuse(reply, ERR_NOT_INTEGER);
    if (argc < RANGE_ARGC_MIN + 2) return refuse(reply, ERR_SYNTAX);
    minIdleMs = ms;
    at += 2;
  }
  const count = request.int(at + 2);
  if (count === NOT_INTEGER) return refuse(reply, ERR_NOT_INTEGER);
  if (!startArgument(request, at, FROM, reply)) return undefined;
  if (!endArgument(request, at + 1, TO, reply)) return undefined;
  return { minIdleMs, count, consumerAt: at + 3 < argc ? at + 3 : 0 };
}

/** How many entries are pending, between which ids, and whose. */
function replySummary(context: Context, group: Ref, reply: ReplyWriter): void {
  const { groups } = streamsOf(context);
  const count = groups.pendingCount(group);
  reply.array(4);
  reply.int(count);
  if (count === 0) {
    reply.nullBulk();
    reply.nullBulk();
    return reply.nullArray();
  }
  groups.readPendingBounds(group, FROM, TO);
  replyId(reply, FROM);
  replyId(reply, TO);
  const start = reply.length;
  let owners = 0;
  const consumers = groups.consumerCount(group);
  for (let i = 0; i < consumers; i++) {
    const consumer = groups.consumerAt(group, i);
    const own = groups.consumerPendingCount(consumer);
    if (own === 0) continue;
    reply.array(2);
    replyView(reply, groups.consumerName(consumer));
    reply.bulkText(String(own));
    owners++;
  }
  reply.wrapArray(start, owners);
}

/** Pending entries one by one: id, consumer, time since the delivery, deliveries. */
function replyRange(
  context: Context,
  request: Request,
  { group, range }: { readonly group: Ref; readonly range: PendingRange },
  reply: ReplyWriter,
): void {
  const { groups } = streamsOf(context);
  const now = context.server.unixNow;
  let consumer: Ref = NONE;
  if (range.consumerAt !== 0) {
    consumer = groups.findConsumer(group, viewOf(request, range.consumerAt));
    if (consumer === NONE) return reply.array(0);
  }
  const walk =
    consumer === NONE
      ? groups.walkPending(group, FROM)
      : groups.walkConsumerPending(consumer, FROM);
  const start = reply.length;
  let count = 0;
  for (; count < range.count && walk.ref !== NONE; walk.next()) {
    const pending = walk.ref;
    if (groups.readPendingId(pending, ID).compare(TO) > 0) break;
    const idleMs = now - Number(groups.deliveryTime(pending));
    if (range.minIdleMs !== 0 && idleMs < range.minIdleMs) continue;
    count++;
    reply.array(4);
    replyId(reply, ID);
    replyView(reply, groups.consumerName(groups.owner(pending)));
    reply.int(Math.max(idleMs, 0));
    reply.int(groups.deliveryCount(pending));
  }
  reply.wrapArray(start, count);
}
