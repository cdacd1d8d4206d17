/** CLIENT KILL, old form (one address) and new (filters). Source: behaviour of redis-server 7.0.15. */
import { upToZero } from '../base/index.ts';
import type { Acl } from '../acl/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import { type ClientType, clientTypeOf, typeOfClient } from './client-list.ts';
import type { Context } from './context.ts';
import { ERR_SYNTAX } from './errors.ts';
import type { Session } from './session.ts';

interface KillFilter {
  id?: number;
  address?: string;
  localAddress?: string;
  user?: string;
  type?: ClientType;
  sparesCaller: boolean;
}

/** Ends connections; answers OK for the old form and their number for the new. */
export function clientKill(context: Context, request: Request, reply: ReplyWriter): void {
  if (request.argc === 3) {
    const isKilled = killAll(context, { address: request.text(2), sparesCaller: false }) > 0;
    if (isKilled) reply.ok();
    else reply.error('ERR No such client');
    return;
  }
  const filter = readFilter(context.server.acl.acl, request);
  if (typeof filter === 'string') reply.error(filter);
  else reply.int(killAll(context, filter));
}

/** The filter, or the error. */
function readFilter(acl: Acl, request: Request): KillFilter | string {
  const filter: KillFilter = { sparesCaller: true };
  for (let i = 2; i < request.argc; i += 2) {
    if (i + 1 >= request.argc) return ERR_SYNTAX;
    const flaw = readOption(filter, { acl, request }, i);
    if (flaw !== undefined) return flaw;
  }
  return filter;
}

function readOption(
  filter: KillFilter,
  { acl, request }: { readonly acl: Acl; readonly request: Request },
  i: number,
): string | undefined {
  const value = request.text(i + 1);
  switch (request.text(i).toLowerCase()) {
    case 'id': {
      const id = request.int(i + 1);
      if (typeof id !== 'number' || id <= 0) return 'ERR client-id should be greater than 0';
      filter.id = id;
      return undefined;
    }
    case 'type': {
      const type = clientTypeOf(value);
      if (type === undefined) return `ERR Unknown client type '${upToZero(value)}'`;
      filter.type = type;
      return undefined;
    }
    case 'addr':
      filter.address = value;
      return undefined;
    case 'laddr':
      filter.localAddress = value;
      return undefined;
    case 'user':
      if (acl.find(value) === undefined) return `ERR No such user '${upToZero(value)}'`;
      filter.user = value;
      return undefined;
    case 'skipme':
      if (!request.is(i + 1, 'yes') && !request.is(i + 1, 'no')) return ERR_SYNTAX;
      filter.sparesCaller = request.is(i + 1, 'yes');
      return undefined;
    default:
      return ERR_SYNTAX;
  }
}

function killAll({ server, session: caller }: Context, filter: KillFilter): number {
  const killed = [...server.clients.all()].filter(
    (session) => !(filter.sparesCaller && session === caller) && isMeant(session, filter),
  );
  for (const session of killed) {
    // The caller still gets its answer.
    if (session === caller) session.closeAfterReply();
    else session.close();
  }
  return killed.length;
}

function isMeant(session: Session, filter: KillFilter): boolean {
  if (filter.id !== undefined && session.id !== filter.id) return false;
  if (filter.address !== undefined && session.address !== filter.address) return false;
  if (filter.localAddress !== undefined && session.localAddress !== filter.localAddress)
    return false;
  if (filter.user !== undefined && session.user.name !== filter.user) return false;
  return filter.type === undefined || typeOfClient(session) === filter.type;
}
