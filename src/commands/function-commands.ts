/** FUNCTION, for libraries of functions, and FCALL, which calls them. Source: behaviour of redis-server 7.0.15. */
import { globMatches, upToZero } from '../base/index.ts';
import { decodeLibraries, dumpFrameFlaw, encodeLibraries } from '../rdb/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { unknownUse } from './errors.ts';
import { FUNCTIONS_FACTS } from './facts/functions.ts';
import { defineCommands } from './facts.ts';
import type {
  FunctionFacts,
  LibraryFacts,
  RestorePolicy,
  RunningFunction,
} from './function-service.ts';
import { helpHandler } from './help.ts';
import type { Session } from './session.ts';
import type { CommandSpec, Handler } from './spec.ts';

const ENGINE_NAME = 'LUA';
const RESTORE_POLICIES: readonly RestorePolicy[] = ['flush', 'append', 'replace'];

/** FUNCTION LOAD [REPLACE] code. */
function load(context: Context, request: Request, reply: ReplyWriter): void {
  const { server, session } = context;
  const codeAt = request.argc - 1;
  let replaces = false;
  for (let i = 2; i < codeAt; i++) {
    if (!request.is(i, 'replace'))
      return reply.error(`ERR Unknown option given: ${upToZero(request.text(i))}`);
    replaces = true;
  }
  const options = { replaces, isTrusted: isTrusted(session) };
  const result = server.functions.load(request.text(codeAt), options);
  if ('flaw' in result) return reply.error(`ERR ${result.flaw}`);
  server.keyspace.dirty++;
  reply.bulkText(result.name);
}

/** Whether a call comes from our master, or from the log that is loaded. */
function isTrusted({ role }: Session): boolean {
  return role === 'master';
}

/** FUNCTION DELETE name. */
function remove({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (!server.functions.delete(request.text(2))) return reply.error('ERR Library not found');
  server.keyspace.dirty++;
  reply.ok();
}

/** FUNCTION FLUSH [ASYNC|SYNC]. */
function flush({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(unknownUse(request.text(1), 'FUNCTION'));
  if (request.argc === 3 && !request.is(2, 'sync') && !request.is(2, 'async')) {
    return reply.error('ERR FUNCTION FLUSH only supports SYNC|ASYNC option');
  }
  server.functions.flush();
  server.keyspace.dirty++;
  reply.ok();
}

/** FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]. */
function list({ server }: Context, request: Request, reply: ReplyWriter): void {
  let pattern: Buffer | undefined;
  let hasCode = false;
  for (let i = 2; i < request.argc; i++) {
    if (!hasCode && request.is(i, 'withcode')) hasCode = true;
    else if (pattern === undefined && request.is(i, 'libraryname')) {
      if (++i === request.argc) return reply.error('ERR library name argument was not given');
      pattern = request.bytes(i);
    } else return reply.error(`ERR Unknown argument ${upToZero(request.text(i))}`);
  }
  const libraries = [...server.functions.libraries()].filter(
    ({ name }) => pattern === undefined || matches(pattern, name),
  );
  reply.array(libraries.length);
  for (const library of libraries) writeLibrary(library, hasCode, reply);
}

function matches(pattern: Buffer, name: string): boolean {
  const bytes = Buffer.from(name, 'latin1');
  return globMatches(pattern, 0, pattern.length, bytes, 0, bytes.length, true);
}

function writeLibrary(library: LibraryFacts, hasCode: boolean, reply: ReplyWriter): void {
  reply.map(hasCode ? 4 : 3);
  reply.bulkText('library_name');
  reply.bulkText(library.name);
  reply.bulkText('engine');
  reply.bulkText(ENGINE_NAME);
  reply.bulkText('functions');
  reply.array(library.functions.length);
  for (const fn of library.functions) writeFunction(fn, reply);
  if (!hasCode) return;
  reply.bulkText('library_code');
  reply.bulkText(library.code);
}

function writeFunction({ name, description, flagNames }: FunctionFacts, reply: ReplyWriter): void {
  reply.map(3);
  reply.bulkText('name');
  reply.bulkText(name);
  reply.bulkText('description');
  if (description === undefined) reply.nullBulk();
  else reply.bulkText(description);
  reply.bulkText('flags');
  reply.set(flagNames.length);
  for (const flag of flagNames) reply.simple(flag);
}

/** FUNCTION DUMP. */
function dump({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const codes = [...server.functions.libraries()].map(({ code }) => code);
  reply.bulkBytes(encodeLibraries(codes, { compression: server.settings.rdbcompression }));
}

/** FUNCTION RESTORE payload [FLUSH|APPEND|REPLACE]. */
function restore({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 4) return reply.error(unknownUse(request.text(1), 'FUNCTION'));
  const policy =
    request.argc === 3 ? 'append' : RESTORE_POLICIES.find((known) => request.is(3, known));
  if (policy === undefined) {
    return reply.error(
      'ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
    );
  }
  const { buf } = request;
  const at = request.at[2]!;
  const size = request.size[2]!;
  const frameFlaw = dumpFrameFlaw(buf, at, size, true);
  if (frameFlaw !== undefined) return reply.error(`ERR ${frameFlaw}`);
  const payload = decodeLibraries(buf, at, size);
  const flaw =
    payload.flaw ??
    server.functions.restore(payload.codes, { policy, isTrusted: isTrusted(session) });
  if (flaw !== undefined) return reply.error(`ERR ${flaw}`);
  server.keyspace.dirty++;
  reply.ok();
}

/** FUNCTION STATS. */
function stats({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const { functions } = server;
  const running = functions.running();
  if (typeof running === 'string') return reply.error(running);
  reply.map(2);
  reply.bulkText('running_script');
  if (running === undefined) reply.nullBulk();
  else writeRunning(running, reply);
  reply.bulkText('engines');
  reply.map(1);
  reply.bulkText(ENGINE_NAME);
  reply.map(2);
  reply.bulkText('libraries_count');
  reply.int(functions.libraryCount);
  reply.bulkText('functions_count');
  reply.int(functions.functionCount);
}

function writeRunning({ name, command, durationMs }: RunningFunction, reply: ReplyWriter): void {
  reply.map(3);
  reply.bulkText('name');
  reply.bulkText(name);
  reply.bulkText('command');
  reply.array(command.length);
  for (const argument of command) reply.bulkBytes(argument);
  reply.bulkText('duration_ms');
  reply.int(durationMs);
}

function kill({ server }: Context, _request: Request, reply: ReplyWriter): void {
  const refusal = server.functions.kill();
  if (refusal === undefined) reply.ok();
  else reply.error(refusal);
}

function calling(isReadOnly: boolean): Handler {
  return (context, request, reply) =>
    context.server.functions.call(context, request, reply, isReadOnly);
}

/** FCALL, FCALL_RO and FUNCTION. */
export const functionCommands: readonly CommandSpec[] = defineCommands(FUNCTIONS_FACTS, {
  fcall: calling(false),
  fcall_ro: calling(true),
  'function|delete': remove,
  'function|dump': dump,
  'function|flush': flush,
  'function|help': helpHandler('function'),
  'function|kill': kill,
  'function|list': list,
  'function|load': load,
  'function|restore': restore,
  'function|stats': stats,
});
