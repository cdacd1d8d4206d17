/** CLIENT: what the node and its operator know and change about connections. */
import { NOT_INTEGER, monoMs, upToZero } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { clientKill } from './client-kill.ts';
import { type RunningRequest, clientLine, clientTypeOf, typeOfClient } from './client-list.ts';
import {
  clientCaching,
  clientGetRedir,
  clientTracking,
  clientTrackingInfo,
} from './client-tracking.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, unknownUse } from './errors.ts';
import { helpHandler } from './help.ts';
import type { Session } from './session.ts';
import type { Handler } from './spec.ts';

const INVALID_NAME = 'ERR Client names cannot contain spaces, newlines or special characters.';

/** Whether a client may be called so: printable characters without blanks; an empty name is no name. */
export function validName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

function clientId({ session }: Context, _request: Request, reply: ReplyWriter): void {
  reply.int(session.id);
}

function clientInfo({ session, server }: Context, request: Request, reply: ReplyWriter): void {
  reply.verbatim('txt', `${clientLine(session, server.now, runningRequest(session, request))}\n`);
}

function runningRequest(session: Session, request: Request): RunningRequest {
  let argumentBytes = 0;
  for (let i = 0; i < request.argc; i++) argumentBytes += request.size[i]!;
  return { session, bytes: request.end - request.start, argumentBytes };
}

function clientList(
  { server, session: caller }: Context,
  request: Request,
  reply: ReplyWriter,
): void {
  let isListed: (session: Session) => boolean = () => true;
  if (request.argc === 4 && request.is(2, 'type')) {
    const type = clientTypeOf(request.text(3));
    if (type === undefined)
      return reply.error(`ERR Unknown client type '${upToZero(request.text(3))}'`);
    isListed = (session) => typeOfClient(session) === type;
  } else if (request.argc > 3 && request.is(2, 'id')) {
    const ids = new Set<number>();
    for (let i = 3; i < request.argc; i++) {
      const id = request.int(i);
      if (typeof id !== 'number') return reply.error('ERR Invalid client ID');
      ids.add(id);
    }
    isListed = (session) => ids.has(session.id);
  } else if (request.argc !== 2) {
    return reply.error(ERR_SYNTAX);
  }
  let text = '';
  const running = runningRequest(caller, request);
  for (const session of server.clients.all()) {
    if (isListed(session)) text += `${clientLine(session, server.now, running)}\n`;
  }
  reply.verbatim('txt', text);
}

function clientGetName({ session }: Context, _request: Request, reply: ReplyWriter): void {
  if (session.name === '') reply.nullBulk();
  else reply.bulkText(session.name);
}

function clientSetName({ session }: Context, request: Request, reply: ReplyWriter): void {
  const name = request.text(2);
  if (!validName(name)) return reply.error(INVALID_NAME);
  session.name = name;
  reply.ok();
}

function clientNoEvict({ session }: Context, request: Request, reply: ReplyWriter): void {
  const isOn = request.is(2, 'on');
  if (!isOn && !request.is(2, 'off')) return reply.error(ERR_SYNTAX);
  session.isNoEvict = isOn;
  reply.ok();
}

function clientReply({ session }: Context, request: Request, reply: ReplyWriter): void {
  if (request.is(2, 'on')) {
    session.isReplyOff = false;
    // In a transaction SKIP may have come just before, and means what follows that.
    if (session.replySkip !== 'next') session.replySkip = 'none';
    reply.isMuted = false;
    reply.ok();
  } else if (request.is(2, 'off')) {
    session.isReplyOff = true;
    reply.isMuted = true;
  } else if (request.is(2, 'skip')) {
    if (!session.isReplyOff) session.replySkip = 'next';
  } else {
    reply.error(ERR_SYNTAX);
  }
}

function clientPause({ server }: Context, request: Request, reply: ReplyWriter): void {
  const isAll = request.argc === 3 || request.is(3, 'all');
  if (!isAll && !request.is(3, 'write')) {
    return reply.error('ERR CLIENT PAUSE mode must be WRITE or ALL');
  }
  const ms = request.int(2);
  if (typeof ms !== 'number') return reply.error('ERR timeout is not an integer or out of range');
  if (ms < 0) return reply.error('ERR timeout is negative');
  server.clients.pause(monoMs(server.now + ms), isAll ? 'all' : 'write');
  reply.ok();
}

function clientUnpause({ server }: Context, _request: Request, reply: ReplyWriter): void {
  server.clients.unpause();
  reply.ok();
}

function clientUnblock({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc > 4) return reply.error(unknownUse(request.text(1), 'CLIENT'));
  let reason: 'timeout' | 'error' = 'timeout';
  if (request.argc === 4) {
    if (request.is(3, 'error')) reason = 'error';
    else if (!request.is(3, 'timeout')) {
      return reply.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
    }
  }
  const id = request.int(2);
  if (id === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const session = typeof id === 'number' ? server.clients.find(id) : undefined;
  const isUnblocked = session !== undefined && server.clients.unblock(session, reason);
  reply.int(isUnblocked ? 1 : 0);
}

/** The functions of CLIENT and its subcommands by full name. */
export const clientHandlers: Readonly<Record<string, Handler>> = {
  'client|caching': clientCaching,
  'client|getname': clientGetName,
  'client|getredir': clientGetRedir,
  'client|help': helpHandler('client'),
  'client|id': clientId,
  'client|info': clientInfo,
  'client|kill': clientKill,
  'client|list': clientList,
  'client|no-evict': clientNoEvict,
  'client|pause': clientPause,
  'client|reply': clientReply,
  'client|setname': clientSetName,
  'client|tracking': clientTracking,
  'client|trackinginfo': clientTrackingInfo,
  'client|unblock': clientUnblock,
  'client|unpause': clientUnpause,
};
