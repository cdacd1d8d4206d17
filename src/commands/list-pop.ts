/** Elements taken out of lists: LPOP, RPOP, LMPOP, LREM and LTRIM, and what blocking pops share with them. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { NONE, type Ref, TYPE_LIST } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_POSITIVE, ERR_NUMKEYS_POSITIVE } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, wrongArity } from './errors.ts';
import { dropEmpty, isOfType, notifyKey, replyView, writeKey } from './key-access.ts';

const ERR_COUNT_POSITIVE = 'ERR count should be greater than 0';

export function lpop(context: Context, request: Request, reply: ReplyWriter): void {
  pop(context, request, true, reply);
}

export function rpop(context: Context, request: Request, reply: ReplyWriter): void {
  pop(context, request, false, reply);
}

function pop(context: Context, request: Request, isFront: boolean, reply: ReplyWriter): void {
  if (request.argc > 2) return popMany(context, request, isFront, reply);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.nullBulk();
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  replyView(reply, context.db.store.lists.readEnd(ref, isFront));
  removeEnd(context, request, 1, ref, isFront);
}

/** LPOP key count. */
function popMany(context: Context, request: Request, isFront: boolean, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(wrongArity(isFront ? 'lpop' : 'rpop'));
  const count = request.int(2);
  if (count === NOT_INTEGER || count < 0) return reply.error(ERR_NOT_POSITIVE);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.nullArray();
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  if (count === 0) return reply.array(0);
  popSome(context, request, { key: 1, ref, isFront, count: Number(count) }, reply);
}

/** Takes the first or last element away from the list at the key in argument `key`; it has been answered. */
export function removeEnd(
  context: Context,
  request: Request,
  key: number,
  ref: Ref,
  isFront: boolean,
): void {
  const { db } = context;
  const { lists } = db.store;
  const event = isFront ? 'lpop' : 'rpop';
  if (lists.size(ref) > 1) {
    db.changed(lists.pop(db, ref, isFront));
    notifyKey(context, KEYSPACE_EVENT.l, event, request, key);
    return;
  }
  db.changed(ref);
  notifyKey(context, KEYSPACE_EVENT.l, event, request, key);
  dropEmpty(context, request, key, ref);
}

/** Several elements of one end of a list. */
export interface Popping {
  /** Argument of the key. */
  readonly key: number;
  readonly ref: Ref;
  readonly isFront: boolean;
  /** At least 1; there may be fewer. */
  readonly count: number;
}

/** Answers elements from an end inwards, and takes them away; returns how many. */
function popSome(
  context: Context,
  request: Request,
  { key, ref, isFront, count }: Popping,
  reply: ReplyWriter,
): number {
  const { db } = context;
  const { lists } = db.store;
  const { cursor } = lists;
  const size = lists.size(ref);
  const taken = Math.min(count, size);
  reply.array(taken);
  cursor.seekEnd(ref, isFront);
  for (let i = 0; i < taken; i++) {
    cursor.element.read(cursor.buf, cursor.pos);
    replyView(reply, cursor.element);
    if (isFront) cursor.forward();
    else cursor.backward();
  }
  db.changed(taken < size ? lists.trim(db, ref, taken, isFront) : ref, taken);
  notifyKey(context, KEYSPACE_EVENT.l, isFront ? 'lpop' : 'rpop', request, key);
  if (taken === size) dropEmpty(context, request, key, ref);
  return taken;
}

/** Answers a key and elements popped from it; replicas get LPOP or RPOP with their number. */
export function popWithKey(
  context: Context,
  request: Request,
  popping: Popping,
  reply: ReplyWriter,
): void {
  reply.array(2);
  reply.bulkBytes(request.bytes(popping.key));
  const taken = popSome(context, request, popping, reply);
  if (!context.isPropagated) return;
  const name = popping.isFront ? 'LPOP' : 'RPOP';
  context.propagateAs([name, request.bytes(popping.key), String(taken)]);
}

/** What LMPOP and BLMPOP ask for. */
export interface MultiPop {
  readonly firstKey: number;
  readonly keyCount: number;
  readonly isFront: boolean;
  readonly count: number;
}

