/** Reading hashes: HGET, HMGET, HGETALL, HKEYS, HVALS, HEXISTS, HLEN, HSTRLEN and HSCAN. */
import { NONE, type Ref, TYPE_HASH } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { isOfType, readKey, replyView } from './key-access.ts';
import { scanMembers } from './scan-members.ts';

export function hget(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.nullBulk();
  if (isOfType(context, ref, TYPE_HASH, reply)) replyField(context, request, ref, 2, reply);
}

/** Answers the value of the field in argument `i`, or nil. */
function replyField(
  context: Context,
  request: Request,
  ref: Ref,
  i: number,
  reply: ReplyWriter,
): void {
  const { hashes } = context.db.store;
  const value = hashes.get(ref, request.buf, request.at[i]!, request.size[i]!);
  if (value === undefined) reply.nullBulk();
  else replyView(reply, value);
}

export function hmget(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_HASH, reply)) return;
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) {
    if (ref === NONE) reply.nullBulk();
    else replyField(context, request, ref, i, reply);
  }
}

export function hgetall(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.map(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  const { hashes } = context.db.store;
  reply.map(hashes.size(ref));
  hashes.forEach(ref, (field, value) => {
    replyView(reply, field);
    replyView(reply, value);
  });
}

export function hkeys(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.array(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  const { hashes } = context.db.store;
  reply.array(hashes.size(ref));
  hashes.forEach(ref, (field) => replyView(reply, field));
}

export function hvals(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.array(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  const { hashes } = context.db.store;
  reply.array(hashes.size(ref));
  hashes.forEach(ref, (_field, value) => replyView(reply, value));
}

export function hexists(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  const { hashes } = context.db.store;
  const value = hashes.get(ref, request.buf, request.at[2]!, request.size[2]!);
  reply.int(value === undefined ? 0 : 1);
}

export function hlen(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (isOfType(context, ref, TYPE_HASH, reply)) reply.int(context.db.store.hashes.size(ref));
}

export function hstrlen(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  const { hashes } = context.db.store;
  reply.int(hashes.get(ref, request.buf, request.at[2]!, request.size[2]!)?.size ?? 0);
}

/** HSCAN key cursor [MATCH pattern] [COUNT count]. */
export function hscan(context: Context, request: Request, reply: ReplyWriter): void {
  const { hashes } = context.db.store;
  scanMembers(context, request, reply, {
    type: TYPE_HASH,
    visit: (ref, { cursor, count, matches }) => {
      let shown = 0;
      const next = hashes.scan(ref, cursor, count, (field, value) => {
        if (!matches(field)) return;
        replyView(reply, field);
        replyView(reply, value);
        shown += 2;
      });
      return { next, shown };
    },
  });
}
