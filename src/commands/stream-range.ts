/** Reading and deleting entries by id: XRANGE, XREVRANGE, XLEN, XDEL and XSETID. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { LOOKUP_READ, LOOKUP_WRITE, NONE, StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_NO_SUCH_KEY, ERR_SYNTAX } from './errors.ts';
import { notifyKey } from './key-access.ts';
import {
  ERR_SETID_COUNT,
  ERR_SETID_DELETED,
  ERR_SETID_NEGATIVE,
  ERR_SETID_SMALL,
} from './stream-errors.ts';
import { endArgument, idArgument, startArgument } from './stream-ids.ts';
import { countUnwatched, replyEntry, streamAt, streamKey, streamsOf } from './stream-keys.ts';

// Scratch: set and read within one call, never kept between two.
const FROM = new StreamId();
const TO = new StreamId();

/** XRANGE key start end [COUNT count]. */
export function xrange(context: Context, request: Request, reply: ReplyWriter): void {
  range(context, request, false, reply);
}

/** XREVRANGE key end start [COUNT count]. */
export function xrevrange(context: Context, request: Request, reply: ReplyWriter): void {
  range(context, request, true, reply);
}

function range(context: Context, request: Request, isReverse: boolean, reply: ReplyWriter): void {
  const fromAt = isReverse ? 3 : 2;
  if (!startArgument(request, fromAt, FROM, reply)) return;
  if (!endArgument(request, 5 - fromAt, TO, reply)) return;
  let max: number | bigint = Infinity;
  for (let i = 4; i < request.argc; i += 2) {
    if (i + 1 >= request.argc || !request.is(i, 'count')) return reply.error(ERR_SYNTAX);
    const count = request.int(i + 1);
    if (count === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
    max = count < 0 ? 0 : count;
  }
  const ref = streamKey(context, request, 1, LOOKUP_READ, reply);
  if (ref === undefined) return;
  if (ref === NONE) return reply.array(0);
  if (max === 0) return reply.nullArray();
  const { cursor } = streamsOf(context);
  const start = reply.length;
  let count = 0;
  cursor.open(streamAt(context, ref), FROM, TO, isReverse);
  for (; count < max && cursor.next(); count++) replyEntry(reply, cursor);
  reply.wrapArray(start, count);
}

/** XLEN key. */
export function xlen(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = streamKey(context, request, 1, LOOKUP_READ, reply);
  if (ref === undefined) return;
  reply.int(ref === NONE ? 0 : streamsOf(context).length(streamAt(context, ref)));
}

/** XDEL key id …. */
export function xdel(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = streamKey(context, request, 1, LOOKUP_WRITE, reply);
  if (ref === undefined) return;
  if (ref === NONE) return reply.int(0);
  // All or nothing: an id that is none is found before anything is deleted.
  for (let i = 2; i < request.argc; i++) if (!idArgument(request, i, FROM, reply)) return;
  const { db } = context;
  db.store.beforeChange(ref);
  const stream = streamAt(context, ref);
  let count = 0;
  for (let i = 2; i < request.argc; i++) {
    idArgument(request, i, FROM, reply);
    if (streamsOf(context).delete(stream, FROM)) count++;
  }
  if (count > 0) {
    db.changed(ref, count);
    notifyKey(context, KEYSPACE_EVENT.t, 'xdel', request, 1);
  }
  reply.int(count);
}

/** XSETID key last-id [ENTRIESADDED count] [MAXDELETEDID id]. */
export function xsetid(context: Context, request: Request, reply: ReplyWriter): void {
  if (!idArgument(request, 2, FROM, reply)) return;
  let added: number | bigint = -1;
  let hasDeleted = false;
  for (let i = 3; i < request.argc; i += 2) {
    const hasMore = i + 1 < request.argc;
    if (hasMore && request.is(i, 'entriesadded')) {
      const count = request.int(i + 1);
      if (count === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
      if (count < 0) return reply.error(ERR_SETID_NEGATIVE);
      added = count;
    } else if (hasMore && request.is(i, 'maxdeletedid')) {
      if (!idArgument(request, i + 1, TO, reply)) return;
      if (FROM.compare(TO) < 0) return reply.error(ERR_SETID_DELETED);
      hasDeleted = true;
    } else return reply.error(ERR_SYNTAX);
  }
  const ref = streamKey(context, request, 1, LOOKUP_WRITE, reply);
  if (ref === undefined) return;
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  const streams = streamsOf(context);
  const stream = streamAt(context, ref);
  const { cursor } = streams;
  cursor.open(stream, new StreamId(), new StreamId().setMax(), true);
  if (cursor.next()) {
    if (FROM.compare(cursor.id) < 0) return reply.error(ERR_SETID_SMALL);
    if (added !== -1 && added < streams.length(stream)) return reply.error(ERR_SETID_COUNT);
  }
  context.db.store.beforeChange(ref);
  streams.setLastId(stream, FROM);
  if (added !== -1) streams.setEntriesAdded(stream, added);
  if (hasDeleted && !TO.isZero) streams.setMaxDeletedId(stream, TO);
  reply.ok();
  countUnwatched(context, 1);
  notifyKey(context, KEYSPACE_EVENT.t, 'xsetid', request, 1);
}
