/** XINFO. */
import { NOT_INTEGER } from '../base/index.ts';
import {
  ENTRIES_READ_UNKNOWN,
  LOOKUP_READ,
  NONE,
  type Ref,
  StreamId,
  type Streams,
  lagOf,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_NO_SUCH_KEY, unknownUse } from './errors.ts';
import { noGroup } from './stream-errors.ts';
import {
  replyEntry,
  replyId,
  replyView,
  streamAt,
  streamKey,
  streamsOf,
  viewOf,
} from './stream-keys.ts';
import { radixNodeCount } from './stream-radix.ts';

const KEY_AT = 2;
const GROUP_AT = 3;
/** Entries shown by FULL without COUNT. */
const COUNT_DEFAULT = 10;

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();
const ZERO = new StreamId();
const MAX = new StreamId().setMax();

/** XINFO STREAM key [FULL [COUNT count]]. */
export function xinfoStream(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const stream = streamAt(context, ref);
  if (request.argc === 3) return replyShort(streamsOf(context), stream, reply);
  let count: number | bigint = COUNT_DEFAULT;
  const isFull = request.is(3, 'full') && (request.argc === 4 || request.argc === 6);
  if (!isFull || (request.argc === 6 && !request.is(4, 'count'))) {
    return reply.error(unknownUse(request.text(1), 'XINFO'));
  }
  if (request.argc === 6) {
    const asked = request.int(5);
    if (asked === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
    if (asked >= 0) count = asked;
  }
  replyFull(streamsOf(context), stream, count === 0 ? Infinity : Number(count), reply);
}

/** XINFO GROUPS key. */
export function xinfoGroups(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const streams = streamsOf(context);
  const { groups } = streams;
  const stream = streamAt(context, ref);
  const count = groups.count(stream);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const group = groups.at(stream, i);
    reply.map(6);
    reply.bulkText('name');
    replyView(reply, groups.name(group));
    reply.bulkText('consumers');
    reply.int(groups.consumerCount(group));
    reply.bulkText('pending');
    reply.int(groups.pendingCount(group));
    replyProgress(streams, stream, group, reply);
  }
}

/** XINFO CONSUMERS key group. */
export function xinfoConsumers(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const { groups } = streamsOf(context);
  const group = groups.find(streamAt(context, ref), viewOf(request, GROUP_AT));
  if (group === NONE) {
    return reply.error(noGroup(request.text(GROUP_AT), request.text(KEY_AT)));
  }
  const count = groups.consumerCount(group);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const consumer = groups.consumerAt(group, i);
    reply.map(3);
    reply.bulkText('name');
    replyView(reply, groups.consumerName(consumer));
    reply.bulkText('pending');
    reply.int(groups.consumerPendingCount(consumer));
    reply.bulkText('idle');
    reply.int(Math.max(0, context.server.unixNow - Number(groups.seenTime(consumer))));
  }
}

/** The entry of the stream; NONE after an error reply. */
function existingKey(context: Context, request: Request, reply: ReplyWriter): Ref {
  const ref = streamKey(context, request, KEY_AT, LOOKUP_READ, reply);
  if (ref === NONE) reply.error(ERR_NO_SUCH_KEY);
  return ref ?? NONE;
}

function replyShort(streams: Streams, stream: Ref, reply: ReplyWriter): void {
  reply.map(10);
  replyFacts(streams, stream, reply);
  reply.bulkText('groups');
  reply.int(streams.groups.count(stream));
  reply.bulkText('first-entry');
  replyEdge(streams, stream, false, reply);
  reply.bulkText('last-entry');
  replyEdge(streams, stream, true, reply);
}

/** The first seven facts, which both forms have. */
function replyFacts(streams: Streams, stream: Ref, reply: ReplyWriter): void {
  reply.bulkText('length');
  reply.int(streams.length(stream));
  reply.bulkText('radix-tree-keys');
  reply.int(streams.blockCount(stream));
  reply.bulkText('radix-tree-nodes');
  reply.int(radixNodeCount(streams, stream));
  reply.bulkText('last-generated-id');
  replyId(reply, streams.readLastId(stream, ID));
  reply.bulkText('max-deleted-entry-id');
  replyId(reply, streams.readMaxDeletedId(stream, ID));
  reply.bulkText('entries-added');
  reply.int(streams.entriesAdded(stream));
  reply.bulkText('recorded-first-entry-id');
  replyId(reply, streams.readFirstId(stream, ID));
}

