/** XACK, XCLAIM and XAUTOCLAIM: pending entries acknowledged, and taken over by another consumer. */
import { LOOKUP_READ, NONE, type Ref, StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import {
  CLAIM_COUNT_MEMORY_MAX,
  type Claim,
  autoOptions,
  claimOptions,
} from './stream-claim-options.ts';
import type { Context } from './context.ts';
import { readKey } from './key-access.ts';
import { propagateClaim, propagateGroupId, seenConsumer } from './stream-consumers.ts';
import { ERR_CLAIM_MEMORY, noKeyOrGroup } from './stream-errors.ts';
import { idArgument, parsedId } from './stream-ids.ts';
import {
  countUnwatched,
  replyEntry,
  replyId,
  streamAt,
  streamKey,
  streamsOf,
  viewOf,
} from './stream-keys.ts';

const KEY_AT = 1;
const GROUP_AT = 2;
const CONSUMER_AT = 3;
const FIRST_ID_AT = 5;
/** Pending entries that XAUTOCLAIM looks at for each that it may claim. Source: 7.0 t_stream.c. */
const LOOKS_FOR_EACH = 10;

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();
const LAST = new StreamId();

/** XACK key group id …. */
export function xack(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = streamKey(context, request, KEY_AT, LOOKUP_READ, reply);
  if (ref === undefined) return;
  const group = ref === NONE ? NONE : groupOf(context, request, ref);
  if (group === NONE) return reply.int(0);
  for (let i = 3; i < request.argc; i++) if (!idArgument(request, i, ID, reply)) return;
  context.db.store.beforeChange(ref);
  const { groups } = streamsOf(context);
  let count = 0;
  for (let i = 3; i < request.argc; i++) {
    parsedId(request, i, ID);
    const pending = groups.findPending(group, ID);
    if (pending === NONE) continue;
    groups.removePending(group, pending);
    count++;
  }
  countUnwatched(context, count);
  reply.int(count);
}

/**
 * XCLAIM key group consumer min-idle-time id … [IDLE ms] [TIME unix-ms] [RETRYCOUNT count] [FORCE]
 * [JUSTID] [LASTID id].
 */
export function xclaim(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = claimKey(context, request, reply);
  if (ref === NONE) return;
  const claim = claimOptions(context, request, reply);
  if (claim === undefined) return;
  const call = callOf(context, request, ref);
  context.preventPropagation();
  context.db.store.beforeChange(ref);
  const { groups } = streamsOf(context);
  let isAhead = false;
  if (claim.lastId !== undefined && claim.lastId.compare(groups.readLastId(call.group, LAST)) > 0) {
    groups.setLastId(call.group, claim.lastId);
    isAhead = true;
  }
  const start = reply.length;
  let count = 0;
  for (let i = FIRST_ID_AT; i < claim.idsEnd; i++) {
    parsedId(request, i, ID);
    const pending = claimable(context, request, call, claim);
    if (pending === NONE) continue;
    take(context, request, { call, pending, claim }, reply);
    // The claim tells replicas the last id too.
    isAhead = false;
    count++;
  }
  reply.wrapArray(start, count);
  if (isAhead) {
    propagateGroupId(context, request, call);
    countUnwatched(context, 1);
  }
}

/** XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]. */
export function xautoclaim(context: Context, request: Request, reply: ReplyWriter): void {
  const found = autoOptions(request, reply);
  if (found === undefined) {
    // Redis looks for the key before it reads the options, so a refused call misses it too.
    readKey(context, request, 1);
    return;
  }
  const ref = claimKey(context, request, reply);
  if (ref === NONE) return;
  if (found.count > CLAIM_COUNT_MEMORY_MAX) return reply.error(ERR_CLAIM_MEMORY);
  const call = callOf(context, request, ref);
  context.preventPropagation();
  context.db.store.beforeChange(ref);
  const claim: Claim = { ...found, deliveredAt: context.server.unixNow, idsEnd: 0 };
  const { groups } = streamsOf(context);
  const deleted: string[] = [];
  reply.array(3);
  const start = reply.length;
  let count = 0;
  let walk = groups.walkPending(call.group, found.start);
  let left = found.count;
  for (let looks = found.count * LOOKS_FOR_EACH; looks > 0 && left > 0; looks--) {
    if (walk.ref === NONE) break;
    const pending = walk.ref;
    groups.readPendingId(pending, ID);
    if (!streamsOf(context).has(call.stream, ID)) {
      deleted.push(ID.text());
      forget(context, request, call, pending);
      walk = groups.walkPending(call.group, ID);
      left--;
      continue;
    }
    walk.next();
    if (isFresh(context, pending, claim.minIdleMs)) continue;
    take(context, request, { call, pending, claim }, reply);
    count++;
    left--;
  }
  reply.wrapArray(start, count);
  const end = reply.length;
  replyId(reply, walk.ref === NONE ? ID.setZero() : groups.readPendingId(walk.ref, ID));
  reply.moveToFront(start, end);
  reply.array(deleted.length);
  for (const id of deleted) reply.bulkText(id);
}

interface Call {
  readonly keyAt: number;
  readonly groupAt: number;
  readonly stream: Ref;
  readonly group: Ref;
}

function groupOf(context: Context, request: Request, ref: Ref): Ref {
  return streamsOf(context).groups.find(streamAt(context, ref), viewOf(request, GROUP_AT));
}

/** The entry of a stream that has the group; NONE after an error reply. */
function claimKey(context: Context, request: Request, reply: ReplyWriter): Ref {
  const ref = streamKey(context, request, KEY_AT, LOOKUP_READ, reply);
  if (ref === undefined) return NONE;
  if (ref !== NONE && groupOf(context, request, ref) !== NONE) return ref;
  reply.error(noKeyOrGroup(request.text(KEY_AT), request.text(GROUP_AT)));
  return NONE;
}

function callOf(context: Context, request: Request, ref: Ref): Call {
  const stream = streamAt(context, ref);
  const group = groupOf(context, request, ref);
  return { keyAt: KEY_AT, groupAt: GROUP_AT, stream, group };
}

/** The pending entry with the id in ID that XCLAIM may take, made where FORCE says so; or NONE. */
function claimable(context: Context, request: Request, call: Call, claim: Claim): Ref {
  const streams = streamsOf(context);
  const pending = streams.groups.findPending(call.group, ID);
  if (!streams.has(call.stream, ID)) {
    if (pending !== NONE) forget(context, request, call, pending);
    return NONE;
  }
  if (pending === NONE) {
    return claim.isForced ? streams.groups.addPending(call.group, NONE, ID) : NONE;
  }
  return isFresh(context, pending, claim.minIdleMs) ? NONE : pending;
}

/** Whether a pending entry was delivered too short a time ago. */
function isFresh(context: Context, pending: Ref, minIdleMs: number | bigint): boolean {
  if (minIdleMs === 0) return false;
  const deliveredAt = streamsOf(context).groups.deliveryTime(pending);
  return context.server.unixNow - Number(deliveredAt) < minIdleMs;
}

/** Drops a pending entry whose entry was deleted; replicas find out by a claim of it. */
function forget(context: Context, request: Request, call: Call, pending: Ref): void {
  propagateClaim(context, request, call, pending);
  streamsOf(context).groups.removePending(call.group, pending);
  countUnwatched(context, 1);
}

/** Makes a pending entry the consumer's, and answers the entry or its id, which is in ID. */
function take(
  context: Context,
  request: Request,
  what: { readonly call: Call; readonly pending: Ref; readonly claim: Claim },
  reply: ReplyWriter,
): void {
  const { call, pending, claim } = what;
  const { groups, cursor } = streamsOf(context);
  groups.assign(pending, seenConsumer(context, request, call, CONSUMER_AT));
  groups.setDeliveryTime(pending, claim.deliveredAt);
  if (claim.deliveries >= 0) groups.setDeliveryCount(pending, claim.deliveries);
  else if (!claim.isJustId) groups.addDelivery(pending);
  if (claim.isJustId) replyId(reply, ID);
  else {
    cursor.open(call.stream, ID, ID, false);
    cursor.next();
    replyEntry(reply, cursor);
  }
  propagateClaim(context, request, call, pending);
  countUnwatched(context, 1);
}
