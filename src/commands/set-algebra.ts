/** Sets of sets: SINTER, SINTERCARD, SUNION, SDIFF, their STORE forms, and SMEMBERS. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { type BytesView, NONE, type Ref, SetResult, TYPE_SET } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LIMIT_NEGATIVE, ERR_NUMKEYS_POSITIVE, ERR_NUMKEYS_TOO_MANY } from './data-errors.ts';
import { ERR_SYNTAX } from './errors.ts';
import { argument, isOfType, readKey, replyView } from './key-access.ts';
import type { Handler } from './spec.ts';
import { storeResult } from './store-result.ts';

type Visit = (member: BytesView) => void;

/** Visits each member of a combination of sets once; stops when asked. Absent keys are NONE. */
type Combine = (context: Context, refs: readonly Ref[], visit: Visit) => void;

/** The sets in arguments [first, end); undefined after WRONGTYPE. */
function setArguments(
  context: Context,
  request: Request,
  range: { readonly first: number; readonly end: number },
  reply: ReplyWriter,
): Ref[] | undefined {
  const refs: Ref[] = [];
  for (let i = range.first; i < range.end; i++) {
    const ref = readKey(context, request, i);
    if (ref !== NONE && !isOfType(context, ref, TYPE_SET, reply)) return undefined;
    refs.push(ref);
  }
  return refs;
}

/** How many of the sets, one after the other, have a member or have it not, until one differs. */
function countWith(
  { db }: Context,
  refs: readonly Ref[],
  member: BytesView,
  isThere: boolean,
): number {
  const { sets } = db.store;
  const buf = member.buf as Buffer;
  const { at, size } = member;
  let count = 0;
  while (count < refs.length && sets.has(refs[count]!, buf, at, size) === isThere) count++;
  return count;
}

const intersect: Combine = (context, refs, visit) => {
  intersectUpTo(context, refs, Infinity, visit);
};

/** Visits members that all sets have, at most `limit`. */
function intersectUpTo(context: Context, refs: readonly Ref[], limit: number, visit: Visit): void {
  if (refs.includes(NONE)) return;
  const { sets } = context.db.store;
  let smallest = 0;
  for (let i = 1; i < refs.length; i++) {
    if (sets.size(refs[i]!) < sets.size(refs[smallest]!)) smallest = i;
  }
  const others = refs.filter((_, i) => i !== smallest);
  // Small sets first: they are the likeliest to lack a member, which ends its tests.
  if (others.length > 1) others.sort((a, b) => sets.size(a) - sets.size(b));
  let left = limit;
  sets.forEachWhile(refs[smallest]!, (member) => {
    if (countWith(context, others, member, true) === others.length) {
      visit(member);
      left--;
    }
    return left > 0;
  });
}

/** To look for a member in so many sets costs no more than to put it into another. */
const UNITED_BY_LOOKUP_MAX = 3;

/** Visits the members of each set that none of those before it has. */
function uniteByLookup(context: Context, refs: readonly Ref[], visit: Visit): void {
  const { sets } = context.db.store;
  for (let i = 0; i < refs.length; i++) {
    const before = refs.slice(0, i);
    sets.forEach(refs[i]!, (member) => {
      if (countWith(context, before, member, false) === i) visit(member);
    });
  }
}

const unite: Combine = (context, refs, visit) => {
  const { sets } = context.db.store;
  const present = refs.filter((ref) => ref !== NONE);
  if (present.length <= UNITED_BY_LOOKUP_MAX) return uniteByLookup(context, present, visit);
  const result = new SetResult(context.db);
  for (const ref of present) sets.forEach(ref, (member) => result.add(member));
  result.forEach(visit);
  result.discard();
};

