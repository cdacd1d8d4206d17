/** CONFIG GET, SET, REWRITE and RESETSTAT. */
import { invariant } from '../base/index.ts';
import type { ConfigRefusal, DirectiveName } from '../config/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_LOADING, ERR_SYNTAX } from './errors.ts';
import { helpHandler } from './help.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import type { Handler } from './spec.ts';
import type { Command } from './table.ts';

function get({ server }: Context, request: Request, reply: ReplyWriter): void {
  const patterns: string[] = [];
  for (let i = 2; i < request.argc; i++) patterns.push(request.text(i));
  const found = server.config.get(patterns);
  reply.map(found.length);
  for (const [name, value] of found) {
    reply.bulkText(name);
    reply.bulkText(value);
  }
}

type Pairs = readonly (readonly [string, string])[];

function set({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc % 2 !== 0) return reply.error(ERR_SYNTAX);
  const pairs: [string, string][] = [];
  for (let i = 2; i < request.argc; i += 2) pairs.push([request.text(i), request.text(i + 1)]);
  if (server.persistence.loading !== undefined || server.replication.swapLoad !== undefined) {
    const isRefused = pairs.some(([name]) => NOT_WHILE_LOADING.has(name.toLowerCase()));
    if (isRefused) return reply.error(ERR_LOADING);
  }
  const before = server.config.get(pairs.map(([name]) => name));
  const result = server.config.set(pairs, {
    isLocalClient: isLocal(session),
    apply: (changed) => listeningRefusal(server, session, changed) ?? server.applyConfig(changed),
    directory: server.directory,
  });
  if (!result.ok) return reply.error(result.error);
  const name = LISTENING.find((listening) => result.changed.includes(listening));
  if (name === undefined) return reply.ok();
  server.listenAnew(session, (isListening) => {
    if (isListening) return reply.ok();
    putBack(server, before);
    reply.error(
      `ERR CONFIG SET failed (possibly related to argument '${name}') - ${LISTENING_REASONS[name]}`,
    );
  });
}

/** What loading goes by. Source: behaviour of redis-server 7.0.15. */
const NOT_WHILE_LOADING: ReadonlySet<string> = new Set(['appendonly', 'dir', 'repl-diskless-load']);

/** Directives that sockets go by. */
const LISTENING = ['port', 'tls-port', 'bind'] as const;
const LISTENING_REASONS = {
  port: 'Unable to listen on this port',
  'tls-port': 'Unable to listen on this port',
  bind: 'Failed to bind to specified addresses.',
} as const;

/** A transaction cannot wait for sockets, and the other nodes of a cluster know the port. */
function listeningRefusal(
  server: Server,
  session: Session,
  changed: readonly DirectiveName[],
): ConfigRefusal | undefined {
  if (session.queue === undefined && server.cluster === undefined) return undefined;
  const name = LISTENING.find((listening) => changed.includes(listening));
  return name && { name, reason: LISTENING_REASONS[name] };
}

/** Undoes a CONFIG SET whose sockets could not be had. */
function putBack(server: Server, before: Pairs): void {
  const result = server.config.set(before, {
    isLocalClient: true,
    apply: (changed) => server.applyConfig(changed),
    directory: (path) => path,
  });
  invariant(result.ok, 'values that were in effect can be set again');
}

/** Whether the client is on this machine. */
function isLocal(session: Session): boolean {
  const { address } = session;
  return address.startsWith('127.') || address.startsWith('[::1]') || address.startsWith('/');
}

function rewrite(context: Context, _request: Request, reply: ReplyWriter): void {
  rewriteFile(context, reply, false);
}

/** `isWhole`: with a line for every directive. */
export function rewriteFile({ server }: Context, reply: ReplyWriter, isWhole: boolean): void {
  if (server.configFile === '') {
    return reply.error('ERR The server is running without a config file');
  }
  const failure = server.rewriteConfig(isWhole);
  if (failure !== undefined) {
    server.log('warning', `CONFIG REWRITE failed: ${failure}`);
    return reply.error(`ERR Rewriting config file: ${failure}`);
  }
  server.log('notice', 'CONFIG REWRITE executed with success.');
  reply.ok();
}

function resetStat({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const { keyspace, replication } = server;
  server.stats.reset();
  server.latency.resetHistograms();
  for (const { counters } of server.table.each()) resetCounters(counters);
  keyspace.hits = 0;
  keyspace.misses = 0;
  keyspace.expiredCount = 0;
  keyspace.lazyFreedCount = 0;
  replication.source.counters.fullSyncs = 0;
  replication.source.counters.partialAccepted = 0;
  replication.source.counters.partialRefused = 0;
  reply.ok();
}

function resetCounters(counters: Command['counters']): void {
  counters.calls = 0;
  counters.microseconds = 0;
  counters.failedCalls = 0;
  counters.rejectedCalls = 0;
}

/** The functions of CONFIG and its subcommands by full name. */
export const configHandlers: Readonly<Record<string, Handler>> = {
  'config|get': get,
  'config|help': helpHandler('config'),
  'config|resetstat': resetStat,
  'config|rewrite': rewrite,
  'config|set': set,
};
