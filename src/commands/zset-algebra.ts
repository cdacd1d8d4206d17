/**
 * Sorted sets of sorted sets (and of sets, whose members all have score 1): ZUNION, ZINTER, ZDIFF,
 * their STORE forms, and ZINTERCARD.
 */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  type BytesView,
  NONE,
  type Ref,
  TYPE_SET,
  TYPE_ZSET,
  ZsetResult,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LIMIT_NEGATIVE, ERR_WEIGHT } from './data-errors.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONG_TYPE } from './errors.ts';
import { argument, readKey } from './key-access.ts';
import type { Handler } from './spec.ts';
import { storeResult } from './store-result.ts';
import { beginMembers, replyMember, scoreArgument } from './zset-access.ts';

type Operation = 'union' | 'inter' | 'diff';
type Aggregate = (old: number, added: number) => number;
type Visit = (member: BytesView, score: number) => void;

interface Source {
  /** NONE for a key that is not there. */
  readonly ref: Ref;
  readonly isSet: boolean;
  readonly size: number;
  weight: number;
}

interface Asked {
  readonly operation: Operation;
  /** In the order of the arguments. */
  readonly sources: readonly Source[];
  aggregate: Aggregate;
  hasScores: boolean;
  /** ZINTERCARD counts no further than this. */
  limit: number;
}

/** Infinity minus infinity counts as 0. */
const sum: Aggregate = (old, added) => (Number.isNaN(old + added) ? 0 : old + added);
const AGGREGATES: ReadonlyMap<string, Aggregate> = new Map([
  ['sum', sum],
  ['min', (old: number, added: number) => (added < old ? added : old)],
  ['max', (old: number, added: number) => (added > old ? added : old)],
]);

/** The keys from argument `at` on, which has their number; undefined after an error reply. */
function readSources(
  context: Context,
  request: Request,
  at: number,
  reply: ReplyWriter,
): Source[] | undefined {
  const count = request.int(at);
  if (count === NOT_INTEGER) {
    reply.error(ERR_NOT_INTEGER);
    return undefined;
  }
  if (count < 1) {
    const name = context.command.fullName;
    reply.error(`ERR at least 1 input key is needed for '${name}' command`);
    return undefined;
  }
  if (count > request.argc - at - 1) {
    reply.error(ERR_SYNTAX);
    return undefined;
  }
  const sources: Source[] = [];
  for (let i = at + 1; i <= at + Number(count); i++) {
    const ref = readKey(context, request, i);
    const source = sourceOf(context, ref);
    if (source === undefined) {
      reply.error(ERR_WRONG_TYPE);
      return undefined;
    }
    sources.push(source);
  }
  return sources;
}

function sourceOf({ db }: Context, ref: Ref): Source | undefined {
  if (ref === NONE) return { ref, isSet: false, size: 0, weight: 1 };
  const { sets, zsets } = db.store;
  const type = db.entries.type(ref);
  if (type !== TYPE_SET && type !== TYPE_ZSET) return undefined;
  const isSet = type === TYPE_SET;
  return { ref, isSet, size: isSet ? sets.size(ref) : zsets.size(ref), weight: 1 };
}

interface Allowed {
  readonly operation: Operation;
  readonly isStore: boolean;
  readonly isCount: boolean;
}

/** The options from argument `first` on, into `asked`; false after an error reply. */
function readOptions(
  request: Request,
  first: number,
  asked: Asked,
  { operation, isStore, isCount }: Allowed,
  reply: ReplyWriter,
): boolean {
  const hasWeights = operation !== 'diff' && !isCount;
  for (let i = first; i < request.argc;) {
    const left = request.argc - i;
    if (hasWeights && left > asked.sources.length && request.is(i, 'weights')) {
      if (!readWeights(request, i + 1, asked.sources, reply)) return false;
      i += asked.sources.length + 1;
    } else if (hasWeights && left >= 2 && request.is(i, 'aggregate')) {
      const aggregate = AGGREGATES.get(request.text(i + 1).toLowerCase());
      if (aggregate === undefined) {
        reply.error(ERR_SYNTAX);
        return false;
      }
      asked.aggregate = aggregate;
      i += 2;
    } else if (!isStore && !isCount && request.is(i, 'withscores')) {
      asked.hasScores = true;
      i++;
    } else if (isCount && left >= 2 && request.is(i, 'limit')) {
      const limit = request.int(i + 1);
      if (limit === NOT_INTEGER || limit < 0) {
        reply.error(ERR_LIMIT_NEGATIVE);
        return false;
      }
      asked.limit = limit === 0 ? Infinity : Number(limit);
      i += 2;
    } else {
      reply.error(ERR_SYNTAX);
      return false;
    }
  }
  return true;
}

function readWeights(
  request: Request,
  first: number,
  sources: readonly Source[],
  reply: ReplyWriter,
): boolean {
  for (const [i, source] of sources.entries()) {
    source.weight = scoreArgument(request, first + i);
    if (!Number.isNaN(source.weight)) continue;
    reply.error(ERR_WEIGHT);
    return false;
  }
  return true;
}

