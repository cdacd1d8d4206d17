/** Members drawn by lot, each with the same chance: SPOP and SRANDMEMBER. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, type Ref, TYPE_SET } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LONG_RANGE, ERR_NOT_POSITIVE } from './data-errors.ts';
import { drawDistinct, isSparse, replyRepeated, selection } from './draw.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import {
  bytesOf,
  dropEmpty,
  isOfType,
  notifyKey,
  readKey,
  replyView,
  writeKey,
} from './key-access.ts';

const LONG_MAX = 0x7fff_ffff_ffff_ffffn;

export function spop(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 2) return popMany(context, request, reply);
  const { db } = context;
  const { sets } = db.store;
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.nullBulk();
  if (!isOfType(context, ref, TYPE_SET, reply)) return;
  const member = sets.random(ref, context.server.rng);
  replyView(reply, member);
  if (context.isPropagated) {
    const bytes = Buffer.from(bytesOf(member).subarray(member.at, member.at + member.size));
    context.propagateAs(['SREM', request.bytes(1), bytes]);
  }
  const left = sets.removeDrawn(db, ref);
  db.changed(left);
  notifyKey(context, KEYSPACE_EVENT.s, 'spop', request, 1);
  if (sets.size(left) === 0) dropEmpty(context, request, 1, left);
}

/** SPOP key count. */
function popMany(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(ERR_SYNTAX);
  const count = request.int(2);
  if (count === NOT_INTEGER || count < 0) return reply.error(ERR_NOT_POSITIVE);
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.set(0);
  if (!isOfType(context, ref, TYPE_SET, reply)) return;
  if (count === 0) return reply.set(0);
  const size = context.db.store.sets.size(ref);
  if (count >= size) popAll(context, request, ref, reply);
  else popSome(context, request, { ref, count: Number(count) }, reply);
}

function popAll(context: Context, request: Request, ref: Ref, reply: ReplyWriter): void {
  const { db } = context;
  const { sets } = db.store;
  const size = sets.size(ref);
  reply.set(size);
  sets.forEach(ref, (member) => replyView(reply, member));
  notifyKey(context, KEYSPACE_EVENT.s, 'spop', request, 1);
  db.changed(ref, size);
  dropEmpty(context, request, 1, ref);
  const isLazy = context.server.settings['lazyfree-lazy-server-del'];
  context.propagateAs([isLazy ? 'UNLINK' : 'DEL', request.bytes(1)]);
}

function popSome(
  context: Context,
  request: Request,
  { ref, count }: { readonly ref: Ref; readonly count: number },
  reply: ReplyWriter,
): void {
  const { db } = context;
  const { sets } = db.store;
  notifyKey(context, KEYSPACE_EVENT.s, 'spop', request, 1);
  reply.set(count);
  let left = ref;
  const key = context.isPropagated ? request.copy(1) : undefined;
  for (let i = 0; i < count; i++) {
    const member = sets.random(left, context.server.rng);
    replyView(reply, member);
    if (key !== undefined) {
      const bytes = Buffer.from(bytesOf(member).subarray(member.at, member.at + member.size));
      context.alsoPropagate(db.index, ['SREM', key, bytes]);
    }
    left = sets.removeDrawn(db, left);
  }
  // Replicas get which members went.
  context.preventPropagation();
  db.changed(left, count);
}

/** SRANDMEMBER key [count]; a negative count may name a member more than once. */
export function srandmember(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(ERR_SYNTAX);
  const { sets } = context.db.store;
  const { rng } = context.server;
  if (request.argc === 2) {
    const ref = readKey(context, request, 1);
    if (ref === NONE) return reply.nullBulk();
    if (isOfType(context, ref, TYPE_SET, reply)) replyView(reply, sets.random(ref, rng));
    return;
  }
  const count = request.int(2);
  if (count === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (count < -LONG_MAX) return reply.error(ERR_LONG_RANGE);
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.array(0);
  if (!isOfType(context, ref, TYPE_SET, reply)) return;
  const answerOne = (): void => replyView(reply, sets.random(ref, rng));
  if (count < 0) return replyRepeated(context, { count: -Number(count) }, answerOne);
  const size = sets.size(ref);
  const wanted = Math.min(Number(count), size);
  reply.array(wanted);
  if (isSparse(size, wanted)) return answerSparse(context, ref, wanted, reply);
  const isTaken = selection(rng, size, wanted);
  sets.forEach(ref, (member) => {
    if (isTaken()) replyView(reply, member);
  });
}

/** Answers `wanted` different members of a set that has many more. */
function answerSparse(context: Context, ref: Ref, wanted: number, reply: ReplyWriter): void {
  const { sets } = context.db.store;
  let member: BytesView;
  drawDistinct(
    wanted,
    () => {
      member = sets.random(ref, context.server.rng);
      return sets.drawn;
    },
    () => replyView(reply, member),
  );
}
