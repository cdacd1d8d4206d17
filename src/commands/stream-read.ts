/** XREAD and XREADGROUP: options, which streams have something, and waiting for one that has. */
import { type MonoMs, NOT_INTEGER, addMs } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { LOOKUP_READ, NONE, type Ref, StreamId, TYPE_STREAM } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, refuse } from './errors.ts';
import {
  ERR_UNBALANCED,
  ERR_GROUP_GONE,
  ERR_READ_GROUP,
  ERR_READ_LAST,
  ERR_READ_NEW,
  ERR_READ_NOACK,
  ERR_READ_NO_GROUP,
  ERR_STREAM_GONE,
  ERR_TIMEOUT_NEGATIVE,
  ERR_TIMEOUT_NOT_INTEGER,
  noGroupForRead,
} from './stream-errors.ts';
import { notifyKey } from './key-access.ts';
import { deliver, deliverHistory } from './stream-delivery.ts';
import { idArgument, isByte, parsedId } from './stream-ids.ts';
import { replyEntry, streamAt, streamKey, streamsOf, viewOf } from './stream-keys.ts';

const DOLLAR = 0x24;
const GREATER = 0x3e;
/** Times to wait from here on are for ever: 200,000 years. */
const FOREVER_MS: number = Number.MAX_SAFE_INTEGER / 2;

/** What a call asks for. */
interface ReadOptions {
  /** Argument of the first key, and how many there are; their ids follow. */
  firstKey: number;
  keyCount: number;
  /** Entries of a stream at most, 0 for all. */
  count: number;
  isBlocking: boolean;
  deadline: MonoMs | undefined;
  /** Argument of the group's name, 0 for XREAD; the consumer's follows. */
  groupAt: number;
  isNoAck: boolean;
}

// Scratch: set and read within one call, never kept between two.
const AFTER = new StreamId();
const LAST = new StreamId();
const MAX = new StreamId().setMax();

/** XREAD [COUNT count] [BLOCK ms] STREAMS key … id …. */
export function xread(context: Context, request: Request, reply: ReplyWriter): void {
  read(context, request, false, reply);
}

/** XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS key … id …. */
export function xreadgroup(context: Context, request: Request, reply: ReplyWriter): void {
  read(context, request, true, reply);
}

function read(context: Context, request: Request, isGroup: boolean, reply: ReplyWriter): void {
  const options = readOptions(context, request, isGroup, reply);
  if (options === undefined) return;
  if (isGroup) context.preventPropagation();
  const ready = context.readyArgument;
  if (ready !== 0) {
    if (!recheck(context, request, options, reply)) return;
  } else if (!check(context, request, options, reply)) return;
  const start = reply.length;
  const count = serveAll(context, request, options, reply);
  if (count === 0) wait(context, request, options, reply);
  else if (reply.resp === 3) reply.wrapMap(start, count);
  else reply.wrapArray(start, count);
}

/** Answers the streams that have something, with their keys; returns how many. */
function serveAll(
  context: Context,
  request: Request,
  options: ReadOptions,
  reply: ReplyWriter,
): number {
  const ready = context.readyArgument;
  const { db } = context;
  let count = 0;
  for (let i = 0; i < options.keyCount; i++) {
    const keyAt = options.firstKey + i;
    if (ready !== 0 && keyAt !== ready) continue;
    const ref = db.find(request.buf, request.at[keyAt]!, request.size[keyAt]!);
    if (ref === NONE) continue;
    const idAt = keyAt + options.keyCount;
    const group = options.groupAt === 0 ? NONE : groupOf(context, request, options, ref);
    if (!hasNews(context, request, { ref, group, idAt })) continue;
    if (reply.resp === 2) reply.array(2);
    reply.bulk(request.buf, request.at[keyAt]!, request.size[keyAt]!);
    serve(context, request, options, { ref, group, keyAt }, reply);
    count++;
  }
  return count;
}

