/**
 * Why a request must not run now. The order of the checks is Redis's, because clients see which error comes first.
 */
import {
  type Command,
  type Context,
  FLAG_ALLOW_BUSY,
  FLAG_DENYOOM,
  FLAG_LOADING,
  FLAG_NO_ASYNC_LOADING,
  FLAG_MAY_REPLICATE,
  FLAG_NO_AUTH,
  FLAG_NO_MULTI,
  FLAG_PROTECTED,
  FLAG_READONLY,
  FLAG_SCRIPT,
  FLAG_STALE,
  FLAG_WRITE,
  aclCall,
  errors,
} from '../commands/index.ts';
import type { Request } from '../resp/index.ts';
import type { Client } from './client.ts';
import type { DispatchHost } from './dispatch-host.ts';
import { UNQUEUED_COMMANDS, UNUSUAL } from './request-flags.ts';

type RunnableCommand = Command<Context>;

/** Flags of commands that read or change data. */
const DATA_ACCESS: number = FLAG_WRITE | FLAG_READONLY | FLAG_MAY_REPLICATE;

/** Commands that a RESP2 subscriber may send. */
const SUBSCRIBER_COMMANDS: ReadonlySet<string> = new Set([
  'ping',
  'subscribe',
  'ssubscribe',
  'sunsubscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'quit',
  'reset',
]);

/** Commands that run a function; others with FLAG_SCRIPT run a script. */
const FUNCTION_CALLS: ReadonlySet<string> = new Set(['fcall', 'fcall_ro']);

export class Refusals {
  readonly #host: DispatchHost;
  /** Whether the refusal in hand is the cluster's: EXEC passes it on as it is, so that clients can follow it. */
  isRedirection = false;

  constructor(host: DispatchHost) {
    this.#host = host;
  }

  /** Why the request must not run now; undefined to run it. */
  of(client: Client, command: RunnableCommand, request: Request): string | undefined {
    const host = this.#host;
    const flags = this.flagsOf(command, request);
    if ((flags & UNUSUAL) !== 0) {
      const text = this.#unusualRefusal(client, command);
      if (text !== undefined) return text;
    }
    if (!client.isAuthenticated && (flags & FLAG_NO_AUTH) === 0) {
      // A password that is not needed any more is not asked for.
      if (!host.acl.acl.defaultUser.isOpen) return errors.ERR_NO_AUTH;
    }
    if (!client.user.isUnrestricted) {
      const text = this.#aclRefusal(client, command, request);
      if (text !== undefined) return text;
    }
    if (host.isLimited || host.replication.isReplica) {
      const text = this.#limitRefusal(command, flags, client);
      if (text !== undefined) return text;
    }
    if (host.clusterRouter !== undefined && client.role !== 'master') {
      const text = host.clusterRouter.redirect(client, command, request, flags);
      if (text !== undefined) {
        this.isRedirection = true;
        return text;
      }
    }
    const { eviction } = host;
    if (!eviction.hasRoom && client.role !== 'master' && !eviction.makeRoom()) {
      const isQueued = client.queue !== undefined && !UNQUEUED_COMMANDS.has(command.fullName);
      if (isQueued || (flagsOf(command, flags, client) & FLAG_DENYOOM) !== 0) return errors.ERR_OOM;
    }
    if (((flags & FLAG_WRITE) !== 0 || client.queue !== undefined) && client.role !== 'master') {
      const text = this.#changeRefusal(flagsOf(command, flags, client));
      if (text !== undefined) return text;
    }
    if (
      client.reply.resp === 2 &&
      client.isSubscriber &&
      !SUBSCRIBER_COMMANDS.has(command.fullName)
    ) {
      return (
        `ERR Can't execute '${command.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / ` +
        'PING / QUIT / RESET are allowed in this context'
      );
    }
    if ((client.isMonitor || client.role === 'replica') && (flags & DATA_ACCESS) !== 0) {
      return "ERR Replica can't interact with the keyspace";
    }
    if (host.isStale && !isServedStale(client, command, flags)) return errors.ERR_MASTER_DOWN;
    return (flags & FLAG_ALLOW_BUSY) === 0 ? host.scripts.busyError : undefined;
  }

