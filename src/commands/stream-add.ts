/** XADD. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { LOOKUP_WRITE, NONE, type Ref, type StreamFields, StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { wrongArity } from './errors.ts';
import { notifyKey } from './key-access.ts';
import {
  ERR_ADD_EXHAUSTED,
  ERR_ADD_SMALL,
  ERR_ADD_TOO_LARGE,
  ERR_ADD_ZERO,
  ERR_STREAM_ID,
} from './stream-errors.ts';
import { type IdForm, isStar, newIdArgument } from './stream-ids.ts';
import { createStream, replyId, streamAt, streamKey, streamsOf } from './stream-keys.ts';
import { type TrimOptions, exactArguments, trimOptions } from './stream-trim.ts';

/** Most bytes of an entry. Source: 7.0, STREAM_LISTPACK_MAX_SIZE. */
const ENTRY_BYTES_MAX = 1 << 30;
const NINE = 0x39;

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();
const LAST = new StreamId();
const FIELDS: StreamFields = {
  buf: Buffer.alloc(0),
  at: new Int32Array(0),
  size: new Int32Array(0),
  first: 0,
  pairs: 0,
  bytes: 0,
};

/** XADD key [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold [LIMIT count]] *|id field value …. */
export function xadd(context: Context, request: Request, reply: ReplyWriter): void {
  let options: TrimOptions | undefined;
  let idAt = 2;
  // `*` and what begins with a digit is the id: the usual case, without options.
  if (request.buf[request.at[2]!]! > NINE || request.size[2] === 0) {
    options = trimOptions(context, request, true, reply);
    if (options === undefined) return;
    idAt = options.end;
  }
  let form: IdForm | 'any' = 'any';
  if (idAt < request.argc && !isStar(request, idAt)) {
    form = newIdArgument(request, idAt, ID);
    if (form === 'invalid') return reply.error(ERR_STREAM_ID);
  }
  const count = request.argc - idAt - 1;
  if (count < 2 || (count & 1) === 1) return reply.error(wrongArity('xadd'));
  if (form === 'id' && ID.isZero) return reply.error(ERR_ADD_ZERO);
  setFields(request, idAt + 1, count >> 1);
  const ref = target(context, request, options, reply);
  if (ref === NONE) return;
  const stream = streamAt(context, ref);
  if (!findId(context, stream, form, reply)) return;
  append(context, ref, stream);
  replyId(reply, ID);
  notifyKey(context, KEYSPACE_EVENT.t, 'xadd', request, 1);
  const exact = options === undefined ? undefined : trim(context, request, ref, options);
  if (form !== 'id' && context.isPropagated) propagate(context, request, exact, idAt);
  else if (exact !== undefined) context.propagateAs(exact);
}

function setFields(request: Request, first: number, pairs: number): void {
  FIELDS.buf = request.buf;
  FIELDS.at = request.at;
  FIELDS.size = request.size;
  FIELDS.first = first;
  FIELDS.pairs = pairs;
  let bytes = 0;
  const end = first + 2 * pairs;
  for (let i = first; i < end; i++) bytes += request.size[i]!;
  FIELDS.bytes = bytes;
}

/** The entry of the stream, made when it is not there; NONE after a reply. */
function target(
  context: Context,
  request: Request,
  options: TrimOptions | undefined,
  reply: ReplyWriter,
): Ref {
  const ref = streamKey(context, request, 1, LOOKUP_WRITE, reply);
  if (ref === undefined) return NONE;
  // The names and values of an entry are in one block.
  if (FIELDS.bytes > ENTRY_BYTES_MAX) {
    reply.error(ERR_ADD_TOO_LARGE);
    return NONE;
  }
  if (ref !== NONE) return ref;
  if (options?.isNoMkstream === true) {
    reply.nullBulk();
    return NONE;
  }
  return createStream(context, request, 1);
}

/** Completes the id, or checks that it is behind the last one; false after an error reply. */
function findId(context: Context, stream: Ref, form: IdForm | 'any', reply: ReplyWriter): boolean {
  const streams = streamsOf(context);
  if (form === 'any') ID.setMs(context.server.unixNow).setSeq(0);
  if (streams.isBehindLast(stream, ID)) return true;
  const last = streams.readLastId(stream, LAST);
  if (last.isMax) {
    reply.error(ERR_ADD_EXHAUSTED);
    return false;
  }
  const isNext = form === 'any' || (form === 'anySeq' && ID.hasMsOf(last) && !last.isLastSeq);
  if (!isNext) {
    reply.error(ERR_ADD_SMALL);
    return false;
  }
  // A clock that stands still, or went back, does not make ids go back.
  ID.set(last).increment();
  return true;
}

function append(context: Context, ref: Ref, stream: Ref): void {
  const { db } = context;
  db.store.beforeChange(ref);
  db.store.streams.append(stream, ID, FIELDS, db.limits);
  db.changed(ref);
  db.signal(ref);
}

/** Trims as the options say; returns what replicas are told, if that is not the call itself. */
function trim(
  context: Context,
  request: Request,
  ref: Ref,
  options: TrimOptions,
): (Buffer | string)[] | undefined {
  if (options.rule === undefined) return undefined;
  const stream = streamAt(context, ref);
  if (streamsOf(context).trim(stream, options.rule) > 0) {
    notifyKey(context, KEYSPACE_EVENT.t, 'xtrim', request, 1);
  }
  return context.isPropagated ? exactArguments(context, request, options, stream) : undefined;
}

/** Replicas get the id that the entry got. */
function propagate(
  context: Context,
  request: Request,
  exact: (Buffer | string)[] | undefined,
  idAt: number,
): void {
  const args = exact ?? Array.from({ length: request.argc }, (_, i) => request.bytes(i));
  args[idAt] = ID.text();
  context.propagateAs(args);
}
