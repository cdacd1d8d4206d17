/** Consumers as commands meet them, and how replicas hear of what groups did. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, StreamId, type Streams } from '../keyspace/index.ts';
import type { Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { bytesOf, notifyKey } from './key-access.ts';
import { countUnwatched, streamsOf, viewOf } from './stream-keys.ts';

/** The group that a call is about, and where its arguments say so. */
export interface GroupCall {
  /** Arguments of the stream's key and the group's name. */
  readonly keyAt: number;
  readonly groupAt: number;
  readonly stream: Ref;
  readonly group: Ref;
}

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();

/** The consumer whose name is in argument `i`, made when it is not there; it counts as seen now. */
export function seenConsumer(context: Context, request: Request, call: GroupCall, i: number): Ref {
  const { groups } = streamsOf(context);
  const { unixNow } = context.server;
  const found = groups.findConsumer(call.group, viewOf(request, i));
  if (found === NONE) return newConsumer(context, request, call, i);
  groups.setSeenTime(found, unixNow);
  return found;
}

/** Makes the consumer whose name is in argument `i`. */
export function newConsumer(context: Context, request: Request, call: GroupCall, i: number): Ref {
  const { groups } = streamsOf(context);
  const consumer = groups.createConsumer(call.group, viewOf(request, i), context.server.unixNow);
  notifyKey(context, KEYSPACE_EVENT.t, 'xgroup-createconsumer', request, call.keyAt);
  countUnwatched(context, 1);
  return consumer;
}

/** Replicas note a pending entry as it is now. */
export function propagateClaim(
  context: Context,
  request: Request,
  call: GroupCall,
  pending: Ref,
): void {
  if (!context.isPropagated) return;
  const { groups } = streamsOf(context);
  const owner = groups.consumerName(groups.owner(pending));
  const args: (Buffer | string)[] = [
    'XCLAIM',
    request.bytes(call.keyAt),
    request.bytes(call.groupAt),
    Buffer.from(bytesOf(owner).subarray(owner.at, owner.at + owner.size)),
    '0',
    groups.readPendingId(pending, ID).text(),
    'TIME',
    String(groups.deliveryTime(pending)),
    'RETRYCOUNT',
    String(groups.deliveryCount(pending)),
    'FORCE',
    'JUSTID',
    'LASTID',
    groups.readLastId(call.group, ID).text(),
  ];
  context.alsoPropagate(context.db.index, args);
}

/** Replicas take over how far a group is. */
export function propagateGroupId(context: Context, request: Request, call: GroupCall): void {
  if (!context.isPropagated) return;
  const { groups }: Streams = streamsOf(context);
  context.alsoPropagate(context.db.index, [
    'XGROUP',
    'SETID',
    request.bytes(call.keyAt),
    request.bytes(call.groupAt),
    groups.readLastId(call.group, ID).text(),
    'ENTRIESREAD',
    String(groups.entriesRead(call.group)),
  ]);
}
