/** What is in a list: LLEN, LINDEX, LRANGE and LPOS. */
import { NOT_INTEGER } from '../base/index.ts';
import { NONE, type Ref, TYPE_LIST } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { isOfType, readKey, replyView } from './key-access.ts';
import { replyElements } from './list-replies.ts';

const RANK_MIN: bigint = -(2n ** 63n);
const ERR_RANK_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use " +
  'negative to start from the end of the list';
const ERR_COUNT_NEGATIVE = "ERR COUNT can't be negative";
const ERR_MAXLEN_NEGATIVE = "ERR MAXLEN can't be negative";

export function llen(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (isOfType(context, ref, TYPE_LIST, reply)) reply.int(context.db.store.lists.size(ref));
}

export function lindex(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.nullBulk();
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  const asked = request.int(2);
  if (asked === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const { lists } = context.db.store;
  const size = lists.size(ref);
  const index = asked < 0 ? size + Number(asked) : Number(asked);
  if (index < 0 || index >= size) return reply.nullBulk();
  lists.cursor.seek(ref, index);
  replyView(reply, lists.cursor.readForward());
}

export function lrange(context: Context, request: Request, reply: ReplyWriter): void {
  const from = request.int(2);
  const to = request.int(3);
  if (from === NOT_INTEGER || to === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.array(0);
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  const { lists } = context.db.store;
  const size = lists.size(ref);
  const start = from < 0 ? Math.max(0, size + Number(from)) : Number(from);
  const end = to < 0 ? size + Number(to) : Math.min(size - 1, Number(to));
  if (start > end || start >= size) return reply.array(0);
  reply.array(end - start + 1);
  const { cursor } = lists;
  cursor.seek(ref, start);
  replyElements(cursor, end - start + 1, reply);
}

interface PositionOptions {
  /** Which match counts as the first, from 1; negative from the end. */
  rank: number;
  /** How many are wanted, 0 for all; -1: one, and not as an array. */
  count: number;
  /** How many elements are looked at, 0 for all. */
  lengthMax: number;
}

/** LPOS key element [RANK rank] [COUNT count] [MAXLEN len]. */
export function lpos(context: Context, request: Request, reply: ReplyWriter): void {
  const options: PositionOptions = { rank: 1, count: -1, lengthMax: 0 };
  const error = parsePositionOptions(request, options);
  if (error !== undefined) return reply.error(error);
  const ref = readKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_LIST, reply)) return;
  if (ref !== NONE) return replyPositions(context, request, ref, options, reply);
  if (options.count < 0) reply.nullBulk();
  else reply.array(0);
}

function parsePositionOptions(request: Request, options: PositionOptions): string | undefined {
  for (let i = 3; i < request.argc; i += 2) {
    if (i + 1 >= request.argc) return ERR_SYNTAX;
    const value = request.int(i + 1);
    const isPositive = value !== NOT_INTEGER && value >= 0;
    if (request.is(i, 'rank')) {
      if (value === NOT_INTEGER) return ERR_NOT_INTEGER;
      if (value === 0) return ERR_RANK_ZERO;
      // Redis 7.0 cannot negate the smallest number and takes it for the last match.
      options.rank = value === RANK_MIN ? -1 : Number(value);
    } else if (request.is(i, 'count')) {
      if (!isPositive) return ERR_COUNT_NEGATIVE;
      options.count = Number(value);
    } else if (request.is(i, 'maxlen')) {
      if (!isPositive) return ERR_MAXLEN_NEGATIVE;
      options.lengthMax = Number(value);
    } else return ERR_SYNTAX;
  }
  return undefined;
}

/** Answers where the element is: one index, or all of them as an array. */
function replyPositions(
  context: Context,
  request: Request,
  ref: Ref,
  options: PositionOptions,
  reply: ReplyWriter,
): void {
  const { lists } = context.db.store;
  const { cursor, matcher } = lists;
  const { count } = options;
  const isFromBack = options.rank < 0;
  const rank = Math.abs(options.rank);
  const size = lists.size(ref);
  const looked = options.lengthMax === 0 ? size : Math.min(options.lengthMax, size);
  const mark = count < 0 ? 0 : reply.beginDeferred();
  let matches = 0;
  let written = 0;
  matcher.set(request.buf, request.at[2]!, request.size[2]!);
  cursor.seekEnd(ref, !isFromBack);
  for (let i = 0; i < looked; i++) {
    if (matcher.matches(cursor.buf, cursor.pos) && ++matches >= rank) {
      reply.int(isFromBack ? size - 1 - i : i);
      if (count < 0) return;
      if (++written === count) break;
    }
    if (isFromBack) cursor.backward();
    else cursor.forward();
  }
  if (count < 0) reply.nullBulk();
  else reply.endArray(mark, written);
}
