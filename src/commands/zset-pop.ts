/** Taking the first or the last members: ZPOPMIN, ZPOPMAX, ZMPOP, and those that wait for one. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, TYPE_ZSET } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { NO_DEADLINE, blockingDeadline } from './blocking-time.ts';
import type { Context } from './context.ts';
import { ERR_COUNT_POSITIVE, ERR_NOT_POSITIVE, ERR_NUMKEYS_POSITIVE } from './data-errors.ts';
import { ERR_SYNTAX } from './errors.ts';
import { dropEmpty, isOfType, notifyKey, replyView, writeKey } from './key-access.ts';
import type { Handler } from './spec.ts';
import { replyEmpty, replyScore, writeZset } from './zset-access.ts';

/** ZPOPMIN, ZPOPMAX key [count]. */
function popping(isMax: boolean): Handler {
  return (context, request, reply) => {
    if (request.argc > 3) return reply.error(ERR_SYNTAX);
    const hasCount = request.argc === 3;
    const count = hasCount ? request.int(2) : 1;
    if (count === NOT_INTEGER || count < 0) return reply.error(ERR_NOT_POSITIVE);
    const ref = writeZset(context, request, 1, reply, replyEmpty);
    if (ref === NONE) return;
    if (count === 0) return reply.array(0);
    const isNested = hasCount && reply.resp === 3;
    const taken = Math.min(Number(count), context.db.store.zsets.size(ref));
    reply.array(isNested ? taken : taken * 2);
    pop(context, request, { ref, keyAt: 1, isMax, count: taken, isNested }, reply);
  };
}

export const zpopmin: Handler = popping(false);
export const zpopmax: Handler = popping(true);

interface Pop {
  readonly ref: Ref;
  readonly keyAt: number;
  readonly isMax: boolean;
  /** At most the size of the set. */
  readonly count: number;
  readonly isNested: boolean;
}

/** Answers the members and takes them out, with all that follows from it. */
function pop(
  context: Context,
  request: Request,
  { ref, keyAt, isMax, count, isNested }: Pop,
  reply: ReplyWriter,
): void {
  const { db } = context;
  const { zsets } = db.store;
  const { cursor } = zsets;
  const size = zsets.size(ref);
  db.store.beforeChange(ref);
  cursor.seek(ref, isMax ? size - 1 : 0);
  for (let left = count; left > 0; left--) {
    if (isNested) reply.array(2);
    replyView(reply, cursor);
    replyScore(reply, cursor.score);
    if (isMax) cursor.previous();
    else cursor.next();
  }
  const isEmptied = count === size;
  const start = isMax ? size - count : 0;
  const to = isEmptied ? ref : zsets.removeRange(db, ref, start, start + count);
  db.changed(to, count);
  notifyKey(context, KEYSPACE_EVENT.z, isMax ? 'zpopmax' : 'zpopmin', request, keyAt);
  if (isEmptied) dropEmpty(context, request, keyAt, to);
}

/** What ZMPOP and BZMPOP are asked for. */
interface MultiPop {
  readonly firstKey: number;
  readonly keyCount: number;
  readonly isMax: boolean;
  readonly count: number;
}

/** numkeys key [key ...] MIN | MAX [COUNT count], from argument `at` on; undefined after an error. */
function multiPop(request: Request, at: number, reply: ReplyWriter): MultiPop | undefined {
  const refuse = (text: string): undefined => {
    reply.error(text);
    return undefined;
  };
  const keyCount = request.int(at);
  if (keyCount === NOT_INTEGER || keyCount < 1) return refuse(ERR_NUMKEYS_POSITIVE);
  const whereAt = at + Number(keyCount) + 1;
  if (whereAt >= request.argc) return refuse(ERR_SYNTAX);
  const isMax = request.is(whereAt, 'max');
  if (!isMax && !request.is(whereAt, 'min')) return refuse(ERR_SYNTAX);
  let count: number | undefined;
  for (let i = whereAt + 1; i < request.argc; i += 2) {
    if (count !== undefined || !request.is(i, 'count') || i + 1 >= request.argc) {
      return refuse(ERR_SYNTAX);
    }
    const value = request.int(i + 1);
    if (value === NOT_INTEGER || value < 1) return refuse(ERR_COUNT_POSITIVE);
    count = Number(value);
  }
  return { firstKey: at + 1, keyCount: Number(keyCount), isMax, count: count ?? 1 };
}