  /** What the client's user must not do; it goes into the ACL's log. */
  #aclRefusal(client: Client, command: RunnableCommand, request: Request): string | undefined {
    const { acl } = this.#host;
    const call = aclCall(acl.acl, command, request);
    const denial = client.user.denial(call);
    if (denial === undefined) return undefined;
    const { reason } = denial;
    if (reason === 'command') {
      acl.noteRefused(client, { reason, object: Buffer.from(command.fullName, 'latin1') });
      return `NOPERM this user has no permissions to run the '${command.fullName}' command`;
    }
    const object =
      reason === 'key' ? call.keys[denial.index]!.key : call.channels[denial.index]!.channel;
    acl.noteRefused(client, { reason, object });
    return `NOPERM this user has no permissions to access one of the ${reason}s used as arguments`;
  }

  /** While data is loaded, or when it could not be saved. */
  #limitRefusal(command: RunnableCommand, flags: number, client: Client): string | undefined {
    const { persistence, replication } = this.#host;
    const { swapLoad } = replication;
    if (persistence.loading !== undefined || swapLoad === 'whole') {
      return (flags & FLAG_LOADING) === 0 ? errors.ERR_LOADING : undefined;
    }
    if (swapLoad === 'async' && (flagsOf(command, flags, client) & FLAG_NO_ASYNC_LOADING) !== 0) {
      return errors.ERR_LOADING;
    }
    const isWrite = (flagsOf(command, flags, client) & FLAG_WRITE) !== 0;
    if (replication.isReplica || (!isWrite && command.fullName !== 'ping')) return undefined;
    return this.#host.diskFailure();
  }

  #unusualRefusal(client: Client, command: Command): string | undefined {
    const { flags } = command;
    if ((flags & FLAG_PROTECTED) !== 0 && !this.#host.allowsProtected(client, command)) {
      const name = command.fullName.split('|')[0] === 'module' ? 'MODULE' : 'DEBUG';
      const option = name === 'DEBUG' ? 'enable-debug-command' : 'enable-module-command';
      return (
        `ERR ${name} command not allowed. If the ${option} option is set to "local", you can run it ` +
        'from a local connection, otherwise you need to set this option in the configuration file, ' +
        'and then restart the server.'
      );
    }
    if ((flags & FLAG_NO_MULTI) !== 0 && client.queue !== undefined) {
      return 'ERR Command not allowed inside a transaction';
    }
    return undefined;
  }

  /** Why a command that changes data, or EXEC with such commands in its queue, may not run now. */
  #changeRefusal(flags: number): string | undefined {
    const host = this.#host;
    if ((flags & FLAG_WRITE) === 0) return undefined;
    if (host.replication.isReplica) {
      return host.settings['replica-read-only'] ? errors.ERR_READONLY : undefined;
    }
    return host.hasEnoughReplicas ? undefined : errors.ERR_NO_REPLICAS;
  }

  /** The flags of a call: of a script, its own. */
  flagsOf(command: RunnableCommand, request: Request): number {
    const { flags, spec } = command;
    if ((flags & FLAG_SCRIPT) === 0) return flags;
    const { functions, scripts } = this.#host;
    return (FUNCTION_CALLS.has(spec.name) ? functions : scripts).flagsOf(command, request);
  }
}

/** Flags of a command, with those of all that is queued for EXEC. */
function flagsOf({ fullName }: Command, flags: number, { queue }: Client): number {
  if (fullName !== 'exec' || queue === undefined) return flags;
  return queue.reduce((all, queued) => all | queued.flags, flags);
}

/** Whether a replica without its master runs the command; EXEC only if it runs all that is queued. */
function isServedStale(client: Client, command: Command, flags: number): boolean {
  if ((flags & FLAG_STALE) === 0) return false;
  if (command.fullName !== 'exec' || client.queue === undefined) return true;
  return client.queue.every((queued) => (queued.flags & FLAG_STALE) !== 0);
}