function readOptions(
  context: Context,
  request: Request,
  isGroup: boolean,
  reply: ReplyWriter,
): ReadOptions | undefined {
  const found: ReadOptions = {
    firstKey: 0,
    keyCount: 0,
    count: 0,
    isBlocking: false,
    deadline: undefined,
    groupAt: 0,
    isNoAck: false,
  };
  for (let i = 1; i < request.argc && found.firstKey === 0; i++) {
    const more = request.argc - 1 - i;
    if (more > 0 && request.is(i, 'block')) {
      if (context.session.role === 'script') {
        const name = request.text(0);
        return refuse(reply, `ERR ${name} command is not allowed with BLOCK option from scripts`);
      }
      if (!blockOption(context, request, ++i, found, reply)) return undefined;
    } else if (more > 0 && request.is(i, 'count')) {
      const count = request.int(++i);
      if (count === NOT_INTEGER) return refuse(reply, ERR_NOT_INTEGER);
      found.count = count < 0 ? 0 : Number(count);
    } else if (more > 0 && request.is(i, 'streams')) {
      found.firstKey = i + 1;
      if ((more & 1) === 1) {
        return refuse(reply, ERR_UNBALANCED);
      }
      found.keyCount = more / 2;
    } else if (more >= 2 && request.is(i, 'group')) {
      if (!isGroup) return refuse(reply, ERR_READ_GROUP);
      found.groupAt = i + 1;
      i += 2;
    } else if (request.is(i, 'noack')) {
      if (!isGroup) return refuse(reply, ERR_READ_NOACK);
      found.isNoAck = true;
    } else return refuse(reply, ERR_SYNTAX);
  }
  if (found.firstKey === 0) return refuse(reply, ERR_SYNTAX);
  if (isGroup && found.groupAt === 0) return refuse(reply, ERR_READ_NO_GROUP);
  return found;
}

function blockOption(
  { server }: Context,
  request: Request,
  at: number,
  found: ReadOptions,
  reply: ReplyWriter,
): boolean {
  const ms = request.int(at);
  if (ms === NOT_INTEGER || ms < 0) {
    reply.error(ms === NOT_INTEGER ? ERR_TIMEOUT_NOT_INTEGER : ERR_TIMEOUT_NEGATIVE);
    return false;
  }
  found.isBlocking = true;
  found.deadline = ms === 0 || ms > FOREVER_MS ? undefined : addMs(server.now, Number(ms));
  return true;
}

/** Whether keys, groups and ids are what they should be; false after an error reply. */
function check(
  context: Context,
  request: Request,
  options: ReadOptions,
  reply: ReplyWriter,
): boolean {
  const { groupAt, firstKey, keyCount } = options;
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const ref = streamKey(context, request, i, LOOKUP_READ, reply);
    if (ref === undefined) return false;
    if (groupAt !== 0 && (ref === NONE || groupOf(context, request, options, ref) === NONE)) {
      reply.error(noGroupForRead(request.text(i), request.text(groupAt)));
      return false;
    }
    if (!checkId(request, i + keyCount, groupAt !== 0, reply)) return false;
  }
  // Redis looks keys up here and again when it reads, and misses them twice.
  for (let i = firstKey; groupAt === 0 && i < firstKey + keyCount; i++) {
    const isThere = context.db.find(request.buf, request.at[i]!, request.size[i]!) !== NONE;
    if (!isThere) notifyKey(context, KEYSPACE_EVENT.m, 'keymiss', request, i);
  }
  return true;
}

function checkId(request: Request, idAt: number, isGroup: boolean, reply: ReplyWriter): boolean {
  if (isByte(request, idAt, DOLLAR)) {
    if (isGroup) reply.error(ERR_READ_LAST);
    return !isGroup;
  }
  if (!isByte(request, idAt, GREATER)) return idArgument(request, idAt, AFTER, reply);
  if (!isGroup) reply.error(ERR_READ_NEW);
  return isGroup;
}

/** Like `check`, for the one key that may serve a call that waited; false when it is done or waits on. */
function recheck(
  context: Context,
  request: Request,
  options: ReadOptions,
  reply: ReplyWriter,
): boolean {
  const i = context.readyArgument;
  const { groupAt } = options;
  const ref = context.db.lookup(request.buf, request.at[i]!, request.size[i]!, LOOKUP_READ);
  const isStream = ref !== NONE && context.db.entries.type(ref) === TYPE_STREAM;
  if (groupAt === 0) {
    if (!isStream) wait(context, request, options, reply);
    return isStream;
  }
  if (!isStream) reply.error(ERR_STREAM_GONE);
  else if (groupOf(context, request, options, ref) === NONE) reply.error(ERR_GROUP_GONE);
  else return true;
  return false;
}

