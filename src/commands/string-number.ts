/** Strings as numbers: INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT. */
import { NOT_INTEGER, parseInt64 } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  type BytesView,
  EMBSTR_BYTES_MAX,
  ENCODING_EMBSTR,
  KEEP_EXPIRY,
  NONE,
  type Ref,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_DECR_OVERFLOW, ERR_INCR_OVERFLOW, ERR_NAN_OR_INFINITY } from './data-errors.ts';
import { ERR_NOT_FLOAT, ERR_NOT_INTEGER } from './errors.ts';
import { argument, bytesOf, isString, notifyKey, setRawKey, writeKey } from './key-access.ts';
import {
  LONG_DOUBLE_TEXT_MAX,
  type LongDouble,
  addLongDoubles,
  formatLongDouble,
  ZERO_VIEW,
  parseLongDouble,
  plainSum,
} from './long-double.ts';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

export function incr(context: Context, request: Request, reply: ReplyWriter): void {
  increaseBy(context, request, reply, 1);
}

export function decr(context: Context, request: Request, reply: ReplyWriter): void {
  increaseBy(context, request, reply, -1);
}

export function incrby(context: Context, request: Request, reply: ReplyWriter): void {
  const delta = request.int(2);
  if (delta === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  increaseBy(context, request, reply, delta);
}

export function decrby(context: Context, request: Request, reply: ReplyWriter): void {
  const delta = request.int(2);
  if (delta === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (delta === INT64_MIN) return reply.error(ERR_DECR_OVERFLOW);
  increaseBy(context, request, reply, delta === 0 ? 0 : -delta);
}

function increaseBy(
  context: Context,
  request: Request,
  reply: ReplyWriter,
  delta: number | bigint,
): void {
  const { db } = context;
  const ref = writeKey(context, request, 1);
  if (ref !== NONE && !isString(context, ref, reply)) return;
  const old = ref === NONE ? 0 : integerOf(context, ref);
  if (old === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const value = sumInt64(old, delta);
  if (value === undefined) return reply.error(ERR_INCR_OVERFLOW);
  if (ref === NONE) {
    db.setInt(request.buf, request.at[1]!, request.size[1]!, value);
    notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 1);
  } else {
    db.overwriteInt(ref, value);
  }
  notifyKey(context, KEYSPACE_EVENT.$, 'incrby', request, 1);
  reply.int(value);
}

function integerOf(context: Context, ref: Ref): number | bigint | typeof NOT_INTEGER {
  const { entries } = context.db;
  if (entries.isInt(ref)) return entries.intValue(ref);
  const view = entries.stringView(ref);
  return parseInt64(view.buf, view.at, view.size);
}

/** The sum, a `number` where it is safe; undefined beyond 64 bits. */
export function sumInt64(a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const value = a + b;
    if (Number.isSafeInteger(value)) return value;
  }
  const wide = BigInt(a) + BigInt(b);
  if (wide > INT64_MAX || wide < INT64_MIN) return undefined;
  const value = Number(wide);
  return Number.isSafeInteger(value) ? value : wide;
}

/** INCRBYFLOAT key increment, in the 80-bit floats of the machines that Redis runs on. */
export function incrbyfloat(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref !== NONE && !isString(context, ref, reply)) return;
  const old = ref === NONE ? ZERO_VIEW : context.db.entries.stringView(ref);
  const text = floatSum(old, argument(request, 2));
  if (text === undefined) return reply.error(ERR_NOT_FLOAT);
  if (text === NOT_FINITE) return reply.error(ERR_NAN_OR_INFINITY);
  const bytes = Buffer.from(text, 'latin1');
  const view = { buf: bytes, at: 0, size: bytes.length };
  const to = setRawKey(context, request, 1, view, KEEP_EXPIRY);
  if (bytes.length <= EMBSTR_BYTES_MAX) context.db.entries.setEncoding(to, ENCODING_EMBSTR);
  notifyKey(context, KEYSPACE_EVENT.$, 'incrbyfloat', request, 1);
  // Another machine may round otherwise, so replicas get the result.
  context.propagateAs(['SET', request.bytes(1), bytes, 'KEEPTTL']);
  reply.bulkBytes(bytes);
}

/** What `floatSum` says of a sum that is not finite. */
export const NOT_FINITE = 'infinite';

/** The text of the sum of two numbers, `NOT_FINITE`, or undefined when one of them is none. */
export function floatSum(a: BytesView, b: BytesView): string | undefined {
  const plain = plainSum(a, b);
  if (plain !== undefined) return plain;
  const left = longDoubleOf(a);
  const right = longDoubleOf(b);
  if (left === undefined || right === undefined) return undefined;
  const sum = addLongDoubles(left, right);
  return sum === undefined ? NOT_FINITE : formatLongDouble(sum);
}

/** The number that the bytes mean, as INCRBYFLOAT reads it; undefined for none. */
export function longDoubleOf(view: BytesView): LongDouble | undefined {
  if (view.size > LONG_DOUBLE_TEXT_MAX) return undefined;
  return parseLongDouble(bytesOf(view).toString('latin1', view.at, view.at + view.size));
}
