/** XGROUP. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import { ENTRIES_READ_UNKNOWN, LOOKUP_WRITE, NONE, type Ref, StreamId } from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, unknownUse } from './errors.ts';
import { notifyKey } from './key-access.ts';
import { newConsumer } from './stream-consumers.ts';
import { ERR_ENTRIES_READ, ERR_GROUP_EXISTS, ERR_GROUP_KEY, noGroup } from './stream-errors.ts';
import { idArgument, isByte, isEnd } from './stream-ids.ts';
import {
  countUnwatched,
  createStream,
  streamAt,
  streamKey,
  streamsOf,
  viewOf,
} from './stream-keys.ts';

const DOLLAR = 0x24;
const KEY_AT = 2;
const GROUP_AT = 3;
const ID_AT = 4;

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();

interface GroupOptions {
  isMkstream: boolean;
  entriesRead: number | bigint;
}

/** XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD count]. */
export function xgroupCreate(context: Context, request: Request, reply: ReplyWriter): void {
  const options = groupOptions(context, request, reply);
  if (options === undefined) return;
  let ref = streamKey(context, request, KEY_AT, LOOKUP_WRITE, reply);
  if (ref === undefined) return;
  if (ref === NONE && !options.isMkstream) return reply.error(ERR_GROUP_KEY);
  if (!areOptionsFew(request, reply)) return;
  if (!groupId(context, request, ref, reply)) return;
  if (ref === NONE) {
    ref = createStream(context, request, KEY_AT);
    context.db.changed(ref, 0);
  }
  const { groups } = streamsOf(context);
  const stream = streamAt(context, ref);
  const name = viewOf(request, GROUP_AT);
  if (groups.find(stream, name) !== NONE) return reply.error(ERR_GROUP_EXISTS);
  context.db.store.beforeChange(ref);
  groups.create(stream, name, ID, options.entriesRead);
  countUnwatched(context, 1);
  notifyKey(context, KEYSPACE_EVENT.t, 'xgroup-create', request, KEY_AT);
  reply.ok();
}

/** XGROUP SETID key group id|$ [ENTRIESREAD count]. */
export function xgroupSetid(context: Context, request: Request, reply: ReplyWriter): void {
  const options = groupOptions(context, request, reply);
  if (options === undefined) return;
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const group = existingGroup(context, request, ref, reply);
  if (group === NONE) return;
  if (!areOptionsFew(request, reply)) return;
  // SETID knows `-` and `+`, which CREATE does not.
  if (!isEnd(request, ID_AT, ID) && !groupId(context, request, ref, reply)) return;
  context.db.store.beforeChange(ref);
  const { groups } = streamsOf(context);
  groups.setLastId(group, ID);
  groups.setEntriesRead(group, options.entriesRead);
  reply.ok();
  countUnwatched(context, 1);
  notifyKey(context, KEYSPACE_EVENT.t, 'xgroup-setid', request, KEY_AT);
}

/** XGROUP DESTROY key group. */
export function xgroupDestroy(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const streams = streamsOf(context);
  const stream = streamAt(context, ref);
  const group = streams.groups.find(stream, viewOf(request, GROUP_AT));
  if (group === NONE) return reply.int(0);
  context.db.store.beforeChange(ref);
  streams.destroyGroup(stream, group);
  reply.int(1);
  countUnwatched(context, 1);
  notifyKey(context, KEYSPACE_EVENT.t, 'xgroup-destroy', request, KEY_AT);
  // Its readers that wait are told that it is gone.
  context.db.signal(ref);
}

/** XGROUP CREATECONSUMER key group consumer. */
export function xgroupCreateconsumer(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const group = existingGroup(context, request, ref, reply);
  if (group === NONE) return;
  const { groups } = streamsOf(context);
  if (groups.findConsumer(group, viewOf(request, ID_AT)) !== NONE) return reply.int(0);
  context.db.store.beforeChange(ref);
  const call = { keyAt: KEY_AT, groupAt: GROUP_AT, stream: streamAt(context, ref), group };
  newConsumer(context, request, call, ID_AT);
  reply.int(1);
}

/** XGROUP DELCONSUMER key group consumer. */
export function xgroupDelconsumer(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = existingKey(context, request, reply);
  if (ref === NONE) return;
  const group = existingGroup(context, request, ref, reply);
  if (group === NONE) return;
  const { groups } = streamsOf(context);
  const consumer = groups.findConsumer(group, viewOf(request, ID_AT));
  if (consumer === NONE) return reply.int(0);
  context.db.store.beforeChange(ref);
  reply.int(groups.deleteConsumer(group, consumer));
  countUnwatched(context, 1);
  notifyKey(context, KEYSPACE_EVENT.t, 'xgroup-delconsumer', request, KEY_AT);
}

/** XGROUP CREATE key group id MKSTREAM ENTRIESREAD count: no option fits in twice beside the others. */
const ARGUMENTS_MAX = 8;

/** Reads what follows the id; undefined after an error reply. */
function groupOptions(
  context: Context,
  request: Request,
  reply: ReplyWriter,
): GroupOptions | undefined {
  const { name } = context.command.spec;
  const found: GroupOptions = { isMkstream: false, entriesRead: ENTRIES_READ_UNKNOWN };
  for (let i = ID_AT + 1; i < request.argc; i++) {
    if (name === 'create' && request.is(i, 'mkstream')) {
      found.isMkstream = true;
    } else if (i + 1 < request.argc && request.is(i, 'entriesread')) {
      const count = request.int(++i);
      if (count === NOT_INTEGER || count < ENTRIES_READ_UNKNOWN) {
        reply.error(count === NOT_INTEGER ? ERR_NOT_INTEGER : ERR_ENTRIES_READ);
        return undefined;
      }
      found.entriesRead = count;
    } else {
      reply.error(unknownUse(request.text(1), 'XGROUP'));
      return undefined;
    }
  }
  return found;
}

/** Whether options are repeated, which is looked at after key and group; false after an error reply. */
function areOptionsFew(request: Request, reply: ReplyWriter): boolean {
  if (request.argc <= ARGUMENTS_MAX) return true;
  reply.error(unknownUse(request.text(1), 'XGROUP'));
  return false;
}

/** The entry of the stream; NONE after an error reply. */
function existingKey(context: Context, request: Request, reply: ReplyWriter): Ref {
  const ref = streamKey(context, request, KEY_AT, LOOKUP_WRITE, reply);
  if (ref === NONE) reply.error(ERR_GROUP_KEY);
  return ref ?? NONE;
}

/** The group; NONE after an error reply. */
function existingGroup(context: Context, request: Request, ref: Ref, reply: ReplyWriter): Ref {
  const group = streamsOf(context).groups.find(streamAt(context, ref), viewOf(request, GROUP_AT));
  if (group === NONE) reply.error(noGroup(request.text(GROUP_AT), request.text(KEY_AT)));
  return group;
}

/** Reads the id, or `$` for the last one, into ID; false after an error reply. */
function groupId(context: Context, request: Request, ref: Ref, reply: ReplyWriter): boolean {
  if (!isByte(request, ID_AT, DOLLAR)) return idArgument(request, ID_AT, ID, reply);
  if (ref === NONE) ID.setZero();
  else streamsOf(context).readLastId(streamAt(context, ref), ID);
  return true;
}