/** Pops from the first key that has a sorted set: whether the call was answered. */
function popFirst(
  context: Context,
  request: Request,
  asked: MultiPop,
  reply: ReplyWriter,
  answer: (context: Context, request: Request, pop: Pop, reply: ReplyWriter) => void,
): boolean {
  const { readyArgument } = context;
  for (let i = asked.firstKey; i < asked.firstKey + asked.keyCount; i++) {
    if (readyArgument !== 0 && readyArgument !== i) continue;
    const ref = writeKey(context, request, i);
    if (ref === NONE) continue;
    if (!isOfType(context, ref, TYPE_ZSET, reply)) return true;
    const { isMax } = asked;
    const count = Math.min(asked.count, context.db.store.zsets.size(ref));
    answer(context, request, { ref, keyAt: i, isMax, count, isNested: false }, reply);
    return true;
  }
  return false;
}

/** Answers the key and an array of pairs. */
function answerMany(context: Context, request: Request, asked: Pop, reply: ReplyWriter): void {
  const { keyAt, isMax, count } = asked;
  reply.array(2);
  reply.bulk(request.buf, request.at[keyAt]!, request.size[keyAt]!);
  reply.array(count);
  pop(context, request, { ...asked, isNested: true }, reply);
  // Which keys were empty is nothing to a replica.
  const name = isMax ? 'ZPOPMAX' : 'ZPOPMIN';
  context.propagateAs([name, request.bytes(keyAt), String(count)]);
}

/** Answers key, member and score. */
function answerOne(context: Context, request: Request, asked: Pop, reply: ReplyWriter): void {
  const { keyAt, isMax } = asked;
  reply.array(3);
  reply.bulk(request.buf, request.at[keyAt]!, request.size[keyAt]!);
  pop(context, request, asked, reply);
  context.propagateAs([isMax ? 'ZPOPMAX' : 'ZPOPMIN', request.bytes(keyAt)]);
}

/** ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]. */
export function zmpop(context: Context, request: Request, reply: ReplyWriter): void {
  const asked = multiPop(request, 1, reply);
  if (asked === undefined) return;
  if (!popFirst(context, request, asked, reply, answerMany)) reply.nullArray();
}

/** BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]. */
export function bzmpop(context: Context, request: Request, reply: ReplyWriter): void {
  const asked = multiPop(request, 2, reply);
  if (asked === undefined) return;
  const deadline = blockingDeadline(context, request, 1, reply);
  if (deadline === NO_DEADLINE) return;
  if (popFirst(context, request, asked, reply, answerMany)) return;
  if (!context.mayBlock) return reply.nullArray();
  const { firstKey, keyCount } = asked;
  context.blockOnKeys(request, { type: TYPE_ZSET, firstKey, keyCount, deadline });
}

/** BZPOPMIN, BZPOPMAX key [key ...] timeout. */
function waiting(isMax: boolean): Handler {
  return (context, request, reply) => {
    const deadline = blockingDeadline(context, request, request.argc - 1, reply);
    if (deadline === NO_DEADLINE) return;
    const keys = { firstKey: 1, keyCount: request.argc - 2 };
    if (popFirst(context, request, { ...keys, isMax, count: 1 }, reply, answerOne)) return;
    if (!context.mayBlock) return reply.nullArray();
    context.blockOnKeys(request, { type: TYPE_ZSET, ...keys, deadline });
  };
}

export const bzpopmin: Handler = waiting(false);
export const bzpopmax: Handler = waiting(true);
