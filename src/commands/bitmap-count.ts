/** Counting and finding bits: BITCOUNT and BITPOS. */
import { NOT_INTEGER } from '../base/index.ts';
import { type BytesView, NONE } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { countOnes, firstOther, onesOf } from './bitmap-words.ts';
import type { Context } from './context.ts';
import { ERR_BITPOS_BIT } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { isString, readKey } from './key-access.ts';

/** Bits [start, end). */
interface BitRange {
  readonly start: number;
  readonly end: number;
}

/** BITCOUNT key [start end [BYTE|BIT]], both ends included, negative from the end. */
export function bitcount(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isString(context, ref, reply)) return;
  const { argc } = request;
  const view = context.db.entries.stringView(ref);
  if (argc === 2) return reply.int(countOnes(view, 0, view.size));
  if (argc !== 4 && argc !== 5) return reply.error(ERR_SYNTAX);
  const first = request.int(2);
  const last = request.int(3);
  if (first === NOT_INTEGER || last === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (first < 0 && last < 0 && first > last) return reply.int(0);
  const unit = argc === 5 ? unitBits(request, 4) : 8;
  if (unit === undefined) return reply.error(ERR_SYNTAX);
  reply.int(onesInRange(view, bitRange(Number(first), Number(last), unit, view.size)));
}

/** Bits of a unit as an argument names it: 1 for BIT, 8 for BYTE. */
function unitBits(request: Request, i: number): number | undefined {
  if (request.is(i, 'bit')) return 1;
  return request.is(i, 'byte') ? 8 : undefined;
}

function bitRange(first: number, last: number, unit: number, sizeBytes: number): BitRange {
  const total = (sizeBytes * 8) / unit;
  const start = Math.max(0, first < 0 ? first + total : first);
  const end = Math.min(total - 1, Math.max(0, last < 0 ? last + total : last)) + 1;
  return { start: start * unit, end: end * unit };
}

function onesInRange(view: BytesView, { start, end }: BitRange): number {
  if (start >= end) return 0;
  const firstByte = Math.floor(start / 8);
  const lastByte = Math.floor((end - 1) / 8);
  const before = view.buf[view.at + firstByte]! & ~(0xff >>> (start % 8));
  const behind = view.buf[view.at + lastByte]! & (0xff >>> (((end - 1) % 8) + 1));
  return countOnes(view, firstByte, lastByte + 1) - onesOf(before & 0xff) - onesOf(behind);
}

/** BITPOS key bit [start [end [BYTE|BIT]]]. */
export function bitpos(context: Context, request: Request, reply: ReplyWriter): void {
  const bit = request.int(2);
  if (bit === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (bit !== 0 && bit !== 1) return reply.error(ERR_BITPOS_BIT);
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(bit === 1 ? -1 : 0);
  if (!isString(context, ref, reply)) return;
  const { argc } = request;
  if (argc > 6) return reply.error(ERR_SYNTAX);
  const view = context.db.entries.stringView(ref);
  const first = argc > 3 ? request.int(3) : 0;
  if (first === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const unit = argc === 6 ? unitBits(request, 5) : 8;
  if (unit === undefined) return reply.error(ERR_SYNTAX);
  const last = argc > 4 ? request.int(4) : -1;
  if (last === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const range = bitRange(Number(first), Number(last), unit, view.size);
  if (range.start >= range.end) return reply.int(-1);
  const position = findBit(view, bit, range);
  // Without an end, the string counts as followed by endless zeros.
  const isOpen = bit === 0 && argc < 5;
  reply.int(position < 0 && isOpen ? view.size * 8 : position);
}

/** Position of the first such bit in a range that is not empty, or -1. */
function findBit(view: BytesView, bit: number, { start, end }: BitRange): number {
  const byteEnd = Math.ceil(end / 8);
  for (let position = start; position < end;) {
    if (position % 8 === 0) {
      position = firstOther(view, bit === 1 ? 0 : 0xff, position / 8, byteEnd) * 8;
      if (position >= end) return -1;
    }
    const byte = view.buf[view.at + Math.floor(position / 8)]!;
    if (((byte >>> (7 - (position % 8))) & 1) === bit) return position;
    position++;
  }
  return -1;
}
