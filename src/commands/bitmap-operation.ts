/** BITOP: whole strings combined bit by bit. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_BITOP_NOT } from './data-errors.ts';
import { ERR_SYNTAX } from './errors.ts';
import { bytesOf, emptyView, isString, notifyKey, readKey, setRawKey } from './key-access.ts';

type Operation = 'and' | 'or' | 'xor' | 'not';

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
    const view = ref === NONE ? emptyView() : context.db.entries.stringView(ref);
    // The digits of integers share one scratch, so they are copied; other strings are only looked at.
    const isInt = ref !== NONE && context.db.entries.isInt(ref);
    sources.push(isInt ? copied(view) : { buf: view.buf, at: view.at, size: view.size });
  }
  const result = combined(operation, sources);
  store(context, request, result);
  reply.int(result.length);
}

function copied(view: BytesView): BytesView {
  const buf = Buffer.from(bytesOf(view).subarray(view.at, view.at + view.size));
  return { buf, at: 0, size: buf.length };
}

function combined(operation: Operation, sources: readonly BytesView[]): Buffer {
  const size = Math.max(...sources.map((source) => source.size));
  const result = Buffer.alloc(size);
  const [first, ...others] = sources;
  if (first === undefined) return result;
  result.set(first.buf.subarray(first.at, first.at + first.size));
  if (operation === 'not') for (let i = 0; i < size; i++) result[i] = ~result[i]!;
  for (const other of others) {
    if (operation === 'and') andInto(result, other);
    else if (operation === 'or') orInto(result, other);
    else xorInto(result, other);
  }
  return result;
}

function andInto(result: Buffer, { buf, at, size }: BytesView): void {
  for (let i = 0; i < size; i++) result[i]! &= buf[at + i]!;
  result.fill(0, size);
}

function orInto(result: Buffer, { buf, at, size }: BytesView): void {
  for (let i = 0; i < size; i++) result[i]! |= buf[at + i]!;
}

function xorInto(result: Buffer, { buf, at, size }: BytesView): void {
  for (let i = 0; i < size; i++) result[i]! ^= buf[at + i]!;
}

/** An empty result deletes the destination. */
function store(context: Context, request: Request, result: Buffer): void {
  if (result.length > 0) {
    setRawKey(context, request, 2, { buf: result, at: 0, size: result.length });
    notifyKey(context, KEYSPACE_EVENT.$, 'set', request, 2);
  } else if (context.db.deleteKey(request.buf, request.at[2]!, request.size[2]!)) {
    notifyKey(context, KEYSPACE_EVENT.g, 'del', request, 2);
  }
}
