/** Reading sorted sets: counts, scores and ranks of members, and ZSCAN. */
import { type Ref, TYPE_ZSET, NONE } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_FLOAT_RANGE, ERR_NOT_LEX_RANGE } from './data-errors.ts';
import { isOfType, readKey, replyView } from './key-access.ts';
import { scanMembers } from './scan-members.ts';
import {
  lexRange,
  readZset,
  replyNothing,
  replyScore,
  replyZero,
  scoreRange,
} from './zset-access.ts';

export function zcard(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readZset(context, request, 1, reply, replyZero);
  if (ref !== NONE) reply.int(context.db.store.zsets.size(ref));
}

export function zscore(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readZset(context, request, 1, reply, replyNothing);
  if (ref !== NONE) answerScore(context, ref, request, 2, reply);
}

export function zmscore(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_ZSET, reply)) return;
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) {
    if (ref === NONE) reply.nullBulk();
    else answerScore(context, ref, request, i, reply);
  }
}

function answerScore(
  context: Context,
  ref: Ref,
  request: Request,
  i: number,
  reply: ReplyWriter,
): void {
  const { zsets } = context.db.store;
  const score = zsets.find(ref, request.buf, request.at[i]!, request.size[i]!);
  if (Number.isNaN(score)) reply.nullBulk();
  else replyScore(reply, score);
}

export function zrank(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readZset(context, request, 1, reply, replyNothing);
  if (ref === NONE) return;
  const rank = rankOf(context, ref, request);
  if (rank < 0) reply.nullBulk();
  else reply.int(rank);
}

export function zrevrank(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readZset(context, request, 1, reply, replyNothing);
  if (ref === NONE) return;
  const rank = rankOf(context, ref, request);
  if (rank < 0) reply.nullBulk();
  else reply.int(context.db.store.zsets.size(ref) - 1 - rank);
}

function rankOf(context: Context, ref: Ref, request: Request): number {
  return context.db.store.zsets.rank(ref, request.buf, request.at[2]!, request.size[2]!);
}

/** ZCOUNT key min max. */
export function zcount(context: Context, request: Request, reply: ReplyWriter): void {
  const range = scoreRange(request, 2, 3);
  if (range === undefined) return reply.error(ERR_NOT_FLOAT_RANGE);
  const ref = readZset(context, request, 1, reply, replyZero);
  if (ref === NONE) return;
  const { zsets } = context.db.store;
  zsets.boundsByScore(ref, range);
  reply.int(zsets.end - zsets.start);
}

/** ZLEXCOUNT key min max. */
export function zlexcount(context: Context, request: Request, reply: ReplyWriter): void {
  const range = lexRange(request, 2, 3);
  if (range === undefined) return reply.error(ERR_NOT_LEX_RANGE);
  const ref = readZset(context, request, 1, reply, replyZero);
  if (ref === NONE) return;
  const { zsets } = context.db.store;
  zsets.boundsByLex(ref, range, false);
  reply.int(zsets.end - zsets.start);
}

/** ZSCAN key cursor [MATCH pattern] [COUNT count]. */
export function zscan(context: Context, request: Request, reply: ReplyWriter): void {
  const { zsets } = context.db.store;
  scanMembers(context, request, reply, {
    type: TYPE_ZSET,
    visit: (ref, { cursor, count, matches }) => {
      let shown = 0;
      const next = zsets.scan(ref, { cursor, count }, (member, scoreText) => {
        if (!matches(member)) return;
        replyView(reply, member);
        replyView(reply, scoreText);
        shown += 2;
      });
      return { next, shown };
    },
  });
}
