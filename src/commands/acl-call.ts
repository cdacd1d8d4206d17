/** How a call looks to the ACL. */
import type { Acl, AclCall, ChannelUse, KeyUse } from '../acl/index.ts';
import type { Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { keysOfCall } from './keys-of-call.ts';
import type { Command } from './table.ts';

/** Where the channels of a command stand: from which argument on, up to which (undefined: the last). */
const CHANNELS: Readonly<Record<string, { readonly to?: number; readonly isPattern?: true }>> = {
  publish: { to: 1 },
  spublish: { to: 1 },
  subscribe: {},
  ssubscribe: {},
  psubscribe: { isPattern: true },
};

/** What a call would do, in the words of the ACL. */
export function aclCall(acl: Acl, command: Command, request: Request): AclCall {
  return {
    command: acl.catalog.find(command.fullName) ?? -1,
    firstArgument: request.argc > 1 ? request.text(1).toLowerCase() : undefined,
    keys: command.hasKeys ? keyUses(command, request) : [],
    channels: channelUses(command, request),
  };
}

/** Whether a call of SORT may look at keys that its arguments do not name. */
export function readsAllKeys({ server, session, command }: Context): boolean {
  const { user } = session;
  if (user.isUnrestricted) return true;
  return user.readsAllKeys(server.acl.acl.catalog.find(command.fullName) ?? -1);
}

function keyUses(command: Command, request: Request): KeyUse[] {
  return keysOfCall(command, request).map(({ index, flags }) => ({
    key: request.copy(index),
    reads: flags.includes('access'),
    writes: flags.includes('insert') || flags.includes('update') || flags.includes('delete'),
  }));
}

function channelUses(command: Command, request: Request): ChannelUse[] {
  const place = CHANNELS[command.fullName];
  if (place === undefined) return [];
  const { to = request.argc - 1, isPattern = false } = place;
  const uses: ChannelUse[] = [];
  for (let i = 1; i <= to; i++) uses.push({ channel: request.copy(i), isPattern });
  return uses;
}
