/** What XREADGROUP gives a consumer: entries that nobody of its group got, or its own history. */
import { NONE, type Ref, StreamId, noteRead } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  type GroupCall,
  newConsumer,
  propagateClaim,
  propagateGroupId,
  seenConsumer,
} from './stream-consumers.ts';
import { countUnwatched, replyEntry, replyId, streamsOf, viewOf } from './stream-keys.ts';

/** One stream's part of a call; the consumer's name stands behind the group's. */
export interface Delivery extends GroupCall {
  /** Entries at most. */
  readonly max: number;
  readonly isNoAck: boolean;
}

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();
const MAX = new StreamId().setMax();

/** Answers entries behind the group's last id, which become the consumer's pending ones. */
export function deliver(
  context: Context,
  request: Request,
  delivery: Delivery,
  reply: ReplyWriter,
): void {
  const streams = streamsOf(context);
  const { group, stream, isNoAck, max } = delivery;
  const consumer = consumerOf(context, request, delivery);
  const { cursor } = streams;
  cursor.open(stream, nextId(streams.groups.readLastId(group, ID)), MAX, false);
  const start = reply.length;
  let count = 0;
  for (; count < max && cursor.next(); count++) {
    noteRead(streams, stream, group, cursor.id);
    replyEntry(reply, cursor);
    if (isNoAck) continue;
    propagateClaim(context, request, delivery, addPending(context, group, consumer, cursor.id));
  }
  reply.wrapArray(start, count);
  if (isNoAck && count > 0) propagateGroupId(context, request, delivery);
  countUnwatched(context, 1);
}

/** Answers the consumer's pending entries behind an id; what was deleted has nothing but its id. */
export function deliverHistory(
  context: Context,
  request: Request,
  delivery: Delivery,
  after: StreamId,
  reply: ReplyWriter,
): void {
  const { groups, cursor } = streamsOf(context);
  const from = nextId(ID.set(after));
  const consumer = consumerOf(context, request, delivery);
  const walk = groups.walkConsumerPending(consumer, from);
  const start = reply.length;
  let count = 0;
  for (; count < delivery.max && walk.ref !== NONE; count++, walk.next()) {
    const id = groups.readPendingId(walk.ref, ID);
    cursor.open(delivery.stream, id, id, false);
    if (!cursor.next()) {
      reply.array(2);
      replyId(reply, id);
      reply.nullArray();
      continue;
    }
    replyEntry(reply, cursor);
    groups.setDeliveryTime(walk.ref, context.server.unixNow);
    groups.addDelivery(walk.ref);
  }
  reply.wrapArray(start, count);
  countUnwatched(context, 1);
}

/** The consumer, made when it is not there: a call without pending entries has to tell replicas so. */
function consumerOf(context: Context, request: Request, delivery: Delivery): Ref {
  const { groups } = streamsOf(context);
  const nameAt = delivery.groupAt + 1;
  if (groups.findConsumer(delivery.group, viewOf(request, nameAt)) !== NONE) {
    return seenConsumer(context, request, delivery, nameAt);
  }
  const consumer = newConsumer(context, request, delivery, nameAt);
  if (delivery.isNoAck && context.isPropagated) {
    const { keyAt, groupAt } = delivery;
    const names = [keyAt, groupAt, nameAt].map((i) => request.bytes(i));
    context.alsoPropagate(context.db.index, ['XGROUP', 'CREATECONSUMER', ...names]);
  }
  return consumer;
}

/** A delivered entry is pending, also when it was already: after XGROUP SETID it may be given again. */
function addPending(context: Context, group: Ref, consumer: Ref, id: StreamId): Ref {
  const { groups } = streamsOf(context);
  let pending = groups.findPending(group, id);
  if (pending === NONE) pending = groups.addPending(group, consumer, id);
  else groups.assign(pending, consumer);
  groups.setDeliveryTime(pending, context.server.unixNow);
  groups.setDeliveryCount(pending, 1);
  return pending;
}

/** The id behind this one, or the greatest. */
function nextId(id: StreamId): StreamId {
  return id.increment() ? id : id.setMax();
}
