/** ZADD and ZINCRBY. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, TYPE_ZSET } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SCORE_NAN, ERR_ZADD_GT_LT_NX, ERR_ZADD_INCR, ERR_ZADD_NX_XX } from './data-errors.ts';
import { ERR_NOT_FLOAT, ERR_SYNTAX } from './errors.ts';
import { argument, isOfType, notifyKey, writeKey } from './key-access.ts';
import { replyScore, scoreArgument } from './zset-access.ts';

export const NX = 1;
export const XX = 2;
const GT = 4;
const LT = 8;
export const CH = 16;
const INCR = 32;
const OPTIONS: readonly (readonly [word: string, bit: number])[] = [
  ['nx', NX],
  ['xx', XX],
  ['ch', CH],
  ['incr', INCR],
  ['gt', GT],
  ['lt', LT],
];
const LONGEST_OPTION = 4;

/** Scores of a call with more than one, before any of them is put anywhere. */
let scores = new Float64Array(16);

/** ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]. */
export function zadd(context: Context, request: Request, reply: ReplyWriter): void {
  addMembers(context, request, reply, 0);
}

/** ZINCRBY key increment member. */
export function zincrby(context: Context, request: Request, reply: ReplyWriter): void {
  addMembers(context, request, reply, INCR);
}

function addMembers(
  context: Context,
  request: Request,
  reply: ReplyWriter,
  givenFlags: number,
): void {
  let flags = givenFlags;
  let first = 2;
  for (let bit; first < request.argc && (bit = optionAt(request, first)) !== 0; first++) {
    flags |= bit;
  }
  const problem = checkOptions(request, flags, first) ?? readScores(request, first);
  if (problem !== undefined) return reply.error(problem);
  addScored(context, request, { first: first + 1, step: 2, flags }, reply);
}

/** Where the members of a call stand, one in so many arguments, and what is asked of them. */
export interface ScoredMembers {
  readonly first: number;
  readonly step: number;
  /** Those of `optionAt`. */
  readonly flags: number;
}

/** Room for the scores of so many members, which `addScored` gives them. */
export function scoresOf(count: number): Float64Array {
  if (count > scores.length) scores = new Float64Array(count * 2);
  return scores;
}

/** Gives members of a call the scores in `scoresOf`, and answers it. */
export function addScored(
  context: Context,
  request: Request,
  members: ScoredMembers,
  reply: ReplyWriter,
): void {
  const { first, flags } = members;
  let ref = writeKey(context, request, 1);
  if (ref !== NONE && !isOfType(context, ref, TYPE_ZSET, reply)) return;
  if (ref === NONE) {
    if ((flags & XX) !== 0) return answer(reply, flags, 0, false);
    ref = context.db.store.zsets.create(context.db, argument(request, 1), request.size[first]!);
    notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 1);
  }
  PUT.ref = ref;
  putMembers(context, request, members, reply);
}

/** The option in argument `i`, as a bit; 0 for none. */
export function optionAt(request: Request, i: number): number {
  if (request.size[i]! > LONGEST_OPTION) return 0;
  for (const [word, bit] of OPTIONS) if (request.is(i, word)) return bit;
  return 0;
}

/** The error of options and number of arguments, if there is one. */
function checkOptions(request: Request, flags: number, first: number): string | undefined {
  const count = request.argc - first;
  if (count === 0 || count % 2 !== 0) return ERR_SYNTAX;
  if ((flags & (NX | XX)) === (NX | XX)) return ERR_ZADD_NX_XX;
  const limits = flags & (NX | GT | LT);
  if (limits !== 0 && limits !== NX && limits !== GT && limits !== LT) return ERR_ZADD_GT_LT_NX;
  return (flags & INCR) !== 0 && count > 2 ? ERR_ZADD_INCR : undefined;
}

/** Reads the scores of all pairs from argument `first` on; the error, if one is no number. */
function readScores(request: Request, first: number): string | undefined {
  const count = (request.argc - first) >>> 1;
  const to = scoresOf(count);
  for (let i = 0; i < count; i++) {
    const score = scoreArgument(request, first + 2 * i);
    if (Number.isNaN(score)) return ERR_NOT_FLOAT;
    to[i] = score;
  }
  return undefined;
}

/** What became of a pair. */
const SKIPPED = 0;
const KEPT = 1;
const UPDATED = 2;
const ADDED = 3;

/** Where `put` leaves the entry's ref and the score that the member has now. */
const PUT: { ref: Ref; score: number } = { ref: NONE, score: 0 };

/** Puts the members into the set `PUT.ref`. */
function putMembers(
  context: Context,
  request: Request,
  { first, step, flags }: ScoredMembers,
  reply: ReplyWriter,
): void {
  let added = 0;
  let updated = 0;
  let isProcessed = false;
  for (let i = first, place = 0; i < request.argc; i += step, place++) {
    const outcome = put(context, request, i, scores[place]!, flags);
    if (outcome === ADDED) added++;
    else if (outcome === UPDATED) updated++;
    if (outcome !== SKIPPED) isProcessed = true;
  }
  // Only a single increment can fail, and then nothing has changed.
  if (Number.isNaN(PUT.score)) return reply.error(ERR_SCORE_NAN);
  if (added + updated > 0) {
    context.db.changed(PUT.ref, added + updated);
    const event = (flags & INCR) !== 0 ? 'zincr' : 'zadd';
    notifyKey(context, KEYSPACE_EVENT.z, event, request, 1);
  }
  answer(reply, flags, (flags & CH) !== 0 ? added + updated : added, isProcessed);
}

/** Adds the member in argument `i`, or gives it the score, as far as the options allow. */
function put({ db }: Context, request: Request, i: number, given: number, flags: number): number {
  const { store } = db;
  const { zsets } = store;
  const old = zsets.find(PUT.ref, request.buf, request.at[i]!, request.size[i]!);
  const isNew = Number.isNaN(old);
  PUT.score = given;
  if (isNew) {
    if ((flags & XX) !== 0) return SKIPPED;
    store.beforeChange(PUT.ref);
    PUT.ref = zsets.insert(db, PUT.ref, given, argument(request, i));
    return ADDED;
  }
  if ((flags & NX) !== 0) return SKIPPED;
  const score = (flags & INCR) !== 0 ? old + given : given;
  PUT.score = score;
  if (Number.isNaN(score)) return SKIPPED;
  if ((flags & LT) !== 0 && score >= old) return SKIPPED;
  if ((flags & GT) !== 0 && score <= old) return SKIPPED;
  if (score === old) return KEPT;
  store.beforeChange(PUT.ref);
  PUT.ref = zsets.setScore(db, PUT.ref, score, argument(request, i));
  return UPDATED;
}

function answer(reply: ReplyWriter, flags: number, count: number, isProcessed: boolean): void {
  if ((flags & INCR) === 0) reply.int(count);
  else if (isProcessed) replyScore(reply, PUT.score);
  else reply.nullBulk();
}
