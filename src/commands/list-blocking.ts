/** Pops that wait for an element: BLPOP, BRPOP and BLMPOP. */
import { NONE, TYPE_LIST } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { NO_DEADLINE, blockingDeadline } from './blocking-time.ts';
import type { Context, KeyWait } from './context.ts';
import { isOfType, replyView, writeKey } from './key-access.ts';
import { parseMultiPop, popFirst, removeEnd } from './list-pop.ts';

export function blpop(context: Context, request: Request, reply: ReplyWriter): void {
  blockingPop(context, request, true, reply);
}

export function brpop(context: Context, request: Request, reply: ReplyWriter): void {
  blockingPop(context, request, false, reply);
}

/** BLPOP key [key ...] timeout. */
function blockingPop(
  context: Context,
  request: Request,
  isFront: boolean,
  reply: ReplyWriter,
): void {
  const last = request.argc - 1;
  const deadline = blockingDeadline(context, request, last, reply);
  if (deadline === NO_DEADLINE) return;
  const { readyArgument } = context;
  for (let key = 1; key < last; key++) {
    if (readyArgument !== 0 && key !== readyArgument) continue;
    const ref = writeKey(context, request, key);
    if (ref === NONE) continue;
    if (!isOfType(context, ref, TYPE_LIST, reply)) return;
    reply.array(2);
    reply.bulk(request.buf, request.at[key]!, request.size[key]!);
    replyView(reply, context.db.store.lists.readEnd(ref, isFront));
    if (context.isPropagated) {
      context.propagateAs([isFront ? 'LPOP' : 'RPOP', request.bytes(key)]);
    }
    return removeEnd(context, request, key, ref, isFront);
  }
  waitForList(context, request, { firstKey: 1, keyCount: last - 1, deadline }, reply);
}

/** BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]. */
export function blmpop(context: Context, request: Request, reply: ReplyWriter): void {
  const asked = parseMultiPop(request, 2, reply);
  if (asked === undefined) return;
  const deadline = blockingDeadline(context, request, 1, reply);
  if (deadline === NO_DEADLINE || popFirst(context, request, asked, reply)) return;
  waitForList(context, request, { ...asked, deadline }, reply);
}

function waitForList(
  context: Context,
  request: Request,
  { firstKey, keyCount, deadline }: Omit<KeyWait, 'type'>,
  reply: ReplyWriter,
): void {
  if (!context.mayBlock) return reply.nullArray();
  context.blockOnKeys(request, { type: TYPE_LIST, firstKey, keyCount, deadline });
}
