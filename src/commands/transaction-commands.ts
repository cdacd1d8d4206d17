/** MULTI, EXEC, DISCARD, WATCH and UNWATCH. The dispatcher queues what comes in between. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_EXEC_ABORT } from './errors.ts';
import { TRANSACTIONS_FACTS } from './facts/transactions.ts';
import { defineCommands } from './facts.ts';
import type { CommandSpec } from './spec.ts';

function multi({ session }: Context, _request: Request, reply: ReplyWriter): void {
  if (session.queue !== undefined) return reply.error('ERR MULTI calls can not be nested');
  session.queue = [];
  reply.ok();
}

function exec({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  if (session.queue === undefined) return reply.error('ERR EXEC without MULTI');
  if (session.isQueueBroken) {
    server.discard(session);
    return reply.error(ERR_EXEC_ABORT);
  }
  if (server.isWatchBroken(session)) {
    server.discard(session);
    return reply.nullArray();
  }
  server.runQueue(session);
}

function discard({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  if (session.queue === undefined) return reply.error('ERR DISCARD without MULTI');
  server.discard(session);
  reply.ok();
}

function watch({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  if (session.queue !== undefined) return reply.error('ERR WATCH inside MULTI is not allowed');
  // The transaction will do nothing anyway.
  if (!session.isWatchBroken) {
    for (let i = 1; i < request.argc; i++) server.watch(session, request.copy(i));
  }
  reply.ok();
}

function unwatch({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  server.unwatch(session);
  reply.ok();
}

/** DISCARD, EXEC, MULTI, UNWATCH and WATCH. */
export const transactionCommands: readonly CommandSpec[] = defineCommands(TRANSACTIONS_FACTS, {
  discard,
  exec,
  multi,
  unwatch,
  watch,
});
