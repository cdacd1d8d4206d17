/** Elements put into lists: LPUSH, RPUSH, LPUSHX, RPUSHX, LINSERT and LSET. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, type Ref, TYPE_LIST } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_INDEX_RANGE, ERR_NO_SUCH_KEY, ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { argument, emptyView, isOfType, notifyKey, writeKey } from './key-access.ts';

// Scratch: set and read within one call.
const KEY: BytesView = emptyView();

export function lpush(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_LIST, reply)) return;
  pushAll(context, request, ref, true, reply);
}

export function rpush(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_LIST, reply)) return;
  pushAll(context, request, ref, false, reply);
}

export function lpushx(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (isOfType(context, ref, TYPE_LIST, reply)) pushAll(context, request, ref, true, reply);
}

export function rpushx(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (isOfType(context, ref, TYPE_LIST, reply)) pushAll(context, request, ref, false, reply);
}

function pushAll(
  context: Context,
  request: Request,
  found: Ref,
  isFront: boolean,
  reply: ReplyWriter,
): void {
  const { db } = context;
  const { lists } = db.store;
  let ref = found;
  for (let i = 2; i < request.argc; i++) {
    ref =
      ref === NONE
        ? createList(context, request, 1, argument(request, i))
        : lists.push(db, ref, argument(request, i), isFront);
  }
  db.changed(ref, request.argc - 2);
  notifyKey(context, KEYSPACE_EVENT.l, isFront ? 'lpush' : 'rpush', request, 1);
  reply.int(lists.pushedSize);
}

/** A new list of one element under the key in argument `keyIndex`. */
export function createList(
  context: Context,
  request: Request,
  keyIndex: number,
  value: BytesView,
): Ref {
  KEY.buf = request.buf;
  KEY.at = request.at[keyIndex]!;
  KEY.size = request.size[keyIndex]!;
  const ref = context.db.store.lists.create(context.db, KEY, value);
  notifyKey(context, KEYSPACE_EVENT.n, 'new', request, keyIndex);
  return ref;
}

/** LINSERT key BEFORE|AFTER pivot element. */
export function linsert(context: Context, request: Request, reply: ReplyWriter): void {
  const isBefore = request.is(2, 'before');
  if (!isBefore && !request.is(2, 'after')) return reply.error(ERR_SYNTAX);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  const { db } = context;
  const { lists } = db.store;
  const { cursor, matcher } = lists;
  matcher.set(request.buf, request.at[3]!, request.size[3]!);
  cursor.seekEnd(ref, true);
  while (!matcher.matches(cursor.buf, cursor.pos)) if (!cursor.forward()) return reply.int(-1);
  const to = lists.insert(db, ref, argument(request, 4), isBefore);
  db.changed(to);
  notifyKey(context, KEYSPACE_EVENT.l, 'linsert', request, 1);
  reply.int(lists.size(to));
}

export function lset(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  const asked = request.int(2);
  if (asked === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const { db } = context;
  const { lists } = db.store;
  const size = lists.size(ref);
  const index = asked < 0 ? size + Number(asked) : Number(asked);
  if (index < 0 || index >= size) return reply.error(ERR_INDEX_RANGE);
  db.changed(lists.replace(db, ref, index, argument(request, 3)));
  notifyKey(context, KEYSPACE_EVENT.l, 'lset', request, 1);
  reply.ok();
}
