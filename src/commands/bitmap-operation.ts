/** BITOP: whole strings combined bit by bit. */
import { clearBytes, copyBytes } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { wordsOf } from './bitmap-words.ts';
import type { Context } from './context.ts';
import { ERR_BITOP_NOT } from './data-errors.ts';
import { ERR_SYNTAX } from './errors.ts';
import { isString, notifyKey, readKey, setRawKey, stringBeside } from './key-access.ts';

type Operation = 'and' | 'or' | 'xor' | 'not';

/** Longest result that is made in memory which is there already. */
const KEPT_BYTES = 64 * 1024;
const KEPT: Buffer = Buffer.allocUnsafeSlow(KEPT_BYTES);

const OPERATIONS: readonly Operation[] = ['and', 'or', 'xor', 'not'];

/** BITOP operation destination key [key...]; shorter strings count as filled up with zeros. */
export function bitop(context: Context, request: Request, reply: ReplyWriter): void {
  const operation = OPERATIONS.find((name) => request.is(1, name));
  if (operation === undefined) return reply.error(ERR_SYNTAX);
  if (operation === 'not' && request.argc !== 4) return reply.error(ERR_BITOP_NOT);
  const sources: BytesView[] = [];
  for (let i = 3; i < request.argc; i++) {
    const ref = readKey(context, request, i);
    if (ref !== NONE && !isString(context, ref, reply)) return;
    sources.push(stringBeside(context, ref));
  }
  const result = combined(operation, sources);
  store(context, request, result);
  reply.int(result.size);
}

/** The result, in a view that is valid until the next one. */
function combined(operation: Operation, sources: readonly BytesView[]): BytesView {
  let size = 0;
  for (const source of sources) size = Math.max(size, source.size);
  const buf = size <= KEPT.length ? KEPT : Buffer.allocUnsafeSlow(size);
  const result: BytesView = { buf, at: 0, size };
  const [first] = sources;
  if (first === undefined) return result;
  copyBytes(first.buf, first.at, buf, 0, first.size);
  clearBytes(buf, first.size, size);
  if (operation === 'not') invert(buf, size);
  for (let i = 1; i < sources.length; i++) {
    const other = sources[i]!;
    if (operation === 'and') clearBytes(buf, other.size, size);
    combineInto(operation, buf, other);
  }
  return result;
}

function invert(buf: Buffer, size: number): void {
  const words = wordsOf(buf, 0, size);
  for (let i = 0; words !== undefined && i < words.length; i++) words[i] = ~words[i]!;
  for (let i = words?.byteLength ?? 0; i < size; i++) buf[i] = ~buf[i]!;
}

/** Combines the first bytes of a result with as many others: long ones four at a time where both allow it. */
function combineInto(operation: Operation, result: Buffer, other: BytesView): void {
  const { buf, at, size } = other;
  const words = wordsOf(buf, at, size);
  const own = words && wordsOf(result, 0, size);
  let done = 0;
  if (words !== undefined && own !== undefined) {
    combineItems(operation, own, 0, words, 0, words.length);
    done = words.byteLength;
  }
  combineItems(operation, result, done, buf, at + done, size - done);
}

function combineItems(
  operation: Operation,
  result: Uint8Array | Int32Array,
  at: number,
  other: Uint8Array | Int32Array,
  otherAt: number,
  count: number,
): void {
  if (operation === 'and') for (let i = 0; i < count; i++) result[at + i]! &= other[otherAt + i]!;
  else if (operation === 'or')
    for (let i = 0; i < count; i++) result[at + i]! |= other[otherAt + i]!;
  else for (let i = 0; i < count; i++) result[at + i]! ^= other[otherAt + i]!;
}

/** An empty result deletes the destination. */
function store(context: Context, request: Request, result: BytesView): void {
  if (result.size > 0) {
    setRawKey(context, request, 2, result);
    notifyKey(context, KEYSPACE_EVENT.$, 'set', request, 2);
  } else if (context.db.deleteKey(request.buf, request.at[2]!, request.size[2]!)) {
    notifyKey(context, KEYSPACE_EVENT.g, 'del', request, 2);
  }
}
