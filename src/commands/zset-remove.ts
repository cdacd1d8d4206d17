/** Taking members out: ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE and ZREMRANGEBYLEX. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_FLOAT_RANGE, ERR_NOT_LEX_RANGE } from './data-errors.ts';
import { dropEmpty, notifyKey } from './key-access.ts';
import { lexRange, longArgument, replyZero, scoreRange, writeZset } from './zset-access.ts';

/** ZREM key member [member ...]. */
export function zrem(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const { zsets } = db.store;
  let ref = writeZset(context, request, 1, reply, replyZero);
  if (ref === NONE) return;
  let count = 0;
  for (let i = 2; i < request.argc && zsets.size(ref) > 0; i++) {
    const score = zsets.find(ref, request.buf, request.at[i]!, request.size[i]!);
    if (Number.isNaN(score)) continue;
    db.store.beforeChange(ref);
    ref = zsets.remove(db, ref);
    count++;
  }
  if (count > 0) settle(context, request, { ref, count, event: 'zrem' });
  reply.int(count);
}

/** Counts and reports what was taken out, and deletes the key when nothing is left. */
function settle(
  context: Context,
  request: Request,
  { ref, count, event }: { readonly ref: Ref; readonly count: number; readonly event: string },
): void {
  const { db } = context;
  db.changed(ref, count);
  notifyKey(context, KEYSPACE_EVENT.z, event, request, 1);
  if (db.store.zsets.size(ref) === 0) dropEmpty(context, request, 1, ref);
}

/** ZREMRANGEBYRANK key start stop. */
export function zremrangebyrank(context: Context, request: Request, reply: ReplyWriter): void {
  const first = longArgument(request, 2, reply);
  if (Number.isNaN(first)) return;
  const last = longArgument(request, 3, reply);
  if (Number.isNaN(last)) return;
  const ref = writeZset(context, request, 1, reply, replyZero);
  if (ref === NONE) return;
  const size = context.db.store.zsets.size(ref);
  const start = Math.max(0, first < 0 ? first + size : first);
  const end = Math.min(size, (last < 0 ? last + size : last) + 1);
  removeRange(context, request, { ref, start, end, event: 'zremrangebyrank' }, reply);
}

/** ZREMRANGEBYSCORE key min max. */
export function zremrangebyscore(context: Context, request: Request, reply: ReplyWriter): void {
  const range = scoreRange(request, 2, 3);
  if (range === undefined) return reply.error(ERR_NOT_FLOAT_RANGE);
  const ref = writeZset(context, request, 1, reply, replyZero);
  if (ref === NONE) return;
  const { zsets } = context.db.store;
  zsets.boundsByScore(ref, range);
  const { start, end } = zsets;
  removeRange(context, request, { ref, start, end, event: 'zremrangebyscore' }, reply);
}

/** ZREMRANGEBYLEX key min max. */
export function zremrangebylex(context: Context, request: Request, reply: ReplyWriter): void {
  const range = lexRange(request, 2, 3);
  if (range === undefined) return reply.error(ERR_NOT_LEX_RANGE);
  const ref = writeZset(context, request, 1, reply, replyZero);
  if (ref === NONE) return;
  const { zsets } = context.db.store;
  zsets.boundsByLex(ref, range, false);
  const { start, end } = zsets;
  removeRange(context, request, { ref, start, end, event: 'zremrangebylex' }, reply);
}

interface Removal {
  readonly ref: Ref;
  /** Ranks, [start, end). */
  readonly start: number;
  readonly end: number;
  readonly event: string;
}

function removeRange(
  context: Context,
  request: Request,
  { ref, start, end, event }: Removal,
  reply: ReplyWriter,
): void {
  const { db } = context;
  const { zsets } = db.store;
  const count = end - start;
  if (count <= 0) return reply.int(0);
  db.store.beforeChange(ref);
  if (count === zsets.size(ref)) {
    // The whole value goes at once, or in the background if it is large.
    db.changed(ref, count);
    notifyKey(context, KEYSPACE_EVENT.z, event, request, 1);
    dropEmpty(context, request, 1, ref);
  } else {
    settle(context, request, { ref: zsets.removeRange(db, ref, start, end), count, event });
  }
  reply.int(count);
}