const subtract: Combine = (context, refs, visit) => {
  const { sets } = context.db.store;
  const [first, ...rest] = refs;
  if (first === NONE) return;
  // Large sets first: they are the likeliest to have a member, which ends its tests.
  const others = rest.filter((ref) => ref !== NONE).sort((a, b) => sets.size(b) - sets.size(a));
  if (others.includes(first!)) return;
  sets.forEach(first!, (member) => {
    if (countWith(context, others, member, false) === others.length) visit(member);
  });
};

/**
 * Whether Redis would subtract from a copy of the first set, as it does where that is less work
 * than to look for its members in the others, and the copy cannot be an intset: then what is left
 * of it is none either.
 */
function subtractsFromTable({ db }: Context, [first, ...rest]: readonly Ref[]): boolean {
  if (first === undefined || first === NONE) return false;
  const { sets } = db.store;
  const sizes = rest.filter((ref) => ref !== NONE).map((ref) => sets.size(ref));
  const size = sets.size(first);
  const work = sizes.reduce((sum, other) => sum + other, size);
  if (Math.trunc((size * (sizes.length + 1)) / 2) <= work) return false;
  if (size > db.limits['set-max-intset-entries']) return true;
  let isAllIntegers = true;
  sets.forEachWhile(first, ({ buf, at, size: bytes }) => {
    isAllIntegers = sets.integerOf(buf, at, bytes) !== NOT_INTEGER;
    return isAllIntegers;
  });
  return !isAllIntegers;
}

function answering(combine: Combine): Handler {
  return (context, request, reply) => {
    const refs = setArguments(context, request, { first: 1, end: request.argc }, reply);
    if (refs === undefined) return;
    const mark = reply.beginDeferred();
    let count = 0;
    combine(context, refs, (member) => {
      replyView(reply, member);
      count++;
    });
    reply.endSet(mark, count);
  };
}

type IsTable = (context: Context, refs: readonly Ref[]) => boolean;

function storing(combine: Combine, event: string, isTable?: IsTable): Handler {
  return (context, request, reply) => {
    const refs = setArguments(context, request, { first: 2, end: request.argc }, reply);
    if (refs === undefined) return;
    const result = new SetResult(context.db);
    if (isTable?.(context, refs) === true) result.becomeTable();
    combine(context, refs, (member) => result.add(member));
    const count = result.size;
    if (count === 0) result.discard();
    storeResult(context, request, 1, {
      event,
      eventClass: KEYSPACE_EVENT.s,
      store: count === 0 ? undefined : () => result.store(argument(request, 1)),
    });
    reply.int(count);
  };
}

export const sinter: Handler = answering(intersect);
export const sinterstore: Handler = storing(intersect, 'sinterstore');
export const sunion: Handler = answering(unite);
export const sunionstore: Handler = storing(unite, 'sunionstore');
export const sdiff: Handler = answering(subtract);
export const sdiffstore: Handler = storing(subtract, 'sdiffstore', subtractsFromTable);

/** SINTERCARD numkeys key [key ...] [LIMIT limit]. */
export function sintercard(context: Context, request: Request, reply: ReplyWriter): void {
  const keyCount = request.int(1);
  if (keyCount === NOT_INTEGER || keyCount < 1 || keyCount > 0x7fff_ffff_ffff_ffffn) {
    return reply.error(ERR_NUMKEYS_POSITIVE);
  }
  if (keyCount > request.argc - 2) return reply.error(ERR_NUMKEYS_TOO_MANY);
  const end = 2 + Number(keyCount);
  let limit = 0;
  for (let i = end; i < request.argc; i += 2) {
    if (!request.is(i, 'limit') || i + 1 >= request.argc) return reply.error(ERR_SYNTAX);
    const value = request.int(i + 1);
    if (value === NOT_INTEGER || value < 0) return reply.error(ERR_LIMIT_NEGATIVE);
    limit = Number(value);
  }
  const refs = setArguments(context, request, { first: 2, end }, reply);
  if (refs === undefined) return;
  let count = 0;
  intersectUpTo(context, refs, limit === 0 ? Infinity : limit, () => {
    count++;
  });
  reply.int(count);
}
