/** Members of one set: SADD, SREM, SMOVE, SISMEMBER, SMISMEMBER, SCARD and SSCAN. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, TYPE_SET } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  argument,
  dropEmpty,
  isOfType,
  isSameArgument,
  notifyKey,
  readKey,
  replyView,
  writeKey,
} from './key-access.ts';
import { scanMembers } from './scan-members.ts';

export function sadd(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const { sets } = db.store;
  const { buf } = request;
  let ref = writeKey(context, request, 1);
  if (ref === NONE) ref = createSet(context, request, 1, 2);
  else if (!isOfType(context, ref, TYPE_SET, reply)) return;
  let count = 0;
  for (let i = 2; i < request.argc; i++) {
    ref = sets.add(db, ref, buf, request.at[i]!, request.size[i]!);
    if (sets.isChanged) count++;
  }
  if (count > 0) {
    db.changed(ref, count);
    notifyKey(context, KEYSPACE_EVENT.s, 'sadd', request, 1);
  }
  reply.int(count);
}

/** An empty set under the key in argument `keyIndex`, for the member in argument `memberIndex`. */
function createSet(context: Context, request: Request, keyIndex: number, memberIndex: number): Ref {
  const { db } = context;
  const at = request.at[memberIndex]!;
  const key = argument(request, keyIndex);
  const ref = db.store.sets.create(db, key, request.buf, at, request.size[memberIndex]!);
  notifyKey(context, KEYSPACE_EVENT.n, 'new', request, keyIndex);
  return ref;
}

export function srem(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const { sets } = db.store;
  let ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_SET, reply)) return;
  let count = 0;
  let isEmpty = false;
  for (let i = 2; i < request.argc && !isEmpty; i++) {
    ref = sets.remove(db, ref, request.buf, request.at[i]!, request.size[i]!);
    if (!sets.isChanged) continue;
    count++;
    isEmpty = sets.size(ref) === 0;
  }
  if (count > 0) {
    db.changed(ref, count);
    notifyKey(context, KEYSPACE_EVENT.s, 'srem', request, 1);
    if (isEmpty) dropEmpty(context, request, 1, ref);
  }
  reply.int(count);
}

/** SMOVE source destination member. */
export function smove(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const { sets } = db.store;
  const { buf } = request;
  const at = request.at[3]!;
  const size = request.size[3]!;
  const source = writeKey(context, request, 1);
  const target = writeKey(context, request, 2);
  if (source === NONE) return reply.int(0);
  if (!isOfType(context, source, TYPE_SET, reply)) return;
  if (target !== NONE && !isOfType(context, target, TYPE_SET, reply)) return;
  if (isSameArgument(request, 1, 2)) return reply.int(sets.has(source, buf, at, size) ? 1 : 0);
  const left = sets.remove(db, source, buf, at, size);
  if (!sets.isChanged) return reply.int(0);
  db.changed(left);
  notifyKey(context, KEYSPACE_EVENT.s, 'srem', request, 1);
  if (sets.size(left) === 0) dropEmpty(context, request, 1, left);
  const place = target === NONE ? createSet(context, request, 2, 3) : target;
  const grown = sets.add(db, place, buf, at, size);
  if (sets.isChanged) {
    db.changed(grown);
    notifyKey(context, KEYSPACE_EVENT.s, 'sadd', request, 2);
  }
  reply.int(1);
}

export function sismember(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_SET, reply)) return;
  const { sets } = context.db.store;
  reply.int(sets.has(ref, request.buf, request.at[2]!, request.size[2]!) ? 1 : 0);
}

export function smismember(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_SET, reply)) return;
  const { sets } = context.db.store;
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) {
    const isMember = ref !== NONE && sets.has(ref, request.buf, request.at[i]!, request.size[i]!);
    reply.int(isMember ? 1 : 0);
  }
}

export function scard(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (isOfType(context, ref, TYPE_SET, reply)) reply.int(context.db.store.sets.size(ref));
}

/** SSCAN key cursor [MATCH pattern] [COUNT count]. */
export function sscan(context: Context, request: Request, reply: ReplyWriter): void {
  const { sets } = context.db.store;
  scanMembers(context, request, reply, {
    type: TYPE_SET,
    visit: (ref, { cursor, count, matches }) => {
      let shown = 0;
      const next = sets.scan(ref, cursor, count, (member) => {
        if (!matches(member)) return;
        replyView(reply, member);
        shown++;
      });
      return { next, shown };
    },
  });
}
