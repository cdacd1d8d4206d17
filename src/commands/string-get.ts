/** Reading strings: GET, MGET, GETDEL, GETEX, STRLEN, GETRANGE and SUBSTR. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, TYPE_STRING } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { NO_TIME, expiryArgument, expiryDeletion, isPast } from './expire-time.ts';
import { bytesOf, isString, notifyKey, readKey, replyString } from './key-access.ts';
import { parseStringOptions } from './string-options.ts';

/** Answers the string of the key in argument 1, or nil; false after WRONGTYPE. */
export function getString(context: Context, request: Request, reply: ReplyWriter): boolean {
  const ref = readKey(context, request, 1);
  if (ref === NONE) {
    reply.nullBulk();
    return true;
  }
  if (!isString(context, ref, reply)) return false;
  replyString(context, ref, reply);
  return true;
}

export function get(context: Context, request: Request, reply: ReplyWriter): void {
  getString(context, request, reply);
}

export function mget(context: Context, request: Request, reply: ReplyWriter): void {
  const { entries } = context.db;
  reply.array(request.argc - 1);
  for (let i = 1; i < request.argc; i++) {
    const ref = readKey(context, request, i);
    if (ref === NONE || entries.type(ref) !== TYPE_STRING) reply.nullBulk();
    else replyString(context, ref, reply);
  }
}

export function strlen(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (isString(context, ref, reply)) reply.int(context.db.entries.stringSize(ref));
}

export function getdel(context: Context, request: Request, reply: ReplyWriter): void {
  if (!getString(context, request, reply)) return;
  const { db } = context;
  const ref = db.find(request.buf, request.at[1]!, request.size[1]!);
  // On a replica an expired key is there but not seen: it waits for the master's deletion.
  if (ref === NONE || db.isExpired(ref)) return;
  db.delete(ref);
  context.propagateAs(['DEL', request.bytes(1)]);
  notifyKey(context, KEYSPACE_EVENT.g, 'del', request, 1);
}

/** GETEX key [EX|PX|EXAT|PXAT time|PERSIST]: a GET that also changes the expiry. */
export function getex(context: Context, request: Request, reply: ReplyWriter): void {
  const options = parseStringOptions(request, 2, 'getex');
  if (options === undefined) return reply.error(ERR_SYNTAX);
  const { db } = context;
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.nullBulk();
  if (!isString(context, ref, reply)) return;
  const { time } = options;
  if (time === undefined) {
    replyString(context, ref, reply);
    if (!options.isPersist || !db.entries.hasExpiry(ref)) return;
    db.persist(ref);
    context.propagateAs(['PERSIST', request.bytes(1)]);
    notifyKey(context, KEYSPACE_EVENT.g, 'persist', request, 1);
    return;
  }
  const expireAt = expiryArgument(context, request, time.at, time.form, true, reply);
  if (expireAt === NO_TIME) return;
  replyString(context, ref, reply);
  if (time.form.isAbsolute && isPast(context, expireAt)) {
    db.delete(ref);
    context.propagateAs(expiryDeletion(context, request.bytes(1)));
    notifyKey(context, KEYSPACE_EVENT.g, 'del', request, 1);
    return;
  }
  db.setExpire(ref, expireAt);
  context.propagateAs(['PEXPIREAT', request.bytes(1), String(expireAt)]);
  notifyKey(context, KEYSPACE_EVENT.g, 'expire', request, 1);
}

/** GETRANGE key start end, both included, negative from the end; SUBSTR is its old name. */
export function getrange(context: Context, request: Request, reply: ReplyWriter): void {
  const first = request.int(2);
  const last = request.int(3);
  if (first === NOT_INTEGER || last === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.bulkText('');
  if (!isString(context, ref, reply)) return;
  const view = context.db.entries.stringView(ref);
  const { start, end } = byteRange(Number(first), Number(last), view.size);
  if (start >= end) return reply.bulkText('');
  reply.bulk(bytesOf(view), view.at + start, end - start);
}

/** The bytes [start, end) that two inclusive indexes mean, negative ones counting from the end. */
function byteRange(
  first: number,
  last: number,
  size: number,
): { readonly start: number; readonly end: number } {
  if (first < 0 && last < 0 && first > last) return { start: 0, end: 0 };
  const start = Math.max(0, first < 0 ? first + size : first);
  const end = Math.min(size - 1, Math.max(0, last < 0 ? last + size : last)) + 1;
  return { start, end };
}
