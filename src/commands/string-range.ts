/** Changing strings in place: APPEND and SETRANGE. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, append as appendBytes, setRange } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_OFFSET_RANGE } from './data-errors.ts';
import { ERR_NOT_INTEGER } from './errors.ts';
import { argument, fitsString, isString, notifyKey, setRawKey, writeKey } from './key-access.ts';

export function append(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const ref = writeKey(context, request, 1);
  const added = request.size[2]!;
  let size = added;
  if (ref === NONE) {
    db.setString(request.buf, request.at[1]!, request.size[1]!, argument(request, 2));
    notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 1);
  } else {
    if (!isString(context, ref, reply)) return;
    size += db.entries.stringSize(ref);
    if (!fitsString(context, size, reply)) return;
    appendBytes(db, ref, argument(request, 2));
  }
  notifyKey(context, KEYSPACE_EVENT.$, 'append', request, 1);
  reply.int(size);
}

export function setrange(context: Context, request: Request, reply: ReplyWriter): void {
  const { db } = context;
  const offset = request.int(2);
  if (offset === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (offset < 0) return reply.error(ERR_OFFSET_RANGE);
  const added = request.size[3]!;
  const ref = writeKey(context, request, 1);
  if (ref !== NONE && !isString(context, ref, reply)) return;
  const oldSize = ref === NONE ? 0 : db.entries.stringSize(ref);
  if (added === 0) return reply.int(oldSize);
  const start = Number(offset);
  if (!fitsString(context, start + added, reply)) return;
  if (ref === NONE) {
    setRawKey(context, request, 1, padded(start, argument(request, 3)));
  } else {
    setRange(db, ref, start, argument(request, 3));
  }
  notifyKey(context, KEYSPACE_EVENT.$, 'setrange', request, 1);
  reply.int(Math.max(oldSize, start + added));
}

/** `start` zeros and the bytes behind them. */
function padded(start: number, bytes: BytesView): BytesView {
  const buf = Buffer.alloc(start + bytes.size);
  buf.set(bytes.buf.subarray(bytes.at, bytes.at + bytes.size), start);
  return { buf, at: 0, size: buf.length };
}
