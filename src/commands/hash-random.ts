/** HRANDFIELD: fields drawn by lot, each with the same chance. */
import { NOT_INTEGER } from '../base/index.ts';
import { type BytesView, NONE, type Ref, TYPE_HASH } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LONG_RANGE, ERR_OUT_OF_RANGE } from './data-errors.ts';
import { drawDistinct, isSparse, replyRepeated, selection } from './draw.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { isOfType, readKey, replyView } from './key-access.ts';

const LONG_MAX = 0x7fff_ffff_ffff_ffffn;

/** HRANDFIELD key [count [WITHVALUES]]; a negative count may name a field more than once. */
export function hrandfield(context: Context, request: Request, reply: ReplyWriter): void {
  const { hashes } = context.db.store;
  const { rng } = context.server;
  if (request.argc === 2) {
    const ref = readKey(context, request, 1);
    if (ref === NONE) return reply.nullBulk();
    if (!isOfType(context, ref, TYPE_HASH, reply)) return;
    hashes.random(ref, rng);
    return replyView(reply, hashes.field);
  }
  const count = request.int(2);
  if (count === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (count < -LONG_MAX) return reply.error(ERR_LONG_RANGE);
  const hasValues = request.argc > 3;
  if (request.argc > 4 || (hasValues && !request.is(3, 'withvalues'))) {
    return reply.error(ERR_SYNTAX);
  }
  if (hasValues && (count < -(LONG_MAX / 2n) || count > LONG_MAX / 2n)) {
    return reply.error(ERR_OUT_OF_RANGE);
  }
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.array(0);
  if (!isOfType(context, ref, TYPE_HASH, reply)) return;
  answer(context, ref, { count, hasValues }, reply);
}

function answer(
  context: Context,
  ref: Ref,
  { count, hasValues }: { readonly count: number | bigint; readonly hasValues: boolean },
  reply: ReplyWriter,
): void {
  const { hashes } = context.db.store;
  const { rng } = context.server;
  const isFlat = hasValues && reply.resp === 2;
  const show = (field: BytesView, value: BytesView): void => {
    if (hasValues && !isFlat) reply.array(2);
    replyView(reply, field);
    if (hasValues) replyView(reply, value);
  };
  const size = hashes.size(ref);
  const read = context.db.entries.isLarge(ref) ? undefined : hashes.packedReader(ref);
  if (count < 0) {
    const answerOne = (): void => {
      if (read === undefined) hashes.random(ref, rng);
      else read(rng.below(size));
      show(hashes.field, hashes.value);
    };
    return replyRepeated(context, { count: -Number(count), each: isFlat ? 2 : 1 }, answerOne);
  }
  const wanted = Math.min(Number(count), size);
  reply.array(isFlat ? wanted * 2 : wanted);
  if (read === undefined && isSparse(size, wanted)) {
    const draw = (): number => {
      hashes.random(ref, rng);
      return hashes.drawn;
    };
    return drawDistinct(wanted, draw, () => show(hashes.field, hashes.value));
  }
  const isTaken = selection(rng, size, wanted);
  if (read === undefined) {
    hashes.forEach(ref, (field, value) => {
      if (isTaken()) show(field, value);
    });
    return;
  }
  for (let i = 0; i < size; i++) {
    if (!isTaken()) continue;
    read(i);
    show(hashes.field, hashes.value);
  }
}
