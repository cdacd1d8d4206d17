/** XTRIM, and the options that XADD shares with it. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { LOOKUP_WRITE, NONE, type Ref, StreamId, type TrimRule } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, refuse } from './errors.ts';
import { notifyKey } from './key-access.ts';
import {
  ERR_STREAM_ID,
  ERR_TRIM_LIMIT,
  ERR_TRIM_LIMIT_ALONE,
  ERR_TRIM_LIMIT_EXACT,
  ERR_TRIM_MAXLEN,
  ERR_TRIM_NOTHING,
  ERR_TRIM_TWO,
} from './stream-errors.ts';
import { idArgument, isByte, isStar, newIdArgument } from './stream-ids.ts';
import { streamAt, streamKey, streamsOf } from './stream-keys.ts';

const TILDE = 0x7e;
const EQUALS = 0x3d;
/** Source: 7.0 t_stream.c: blocks trimmed at most without LIMIT, and the bounds of what that means. */
const LIMIT_BLOCKS = 100;
const LIMIT_DEFAULT = 10_000;
const LIMIT_MAX = 1_000_000;

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();

/** What stands between the key and the id of XADD, or behind the key of XTRIM. */
export interface TrimOptions {
  rule: TrimRule | undefined;
  /** Argument of the rule's length or id. */
  ruleAt: number;
  isNoMkstream: boolean;
  /** The argument behind the options; of XADD the id. */
  end: number;
}

interface Parsing extends TrimOptions {
  /** -1 while not given. */
  limit: number | bigint;
}

/** Reads the options; undefined after an error reply. */
export function trimOptions(
  context: Context,
  request: Request,
  isAdd: boolean,
  reply: ReplyWriter,
): TrimOptions | undefined {
  const found: Parsing = { rule: undefined, ruleAt: 0, isNoMkstream: false, end: 0, limit: -1 };
  let i = 2;
  for (; i < request.argc; i++) {
    const hasMore = i + 1 < request.argc;
    if (isAdd && isStar(request, i)) break;
    if (hasMore && (request.is(i, 'maxlen') || request.is(i, 'minid'))) {
      if (!ruleOption(request, i, found, reply)) return undefined;
      i = found.ruleAt;
    } else if (hasMore && request.is(i, 'limit')) {
      if (!limitOption(request, ++i, found, reply)) return undefined;
    } else if (isAdd && request.is(i, 'nomkstream')) {
      found.isNoMkstream = true;
    } else if (isAdd) {
      if (newIdArgument(request, i, ID) === 'invalid') return refuse(reply, ERR_STREAM_ID);
      break;
    } else return refuse(reply, ERR_SYNTAX);
  }
  found.end = i;
  return settle(context, found, isAdd, reply);
}

/** Reads MAXLEN or MINID with its `=` or `~`; false after an error reply. */
function ruleOption(request: Request, at: number, found: Parsing, reply: ReplyWriter): boolean {
  if (found.rule !== undefined) {
    reply.error(ERR_TRIM_TWO);
    return false;
  }
  const hasForm = at + 2 < request.argc;
  const isApproximate = hasForm && isByte(request, at + 1, TILDE);
  const isExact = hasForm && isByte(request, at + 1, EQUALS);
  const ruleAt = isApproximate || isExact ? at + 2 : at + 1;
  found.ruleAt = ruleAt;
  if (request.is(at, 'minid')) {
    const id = new StreamId();
    if (!idArgument(request, ruleAt, id, reply)) return false;
    found.rule = { kind: 'minId', id, isApproximate, limit: 0 };
    return true;
  }
  const length = request.int(ruleAt);
  if (length === NOT_INTEGER || length < 0) {
    reply.error(length === NOT_INTEGER ? ERR_NOT_INTEGER : ERR_TRIM_MAXLEN);
    return false;
  }
  found.rule = { kind: 'maxLength', length, isApproximate, limit: 0 };
  return true;
}

function limitOption(request: Request, at: number, found: Parsing, reply: ReplyWriter): boolean {
  const limit = request.int(at);
  if (limit === NOT_INTEGER || limit < 0) {
    reply.error(limit === NOT_INTEGER ? ERR_NOT_INTEGER : ERR_TRIM_LIMIT);
    return false;
  }
  found.limit = limit;
  return true;
}

/** Checks that the options go together, and finds the limit. */
function settle(
  context: Context,
  found: Parsing,
  isAdd: boolean,
  reply: ReplyWriter,
): TrimOptions | undefined {
  const { rule, limit } = found;
  if (rule === undefined) {
    if (limit > 0) return refuse(reply, ERR_TRIM_LIMIT_ALONE);
    if (!isAdd) return refuse(reply, ERR_TRIM_NOTHING);
  }
  // Our master has done what its limit allowed, and says what came out.
  if (context.session.role === 'master') return found;
  const isApproximate = rule?.isApproximate ?? false;
  if (limit >= 0 && !isApproximate) return refuse(reply, ERR_TRIM_LIMIT_EXACT);
  if (rule === undefined || !isApproximate) return found;
  const blocks = LIMIT_BLOCKS * context.server.settings['stream-node-max-entries'];
  const usual = Math.min(blocks <= 0 ? LIMIT_DEFAULT : blocks, LIMIT_MAX);
  found.rule = { ...rule, limit: limit < 0 ? usual : Number(limit) };
  return found;
}

/**
 * Replicas trim exactly to what came out here: arguments of the call with `=` for `~` and the
 * stream's length or first id; undefined where the call says it all itself.
 */
export function exactArguments(
  context: Context,
  request: Request,
  options: TrimOptions,
  stream: Ref,
): (Buffer | string)[] | undefined {
  const { rule, ruleAt } = options;
  if (rule === undefined || !rule.isApproximate) return undefined;
  const streams = streamsOf(context);
  const args: (Buffer | string)[] = [];
  for (let i = 0; i < request.argc; i++) args.push(request.bytes(i));
  args[ruleAt - 1] = '=';
  const length = streams.length(stream);
  if (rule.kind === 'maxLength') args[ruleAt] = String(length);
  else {
    const first = new StreamId();
    // Of a stream that has nothing left everything is removed, the entry that is just added too.
    args[ruleAt] = (length === 0 ? first.setMax() : streams.readFirstId(stream, first)).text();
  }
  return args;
}

/** XTRIM key MAXLEN|MINID [=|~] threshold [LIMIT count]. */
export function xtrim(context: Context, request: Request, reply: ReplyWriter): void {
  const options = trimOptions(context, request, false, reply);
  if (options?.rule === undefined) return;
  const ref = streamKey(context, request, 1, LOOKUP_WRITE, reply);
  if (ref === undefined) return;
  if (ref === NONE) return reply.int(0);
  const { db } = context;
  db.store.beforeChange(ref);
  const stream = streamAt(context, ref);
  const count = streamsOf(context).trim(stream, options.rule);
  if (count > 0) {
    notifyKey(context, KEYSPACE_EVENT.t, 'xtrim', request, 1);
    const exact = context.isPropagated
      ? exactArguments(context, request, options, stream)
      : undefined;
    if (exact !== undefined) context.propagateAs(exact);
    db.changed(ref, count);
  }
  reply.int(count);
}
