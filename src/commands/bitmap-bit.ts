/** Single bits, SETBIT and GETBIT, and what all bit commands share. Bit 0 is the highest of byte 0. */
import { parseInt64 } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, makeRaw } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_BIT_OFFSET, ERR_BIT_VALUE } from './data-errors.ts';
import { isString, notifyKey, readKey, setRawKey, writeKey } from './key-access.ts';

const HASH = 0x23;

/**
 * The bit offset in argument `i`, or -1 after an error reply. With `fieldBits`, `#n` means the n-th field of so many
 * bits. The byte must lie below proto-max-bulk-len, unless our master says otherwise.
 */
export function bitOffset(
  context: Context,
  request: Request,
  i: number,
  reply: ReplyWriter,
  fieldBits: number = 0,
): number {
  const at = request.at[i]!;
  const size = request.size[i]!;
  const isCounted = fieldBits > 0 && size > 0 && request.buf[at] === HASH;
  const value = isCounted ? parseInt64(request.buf, at + 1, size - 1) : request.int(i);
  if (typeof value === 'number') {
    const offset = isCounted ? value * fieldBits : value;
    const isFitting = offset / 8 < context.server.settings['proto-max-bulk-len'];
    if (offset >= 0 && (isFitting || context.session.role === 'master')) return offset;
  }
  reply.error(ERR_BIT_OFFSET);
  return -1;
}

export function setbit(context: Context, request: Request, reply: ReplyWriter): void {
  const offset = bitOffset(context, request, 2, reply);
  if (offset < 0) return;
  const bit = request.int(3);
  if (bit !== 0 && bit !== 1) return reply.error(ERR_BIT_VALUE);
  const { db } = context;
  const byte = Math.floor(offset / 8);
  const mask = 128 >>> (offset % 8);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) {
    const buf = Buffer.alloc(byte + 1);
    if (bit === 1) buf[byte] = mask;
    setRawKey(context, request, 1, { buf, at: 0, size: buf.length });
    notifyKey(context, KEYSPACE_EVENT.$, 'setbit', request, 1);
    return reply.int(0);
  }
  if (!isString(context, ref, reply)) return;
  const view = db.entries.stringView(ref);
  const isInside = byte < view.size;
  const old = isInside && (view.buf[view.at + byte]! & mask) !== 0 ? 1 : 0;
  // The value is raw from now on, even if the bit was that already.
  const to = makeRaw(db, ref, byte + 1);
  if (!isInside || old !== bit) {
    const raw = db.entries.stringView(to);
    raw.buf[raw.at + byte]! ^= old === bit ? 0 : mask;
    db.changed(to);
    notifyKey(context, KEYSPACE_EVENT.$, 'setbit', request, 1);
  }
  reply.int(old);
}

export function getbit(context: Context, request: Request, reply: ReplyWriter): void {
  const offset = bitOffset(context, request, 2, reply);
  if (offset < 0) return;
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isString(context, ref, reply)) return;
  const view = context.db.entries.stringView(ref);
  const byte = Math.floor(offset / 8);
  const isSet = byte < view.size && (view.buf[view.at + byte]! & (128 >>> (offset % 8))) !== 0;
  reply.int(isSet ? 1 : 0);
}
