/** Expiry: EXPIRE and its kin, PERSIST, TTL and EXPIRETIME in seconds and milliseconds. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { LOOKUP_NO_TOUCH, NONE, type Ref } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_EXPIRE_GT_LT, ERR_EXPIRE_NX, unsupportedOption } from './data-errors.ts';
import { shown } from './errors.ts';
import {
  EX,
  EXAT,
  NO_TIME,
  PX,
  PXAT,
  type TimeForm,
  expiryArgument,
  expiryDeletion,
  isPast,
} from './expire-time.ts';
import { notifyKey, readKey, writeKey } from './key-access.ts';
import { keyAt } from './key-specs.ts';
import type { CommandSpec, Handler } from './spec.ts';

export const expiryCommands: readonly CommandSpec[] = [
  {
    name: 'expire',
    since: '1.0.0',
    group: 'generic',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'update')],
    run: expireCommand(EX),
  },
  {
    name: 'expireat',
    since: '1.2.0',
    group: 'generic',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'update')],
    run: expireCommand(EXAT),
  },
  {
    name: 'expiretime',
    since: '7.0.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keyAt(1, 'RO', 'access')],
    run: timeCommand(EXAT),
  },
  {
    name: 'persist',
    since: '2.2.0',
    group: 'generic',
    arity: 2,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'update')],
    run: persist,
  },
  {
    name: 'pexpire',
    since: '2.6.0',
    group: 'generic',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'update')],
    run: expireCommand(PX),
  },
  {
    name: 'pexpireat',
    since: '2.6.0',
    group: 'generic',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'update')],
    run: expireCommand(PXAT),
  },
  {
    name: 'pexpiretime',
    since: '7.0.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keyAt(1, 'RO', 'access')],
    run: timeCommand(PXAT),
  },
  {
    name: 'pttl',
    since: '2.6.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keyAt(1, 'RO', 'access')],
    tips: ['nondeterministic_output'],
    run: timeCommand(PX),
  },
  {
    name: 'ttl',
    since: '1.0.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keyAt(1, 'RO', 'access')],
    tips: ['nondeterministic_output'],
    run: timeCommand(EX),
  },
];

/** When EXPIRE may set a time: bits, because several may be given. */
const IF_NONE = 1;
const IF_SOME = 2;
const IF_LATER = 4;
const IF_EARLIER = 8;

/** Conditions from argument 3 on; -1 after an error reply. */
function parseConditions(request: Request, reply: ReplyWriter): number {
  let bits = 0;
  for (let i = 3; i < request.argc; i++) {
    if (request.is(i, 'nx')) bits |= IF_NONE;
    else if (request.is(i, 'xx')) bits |= IF_SOME;
    else if (request.is(i, 'gt')) bits |= IF_LATER;
    else if (request.is(i, 'lt')) bits |= IF_EARLIER;
    else {
      reply.error(unsupportedOption(shown(request.text(i), Infinity)));
      return -1;
    }
  }
  if ((bits & IF_NONE) !== 0 && bits !== IF_NONE) {
    reply.error(ERR_EXPIRE_NX);
    return -1;
  }
  if ((bits & IF_LATER) !== 0 && (bits & IF_EARLIER) !== 0) {
    reply.error(ERR_EXPIRE_GT_LT);
    return -1;
  }
  return bits;
}

/** Whether a key that expires at `current` (-1: never) may get a new time. Never counts as latest. */
function isAllowed(conditions: number, current: number, expireAt: number): boolean {
  if ((conditions & IF_NONE) !== 0 && current >= 0) return false;
  if ((conditions & IF_SOME) !== 0 && current < 0) return false;
  if ((conditions & IF_LATER) !== 0 && (current < 0 || expireAt <= current)) return false;
  return (conditions & IF_EARLIER) === 0 || current < 0 || expireAt < current;
}

function expireCommand(form: TimeForm): Handler {
  return (context, request, reply) => {
    const conditions = request.argc === 3 ? 0 : parseConditions(request, reply);
    if (conditions < 0) return;
    const expireAt = expiryArgument(context, request, 2, form, false, reply);
    if (expireAt === NO_TIME) return;
    const ref = writeKey(context, request, 1);
    if (ref === NONE) return reply.int(0);
    if (conditions !== 0) {
      const current = context.db.entries.expireAt(ref);
      if (!isAllowed(conditions, current, expireAt)) return reply.int(0);
    }
    expireKey(context, request, ref, expireAt);
    reply.int(1);
  };
}

function expireKey(context: Context, request: Request, ref: Ref, expireAt: number): void {
  if (isPast(context, expireAt)) {
    context.db.delete(ref);
    context.propagateAs(expiryDeletion(context, request.bytes(1)));
    notifyKey(context, KEYSPACE_EVENT.g, 'del', request, 1);
    return;
  }
  context.db.setExpire(ref, expireAt);
  if (context.isPropagated && context.command.spec.name !== 'pexpireat') {
    const args: (Buffer | string)[] = ['PEXPIREAT', request.bytes(1), String(expireAt)];
    for (let i = 3; i < request.argc; i++) args.push(request.bytes(i));
    context.propagateAs(args);
  }
  notifyKey(context, KEYSPACE_EVENT.g, 'expire', request, 1);
}

function persist(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref === NONE || !context.db.entries.hasExpiry(ref)) return reply.int(0);
  context.db.persist(ref);
  notifyKey(context, KEYSPACE_EVENT.g, 'persist', request, 1);
  reply.int(1);
}

/** -2 without the key, -1 without expiry, else the time in the form asked for. */
function timeCommand(form: TimeForm): Handler {
  return (context, request, reply) => {
    const ref = readKey(context, request, 1, LOOKUP_NO_TOUCH);
    if (ref === NONE) return reply.int(-2);
    const expireAt = context.db.entries.expireAt(ref);
    if (expireAt < 0) return reply.int(-1);
    const now = context.server.unixNow;
    const timeMs = form.isAbsolute ? expireAt : Math.max(0, expireAt - now);
    reply.int(form.isSeconds ? Math.floor((timeMs + 500) / 1000) : timeMs);
  };
}
