/** What the sorted set commands share: reading scores and ranges from arguments, answering scores. */
import {
  DIGITS_MAX,
  NOT_INTEGER,
  formatDouble,
  parseBound,
  parseDouble,
  writeDigits,
} from '../base/index.ts';
import { type LexEnd, type LexRange, type ScoreRange, TYPE_ZSET } from '../keyspace/index.ts';
import { type BytesView, NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER } from './errors.ts';
import { isOfType, readKey, replyView, writeKey } from './key-access.ts';

const OPEN = 0x28;
const CLOSED = 0x5b;
const MINUS = 0x2d;
const PLUS = 0x2b;

// Scratch: set and read within one call, never kept between two.
const DIGITS: Buffer = Buffer.alloc(DIGITS_MAX);
const SCORES: ScoreRange = { min: 0, max: 0, isMinOpen: false, isMaxOpen: false };
const MEMBERS: LexRange = { min: newEnd(), max: newEnd() };

function newEnd(): LexEnd {
  return { buf: DIGITS, at: 0, size: 0, infinity: 0, isOpen: false };
}

/** The sorted set under the key in argument `i` for reading; NONE after `otherwise` or WRONGTYPE. */
export function readZset(
  context: Context,
  request: Request,
  i: number,
  reply: ReplyWriter,
  otherwise: (reply: ReplyWriter) => void,
): Ref {
  return checked(context, readKey(context, request, i), reply, otherwise);
}

/** As `readZset`, for a command that may write. */
export function writeZset(
  context: Context,
  request: Request,
  i: number,
  reply: ReplyWriter,
  otherwise: (reply: ReplyWriter) => void,
): Ref {
  return checked(context, writeKey(context, request, i), reply, otherwise);
}

function checked(
  context: Context,
  ref: Ref,
  reply: ReplyWriter,
  otherwise: (reply: ReplyWriter) => void,
): Ref {
  if (ref === NONE) otherwise(reply);
  else if (!isOfType(context, ref, TYPE_ZSET, reply)) return NONE;
  return ref;
}

export function replyZero(reply: ReplyWriter): void {
  reply.int(0);
}

export function replyNothing(reply: ReplyWriter): void {
  reply.nullBulk();
}

export function replyEmpty(reply: ReplyWriter): void {
  reply.array(0);
}

/** Answers a score: a double, or its text. */
export function replyScore(reply: ReplyWriter, score: number): void {
  if (reply.resp === 3 || !Number.isSafeInteger(score) || Object.is(score, -0)) {
    return reply.double(formatDouble(score));
  }
  const at = writeDigits(DIGITS, DIGITS_MAX, score);
  reply.bulk(DIGITS, at, DIGITS_MAX - at);
}

/** Begins the answer of `count` members, with their scores if asked: flat, or nested in RESP3. */
export function beginMembers(reply: ReplyWriter, count: number, hasScores: boolean): void {
  reply.array(hasScores && reply.resp === 2 ? count * 2 : count);
}

/** Answers one of these members. */
export function replyMember(
  reply: ReplyWriter,
  member: BytesView,
  score: number,
  hasScores: boolean,
): void {
  if (hasScores && reply.resp === 3) reply.array(2);
  replyView(reply, member);
  if (hasScores) replyScore(reply, score);
}

/** Argument `i` as a score; NaN when it is none. */
export function scoreArgument(request: Request, i: number): number {
  return parseDouble(request.buf, request.at[i]!, request.size[i]!);
}

/** Argument `i` as an integer; NaN after an error reply. Beyond 2^53 it is only about right. */
export function longArgument(request: Request, i: number, reply: ReplyWriter): number {
  const value = request.int(i);
  if (value !== NOT_INTEGER) return Number(value);
  reply.error(ERR_NOT_INTEGER);
  return Number.NaN;
}

/**
 * The range of scores in two arguments, each with `(` when it is left out; undefined when one is no
 * number. Valid until the next call.
 */
export function scoreRange(request: Request, minAt: number, maxAt: number): ScoreRange | undefined {
  const range = SCORES;
  range.isMinOpen = isOpen(request, minAt);
  range.isMaxOpen = isOpen(request, maxAt);
  range.min = boundOf(request, minAt, range.isMinOpen);
  range.max = boundOf(request, maxAt, range.isMaxOpen);
  return Number.isNaN(range.min) || Number.isNaN(range.max) ? undefined : range;
}

function isOpen(request: Request, i: number): boolean {
  return request.size[i]! > 0 && request.buf[request.at[i]!] === OPEN;
}

function boundOf(request: Request, i: number, skipsFirst: boolean): number {
  const skipped = skipsFirst ? 1 : 0;
  return parseBound(request.buf, request.at[i]! + skipped, request.size[i]! - skipped);
}

/**
 * The range of members in two arguments: `-`, `+`, `[member` or `(member`; undefined when one is
 * none of these. Valid until the next call.
 */
export function lexRange(request: Request, minAt: number, maxAt: number): LexRange | undefined {
  const range = MEMBERS;
  return readEnd(request, minAt, range.min) && readEnd(request, maxAt, range.max)
    ? range
    : undefined;
}

function readEnd(request: Request, i: number, end: LexEnd): boolean {
  const at = request.at[i]!;
  const size = request.size[i]!;
  const first = size > 0 ? request.buf[at] : 0;
  end.infinity = 0;
  if (first === OPEN || first === CLOSED) {
    end.buf = request.buf;
    end.at = at + 1;
    end.size = size - 1;
    end.isOpen = first === OPEN;
    return true;
  }
  // A zero byte ends the text for Redis here.
  if ((first !== MINUS && first !== PLUS) || (size > 1 && request.buf[at + 1] !== 0)) return false;
  end.infinity = first === MINUS ? -1 : 1;
  end.isOpen = true;
  return true;
}
