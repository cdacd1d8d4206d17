/** Ids of stream entries in arguments: whole, halved, `-` and `+`, exclusive, and those that XADD completes. */
import { NOT_INTEGER, parseInt64 } from '../base/index.ts';
import type { StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { ERR_END_ID, ERR_START_ID, ERR_STREAM_ID } from './stream-errors.ts';

/** What an argument was. */
export type IdForm =
  | 'invalid'
  /** A whole id. */
  | 'id'
  /** `ms-*`: the sequence is to be found; it is 0 so far. */
  | 'anySeq';

/** Source: 7.0 t_stream.c reads ids through a buffer of 128 bytes. */
const ID_BYTES_MAX = 127;
const DASH = 0x2d;
const PLUS = 0x2b;
const STAR = 0x2a;
const PAREN = 0x28;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
/** What C's strtoull takes: blanks, a sign, digits. */
const LOOSE_NUMBER = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/;

/** How an id without a sequence is completed, and what else may stand for one. */
interface IdRules {
  /** The sequence of an id that has none. */
  readonly missingSeq: 'first' | 'last';
  /** `-` and `+` are the smallest and the greatest id. */
  readonly hasEnds: boolean;
  /** `ms-*` is allowed. */
  readonly hasAnySeq: boolean;
}

/** A complete id, as most commands want it. */
const STRICT: IdRules = { missingSeq: 'first', hasEnds: false, hasAnySeq: false };
const NEW_ENTRY: IdRules = { missingSeq: 'first', hasEnds: false, hasAnySeq: true };
const START: IdRules = { missingSeq: 'first', hasEnds: true, hasAnySeq: false };
const END: IdRules = { missingSeq: 'last', hasEnds: true, hasAnySeq: false };
const EXCLUDED_END: IdRules = { missingSeq: 'last', hasEnds: false, hasAnySeq: false };

/** Reads the id of argument `i` into `into`; false after an error reply. */
export function idArgument(
  request: Request,
  i: number,
  into: StreamId,
  reply: ReplyWriter,
): boolean {
  if (parsedId(request, i, into)) return true;
  reply.error(ERR_STREAM_ID);
  return false;
}

/** Reads the id of argument `i`, if it is a complete one; whether it is. */
export function parsedId(request: Request, i: number, into: StreamId): boolean {
  return parseId(request.buf, request.at[i]!, request.size[i]!, into, STRICT) === 'id';
}

/** The id that XADD is given, other than `*`. */
export function newIdArgument(request: Request, i: number, into: StreamId): IdForm {
  return parseId(request.buf, request.at[i]!, request.size[i]!, into, NEW_ENTRY);
}

/** Whether argument `i` is `-` or `+`, which are the smallest and the greatest id. */
export function isEnd(request: Request, i: number, into: StreamId): boolean {
  if (!isByte(request, i, DASH) && !isByte(request, i, PLUS)) return false;
  parseId(request.buf, request.at[i]!, 1, into, START);
  return true;
}

/** Whether argument `i` is this one byte. */
export function isByte(request: Request, i: number, byte: number): boolean {
  return request.size[i] === 1 && request.buf[request.at[i]!] === byte;
}

/** Whether argument `i` is `*`. */
export function isStar(request: Request, i: number): boolean {
  return isByte(request, i, STAR);
}

/** The first id of an interval, which may be open with `(`; false after an error reply. */
export function startArgument(
  request: Request,
  i: number,
  into: StreamId,
  reply: ReplyWriter,
): boolean {
  const isOpen = isExclusive(request, i);
  if (!boundArgument(request, i, into, isOpen ? STRICT : START)) {
    reply.error(ERR_STREAM_ID);
    return false;
  }
  if (!isOpen || into.increment()) return true;
  reply.error(ERR_START_ID);
  return false;
}

/** The last id of an interval, which may be open with `(`; false after an error reply. */
export function endArgument(
  request: Request,
  i: number,
  into: StreamId,
  reply: ReplyWriter,
): boolean {
  const isOpen = isExclusive(request, i);
  if (!boundArgument(request, i, into, isOpen ? EXCLUDED_END : END)) {
    reply.error(ERR_STREAM_ID);
    return false;
  }
  if (!isOpen || into.decrement()) return true;
  reply.error(ERR_END_ID);
  return false;
}

function isExclusive(request: Request, i: number): boolean {
  return request.size[i]! > 1 && request.buf[request.at[i]!] === PAREN;
}

function boundArgument(request: Request, i: number, into: StreamId, rules: IdRules): boolean {
  const skipped = isExclusive(request, i) ? 1 : 0;
  const at = request.at[i]! + skipped;
  return parseId(request.buf, at, request.size[i]! - skipped, into, rules) === 'id';
}

/** Reads an id; `into` is undefined after 'invalid'. */
function parseId(buf: Buffer, at: number, size: number, into: StreamId, rules: IdRules): IdForm {
  if (size > ID_BYTES_MAX) return 'invalid';
  if (size === 1 && (buf[at] === DASH || buf[at] === PLUS)) {
    if (!rules.hasEnds) return 'invalid';
    if (buf[at] === DASH) into.setZero();
    else into.setMax();
    return 'id';
  }
  // A zero byte ends an id, as it ends any text of C.
  let end = at;
  while (end < at + size && buf[end] !== 0) end++;
  let dash = at;
  while (dash < end && buf[dash] !== DASH) dash++;
  const ms = parseUnsigned(buf, at, dash - at);
  if (ms === undefined) return 'invalid';
  into.setMs(ms);
  if (dash === end) {
    into.setSeq(rules.missingSeq === 'first' ? 0 : UINT64_MAX);
    return 'id';
  }
  const seqAt = dash + 1;
  if (rules.hasAnySeq && end - seqAt === 1 && buf[seqAt] === STAR) {
    into.setSeq(0);
    return 'anySeq';
  }
  const seq = parseUnsigned(buf, seqAt, end - seqAt);
  if (seq === undefined) return 'invalid';
  into.setSeq(seq);
  return 'id';
}

/** An unsigned 64-bit number; what is no strict integer is read as C's strtoull does. */
function parseUnsigned(buf: Buffer, at: number, size: number): number | bigint | undefined {
  const value = parseInt64(buf, at, size);
  if (value !== NOT_INTEGER) return value < 0 ? undefined : value;
  const match = LOOSE_NUMBER.exec(buf.toString('latin1', at, at + size));
  if (match === null) return undefined;
  const wide = BigInt(match[2]!);
  if (wide > UINT64_MAX) return undefined;
  return match[1] === '-' ? BigInt.asUintN(64, -wide) : wide;
}