function readCall(
  context: Context,
  request: Request,
  countAt: number,
  allowed: Allowed,
  reply: ReplyWriter,
): Asked | undefined {
  const sources = readSources(context, request, countAt, reply);
  if (sources === undefined) return undefined;
  const { operation } = allowed;
  const asked: Asked = { operation, sources, aggregate: sum, hasScores: false, limit: Infinity };
  const first = countAt + 1 + sources.length;
  return readOptions(request, first, asked, allowed, reply) ? asked : undefined;
}

/** The smallest set first, so that sums come to be in the same order as in Redis. */
function bySize(sources: readonly Source[]): readonly Source[] {
  return sources.toSorted((a, b) => a.size - b.size);
}

function forEach({ db }: Context, { ref, isSet }: Source, visit: Visit): void {
  if (ref === NONE) return;
  const { sets, zsets } = db.store;
  if (isSet) sets.forEach(ref, (member) => visit(member, 1));
  else zsets.forEach(ref, visit);
}

/** Score of a member in a source, NaN when it is not there. */
function scoreIn({ db }: Context, { ref, isSet }: Source, { buf, at, size }: BytesView): number {
  if (ref === NONE) return Number.NaN;
  const { sets, zsets } = db.store;
  if (!isSet) return zsets.find(ref, buf, at, size);
  // Views of the keyspace are of Buffers, which their type does not say.
  return sets.has(ref, buf as Buffer, at, size) ? 1 : Number.NaN;
}

function weighted(score: number, weight: number): number {
  const value = score * weight;
  return Number.isNaN(value) ? 0 : value;
}

function combine(context: Context, asked: Asked): ZsetResult {
  const result = new ZsetResult(context.db);
  if (asked.operation === 'union') unite(context, asked, result);
  else if (asked.operation === 'inter') {
    intersect(context, asked, (member, score) => result.add(score, member));
  } else subtract(context, asked, result);
  return result;
}

function unite(context: Context, { sources, aggregate }: Asked, result: ZsetResult): void {
  for (const source of bySize(sources)) {
    forEach(context, source, (member, score) => {
      const value = weighted(score, source.weight);
      const old = result.scoreOf(member);
      if (Number.isNaN(old)) result.add(value, member);
      else result.put(aggregate(old, value), member);
    });
  }
}

/** Visits the members that all sources have, up to the limit. */
function intersect(context: Context, { sources, aggregate, limit }: Asked, visit: Visit): void {
  const [smallest, ...others] = bySize(sources);
  let count = 0;
  forEach(context, smallest!, (member, score) => {
    if (count >= limit) return;
    let value = weighted(score, smallest!.weight);
    for (const other of others) {
      const found = other.ref === smallest!.ref ? score : scoreIn(context, other, member);
      if (Number.isNaN(found)) return;
      value = aggregate(value, found * other.weight);
    }
    count++;
    visit(member, value);
  });
}

function subtract(context: Context, { sources }: Asked, result: ZsetResult): void {
  const [first, ...rest] = sources;
  // Large sets first: they are the likeliest to have a member, which ends its tests.
  const others = rest.filter(({ ref }) => ref !== NONE).sort((a, b) => b.size - a.size);
  if (others.some(({ ref }) => ref === first!.ref)) return;
  forEach(context, first!, (member, score) => {
    const isElsewhere = others.some((other) => !Number.isNaN(scoreIn(context, other, member)));
    if (!isElsewhere) result.add(score, member);
  });
}

function answering(operation: Operation): Handler {
  return (context, request, reply) => {
    const allowed = { operation, isStore: false, isCount: false };
    const asked = readCall(context, request, 1, allowed, reply);
    if (asked === undefined) return;
    const result = combine(context, asked);
    beginMembers(reply, result.size, asked.hasScores);
    result.forEach((member, score) => replyMember(reply, member, score, asked.hasScores));
    result.discard();
  };
}

function storing(operation: Operation, event: string): Handler {
  return (context, request, reply) => {
    const allowed = { operation, isStore: true, isCount: false };
    const asked = readCall(context, request, 2, allowed, reply);
    if (asked === undefined) return;
    const result = combine(context, asked);
    const { size } = result;
    if (size === 0) result.discard();
    storeResult(context, request, 1, {
      event,
      eventClass: KEYSPACE_EVENT.z,
      store: size === 0 ? undefined : () => result.store(argument(request, 1)),
    });
    reply.int(size);
  };
}

export const zunion: Handler = answering('union');
export const zunionstore: Handler = storing('union', 'zunionstore');
export const zinter: Handler = answering('inter');
export const zinterstore: Handler = storing('inter', 'zinterstore');
export const zdiff: Handler = answering('diff');
export const zdiffstore: Handler = storing('diff', 'zdiffstore');

/** ZINTERCARD numkeys key [key ...] [LIMIT limit]. */
export function zintercard(context: Context, request: Request, reply: ReplyWriter): void {
  const allowed = { operation: 'inter', isStore: false, isCount: true } as const;
  const asked = readCall(context, request, 1, allowed, reply);
  if (asked === undefined) return;
  let count = 0;
  intersect(context, asked, () => {
    count++;
  });
  reply.int(count);
}
