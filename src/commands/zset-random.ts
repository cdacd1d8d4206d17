/** ZRANDMEMBER: members drawn by lot, each with the same chance. */
import { NOT_INTEGER } from '../base/index.ts';
import { NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LONG_RANGE, ERR_OUT_OF_RANGE } from './data-errors.ts';
import { drawDistinct, isSparse, replyRepeated, selection } from './draw.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { replyView } from './key-access.ts';
import { beginMembers, readZset, replyEmpty, replyMember, replyNothing } from './zset-access.ts';

const LONG_MAX = 0x7fff_ffff_ffff_ffffn;

/** ZRANDMEMBER key [count [WITHSCORES]]; a negative count may name a member more than once. */
export function zrandmember(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc === 2) {
    const ref = readZset(context, request, 1, reply, replyNothing);
    if (ref === NONE) return;
    const { cursor } = context.db.store.zsets;
    cursor.seek(ref, drawRank(context, ref));
    return replyView(reply, cursor);
  }
  const count = request.int(2);
  if (count === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (count < -LONG_MAX) return reply.error(ERR_LONG_RANGE);
  const hasScores = request.argc > 3;
  if (request.argc > 4 || (hasScores && !request.is(3, 'withscores'))) {
    return reply.error(ERR_SYNTAX);
  }
  if (hasScores && (count < -(LONG_MAX / 2n) || count > LONG_MAX / 2n)) {
    return reply.error(ERR_OUT_OF_RANGE);
  }
  const ref = readZset(context, request, 1, reply, replyEmpty);
  if (ref !== NONE) answer(context, ref, { count, hasScores }, reply);
}

function drawRank(context: Context, ref: Ref): number {
  return context.server.rng.below(context.db.store.zsets.size(ref));
}

function answer(
  context: Context,
  ref: Ref,
  { count, hasScores }: { readonly count: number | bigint; readonly hasScores: boolean },
  reply: ReplyWriter,
): void {
  const { cursor } = context.db.store.zsets;
  const show = (): void => replyMember(reply, cursor, cursor.score, hasScores);
  if (count < 0) {
    const each = hasScores && reply.resp === 2 ? 2 : 1;
    const seek = cursor.seeker(ref);
    return replyRepeated(context, { count: -Number(count), each }, () => {
      seek(drawRank(context, ref));
      show();
    });
  }
  const size = context.db.store.zsets.size(ref);
  const wanted = Math.min(Number(count), size);
  beginMembers(reply, wanted, hasScores);
  const isLarge = context.db.entries.isLarge(ref);
  if (isLarge && isSparse(size, wanted)) {
    const draw = (): number => {
      const rank = drawRank(context, ref);
      cursor.seek(ref, rank);
      return rank;
    };
    return drawDistinct(wanted, draw, show);
  }
  if (isLarge && wanted === size) {
    // Nothing is drawn then, and the order shows: from the end, as in Redis.
    for (cursor.seek(ref, size - 1); cursor.isHere; cursor.previous()) show();
    return;
  }
  const isTaken = selection(context.server.rng, size, wanted);
  if (isLarge) {
    for (cursor.seek(ref, 0); cursor.isHere; cursor.next()) if (isTaken()) show();
    return;
  }
  const seek = cursor.seeker(ref);
  for (let rank = 0; rank < size; rank++) {
    if (!isTaken()) continue;
    seek(rank);
    show();
  }
}
