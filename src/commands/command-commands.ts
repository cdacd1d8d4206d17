/** COMMAND: what commands there are, and where their keys stand. */
import { globMatches } from '../base/index.ts';
import { type ReplyWriter, Request } from '../resp/index.ts';
import { commandDocs } from './command-docs.ts';
import { writeCommandFacts, writeWords } from './command-facts-reply.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX } from './errors.ts';
import { helpHandler } from './help.ts';
import { keysOfCall } from './keys-of-call.ts';
import type { Server } from './server.ts';
import type { Handler } from './spec.ts';
import type { Command } from './table.ts';

function command({ server }: Context, _request: Request, reply: ReplyWriter): void {
  reply.array(server.table.size);
  for (const each of server.table.all()) writeCommandFacts(reply, each);
}

function info({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc === 2) {
    reply.array(server.table.size);
    for (const each of server.table.all()) writeCommandFacts(reply, each);
    return;
  }
  reply.array(request.argc - 2);
  for (let i = 2; i < request.argc; i++) {
    const found = server.table.byName(request.text(i));
    if (found === undefined) reply.nullBulk();
    else writeCommandFacts(reply, found);
  }
}

function list({ server }: Context, request: Request, reply: ReplyWriter): void {
  let names: string[];
  if (request.argc === 2) {
    names = namesWhere(server, () => true);
  } else if (request.argc === 5 && request.is(2, 'filterby')) {
    const filtered = filteredNames(server, request);
    if (filtered === undefined) return reply.error(ERR_SYNTAX);
    names = filtered;
  } else return reply.error(ERR_SYNTAX);
  reply.array(names.length);
  for (const name of names) reply.bulkText(name);
}

/** Names of commands and subcommands that pass FILTERBY; undefined for a filter that there is not. */
function filteredNames(server: Server, request: Request): string[] | undefined {
  let passes: (found: Command) => boolean;
  if (request.is(3, 'module')) passes = () => false;
  else if (request.is(3, 'aclcat')) {
    const category = `@${request.text(4).toLowerCase()}`;
    passes = ({ spec }) => spec.categories.includes(category);
  } else if (request.is(3, 'pattern')) {
    const pattern = request.bytes(4);
    passes = ({ fullName }) => {
      const name = Buffer.from(fullName, 'latin1');
      return globMatches(pattern, 0, pattern.length, name, 0, name.length, true);
    };
  } else return undefined;
  return namesWhere(server, passes);
}

/** Of commands and of subcommands. */
function namesWhere(server: Server, passes: (found: Command) => boolean): string[] {
  return server.table
    .each()
    .filter(passes)
    .map(({ fullName }) => fullName);
}

/** The request behind COMMAND GETKEYS, with the command it names; or the error. */
function innerRequest(
  server: Server,
  outer: Request,
): { readonly found: Command; readonly request: Request } | string {
  const request = new Request();
  const args: Buffer[] = [];
  for (let i = 2; i < outer.argc; i++) args.push(outer.copy(i));
  request.load(args);
  const found = server.table.findNamed(request);
  if (found === undefined) return 'ERR Invalid command specified';
  if (!found.hasKeyArguments) return 'ERR The command has no key arguments';
  if (!found.acceptsCount(request.argc)) {
    return 'ERR Invalid number of arguments specified for command';
  }
  return { found, request };
}

const INVALID_ARGUMENTS = 'ERR Invalid arguments specified for command';

function getKeys({ server }: Context, outer: Request, reply: ReplyWriter): void {
  const inner = innerRequest(server, outer);
  if (typeof inner === 'string') return reply.error(inner);
  const { found, request } = inner;
  const indexes = found.keyIndexes(request) ?? [];
  if (indexes.length === 0 && !found.spec.flags.includes('no_mandatory_keys')) {
    return reply.error(INVALID_ARGUMENTS);
  }
  reply.array(indexes.length);
  for (const i of indexes) reply.bulkBytes(request.copy(i));
}

function getKeysAndFlags({ server }: Context, outer: Request, reply: ReplyWriter): void {
  const inner = innerRequest(server, outer);
  if (typeof inner === 'string') return reply.error(inner);
  const { found, request } = inner;
  const keys = found.keyIndexes(request) === undefined ? [] : keysOfCall(found, request);
  if (keys.length === 0 && !found.spec.flags.includes('no_mandatory_keys')) {
    return reply.error(INVALID_ARGUMENTS);
  }
  reply.array(keys.length);
  for (const { index, flags } of keys) {
    reply.array(2);
    reply.bulkBytes(request.copy(index));
    writeWords(reply, flags);
  }
}

/** The functions of COMMAND and its subcommands by full name. */
export const commandHandlers: Readonly<Record<string, Handler>> = {
  command,
  'command|count': ({ server }, _request, reply) => reply.int(server.table.size),
  'command|docs': commandDocs,
  'command|getkeys': getKeys,
  'command|getkeysandflags': getKeysAndFlags,
  'command|help': helpHandler('command'),
  'command|info': info,
  'command|list': list,
};
