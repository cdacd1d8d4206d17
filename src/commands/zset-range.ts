/** Members of a range of ranks, scores or bytes: ZRANGE and its like, and ZRANGESTORE. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  type LexRange,
  NONE,
  type Ref,
  type ScoreRange,
  type ZsetCursor,
  ZsetResult,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  ERR_LEX_SCORES,
  ERR_NOT_FLOAT_RANGE,
  ERR_NOT_LEX_RANGE,
  ERR_RANK_LIMIT,
} from './data-errors.ts';
import { ERR_SYNTAX } from './errors.ts';
import { argument } from './key-access.ts';
import type { Handler } from './spec.ts';
import { storeResult } from './store-result.ts';
import {
  beginMembers,
  lexRange,
  longArgument,
  readZset,
  replyEmpty,
  replyMember,
  scoreRange,
} from './zset-access.ts';

const BY_RANK = 0;
const BY_SCORE = 1;
const BY_LEX = 2;

/** What a range command is asked for; one object, set anew for each call. */
const ASKED: {
  by: number;
  isReverse: boolean;
  hasScores: boolean;
  offset: number;
  limit: number;
  first: number;
  last: number;
  scores: ScoreRange | undefined;
  members: LexRange | undefined;
} = {
  by: BY_RANK,
  isReverse: false,
  hasScores: false,
  offset: 0,
  /** -1: no limit. */
  limit: -1,
  /** The ends, by what they are: ranks, scores or members. */
  first: 0,
  last: 0,
  scores: undefined,
  members: undefined,
};

/** What a command's name says already; undefined: an option may say it. */
interface Fixed {
  readonly by?: number;
  readonly isReverse?: boolean;
}

const ANYTHING: Fixed = {};

/** Where `readOptions`, `rankBounds` and so on leave the ranks [start, end). */
const BOUNDS = { start: 0, end: 0 };

function ranging(fixed: Fixed): Handler {
  return (context, request, reply) => {
    if (!readOptions(request, 4, fixed, false, reply)) return;
    if (!readEnds(request, 2, reply)) return;
    const ref = readZset(context, request, 1, reply, replyEmpty);
    if (ref !== NONE && findBounds(context, ref)) answer(context, ref, reply);
    else if (ref !== NONE) reply.array(0);
  };
}

export const zrange: Handler = ranging(ANYTHING);
export const zrevrange: Handler = ranging({ by: BY_RANK, isReverse: true });
export const zrangebyscore: Handler = ranging({ by: BY_SCORE, isReverse: false });
export const zrevrangebyscore: Handler = ranging({ by: BY_SCORE, isReverse: true });
export const zrangebylex: Handler = ranging({ by: BY_LEX, isReverse: false });
export const zrevrangebylex: Handler = ranging({ by: BY_LEX, isReverse: true });

/** ZRANGESTORE destination source start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count]. */
export function zrangestore(context: Context, request: Request, reply: ReplyWriter): void {
  if (!readOptions(request, 5, ANYTHING, true, reply)) return;
  if (!readEnds(request, 3, reply)) return;
  let isWrong = true;
  const ref = readZset(context, request, 2, reply, () => {
    isWrong = false;
  });
  if (ref === NONE && isWrong) return;
  const result = new ZsetResult(context.db);
  if (ref !== NONE && findBounds(context, ref)) collect(context, ref, result);
  const { size } = result;
  if (size === 0) result.discard();
  storeResult(context, request, 1, {
    event: 'zrangestore',
    eventClass: KEYSPACE_EVENT.z,
    store: size === 0 ? undefined : () => result.store(argument(request, 1)),
  });
  reply.int(size);
}

/** Adds what BOUNDS say to a result, in the order of the answer. */
function collect(context: Context, ref: Ref, result: ZsetResult): void {
  const { db } = context;
  const { cursor } = db.store.zsets;
  const { start, end } = BOUNDS;
  const entriesMax = db.limits['zset-max-listpack-entries'];
  const valueMax = db.limits['zset-max-listpack-value'];
  // In Redis the new set is a listpack until it has to be more, and a listpack has no minus 0.
  let isPacked = ASKED.by !== BY_RANK || end - start <= entriesMax;
  cursor.seek(ref, ASKED.isReverse ? end - 1 : start);
  for (let left = end - start; left > 0; left--, advance(cursor)) {
    if (isPacked) isPacked = result.size < entriesMax && cursor.size <= valueMax;
    result.add(isPacked ? cursor.score + 0 : cursor.score, cursor);
  }
}

function advance(cursor: ZsetCursor): void {
  if (ASKED.isReverse) cursor.previous();
  else cursor.next();
}

