/** Whole databases: DBSIZE, FLUSHDB, FLUSHALL and SWAPDB. */
import { NOT_INTEGER } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_SWAPDB_CLUSTER, ERR_SWAPDB_FIRST, ERR_SWAPDB_SECOND } from './data-errors.ts';
import { ERR_DB_RANGE, ERR_SYNTAX } from './errors.ts';
import type { CommandSpec } from './spec.ts';

export const databaseCommands: readonly CommandSpec[] = [
  {
    name: 'dbsize',
    since: '1.0.0',
    group: 'server',
    arity: 1,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace', '@read', '@fast'],
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    run: dbsize,
  },
  {
    name: 'flushall',
    since: '1.0.0',
    group: 'server',
    arity: -1,
    flags: ['write'],
    categories: ['@keyspace', '@write', '@slow', '@dangerous'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    run: flushall,
  },
  {
    name: 'flushdb',
    since: '1.0.0',
    group: 'server',
    arity: -1,
    flags: ['write'],
    categories: ['@keyspace', '@write', '@slow', '@dangerous'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    run: flushdb,
  },
  {
    name: 'swapdb',
    since: '4.0.0',
    group: 'server',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@write', '@fast', '@dangerous'],
    run: swapdb,
  },
];

function dbsize(context: Context, _request: Request, reply: ReplyWriter): void {
  reply.int(context.db.shownSize);
}

/** ASYNC and SYNC are the same here: a database is dropped whole, and the collector frees it aside. */
function isFlushSyntax(request: Request): boolean {
  if (request.argc === 1) return true;
  return request.argc === 2 && (request.is(1, 'async') || request.is(1, 'sync'));
}

function flushdb(context: Context, request: Request, reply: ReplyWriter): void {
  if (!isFlushSyntax(request)) return reply.error(ERR_SYNTAX);
  context.db.flush();
  // An empty database is flushed on replicas too: theirs may not be empty.
  context.forcePropagation();
  reply.ok();
}

function flushall(context: Context, request: Request, reply: ReplyWriter): void {
  if (!isFlushSyntax(request)) return reply.error(ERR_SYNTAX);
  context.server.keyspace.flushAll();
  context.server.persistence.flushed();
  context.forcePropagation();
  reply.ok();
}

function swapdb(context: Context, request: Request, reply: ReplyWriter): void {
  if (context.server.cluster !== undefined) return reply.error(ERR_SWAPDB_CLUSTER);
  const first = databaseIndex(request, 1);
  if (first === undefined) return reply.error(ERR_SWAPDB_FIRST);
  const second = databaseIndex(request, 2);
  if (second === undefined) return reply.error(ERR_SWAPDB_SECOND);
  const { keyspace } = context.server;
  const count = keyspace.databases.length;
  if (first < 0 || second < 0 || first >= count || second >= count) {
    return reply.error(ERR_DB_RANGE);
  }
  // With itself nothing is swapped, but replicas hear of it.
  if (first === second) keyspace.dirty++;
  else keyspace.swapDb(first, second);
  reply.ok();
}

/** A 32-bit integer, or undefined. */
function databaseIndex(request: Request, i: number): number | undefined {
  const value = request.int(i);
  if (value === NOT_INTEGER || value > 0x7fff_ffff || value < -0x8000_0000) return undefined;
  return Number(value);
}
