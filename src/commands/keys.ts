/** Keys whatever their values are: deleting, counting, renaming, moving and copying. */
import { NOT_INTEGER } from '../base/index.ts';
import { KEYSPACE_EVENT } from '../config/index.ts';
import {
  type Database,
  LOOKUP_NO_TOUCH,
  LOOKUP_READ,
  LOOKUP_WRITE,
  NONE,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../keyspace/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_COPY_CLUSTER, ERR_INT_RANGE, ERR_MOVE_CLUSTER } from './data-errors.ts';
import {
  ERR_DB_RANGE,
  ERR_NOT_INTEGER,
  ERR_NO_SUCH_KEY,
  ERR_SAME_OBJECT,
  ERR_SYNTAX,
} from './errors.ts';
import { bytesOf, isSameArgument, notifyKey, readKey, writeKey } from './key-access.ts';
import { keyAt, keysFrom } from './key-specs.ts';
import { objectCommand } from './object.ts';
import type { CommandSpec } from './spec.ts';

export const keyCommands: readonly CommandSpec[] = [
  {
    name: 'copy',
    since: '6.2.0',
    group: 'generic',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@keyspace', '@write', '@slow'],
    keys: [keyAt(1, 'RO', 'access'), keyAt(2, 'OW', 'update')],
    run: copy,
  },
  {
    name: 'del',
    since: '1.0.0',
    group: 'generic',
    arity: -2,
    flags: ['write'],
    categories: ['@keyspace', '@write', '@slow'],
    keys: [keysFrom(1, 'RM', 'delete')],
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: del,
  },
  {
    name: 'exists',
    since: '1.0.0',
    group: 'generic',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keysFrom(1, 'RO')],
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: exists,
  },
  {
    name: 'move',
    since: '1.0.0',
    group: 'generic',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    run: move,
  },
  objectCommand,
  {
    name: 'randomkey',
    since: '1.0.0',
    group: 'generic',
    arity: 1,
    flags: ['readonly'],
    categories: ['@keyspace', '@read', '@slow'],
    tips: ['request_policy:all_shards', 'nondeterministic_output'],
    run: randomkey,
  },
  {
    name: 'rename',
    since: '1.0.0',
    group: 'generic',
    arity: 3,
    flags: ['write'],
    categories: ['@keyspace', '@write', '@slow'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'OW', 'update')],
    run: rename,
  },
  {
    name: 'renamenx',
    since: '1.0.0',
    group: 'generic',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'OW', 'insert')],
    run: renamenx,
  },
  {
    name: 'touch',
    since: '3.2.1',
    group: 'generic',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keysFrom(1, 'RO')],
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: touch,
  },
  {
    name: 'type',
    since: '1.0.0',
    group: 'generic',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    keys: [keyAt(1, 'RO')],
    run: type,
  },
  {
    name: 'unlink',
    since: '4.0.0',
    group: 'generic',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast'],
    keys: [keysFrom(1, 'RM', 'delete')],
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: del,
  },
];

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [TYPE_STRING, 'string'],
  [TYPE_LIST, 'list'],
  [TYPE_SET, 'set'],
  [TYPE_ZSET, 'zset'],
  [TYPE_HASH, 'hash'],
  [TYPE_STREAM, 'stream'],
]);

/** A type as TYPE and SCAN name it. */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? 'unknown';
}

/** DEL and UNLINK: freeing outside the JavaScript heap is quick, so they do the same. */
function del(context: Context, request: Request, reply: ReplyWriter): void {
  let count = 0;
  for (let i = 1; i < request.argc; i++) {
    const ref = writeKey(context, request, i);
    if (ref === NONE) continue;
    context.db.delete(ref);
    notifyKey(context, KEYSPACE_EVENT.g, 'del', request, i);
    count++;
  }
  reply.int(count);
}

function exists(context: Context, request: Request, reply: ReplyWriter): void {
  countKeys(context, request, reply, LOOKUP_NO_TOUCH);
}

function touch(context: Context, request: Request, reply: ReplyWriter): void {
  countKeys(context, request, reply, LOOKUP_READ);
}

function countKeys(context: Context, request: Request, reply: ReplyWriter, flags: number): void {
  let count = 0;
  for (let i = 1; i < request.argc; i++) {
    if (readKey(context, request, i, flags) !== NONE) count++;
  }
  reply.int(count);
}

function type(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = readKey(context, request, 1, LOOKUP_NO_TOUCH);
  reply.simple(ref === NONE ? 'none' : typeName(context.db.entries.type(ref)));
}

