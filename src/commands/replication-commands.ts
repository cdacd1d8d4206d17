/** Who follows whom: REPLICAOF, ROLE, WAIT, and what replicas say to their master. */
import { NOT_INTEGER } from '../base/index.ts';
import { ALREADY_MASTER, role as roleOf } from '../replication/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { clientLine } from './client-list.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX, refuse } from './errors.ts';
import { REPLICATION_FACTS } from './facts/replication.ts';
import { defineCommands } from './facts.ts';
import type { FailoverOrder, SentinelService, Server } from './server.ts';
import type { Session } from './session.ts';
import type { CommandSpec } from './spec.ts';

const PORT_MAX = 65535;
const WAIT_ON_REPLICA =
  'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a ' +
  'replica is configured to be writable (which is not the default) writes to replicas are just ' +
  'local and are not propagated.';

function replicaOf({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const { replication } = server;
  if (server.cluster !== undefined) {
    return reply.error('ERR REPLICAOF not allowed in cluster mode.');
  }
  if (server.failover.state !== 'no-failover') {
    return reply.error('ERR REPLICAOF not allowed while failing over.');
  }
  const who = clientLine(session, server.now);
  if (request.is(1, 'no') && request.is(2, 'one')) {
    if (replication.isReplica) {
      replication.promote();
      server.log('notice', `MASTER MODE enabled (user request from '${who}')`);
    }
    return reply.ok();
  }
  if (session.role === 'replica') {
    return reply.error('ERR Command is not valid when client is a replica.');
  }
  const port = request.int(2);
  if (typeof port !== 'number' || port < 0 || port > PORT_MAX) {
    return reply.error('ERR Invalid master port');
  }
  const host = request.text(1);
  const { target } = replication.link;
  if (target?.host.toLowerCase() === host.toLowerCase() && target.port === port) {
    server.log(
      'notice',
      'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
    );
    return reply.simple('OK Already connected to specified master');
  }
  replication.follow(host, port);
  server.log('notice', `REPLICAOF ${host}:${port} enabled (user request from '${who}')`);
  reply.ok();
}

/** FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]. */
function failover({ server }: Context, request: Request, reply: ReplyWriter): void {
  if (server.cluster !== undefined) {
    return reply.error(
      'ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.',
    );
  }
  if (request.argc === 2 && request.is(1, 'abort')) {
    return server.failover.abort() ? reply.ok() : reply.error('ERR No failover in progress.');
  }
  const order = failoverOrder(request, reply);
  if (order === undefined) return;
  const refusal = server.failover.begin(order);
  if (refusal === undefined) reply.ok();
  else reply.error(refusal);
}

/** Undefined after an error reply. */
function failoverOrder(request: Request, reply: ReplyWriter): FailoverOrder | undefined {
  let target: FailoverOrder['target'];
  let isForced = false;
  let timeoutMs: number | undefined;
  for (let i = 1; i < request.argc; i++) {
    if (timeoutMs === undefined && i + 1 < request.argc && request.is(i, 'timeout')) {
      const value = request.int(++i);
      if (value === NOT_INTEGER) return refuse(reply, ERR_NOT_INTEGER);
      if (value <= 0) return refuse(reply, 'ERR FAILOVER timeout must be greater than 0');
      timeoutMs = Math.min(Number(value), WAIT_MS_MAX);
    } else if (target === undefined && i + 2 < request.argc && request.is(i, 'to')) {
      const port = request.int(i + 2);
      if (typeof port !== 'number') return refuse(reply, ERR_NOT_INTEGER);
      target = { host: request.text(i + 1), port };
      i += 2;
    } else if (!isForced && request.is(i, 'force')) {
      isForced = true;
    } else {
      return refuse(reply, ERR_SYNTAX);
    }
  }
  return { target, isForced, timeoutMs };
}

function sentinelRole({ context }: SentinelService, reply: ReplyWriter): void {
  reply.array(2);
  reply.bulkText('sentinel');
  reply.array(context.masters.size);
  for (const name of context.masters.keys()) reply.bulkText(name);
}

function role({ server }: Context, _request: Request, reply: ReplyWriter): void {
  if (server.sentinel !== undefined) return sentinelRole(server.sentinel, reply);
  const answer = roleOf(server.replication);
  if (answer.kind === 'master') {
    reply.array(3);
    reply.bulkText('master');
    reply.int(answer.replOffset);
    reply.array(answer.replicas.length);
    for (const { ip, port, ackOffset } of answer.replicas) {
      reply.array(3);
      reply.bulkText(ip);
      reply.bulkText(String(port));
      reply.bulkText(String(ackOffset));
    }
    return;
  }
  reply.array(5);
  reply.bulkText('slave');
  reply.bulkText(answer.host);
  reply.int(answer.port);
  reply.bulkText(answer.state);
  reply.int(answer.replOffset);
}

const WAIT_MS_MAX = 2 ** 48;

function wait({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const { replication } = server;
  if (replication.isReplica) return reply.error(WAIT_ON_REPLICA);
  const replicas = request.int(1);
  if (replicas === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const timeoutMs = request.int(2);
  if (timeoutMs === NOT_INTEGER) {
    return reply.error('ERR timeout is not an integer or out of range');
  }
  if (timeoutMs < 0) return reply.error('ERR timeout is negative');
  const acknowledged = replication.acknowledgedCount(session.writeOffset);
  // A transaction cannot wait in the middle.
  if (acknowledged >= replicas || session.queue !== undefined) return reply.int(acknowledged);
  // Longer than anybody lives is long enough.
  const boundedMs = Math.min(Number(timeoutMs), WAIT_MS_MAX);
  replication.wait(session, Number(replicas), session.writeOffset, boundedMs);
}

function psync({ server, session }: Context, request: Request, reply: ReplyWriter): void {
  const isHandover = request.argc > 3 && request.is(3, 'failover');
  if (isHandover && !takesOver(server, session, request.text(1), reply)) return;
  const number = request.int(2);
  const offset = number === NOT_INTEGER || typeof number === 'bigint' ? undefined : number;
  server.replication.sync(session, { replid: request.text(1), offset });
}

/**
 * PSYNC … FAILOVER: our master wants to change places; false after an error reply. Divergence: one that did not hear our
 * answer may ask again. Refused, it would go on as a master beside us, and what it then takes would be lost.
 */
function takesOver(server: Server, session: Session, replid: string, reply: ReplyWriter): boolean {
  const { replication } = server;
  server.log('warning', `Failover request received for replid ${replid}.`);
  if (!replication.isReplica && replid.toLowerCase() === replication.history.replid2) return true;
  if (!replication.isReplica) {
    reply.error(ALREADY_MASTER);
    return false;
  }
  if (replid.toLowerCase() !== replication.history.replid) {
    reply.error('ERR PSYNC FAILOVER replid must match my replid.');
    return false;
  }
  replication.promote();
  const who = clientLine(session, server.now);
  server.log('notice', `MASTER MODE enabled (failover request from '${who}')`);
  return true;
}

function sync({ server, session }: Context): void {
  server.replication.sync(session, undefined);
}

function replconf({ server, session }: Context, request: Request): void {
  const args: Buffer[] = [];
  for (let i = 1; i < request.argc; i++) args.push(request.copy(i));
  server.replication.replconf(session, args);
}

/** FAILOVER, PSYNC, REPLCONF, REPLICAOF, ROLE, SLAVEOF, SYNC and WAIT. */
export const replicationCommands: readonly CommandSpec[] = defineCommands(REPLICATION_FACTS, {
  failover,
  psync,
  replconf,
  replicaof: replicaOf,
  role,
  slaveof: replicaOf,
  sync,
  wait,
});
