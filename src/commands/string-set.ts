/** The SET family: SET with all its options, SETNX, SETEX, PSETEX, GETSET, MSET and MSETNX. */
import { KEYSPACE_EVENT } from '../config/index.ts';
import { KEEP_EXPIRY, NONE, NO_EXPIRY } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX, wrongArity } from './errors.ts';
import { EX, NO_TIME, PX, expiryArgument } from './expire-time.ts';
import { notifyKey, setKey, writeKey } from './key-access.ts';
import { getString } from './string-get.ts';
import { type StringOptions, parseStringOptions } from './string-options.ts';

/** SET key value [NX|XX] [GET] [EX|PX|EXAT|PXAT time|KEEPTTL]. */
export function set(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc === 3) {
    setKey(context, request, 1, 2);
    reply.ok();
    return;
  }
  const options = parseStringOptions(request, 3, 'set');
  if (options === undefined) return reply.error(ERR_SYNTAX);
  setWithOptions(context, request, reply, options);
}

function setWithOptions(
  context: Context,
  request: Request,
  reply: ReplyWriter,
  options: StringOptions,
): void {
  let expiry: number = options.isKeepTtl ? KEEP_EXPIRY : NO_EXPIRY;
  const { time } = options;
  if (time !== undefined) {
    expiry = expiryArgument(context, request, time.at, time.form, true, reply);
    if (expiry === NO_TIME) return;
  }
  if (options.isGet && !getString(context, request, reply)) return;
  const isFound = writeKey(context, request, 1) !== NONE;
  if ((options.onlyIf === 'absent' && isFound) || (options.onlyIf === 'present' && !isFound)) {
    if (!options.isGet) reply.nullBulk();
    return;
  }
  setKey(context, request, 1, 2, expiry);
  if (time !== undefined) {
    notifyKey(context, KEYSPACE_EVENT.g, 'expire', request, 1);
    propagateSet(context, request, 2, expiry);
  } else if (options.isGet) {
    context.propagateAs(withoutGet(request));
  }
  if (!options.isGet) reply.ok();
}

/** Replicas get a plain SET with the moment of expiry, whatever the form here was. */
function propagateSet(
  context: Context,
  request: Request,
  valueIndex: number,
  expireAtUnixMs: number,
): void {
  if (!context.isPropagated) return;
  const value = request.bytes(valueIndex);
  context.propagateAs(['SET', request.bytes(1), value, 'PXAT', String(expireAtUnixMs)]);
}

function withoutGet(request: Request): readonly Buffer[] {
  const args: Buffer[] = [];
  for (let i = 0; i < request.argc; i++) {
    if (i < 3 || !request.is(i, 'get')) args.push(request.bytes(i));
  }
  return args;
}

export function setnx(context: Context, request: Request, reply: ReplyWriter): void {
  if (writeKey(context, request, 1) !== NONE) return reply.int(0);
  setKey(context, request, 1, 2);
  reply.int(1);
}

export function setex(context: Context, request: Request, reply: ReplyWriter): void {
  setFor(context, request, reply, expiryArgument(context, request, 2, EX, true, reply));
}

export function psetex(context: Context, request: Request, reply: ReplyWriter): void {
  setFor(context, request, reply, expiryArgument(context, request, 2, PX, true, reply));
}

function setFor(context: Context, request: Request, reply: ReplyWriter, expiry: number): void {
  if (expiry === NO_TIME) return;
  setKey(context, request, 1, 3, expiry);
  notifyKey(context, KEYSPACE_EVENT.g, 'expire', request, 1);
  propagateSet(context, request, 3, expiry);
  reply.ok();
}

export function getset(context: Context, request: Request, reply: ReplyWriter): void {
  if (!getString(context, request, reply)) return;
  setKey(context, request, 1, 2);
  context.propagateAs(['SET', request.bytes(1), request.bytes(2)]);
}

export function mset(context: Context, request: Request, reply: ReplyWriter): void {
  if ((request.argc & 1) === 0) return reply.error(wrongArity('mset'));
  for (let i = 1; i < request.argc; i += 2) setKey(context, request, i, i + 1);
  reply.ok();
}

export function msetnx(context: Context, request: Request, reply: ReplyWriter): void {
  if ((request.argc & 1) === 0) return reply.error(wrongArity('msetnx'));
  for (let i = 1; i < request.argc; i += 2) {
    if (writeKey(context, request, i) !== NONE) return reply.int(0);
  }
  for (let i = 1; i < request.argc; i += 2) setKey(context, request, i, i + 1);
  reply.int(1);
}
