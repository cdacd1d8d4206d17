/** Elements moved from one list to another, or round one: LMOVE, RPOPLPUSH, BLMOVE and BRPOPLPUSH. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, type Ref, TYPE_LIST } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { NO_DEADLINE, blockingDeadline } from './blocking-time.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX } from './errors.ts';
import {
  bytesOf,
  emptyView,
  isOfType,
  isSameArgument,
  notifyKey,
  replyView,
  writeKey,
} from './key-access.ts';
import { removeEnd } from './list-pop.ts';
import { createList } from './list-push.ts';

/** Where an element comes from and goes to; arguments 1 and 2 are the keys. */
interface Sides {
  readonly isFromFront: boolean;
  readonly isToFront: boolean;
}

const RIGHT_TO_LEFT: Sides = { isFromFront: false, isToFront: true };
const SIDES: readonly Sides[] = [
  RIGHT_TO_LEFT,
  { isFromFront: false, isToFront: false },
  { isFromFront: true, isToFront: true },
  { isFromFront: true, isToFront: false },
];

/** Longest element that is moved through memory which is there already. */
const KEPT_BYTES = 64 * 1024;
const KEPT: Buffer = Buffer.alloc(KEPT_BYTES);
// Scratch: set and read within one call.
const MOVED: BytesView = emptyView();

/** LMOVE source destination LEFT|RIGHT LEFT|RIGHT. */
export function lmove(context: Context, request: Request, reply: ReplyWriter): void {
  const sides = parseSides(request);
  if (sides === undefined) return reply.error(ERR_SYNTAX);
  moveOrNull(context, request, sides, reply);
}

export function rpoplpush(context: Context, request: Request, reply: ReplyWriter): void {
  moveOrNull(context, request, RIGHT_TO_LEFT, reply);
}

/** BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout. */
export function blmove(context: Context, request: Request, reply: ReplyWriter): void {
  const sides = parseSides(request);
  if (sides === undefined) return reply.error(ERR_SYNTAX);
  if (!moveOrBlock(context, request, sides, 5, reply) || !context.isPropagated) return;
  const args = ['LMOVE', request.bytes(1), request.bytes(2), request.bytes(3), request.bytes(4)];
  context.propagateAs(args);
}

export function brpoplpush(context: Context, request: Request, reply: ReplyWriter): void {
  if (!moveOrBlock(context, request, RIGHT_TO_LEFT, 3, reply) || !context.isPropagated) return;
  context.propagateAs(['RPOPLPUSH', request.bytes(1), request.bytes(2)]);
}

function parseSides(request: Request): Sides | undefined {
  let sides = 0;
  for (let i = 3; i <= 4; i++) {
    if (request.is(i, 'left')) sides |= i === 3 ? 2 : 0;
    else if (request.is(i, 'right')) sides |= i === 3 ? 0 : 1;
    else return undefined;
  }
  return SIDES[sides];
}

function moveOrNull(context: Context, request: Request, sides: Sides, reply: ReplyWriter): void {
  const source = writeKey(context, request, 1);
  if (source === NONE) return reply.nullBulk();
  if (isOfType(context, source, TYPE_LIST, reply)) move(context, request, source, sides, reply);
}

/** Whether an element was moved. */
function moveOrBlock(
  context: Context,
  request: Request,
  sides: Sides,
  timeoutArgument: number,
  reply: ReplyWriter,
): boolean {
  const deadline = blockingDeadline(context, request, timeoutArgument, reply);
  if (deadline === NO_DEADLINE) return false;
  const source = writeKey(context, request, 1);
  if (source === NONE) {
    if (!context.mayBlock) reply.nullBulk();
    else context.blockOnKeys(request, { type: TYPE_LIST, firstKey: 1, keyCount: 1, deadline });
    return false;
  }
  if (!isOfType(context, source, TYPE_LIST, reply)) return false;
  return move(context, request, source, sides, reply);
}

function move(
  context: Context,
  request: Request,
  source: Ref,
  { isFromFront, isToFront }: Sides,
  reply: ReplyWriter,
): boolean {
  const { db } = context;
  const { lists } = db.store;
  const target = writeKey(context, request, 2);
  if (target !== NONE && !isOfType(context, target, TYPE_LIST, reply)) return false;
  const moved = keep(lists.readEnd(source, isFromFront));
  replyView(reply, moved);
  const event = isToFront ? 'lpush' : 'rpush';
  if (isSameArgument(request, 1, 2)) {
    let ref = source;
    if (isFromFront !== isToFront && lists.size(ref) > 1) {
      ref = lists.pop(db, ref, isFromFront);
      ref = lists.push(db, ref, moved, isToFront);
    }
    db.changed(ref);
    notifyKey(context, KEYSPACE_EVENT.l, event, request, 2);
    notifyKey(context, KEYSPACE_EVENT.l, isFromFront ? 'lpop' : 'rpop', request, 1);
    return true;
  }
  const grown =
    target === NONE
      ? createList(context, request, 2, moved)
      : lists.push(db, target, moved, isToFront);
  db.changed(grown, 0);
  notifyKey(context, KEYSPACE_EVENT.l, event, request, 2);
  removeEnd(context, request, 1, source, isFromFront);
  return true;
}

/** The bytes of an element, out of the keyspace's way. */
function keep(element: BytesView): BytesView {
  const { at, size } = element;
  MOVED.buf = size <= KEPT_BYTES ? KEPT : Buffer.allocUnsafeSlow(size);
  MOVED.at = 0;
  MOVED.size = size;
  bytesOf(element).copy(bytesOf(MOVED), 0, at, at + size);
  return MOVED;
}
