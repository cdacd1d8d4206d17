/**
 * How handlers reach keys and strings: look-ups by argument with their keyspace events, the type
 * check, and writes that report new keys.
 */
import { sameBytes } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  type BytesView,
  LOOKUP_READ,
  LOOKUP_WRITE,
  NONE,
  NO_EXPIRY,
  type Ref,
  TYPE_STRING,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_STRING_TOO_LONG } from './data-errors.ts';
import { ERR_WRONG_TYPE } from './errors.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** A view of nothing, to be set before use. */
export function emptyView(): BytesView {
  return { buf: NO_BYTES, at: 0, size: 0 };
}

// Scratch: set and read within one call, never kept between two.
const VALUE: BytesView = emptyView();

/** The Buffer that a keyspace view is of: slabs and digits are all Buffers. */
export function bytesOf(view: BytesView): Buffer {
  // The view's declared type is wider than what the keyspace puts into it.
  return view.buf as Buffer;
}

/** Argument `i` as the scratch view, valid until the next call. */
export function argument(request: Request, i: number): BytesView {
  return argumentIn(VALUE, request, i);
}

/** Argument `i` in a view of the caller's. */
export function argumentIn(view: BytesView, request: Request, i: number): BytesView {
  view.buf = request.buf;
  view.at = request.at[i]!;
  view.size = request.size[i]!;
  return view;
}

/** The entry of the key in argument `i` for reading; a miss is an event. `flags` are LOOKUP_ values. */
export function readKey(
  context: Context,
  request: Request,
  i: number,
  flags: number = LOOKUP_READ,
): Ref {
  const ref = context.db.lookup(request.buf, request.at[i]!, request.size[i]!, flags);
  if (ref === NONE) notifyKey(context, KEYSPACE_EVENT.m, 'keymiss', request, i);
  return ref;
}

/** The entry of the key in argument `i` for a command that may write. */
export function writeKey(context: Context, request: Request, i: number): Ref {
  return context.db.lookup(request.buf, request.at[i]!, request.size[i]!, LOOKUP_WRITE);
}

/** A keyspace event about the key in argument `i`. */
export function notifyKey(
  context: Context,
  eventClass: number,
  event: string,
  request: Request,
  i: number,
): void {
  context.notify(eventClass, event, request.buf, request.at[i]!, request.size[i]!);
}

/** Deletes the key in argument `i`, whose container has become empty. */
export function dropEmpty(context: Context, request: Request, i: number, ref: Ref): void {
  context.db.drop(ref);
  notifyKey(context, KEYSPACE_EVENT.g, 'del', request, i);
}

/** Whether the entry is a string; answers WRONGTYPE when not. */
export function isString(context: Context, ref: Ref, reply: ReplyWriter): boolean {
  if (context.db.entries.type(ref) === TYPE_STRING) return true;
  reply.error(ERR_WRONG_TYPE);
  return false;
}

/** Whether the entry has this type; answers WRONGTYPE when not. */
export function isOfType(context: Context, ref: Ref, type: number, reply: ReplyWriter): boolean {
  if (context.db.entries.type(ref) === type) return true;
  reply.error(ERR_WRONG_TYPE);
  return false;
}

/** Answers a view's bytes. */
export function replyView(reply: ReplyWriter, view: BytesView): void {
  reply.bulk(bytesOf(view), view.at, view.size);
}

/** Answers a string's bytes. */
export function replyString(context: Context, ref: Ref, reply: ReplyWriter): void {
  const view = context.db.entries.stringView(ref);
  reply.bulk(bytesOf(view), view.at, view.size);
}

/** A string's bytes in a view of its own, to be looked at beside other strings; none for NONE. */
export function stringBeside(context: Context, ref: Ref): BytesView {
  const { entries } = context.db;
  if (ref === NONE) return emptyView();
  const { buf, at, size } = entries.stringView(ref);
  if (!entries.isInt(ref)) return { buf, at, size };
  // The digits of all integers share one scratch.
  return { buf: Buffer.from(buf.subarray(at, at + size)), at: 0, size };
}

/** A number that grows with each new key, also where it takes the place of one that has expired. */
function keysEver({ db, server }: Context): number {
  return db.size + server.keyspace.expiredCount;
}

/** Sets the key in argument `keyIndex` to the string in argument `valueIndex`, with its events. */
export function setKey(
  context: Context,
  request: Request,
  keyIndex: number,
  valueIndex: number,
  expiry: number = NO_EXPIRY,
): void {
  const { db } = context;
  const { buf } = request;
  const keysBefore = keysEver(context);
  const value = argument(request, valueIndex);
  db.setString(buf, request.at[keyIndex]!, request.size[keyIndex]!, value, expiry);
  if (keysEver(context) !== keysBefore)
    notifyKey(context, KEYSPACE_EVENT.n, 'new', request, keyIndex);
  notifyKey(context, KEYSPACE_EVENT.$, 'set', request, keyIndex);
}

/** Sets the key in argument `keyIndex` to bytes of encoding raw; reports a new key. */
export function setRawKey(
  context: Context,
  request: Request,
  keyIndex: number,
  value: BytesView,
  expiry: number = NO_EXPIRY,
): Ref {
  const { db } = context;
  const keysBefore = keysEver(context);
  const at = request.at[keyIndex]!;
  const ref = db.setRaw(request.buf, at, request.size[keyIndex]!, value, expiry);
  if (keysEver(context) !== keysBefore)
    notifyKey(context, KEYSPACE_EVENT.n, 'new', request, keyIndex);
  return ref;
}

/** Whether a string may have `size` bytes; answers the error when not. Our master decides for us. */
export function fitsString(context: Context, size: number, reply: ReplyWriter): boolean {
  if (size <= context.server.settings['proto-max-bulk-len']) return true;
  if (context.session.role === 'master') return true;
  reply.error(ERR_STRING_TOO_LONG);
  return false;
}

/** Whether two arguments are the same bytes. */
export function isSameArgument(request: Request, i: number, j: number): boolean {
  const size = request.size[i]!;
  const at = request.at[i]!;
  const other = request.at[j]!;
  const { buf } = request;
  return size === request.size[j] && sameBytes(buf, at, buf, other, size);
}