function groupOf(context: Context, request: Request, options: ReadOptions, ref: Ref): Ref {
  return streamsOf(context).groups.find(streamAt(context, ref), viewOf(request, options.groupAt));
}

/** Whether there is an entry behind the id in argument `idAt`; a consumer's history is always there. */
function hasNews(
  context: Context,
  request: Request,
  { ref, group, idAt }: { readonly ref: Ref; readonly group: Ref; readonly idAt: number },
): boolean {
  // Nothing is behind the last id.
  if (isByte(request, idAt, DOLLAR)) return false;
  if (group !== NONE && !readsNew(request, idAt)) return true;
  const streams = streamsOf(context);
  const stream = streamAt(context, ref);
  if (group !== NONE) streams.groups.readLastId(group, AFTER);
  else parsedId(request, idAt, AFTER);
  // A call that waited is answered once the last id is behind, with nothing if the entry is gone.
  return openBehind(context, stream) && (context.readyArgument !== 0 || streams.cursor.next());
}

/** Begins a walk behind AFTER; false when no entry can be there. */
function openBehind(context: Context, stream: Ref): boolean {
  const streams = streamsOf(context);
  if (AFTER.compare(streams.readLastId(stream, LAST)) >= 0) return false;
  AFTER.increment();
  streams.cursor.open(stream, AFTER, MAX, false);
  return true;
}

/** Whether a reader of a group asks for entries that nobody got, with `>` or the greatest id. */
function readsNew(request: Request, idAt: number): boolean {
  if (isByte(request, idAt, GREATER)) return true;
  return parsedId(request, idAt, AFTER) && AFTER.isMax;
}

/** Answers the entries of one stream that has some. */
function serve(
  context: Context,
  request: Request,
  options: ReadOptions,
  what: { readonly ref: Ref; readonly group: Ref; readonly keyAt: number },
  reply: ReplyWriter,
): void {
  const { ref, group, keyAt } = what;
  const stream = streamAt(context, ref);
  const idAt = keyAt + options.keyCount;
  const max = options.count === 0 ? Infinity : options.count;
  if (group === NONE) {
    parsedId(request, idAt, AFTER);
    openBehind(context, stream);
    const { cursor } = streamsOf(context);
    const start = reply.length;
    let count = 0;
    for (; count < max && cursor.next(); count++) replyEntry(reply, cursor);
    reply.wrapArray(start, count);
    return;
  }
  context.db.store.beforeChange(ref);
  const { groupAt, isNoAck } = options;
  const delivery = { keyAt, groupAt, stream, group, max, isNoAck };
  if (readsNew(request, idAt)) deliver(context, request, delivery, reply);
  else deliverHistory(context, request, delivery, AFTER, reply);
}

/** Nothing is there: waits if it may, else answers so. */
function wait(context: Context, request: Request, options: ReadOptions, reply: ReplyWriter): void {
  if (!options.isBlocking || !context.mayBlock) return reply.nullArray();
  const { firstKey, keyCount, deadline } = options;
  const rerun = withLastIds(context, request, options);
  context.blockOnKeys(request, {
    type: TYPE_STREAM,
    firstKey,
    keyCount,
    deadline,
    ...(rerun === undefined ? {} : { rerun }),
  });
}

/** The call with the ids that `$` stands for now; undefined when it has none. */
function withLastIds(
  context: Context,
  request: Request,
  { firstKey, keyCount }: ReadOptions,
): (Buffer | string)[] | undefined {
  let args: (Buffer | string)[] | undefined;
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    if (!isByte(request, i + keyCount, DOLLAR)) continue;
    args ??= Array.from({ length: request.argc }, (_, k) => request.bytes(k));
    const ref = context.db.find(request.buf, request.at[i]!, request.size[i]!);
    args[i + keyCount] =
      ref === NONE ? '0-0' : streamsOf(context).readLastId(streamAt(context, ref), AFTER).text();
  }
  return args;
}
