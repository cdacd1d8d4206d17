/** Administration of the node: its commands, settings, statistics, end. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import { aclHandlers } from './acl-commands.ts';
import { commandHandlers } from './command-commands.ts';
import { configHandlers } from './config-commands.ts';
import { REDIS_VERSION } from './connection.ts';
import type { Context } from './context.ts';
import { debug } from './debug.ts';
import { ERR_SHUTDOWN, ERR_SYNTAX } from './errors.ts';
import { SERVER_FACTS } from './facts/server.ts';
import { defineCommands } from './facts.ts';
import { helpHandler } from './help.ts';
import { info } from './info.ts';
import { latencyHandlers } from './latency-commands.ts';
import { memoryHandlers } from './memory-commands.ts';
import { persistenceHandlers } from './persistence-commands.ts';
import type { EndFlags } from './server.ts';
import { slowLogHandlers } from './slow-log-commands.ts';
import type { CommandSpec } from './spec.ts';

function time({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const us = server.wallMicros.now();
  reply.array(2);
  reply.bulkText(String(Math.floor(us / 1_000_000)));
  reply.bulkText(String(us % 1_000_000));
}

function lolwut(_context: Context, _request: Request, reply: ReplyWriter): void {
  reply.verbatim('txt', `Redis ver. ${REDIS_VERSION}\n`);
}

function monitor({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  if (session.role === 'replica' || session.isMonitor) return;
  server.addMonitor(session);
  reply.ok();
}

/** SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]. No reply when it works: the connection ends. */
function shutdown({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const words = new Set<string>();
  for (let i = 1; i < request.argc; i++) words.add(request.text(i).toLowerCase());
  const known = ['save', 'nosave', 'now', 'force', 'abort'];
  const isUnknown = [...words].some((word) => !known.includes(word));
  const isMixed = words.has('abort') && words.size > 1;
  if (isUnknown || isMixed || (words.has('save') && words.has('nosave'))) {
    return reply.error(ERR_SYNTAX);
  }
  const { ending } = server;
  if (words.has('abort')) {
    return ending.abort() ? reply.ok() : reply.error('ERR No shutdown in progress.');
  }
  // A half-done script must not be saved.
  const { busyError } = server.scripts;
  if (busyError !== undefined && !words.has('nosave')) return reply.error(busyError);
  if (!ending.begin(endFlags(words), session)) reply.error(ERR_SHUTDOWN);
}

/** What the words of SHUTDOWN, or of `shutdown-on-sigterm`, mean. */
export function endFlags(words: ReadonlySet<string>): EndFlags {
  return {
    save: words.has('save') ? 'yes' : words.has('nosave') ? 'no' : 'asConfigured',
    isNow: words.has('now'),
    isForced: words.has('force'),
  };
}

function refuseModule(_context: Context, _request: Request, reply: ReplyWriter): void {
  reply.error('ERR Error loading the extension. Please check the server logs.');
}

/** COMMAND, CONFIG, DEBUG, INFO and the rest of the group. */
export const serverCommands: readonly CommandSpec[] = defineCommands(SERVER_FACTS, {
  debug,
  info,
  lolwut,
  'module|help': helpHandler('module'),
  'module|list': (_context, _request, reply) => reply.array(0),
  'module|load': refuseModule,
  'module|loadex': refuseModule,
  'module|unload': (_context, _request, reply) =>
    reply.error('ERR Error unloading module: no such module with that name'),
  monitor,
  shutdown,
  time,
  ...aclHandlers,
  ...commandHandlers,
  ...configHandlers,
  ...latencyHandlers,
  ...memoryHandlers,
  ...persistenceHandlers,
  ...slowLogHandlers,
});
