/** Changing hashes: HSET, HMSET, HSETNX, HDEL, HINCRBY and HINCRBYFLOAT. */
import { DIGITS_MAX, NOT_INTEGER, parseInt64, writeDigits } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, type Ref, TYPE_HASH } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import {
  ERR_FLOAT_INFINITE,
  ERR_HASH_NOT_FLOAT,
  ERR_HASH_NOT_INTEGER,
  ERR_INCR_OVERFLOW,
  ERR_NAN_OR_INFINITY,
} from './data-errors.ts';
import { ERR_NOT_FLOAT, ERR_NOT_INTEGER, wrongArity } from './errors.ts';
import {
  argument,
  argumentIn,
  dropEmpty,
  emptyView,
  isOfType,
  notifyKey,
  writeKey,
} from './key-access.ts';
import { ZERO_VIEW, isPlainNumber } from './long-double.ts';
import { NOT_FINITE, floatSum, longDoubleOf, sumInt64 } from './string-number.ts';

// Scratch: set and read within one call, never kept between two.
const FIELD: BytesView = emptyView();
const DIGITS: Buffer = Buffer.alloc(DIGITS_MAX);
const VALUE: BytesView = emptyView();

/** The hash of the key in argument 1, a new one if there is none; NONE after WRONGTYPE. */
function hashToChange(context: Context, request: Request, reply: ReplyWriter): Ref {
  const { db } = context;
  const ref = writeKey(context, request, 1);
  if (ref !== NONE) return isOfType(context, ref, TYPE_HASH, reply) ? ref : NONE;
  const created = db.store.hashes.create(db, argument(request, 1));
  notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 1);
  return created;
}

/** Sets all pairs of the arguments; how many fields are new, or -1 after an error reply. */
function setPairs(context: Context, request: Request, reply: ReplyWriter): number {
  if (request.argc % 2 === 1) {
    reply.error(wrongArity(context.command.fullName));
    return -1;
  }
  const { db } = context;
  const { hashes } = db.store;
  let ref = writeKey(context, request, 1);
  let count = 0;
  let next = 2;
  if (ref === NONE) {
    ref = hashes.createWith(db, argument(request, 1), request, 2, request.argc);
    notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 1);
    if (hashes.isChanged) {
      count = (request.argc - 2) / 2;
      next = request.argc;
    }
  } else if (!isOfType(context, ref, TYPE_HASH, reply)) return -1;
  for (let i = next; i < request.argc; i += 2) {
    ref = hashes.set(db, ref, argumentIn(FIELD, request, i), argumentIn(VALUE, request, i + 1));
    if (hashes.isChanged) count++;
  }
  db.changed(ref, (request.argc - 2) / 2);
  notifyKey(context, KEYSPACE_EVENT.h, 'hset', request, 1);
  return count;
}

export function hset(context: Context, request: Request, reply: ReplyWriter): void {
  const count = setPairs(context, request, reply);
  if (count >= 0) reply.int(count);
}

export function hmset(context: Context, request: Request, reply: ReplyWriter): void {
  if (setPairs(context, request, reply) >= 0) reply.ok();
}

export function hsetnx(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const { hashes } = db.store;
  const ref = hashToChange(context, request, reply);
  if (ref === NONE) return;
  const isThere = hashes.get(ref, request.buf, request.at[2]!, request.size[2]!) !== undefined;
  if (isThere) return reply.int(0);
  const to = hashes.set(db, ref, argumentIn(FIELD, request, 2), argumentIn(VALUE, request, 3));
  db.changed(to);
  notifyKey(context, KEYSPACE_EVENT.h, 'hset', request, 1);
  reply.int(1);
}

export function hdel(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const { hashes } = db.store;
  let ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  let count = 0;
  let isEmpty = false;
  for (let i = 2; i < request.argc && !isEmpty; i++) {
    ref = hashes.remove(db, ref, request.buf, request.at[i]!, request.size[i]!);
    if (!hashes.isChanged) continue;
    count++;
    isEmpty = hashes.size(ref) === 0;
  }
  if (count > 0) {
    db.changed(ref, count);
    notifyKey(context, KEYSPACE_EVENT.h, 'hdel', request, 1);
    if (isEmpty) dropEmpty(context, request, 1, ref);
  }
  reply.int(count);
}

/** HINCRBY key field increment. */
export function hincrby(context: Context, request: Request, reply: ReplyWriter): void {
  const delta = request.int(3);
  if (delta === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const ref = hashToChange(context, request, reply);
  if (ref === NONE) return;
  const { hashes } = context.db.store;
  const found = hashes.get(ref, request.buf, request.at[2]!, request.size[2]!);
  const old = found === undefined ? 0 : parseInt64(found.buf, found.at, found.size);
  if (old === NOT_INTEGER) return reply.error(ERR_HASH_NOT_INTEGER);
  const value = sumInt64(old, delta);
  if (value === undefined) return reply.error(ERR_INCR_OVERFLOW);
  const at = writeDigits(DIGITS, DIGITS_MAX, value);
  setText(context, request, ref, { buf: DIGITS, at, size: DIGITS_MAX - at });
  notifyKey(context, KEYSPACE_EVENT.h, 'hincrby', request, 1);
  reply.int(value);
}

/** HINCRBYFLOAT key field increment, in the 80-bit floats of the machines that Redis runs on. */
export function hincrbyfloat(context: Context, request: Request, reply: ReplyWriter): void {
  const given = argument(request, 3);
  if (!isPlainNumber(given)) {
    const delta = longDoubleOf(given);
    if (delta === undefined) return reply.error(ERR_NOT_FLOAT);
    if (!Number.isFinite(delta.exponent)) return reply.error(ERR_FLOAT_INFINITE);
  }
  const ref = hashToChange(context, request, reply);
  if (ref === NONE) return;
  const { hashes } = context.db.store;
  const old = hashes.get(ref, request.buf, request.at[2]!, request.size[2]!) ?? ZERO_VIEW;
  const text = floatSum(old, argument(request, 3));
  if (text === undefined) return reply.error(ERR_HASH_NOT_FLOAT);
  if (text === NOT_FINITE) return reply.error(ERR_NAN_OR_INFINITY);
  const bytes = Buffer.from(text, 'latin1');
  setText(context, request, ref, { buf: bytes, at: 0, size: bytes.length });
  notifyKey(context, KEYSPACE_EVENT.h, 'hincrbyfloat', request, 1);
  // Another machine may round otherwise, so replicas get the result.
  context.propagateAs(['HSET', request.bytes(1), request.bytes(2), bytes]);
  reply.bulkBytes(bytes);
}

/** Sets the field in argument 2. */
function setText(context: Context, request: Request, ref: Ref, text: BytesView): void {
  const { db } = context;
  db.changed(db.store.hashes.set(db, ref, argumentIn(FIELD, request, 2), text));
}
