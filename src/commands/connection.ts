/** Connection commands but CLIENT: who is there, who it is, which protocol and database it speaks. */
import { DEFAULT_USER } from '../acl/index.ts';
import { NOT_INTEGER, upToZero } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_INT_RANGE } from './data-errors.ts';
import { ERR_DB_RANGE, ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { clientHandlers, validName } from './client-commands.ts';
import { CONNECTION_FACTS } from './facts/connection.ts';
import { defineCommands } from './facts.ts';
import type { Server } from './server.ts';
import type { CommandSpec } from './spec.ts';

/** Version that clients are told, so that they choose the features of that Redis. */
export const REDIS_VERSION = '7.0.15';

const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';
const NO_PASSWORD_SET =
  'ERR AUTH <password> called without any password configured for the default user. ' +
  'Are you sure your configuration is correct?';
const HELLO_NO_AUTH =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO ' +
  '<proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP ' +
  'protocol version at the same time';

function ping({ session, server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 2) return reply.error("ERR wrong number of arguments for 'ping' command");
  if (session.role === 'master' && request.argc === 2) server.cluster?.hearMaster(request.text(1));
  if (session.isSubscriber && reply.resp === 2) {
    reply.array(2);
    reply.bulkText('pong');
    if (request.argc === 1) return reply.bulkText('');
    return reply.bulk(request.buf, request.at[1]!, request.size[1]!);
  }
  if (request.argc === 1) reply.simple('PONG');
  else reply.bulk(request.buf, request.at[1]!, request.size[1]!);
}

function echo(_context: Context, request: Request, reply: ReplyWriter): void {
  reply.bulk(request.buf, request.at[1]!, request.size[1]!);
}

function select({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const index = request.int(1);
  if (index === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  if (index > 0x7fff_ffff || index < -0x8000_0000) return reply.error(ERR_INT_RANGE);
  if (server.cluster !== undefined && index !== 0) {
    return reply.error('ERR SELECT is not allowed in cluster mode');
  }
  if (typeof index === 'bigint' || index < 0 || index >= server.keyspace.databases.length) {
    return reply.error(ERR_DB_RANGE);
  }
  session.dbIndex = index;
  reply.ok();
}

function auth({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 3) return reply.error(ERR_SYNTAX);
  const isNamed = request.argc === 3;
  if (!isNamed && server.acl.acl.defaultUser.takesAnyPassword) return reply.error(NO_PASSWORD_SET);
  const name = isNamed ? request.text(1) : DEFAULT_USER;
  if (authenticate({ server, session }, request, name, request.argc - 1)) reply.ok();
  else reply.error(WRONG_PASSWORD);
}

/** Makes the client the user it says it is, if the password at argument `at` is right. */
function authenticate(
  { server, session }: Pick<Context, 'server' | 'session'>,
  request: Request,
  name: string,
  at: number,
): boolean {
  const user = server.acl.acl.find(name);
  if (user?.accepts(request.bytes(at)) === true) {
    session.user = user;
    session.isAuthenticated = true;
    return true;
  }
  server.acl.noteRefused(session, { reason: 'auth', object: request.copy(0), userName: name });
  return false;
}

function hello({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  let version: number | undefined;
  if (request.argc > 1) {
    const asked = request.int(1);
    if (asked === NOT_INTEGER) {
      return reply.error('ERR Protocol version is not an integer or out of range');
    }
    if (asked !== 2 && asked !== 3) return reply.error('NOPROTO unsupported protocol version');
    version = asked;
  }
  let name: string | undefined;
  for (let i = 2; i < request.argc; i++) {
    if (request.is(i, 'auth') && i + 2 < request.argc) {
      if (!authenticate({ server, session }, request, request.text(i + 1), i + 2)) {
        return reply.error(WRONG_PASSWORD);
      }
      i += 2;
    } else if (request.is(i, 'setname') && i + 1 < request.argc) {
      name = request.text(++i);
      if (!validName(name)) return reply.error(INVALID_NAME);
    } else {
      return reply.error(`ERR Syntax error in HELLO option '${upToZero(request.text(i))}'`);
    }
  }
  if (!session.isAuthenticated && !server.acl.acl.defaultUser.isOpen) {
    return reply.error(HELLO_NO_AUTH);
  }
  if (name !== undefined) session.name = name;
  if (version === 2 || version === 3) reply.resp = version;
  const { sentinel } = server;
  reply.map(sentinel === undefined ? 7 : 6);
  writeText(reply, 'server', 'redis');
  writeText(reply, 'version', REDIS_VERSION);
  reply.bulkText('proto');
  reply.int(reply.resp);
  reply.bulkText('id');
  reply.int(session.id);
  writeText(reply, 'mode', modeOf(server));
  if (sentinel === undefined) {
    writeText(reply, 'role', server.replication.isReplica ? 'replica' : 'master');
  }
  reply.bulkText('modules');
  reply.array(0);
}

/** What kind of server it is, as HELLO and INFO name it. */
export function modeOf({ cluster, sentinel }: Server): 'standalone' | 'cluster' | 'sentinel' {
  if (sentinel !== undefined) return 'sentinel';
  return cluster === undefined ? 'standalone' : 'cluster';
}

const INVALID_NAME = 'ERR Client names cannot contain spaces, newlines or special characters.';

function writeText(reply: ReplyWriter, field: string, value: string): void {
  reply.bulkText(field);
  reply.bulkText(value);
}

function quit({ session }: Context, _request: Request, reply: ReplyWriter): void {
  reply.ok();
  session.closeAfterReply();
}

/** Everything as in a fresh connection, but its number. */
function reset({ server, session }: Context, _request: Request, reply: ReplyWriter): void {
  if (session.role !== 'normal') {
    return reply.error('ERR can only reset normal client connections');
  }
  if (session.isMonitor) server.removeMonitor(session);
  session.queue = undefined;
  session.queueBytes = 0;
  session.isQueueBroken = false;
  server.unwatch(session);
  server.tracking.stop(session);
  server.pubsub.forget(session);
  session.dbIndex = 0;
  session.user = server.acl.acl.defaultUser;
  session.isAuthenticated = session.user.isOpen;
  session.name = '';
  session.isAsking = false;
  session.isReadonly = false;
  session.isReplyOff = false;
  // What a SKIP was about is this very reply.
  if (session.replySkip !== 'now') {
    session.replySkip = 'none';
    reply.isMuted = false;
  }
  reply.resp = 2;
  reply.simple('RESET');
}

/** AUTH, CLIENT, ECHO, HELLO, PING, QUIT, RESET and SELECT. */
export const connectionCommands: readonly CommandSpec[] = defineCommands(CONNECTION_FACTS, {
  auth,
  echo,
  hello,
  ping,
  quit,
  reset,
  select,
  ...clientHandlers,
});