/** Reads `numkeys key [key ...] LEFT|RIGHT [COUNT count]` from argument `i` on; undefined: answered. */
export function parseMultiPop(
  request: Request,
  i: number,
  reply: ReplyWriter,
): MultiPop | undefined {
  const refuse = (text: string): undefined => {
    reply.error(text);
  };
  const keys = request.int(i);
  if (keys === NOT_INTEGER || keys <= 0) return refuse(ERR_NUMKEYS_POSITIVE);
  const keyCount = Number(keys);
  const side = i + 1 + keyCount;
  if (side >= request.argc) return refuse(ERR_SYNTAX);
  const isFront = request.is(side, 'left');
  if (!isFront && !request.is(side, 'right')) return refuse(ERR_SYNTAX);
  let count = 1;
  if (side + 1 < request.argc) {
    if (side + 3 > request.argc || !request.is(side + 1, 'count')) return refuse(ERR_SYNTAX);
    const asked = request.int(side + 2);
    if (asked === NOT_INTEGER || asked <= 0) return refuse(ERR_COUNT_POSITIVE);
    if (side + 3 < request.argc) return refuse(ERR_SYNTAX);
    count = Number(asked);
  }
  return { firstKey: i + 1, keyCount, isFront, count };
}

export function lmpop(context: Context, request: Request, reply: ReplyWriter): void {
  const asked = parseMultiPop(request, 1, reply);
  if (asked !== undefined && !popFirst(context, request, asked, reply)) reply.nullArray();
}

/** Pops from the first of the keys that has a list; false when none has. A key of another type is an error. */
export function popFirst(
  context: Context,
  request: Request,
  { firstKey, keyCount, isFront, count }: MultiPop,
  reply: ReplyWriter,
): boolean {
  const { readyArgument } = context;
  for (let key = firstKey; key < firstKey + keyCount; key++) {
    if (readyArgument !== 0 && key !== readyArgument) continue;
    const ref = writeKey(context, request, key);
    if (ref === NONE) continue;
    if (isOfType(context, ref, TYPE_LIST, reply)) {
      popWithKey(context, request, { key, ref, isFront, count }, reply);
    }
    return true;
  }
  return false;
}

/** LREM key count element: the first of them, or for a negative count the last. */
export function lrem(context: Context, request: Request, reply: ReplyWriter): void {
  const asked = request.int(2);
  if (asked === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  const { db } = context;
  const { lists } = db.store;
  const count = Number(asked);
  lists.matcher.set(request.buf, request.at[3]!, request.size[3]!);
  const to = lists.removeMatching(db, ref, Math.abs(count) || Infinity, count < 0);
  const { removedCount } = lists;
  if (removedCount > 0) {
    db.changed(to, removedCount);
    notifyKey(context, KEYSPACE_EVENT.l, 'lrem', request, 1);
    if (lists.size(to) === 0) dropEmpty(context, request, 1, to);
  }
  reply.int(removedCount);
}

/** LTRIM key start stop: only these stay. */
export function ltrim(context: Context, request: Request, reply: ReplyWriter): void {
  const from = request.int(2);
  const to = request.int(3);
  if (from === NOT_INTEGER || to === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.ok();
  if (!isOfType(context, ref, TYPE_LIST, reply)) return;
  const { db } = context;
  const { lists } = db.store;
  const size = lists.size(ref);
  const start = from < 0 ? Math.max(0, size + Number(from)) : Number(from);
  const end = to < 0 ? size + Number(to) : Math.min(size - 1, Number(to));
  const isEmptied = start > end || start >= size;
  const removed = isEmptied ? size : size - (end - start + 1);
  let trimmed = ref;
  if (!isEmptied) {
    trimmed = lists.trim(db, trimmed, size - 1 - end, false);
    trimmed = lists.trim(db, trimmed, start, true);
  }
  db.changed(trimmed, removed);
  notifyKey(context, KEYSPACE_EVENT.l, 'ltrim', request, 1);
  if (isEmptied) dropEmpty(context, request, 1, trimmed);
  reply.ok();
}
