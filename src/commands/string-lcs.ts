/** LCS: the longest common subsequence of two strings. */
import { NOT_INTEGER } from '../base/index.ts';
import { type BytesView, NONE, type Ref, TYPE_STRING } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LCS_BOTH, ERR_LCS_MEMORY, ERR_LCS_TOO_LONG, ERR_LCS_TYPE } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, refuse } from './errors.ts';
import { readKey, stringBeside } from './key-access.ts';

/** Longest string taken, so that lengths fit the table's 32 bits. */
const SIZE_MAX = 0xffff_fffe;

/** Row of lengths for strings that are not long: set and read within one call. */
const SHORT_ROW: Int32Array = new Int32Array(1024);

interface LcsOptions {
  readonly wants: 'text' | 'length' | 'indexes';
  readonly sizeMin: number;
  readonly hasSizes: boolean;
}

/** A run that both strings have, as inclusive indexes. */
interface Match {
  readonly aFirst: number;
  readonly bFirst: number;
  readonly size: number;
}

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN size] [WITHMATCHLEN]. */
export function lcs(context: Context, request: Request, reply: ReplyWriter): void {
  const a = operand(context, readKey(context, request, 1));
  const b = operand(context, readKey(context, request, 2));
  if (a === undefined || b === undefined) return reply.error(ERR_LCS_TYPE);
  const options = parseOptions(request, reply);
  if (options === undefined) return;
  if (a.size >= SIZE_MAX || b.size >= SIZE_MAX) return reply.error(ERR_LCS_TOO_LONG);
  const cells = (a.size + 1) * (b.size + 1);
  if (cells * 4 > context.server.settings['proto-max-bulk-len']) return reply.error(ERR_LCS_MEMORY);
  if (options.wants === 'length') return reply.int(commonLength(a, b));
  const lengths = commonLengths(a, b);
  const length = lengths[cells - 1]!;
  const { text, matches } = walkBack(a, b, lengths, length);
  if (options.wants === 'text') return reply.bulkBytes(text);
  const shown = matches.filter((match) => match.size >= options.sizeMin);
  replyMatches(reply, shown, options.hasSizes, length);
}

function operand(context: Context, ref: Ref): BytesView | undefined {
  if (ref !== NONE && context.db.entries.type(ref) !== TYPE_STRING) return undefined;
  return stringBeside(context, ref);
}

function parseOptions(request: Request, reply: ReplyWriter): LcsOptions | undefined {
  let wantsLength = false;
  let wantsIndexes = false;
  let hasSizes = false;
  let sizeMin = 0;
  for (let i = 3; i < request.argc; i++) {
    if (request.is(i, 'idx')) wantsIndexes = true;
    else if (request.is(i, 'len')) wantsLength = true;
    else if (request.is(i, 'withmatchlen')) hasSizes = true;
    else if (request.is(i, 'minmatchlen') && i + 1 < request.argc) {
      const size = request.int(++i);
      if (size === NOT_INTEGER) return refuse(reply, ERR_NOT_INTEGER);
      sizeMin = Math.max(0, Number(size));
    } else return refuse(reply, ERR_SYNTAX);
  }
  if (wantsLength && wantsIndexes) return refuse(reply, ERR_LCS_BOTH);
  return { wants: wantsIndexes ? 'indexes' : wantsLength ? 'length' : 'text', sizeMin, hasSizes };
}

/** Length of the common subsequence alone, for which one row of lengths is enough. */
function commonLength(a: BytesView, b: BytesView): number {
  const width = b.size + 1;
  const row = width <= SHORT_ROW.length ? SHORT_ROW : new Int32Array(width);
  row.fill(0, 0, width);
  for (let i = 0; i < a.size; i++) fillRow(row, 0, 0, a.buf[a.at + i]!, b);
  return row[b.size]!;
}

/** Length of the common subsequence of each pair of prefixes, row by row of `a`. */
function commonLengths(a: BytesView, b: BytesView): Int32Array {
  const width = b.size + 1;
  const lengths = new Int32Array((a.size + 1) * width);
  for (let i = 0; i < a.size; i++) {
    fillRow(lengths, (i + 1) * width, i * width, a.buf[a.at + i]!, b);
  }
  return lengths;
}

/** The row at `at` from the one at `aboveAt`, for one more byte of the first string; it may be the same row. */
function fillRow(
  lengths: Int32Array,
  at: number,
  aboveAt: number,
  byte: number,
  b: BytesView,
): void {
  const { buf, at: bAt, size } = b;
  let diagonal = 0;
  let left = 0;
  for (let j = 1; j <= size; j++) {
    const above = lengths[aboveAt + j]!;
    if (byte === buf[bAt + j - 1]) left = diagonal + 1;
    else if (above > left) left = above;
    lengths[at + j] = left;
    diagonal = above;
  }
}

/** The subsequence and its runs, from the end of the strings to their start. */
function walkBack(
  a: BytesView,
  b: BytesView,
  lengths: Int32Array,
  length: number,
): { readonly text: Buffer; readonly matches: readonly Match[] } {
  const text = Buffer.alloc(length);
  const matches: Match[] = [];
  const width = b.size + 1;
  let left = length;
  let run: Match | undefined;
  for (let i = a.size, j = b.size; i > 0 && j > 0;) {
    const byte = a.buf[a.at + i - 1]!;
    if (byte === b.buf[b.at + j - 1]) {
      text[--left] = byte;
      i--;
      j--;
      const isJoined = run !== undefined && run.aFirst === i + 1 && run.bFirst === j + 1;
      if (run !== undefined && !isJoined) matches.push(run);
      run = { aFirst: i, bFirst: j, size: isJoined ? run!.size + 1 : 1 };
    } else if (lengths[(i - 1) * width + j]! > lengths[i * width + j - 1]!) i--;
    else j--;
  }
  if (run !== undefined) matches.push(run);
  return { text, matches };
}

function replyMatches(
  reply: ReplyWriter,
  matches: readonly Match[],
  hasSizes: boolean,
  length: number,
): void {
  reply.map(2);
  reply.bulkText('matches');
  reply.array(matches.length);
  for (const { aFirst, bFirst, size } of matches) {
    reply.array(hasSizes ? 3 : 2);
    for (const first of [aFirst, bFirst]) {
      reply.array(2);
      reply.int(first);
      reply.int(first + size - 1);
    }
    if (hasSizes) reply.int(size);
  }
  reply.bulkText('len');
  reply.int(length);
}