function randomkey(context: Context, _request: Request, reply: ReplyWriter): void {
  const ref = context.db.randomKey(context.server.rng);
  if (ref === NONE) return reply.nullBulk();
  const key = context.db.entries.key(ref);
  reply.bulk(bytesOf(key), key.at, key.size);
}

function rename(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  if (!isSameArgument(request, 1, 2)) {
    // An expired target goes first, and as expired.
    writeKey(context, request, 2);
    renameTo(context, request);
  }
  reply.ok();
}

function renamenx(context: Context, request: Request, reply: ReplyWriter): void {
  const ref = writeKey(context, request, 1);
  if (ref === NONE) return reply.error(ERR_NO_SUCH_KEY);
  if (isSameArgument(request, 1, 2) || writeKey(context, request, 2) !== NONE) {
    return reply.int(0);
  }
  renameTo(context, request);
  reply.int(1);
}

/** Renames argument 1, which is there, to argument 2. */
function renameTo(context: Context, request: Request): void {
  const { db } = context;
  const ref = db.find(request.buf, request.at[1]!, request.size[1]!);
  db.rename(ref, request.buf, request.at[2]!, request.size[2]!);
  notifyKey(context, KEYSPACE_EVENT.n, 'new', request, 2);
  notifyKey(context, KEYSPACE_EVENT.g, 'rename_from', request, 1);
  notifyKey(context, KEYSPACE_EVENT.g, 'rename_to', request, 2);
}

/** The database that argument `i` names; undefined after an error reply. */
function databaseArgument(
  context: Context,
  request: Request,
  i: number,
  reply: ReplyWriter,
): Database | undefined {
  const index = request.int(i);
  if (index === NOT_INTEGER || index > 0x7fff_ffff || index < -0x8000_0000) {
    reply.error(index === NOT_INTEGER ? ERR_NOT_INTEGER : ERR_INT_RANGE);
    return undefined;
  }
  const { cluster, keyspace, settings } = context.server;
  const db = keyspace.databases[Number(index)];
  if (db !== undefined) return db;
  // In a cluster, where only COPY comes here, there are no others, whatever the configuration says.
  const isConfigured = cluster !== undefined && index > 0 && index < settings.databases;
  reply.error(isConfigured ? ERR_COPY_CLUSTER : ERR_DB_RANGE);
  return undefined;
}

function move(context: Context, request: Request, reply: ReplyWriter): void {
  if (context.server.cluster !== undefined) return reply.error(ERR_MOVE_CLUSTER);
  const target = databaseArgument(context, request, 2, reply);
  if (target === undefined) return;
  const { db } = context;
  if (target === db) return reply.error(ERR_SAME_OBJECT);
  const { buf } = request;
  const at = request.at[1]!;
  const size = request.size[1]!;
  const ref = writeKey(context, request, 1);
  if (ref === NONE || target.lookup(buf, at, size, LOOKUP_WRITE) !== NONE) return reply.int(0);
  db.moveTo(ref, target);
  context.notify(KEYSPACE_EVENT.n, 'new', buf, at, size, target.index);
  notifyKey(context, KEYSPACE_EVENT.g, 'move_from', request, 1);
  context.notify(KEYSPACE_EVENT.g, 'move_to', buf, at, size, target.index);
  reply.int(1);
}

/** COPY source destination [DB index] [REPLACE]. */
function copy(context: Context, request: Request, reply: ReplyWriter): void {
  let target: Database | undefined = context.db;
  let isReplacing = false;
  for (let i = 3; i < request.argc; i++) {
    if (request.is(i, 'replace')) isReplacing = true;
    else if (request.is(i, 'db') && i + 1 < request.argc) {
      target = databaseArgument(context, request, ++i, reply);
      if (target === undefined) return;
    } else return reply.error(ERR_SYNTAX);
  }
  if (target === context.db && isSameArgument(request, 1, 2)) return reply.error(ERR_SAME_OBJECT);
  const ref = readKey(context, request, 1);
  if (ref === NONE) return reply.int(0);
  const { buf } = request;
  const at = request.at[2]!;
  const size = request.size[2]!;
  if (target.lookup(buf, at, size, LOOKUP_WRITE) !== NONE && !isReplacing) return reply.int(0);
  context.db.copyTo(ref, target, buf, at, size);
  context.notify(KEYSPACE_EVENT.n, 'new', buf, at, size, target.index);
  context.notify(KEYSPACE_EVENT.g, 'copy_to', buf, at, size, target.index);
  reply.int(1);
}