/** Reads the options from argument `first` on into ASKED; false after an error reply. */
function readOptions(
  request: Request,
  first: number,
  fixed: Fixed,
  isStore: boolean,
  reply: ReplyWriter,
): boolean {
  const asked = ASKED;
  let by = fixed.by;
  let isReverse = fixed.isReverse;
  asked.hasScores = false;
  asked.offset = 0;
  asked.limit = -1;
  for (let i = first; i < request.argc; i++) {
    if (!isStore && request.is(i, 'withscores')) asked.hasScores = true;
    else if (request.is(i, 'limit') && i + 2 < request.argc) {
      asked.offset = longArgument(request, i + 1, reply);
      if (Number.isNaN(asked.offset)) return false;
      asked.limit = longArgument(request, i + 2, reply);
      if (Number.isNaN(asked.limit)) return false;
      i += 2;
    } else if (isReverse === undefined && request.is(i, 'rev')) isReverse = true;
    else if (by === undefined && request.is(i, 'bylex')) by = BY_LEX;
    else if (by === undefined && request.is(i, 'byscore')) by = BY_SCORE;
    else {
      reply.error(ERR_SYNTAX);
      return false;
    }
  }
  asked.by = by ?? BY_RANK;
  asked.isReverse = isReverse ?? false;
  if (asked.limit !== -1 && asked.by === BY_RANK) reply.error(ERR_RANK_LIMIT);
  else if (asked.hasScores && asked.by === BY_LEX) reply.error(ERR_LEX_SCORES);
  else return true;
  return false;
}

/** Reads the ends in arguments `at` and `at + 1` into ASKED; false after an error reply. */
function readEnds(request: Request, at: number, reply: ReplyWriter): boolean {
  const asked = ASKED;
  if (asked.by === BY_RANK) {
    asked.first = longArgument(request, at, reply);
    if (Number.isNaN(asked.first)) return false;
    asked.last = longArgument(request, at + 1, reply);
    return !Number.isNaN(asked.last);
  }
  // Reversed, the greater end comes first.
  const minAt = asked.isReverse ? at + 1 : at;
  const maxAt = asked.isReverse ? at : at + 1;
  if (asked.by === BY_SCORE) {
    asked.scores = scoreRange(request, minAt, maxAt);
    if (asked.scores === undefined) reply.error(ERR_NOT_FLOAT_RANGE);
    return asked.scores !== undefined;
  }
  asked.members = lexRange(request, minAt, maxAt);
  if (asked.members === undefined) reply.error(ERR_NOT_LEX_RANGE);
  return asked.members !== undefined;
}

/** Finds the ranks [start, end) of what is asked for, from the lowest score, into BOUNDS; whether there are any. */
function findBounds(context: Context, ref: Ref): boolean {
  const { zsets } = context.db.store;
  const asked = ASKED;
  if (asked.by === BY_RANK) setRanks(asked.first, asked.last, zsets.size(ref));
  else {
    if (asked.by === BY_SCORE) zsets.boundsByScore(ref, asked.scores!);
    else zsets.boundsByLex(ref, asked.members!, asked.isReverse);
    setLimited(zsets.start, zsets.end);
  }
  return BOUNDS.start < BOUNDS.end;
}

/** Sets BOUNDS to ranks as ZRANGE counts them: inclusive, negative from the end. */
function setRanks(first: number, last: number, size: number): void {
  const from = Math.max(0, first < 0 ? first + size : first);
  const to = Math.min(size - 1, last < 0 ? last + size : last);
  BOUNDS.start = ASKED.isReverse ? size - 1 - to : from;
  BOUNDS.end = ASKED.isReverse ? size - from : to + 1;
}

/** Sets BOUNDS to the part of [start, end) that LIMIT leaves. */
function setLimited(start: number, end: number): void {
  const { offset, limit, isReverse } = ASKED;
  const count = end - start;
  // A negative offset skips everything, a negative limit takes everything.
  const skipped = offset < 0 ? count : Math.min(offset, count);
  const taken = limit < 0 ? count - skipped : Math.min(limit, count - skipped);
  BOUNDS.start = isReverse ? end - skipped - taken : start + skipped;
  BOUNDS.end = BOUNDS.start + taken;
}

function answer(context: Context, ref: Ref, reply: ReplyWriter): void {
  const { cursor } = context.db.store.zsets;
  const { hasScores, isReverse } = ASKED;
  const { start, end } = BOUNDS;
  beginMembers(reply, end - start, hasScores);
  cursor.seek(ref, isReverse ? end - 1 : start, end - start, isReverse);
  for (let left = end - start; left > 0; left--, advance(cursor)) {
    replyMember(reply, cursor, cursor.score, hasScores);
  }
}