function replyEdge(streams: Streams, stream: Ref, isLast: boolean, reply: ReplyWriter): void {
  const { cursor } = streams;
  cursor.open(stream, ZERO, MAX, isLast);
  if (cursor.next()) replyEntry(reply, cursor);
  else reply.nullBulk();
}

/** Everything, with `max` entries, and pending ones of each group and consumer. */
function replyFull(streams: Streams, stream: Ref, max: number, reply: ReplyWriter): void {
  reply.map(9);
  replyFacts(streams, stream, reply);
  reply.bulkText('entries');
  const { cursor, groups } = streams;
  const start = reply.length;
  let entries = 0;
  cursor.open(stream, ZERO, MAX, false);
  for (; entries < max && cursor.next(); entries++) replyEntry(reply, cursor);
  reply.wrapArray(start, entries);
  reply.bulkText('groups');
  const count = groups.count(stream);
  reply.array(count);
  for (let i = 0; i < count; i++)
    replyGroup(streams, stream, { group: groups.at(stream, i), max }, reply);
}

function replyGroup(
  streams: Streams,
  stream: Ref,
  { group, max }: { readonly group: Ref; readonly max: number },
  reply: ReplyWriter,
): void {
  const { groups } = streams;
  reply.map(7);
  reply.bulkText('name');
  replyView(reply, groups.name(group));
  replyProgress(streams, stream, group, reply);
  reply.bulkText('pel-count');
  reply.int(groups.pendingCount(group));
  reply.bulkText('pending');
  replyPending(streams, { group, consumer: NONE }, max, reply);
  reply.bulkText('consumers');
  const count = groups.consumerCount(group);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const consumer = groups.consumerAt(group, i);
    reply.map(4);
    reply.bulkText('name');
    replyView(reply, groups.consumerName(consumer));
    reply.bulkText('seen-time');
    reply.int(groups.seenTime(consumer));
    reply.bulkText('pel-count');
    reply.int(groups.consumerPendingCount(consumer));
    reply.bulkText('pending');
    replyPending(streams, { group, consumer }, max, reply);
  }
}

/** Last id, entries read and entries to go of a group. */
function replyProgress(streams: Streams, stream: Ref, group: Ref, reply: ReplyWriter): void {
  const { groups } = streams;
  reply.bulkText('last-delivered-id');
  replyId(reply, groups.readLastId(group, ID));
  reply.bulkText('entries-read');
  const read = groups.entriesRead(group);
  if (read === ENTRIES_READ_UNKNOWN) reply.nullBulk();
  else reply.int(read);
  reply.bulkText('lag');
  const lag = lagOf(streams, stream, group);
  if (lag === undefined) reply.nullBulk();
  else reply.int(lag);
}

/** Pending entries of a group (`consumer` is NONE), with their owners, or of a consumer. */
function replyPending(
  { groups }: Streams,
  of: { readonly group: Ref; readonly consumer: Ref },
  max: number,
  reply: ReplyWriter,
): void {
  const isGroup = of.consumer === NONE;
  const walk = isGroup
    ? groups.walkPending(of.group, ZERO)
    : groups.walkConsumerPending(of.consumer, ZERO);
  const start = reply.length;
  let count = 0;
  for (; count < max && walk.ref !== NONE; count++, walk.next()) {
    const pending = walk.ref;
    reply.array(isGroup ? 4 : 3);
    replyId(reply, groups.readPendingId(pending, ID));
    if (isGroup) replyView(reply, groups.consumerName(groups.owner(pending)));
    reply.int(groups.deliveryTime(pending));
    reply.int(groups.deliveryCount(pending));
  }
  reply.wrapArray(start, count);
}
