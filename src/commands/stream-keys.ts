/** How handlers reach streams and their groups, and how they answer entries. */
import {
  type BytesView,
  ENCODING_STREAM,
  LOOKUP_READ,
  LOOKUP_WRITE,
  NONE,
  type Ref,
  type StreamCursor,
  type StreamId,
  type Streams,
  TYPE_STREAM,
} from '../keyspace/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_WRONG_TYPE } from './errors.ts';
import { bytesOf, emptyView, notifyKey, readKey, writeKey } from './key-access.ts';

/** The streams of the client's database. */
export function streamsOf(context: Context): Streams {
  return context.db.store.streams;
}

/** The stream of an entry. */
export function streamAt(context: Context, ref: Ref): Ref {
  return context.db.entries.firstWord(ref);
}

/**
 * The entry of the stream in argument `i`, NONE when there is no key; undefined after the error
 * reply that it is no stream. `flags` are LOOKUP_READ or LOOKUP_WRITE.
 */
export function streamKey(
  context: Context,
  request: Request,
  i: number,
  flags: typeof LOOKUP_READ | typeof LOOKUP_WRITE,
  reply: ReplyWriter,
): Ref | undefined {
  const ref = flags === LOOKUP_WRITE ? writeKey(context, request, i) : readKey(context, request, i);
  if (ref === NONE || context.db.entries.type(ref) === TYPE_STREAM) return ref;
  reply.error(ERR_WRONG_TYPE);
  return undefined;
}

/** A new, empty stream for the key in argument `i`; waiting readers are not told. */
export function createStream(context: Context, request: Request, i: number): Ref {
  const { db } = context;
  const words = { first: db.store.streams.create(), second: 0 };
  const ref = db.addLarge(viewOf(request, i), TYPE_STREAM, ENCODING_STREAM, words);
  notifyKey(context, KEYSPACE_EVENT.n, 'new', request, i);
  return ref;
}

// Scratch: set and read within one call, never kept between two.
const ARGUMENT: BytesView = emptyView();

/** Argument `i` as a view of its own kind, valid until the next call. */
export function viewOf(request: Request, i: number): BytesView {
  ARGUMENT.buf = request.buf;
  ARGUMENT.at = request.at[i]!;
  ARGUMENT.size = request.size[i]!;
  return ARGUMENT;
}

/** Counts changes that are none to those who watch the key. */
export function countUnwatched(context: Context, count: number): void {
  context.server.keyspace.dirty += count;
}

export function replyId(reply: ReplyWriter, id: StreamId): void {
  const { buf, at, size } = id.view();
  reply.bulk(buf as Buffer, at, size);
}

/** Answers the entry at a cursor: its id, and its names and values in turn. */
export function replyEntry(reply: ReplyWriter, entry: StreamCursor): void {
  reply.array(2);
  replyId(reply, entry.id);
  const count = entry.fieldCount;
  reply.array(count * 2);
  for (let i = 0; i < count; i++) {
    entry.nextField();
    const { name, value } = entry;
    reply.bulk(name.buf as Buffer, name.at, name.size);
    reply.bulk(value.buf as Buffer, value.at, value.size);
  }
}

/** Answers a view of the keyspace. */
export function replyView(reply: ReplyWriter, view: BytesView): void {
  reply.bulk(bytesOf(view), view.at, view.size);
}
