/**
 * From a request to its reply: finds the command, refuses what may not run now, runs it, counts it
 * and passes on what it changed. The order of the checks is Redis's, because clients see which
 * error comes first.
 */
import { keySlot, splitArguments } from '../base/index.ts';
import {
  type BlockedOnKeys,
  Command,
  type Context,
  FLAG_ADMIN,
  FLAG_DENYOOM,
  FLAG_MAY_REPLICATE,
  FLAG_NO_AUTH,
  FLAG_NO_MULTI,
  FLAG_PROTECTED,
  FLAG_READONLY,
  FLAG_SKIP_MONITOR,
  FLAG_LOADING,
  FLAG_STALE,
  FLAG_WRITE,
  type QueuedCommand,
  type Session,
  aclCall,
  clientLine,
  errors,
} from '../commands/index.ts';
import { Request, RequestParser } from '../resp/index.ts';
import { CallContext } from './call-context.ts';
import type { Client } from './client.ts';
import type { DispatchHost } from './dispatch-host.ts';

type RunnableCommand = Command<Context>;

/** Flags that need a look beyond the fast path. */
const UNUSUAL: number = FLAG_PROTECTED | FLAG_ADMIN | FLAG_NO_MULTI;

/** Flags of commands that the state of the data or of the replicas may forbid. */
const CHANGES: number = FLAG_WRITE | FLAG_DENYOOM;

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

/** Commands that run at once inside MULTI. */
const UNQUEUED_COMMANDS: ReadonlySet<string> = new Set([
  'exec',
  'discard',
  'multi',
  'watch',
  'quit',
  'reset',
]);

const RIGHTS_CHANGED =
  'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no ' +
  'longer allowed for the following reason: ';
const DENIED_BECAUSE = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments to the command',
} as const;

const FOREIGN_PROTOCOL_WARNING =
  'Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. ' +
  'This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis ' +
  'instance. Connection aborted.';

export class Dispatcher {
  readonly #host: DispatchHost;
  readonly #context: CallContext;
  /** EXEC runs queued commands inside its own call, so they have a context and request of their own. */
  readonly #inner: CallContext;
  readonly #innerRequest: Request = new Request();
  /** For calls that waited for keys and are run again. */
  readonly #again: CallContext;
  readonly #innerParser: RequestParser;
  /** Whether the refusal in hand is the cluster's: EXEC passes it on as it is, so that clients can follow it. */
  #isRedirection = false;
  /** Inside EXEC. */
  isRunningQueue = false;

  constructor(host: DispatchHost) {
    this.#host = host;
    this.#context = new CallContext(host);
    this.#inner = new CallContext(host);
    this.#again = new CallContext(host);
    this.#innerParser = new RequestParser({
      bulkBytesMax: Number.MAX_SAFE_INTEGER,
      splitInline: splitArguments,
    });
  }

  /** Runs one request of a client, with all checks. */
  execute(client: Client, request: Request): void {
    const host = this.#host;
    const main = host.table.find(request);
    client.lastInteractionAt = host.now;
    if (main !== undefined && this.#isPlain(client, main, request)) {
      client.lastCommand = main;
      this.#call(this.#context, client, main, request);
      if (host.waits.hasReady) this.serveReady();
      return;
    }
    if (client.role === 'replica') this.#executeFromReplica(client, main, request);
    else if (client.role === 'source') this.#executeFromSource(client, main, request);
    else this.#executeChecked(client, main, request);
    if (host.waits.hasReady) this.serveReady();
    // ASKING counts for the one command behind it, served or refused, or for a whole transaction.
    if (client.isAsking && client.queue === undefined && client.blocked?.kind !== 'pause') {
      client.isAsking = request.is(0, 'asking');
    }
  }

  /** Whether nothing below could stand in the way of a call, as mostly; whatever is asked here is asked there again. */
  #isPlain(client: Client, command: RunnableCommand, request: Request): boolean {
    const host = this.#host;
    const { flags } = command;
    if ((flags & UNUSUAL) !== 0 || command.isContainer || !client.isPlain) return false;
    if (!command.acceptsCount(request.argc) || host.clusterRouter !== undefined) return false;
    if (host.isPaused || host.isLimited || host.replication.isReplica) return false;
    return (flags & CHANGES) === 0 || host.takesAllChanges;
  }

  #executeChecked(client: Client, main: RunnableCommand | undefined, request: Request): void {
    const host = this.#host;
    if (client.replySkip !== 'none') this.#advanceSkip(client);
    const command = main !== undefined && main.isContainer ? subcommand(main, request) : main;
    const refusal =
      command === undefined
        ? unknownText(main, request)
        : command.acceptsCount(request.argc)
          ? this.#refusal(client, command, request)
          : errors.wrongArity(command.fullName);
    if (main === undefined && isForeignProtocol(request)) {
      host.log('warning', FOREIGN_PROTOCOL_WARNING);
      return client.close();
    }
    if (refusal !== undefined) return this.#reject(client, command, refusal);
    if (client.queue !== undefined && !UNQUEUED_COMMANDS.has(command!.fullName)) {
      return this.#enqueue(client, command!, request);
    }
    const isHeld = host.isPaused || host.clusterRouter?.isWriteHeld === true;
    if (isHeld && this.#mustPause(client, command!)) {
      client.blocked = { kind: 'pause' };
      return;
    }
    client.lastCommand = command;
    this.#call(this.#context, client, command!, request);
  }

  /** A replica gets the stream and nothing else: an answer in the middle of it would damage it. */
  #executeFromReplica(client: Client, main: RunnableCommand | undefined, request: Request): void {
    // An acknowledgement has no answer, and may set the stream flowing.
    if (main?.fullName === 'replconf' && request.is(1, 'ack')) {
      return this.#executeChecked(client, main, request);
    }
    const { length, errorCount } = client.reply;
    this.#executeChecked(client, main, request);
    if (client.reply.length === length || client.isClosed) return;
    client.reply.truncate(length);
    const command = main !== undefined && main.isContainer ? subcommand(main, request) : main;
    const name = command?.fullName ?? '<unknown>';
    this.#host.log(
      'warning',
      `Replica generated a reply to command '${name}', disconnecting it: ${clientLine(client, this.#host.now)}`,
    );
    if (client.reply.errorCount > errorCount) {
      const error = client.reply.lastError.replace(/^ERR /, '');
      this.#host.log(
        'warning',
        `== CRITICAL == This master is sending an error to its replica: '${error}' after processing the command '${name}'`,
      );
    }
    client.close();
  }

  /**
   * Runs a command of the data of slots that move here. It is this node's own write, but obeys no check: the source has
   * done it already. One that fails here ends the move, because the two differ from then on.
   */
  #executeFromSource(client: Client, main: RunnableCommand | undefined, request: Request): void {
    const { clusterRouter, keyspace } = this.#host;
    const command = main !== undefined && main.isContainer ? subcommand(main, request) : main;
    if (command?.fullName === 'cluster|syncslots') {
      return this.#executeChecked(client, main, request);
    }
    const { transfers } = clusterRouter!;
    if (
      command === undefined ||
      !command.acceptsCount(request.argc) ||
      !this.#mayImport(client, command, request)
    ) {
      return transfers.importFailed(client, 'the source sent what cannot be run here');
    }
    if (client.queue !== undefined && !UNQUEUED_COMMANDS.has(command.fullName)) {
      client.reply.isMuted = true;
      this.#enqueue(client, command, request);
    } else {
      const { reply } = client;
      const { errorCount } = reply;
      const { expiryMode } = keyspace;
      reply.isMuted = true;
      // What the source did not expire is alive, whatever our clock says.
      keyspace.expiryMode = 'ignore';
      this.#call(this.#context, client, command, request);
      keyspace.expiryMode = expiryMode;
      if (reply.errorCount !== errorCount) {
        reply.isMuted = false;
        return transfers.importFailed(client, `a command of the source failed: ${reply.lastError}`);
      }
    }
    client.reply.isMuted = false;
  }

  #mayImport(client: Client, command: RunnableCommand, request: Request): boolean {
    const { transfers } = this.#host.clusterRouter!;
    const { buf, at, size } = request;
    if (command.hasMovableKeys) {
      const indexes = command.keyIndexes(request) ?? [];
      return indexes.every((i) => transfers.mayImport(client, keySlot(buf, at[i]!, size[i]!)));
    }
    const last = command.lastKey < 0 ? request.argc + command.lastKey : command.lastKey;
    for (let i = command.firstKey; i > 0 && i <= last && i < request.argc; i += command.keyStep) {
      if (!transfers.mayImport(client, keySlot(buf, at[i]!, size[i]!))) return false;
    }
    return true;
  }

  /** Runs a command of our master's stream: it obeys no check and is passed on by others. */
  executeFromMaster(client: Client, request: Request): void {
    const main = this.#host.table.find(request);
    const command = main !== undefined && main.isContainer ? subcommand(main, request) : main;
    if (command === undefined || !command.acceptsCount(request.argc)) {
      const text =
        command === undefined ? unknownText(main, request) : errors.wrongArity(command.fullName);
      this.#host.log(
        'warning',
        `== CRITICAL == This replica is sending an error to its master: '${text}'`,
      );
      return;
    }
    if (client.queue !== undefined && !UNQUEUED_COMMANDS.has(command.fullName)) {
      return this.#enqueue(client, command, request);
    }
    this.#call(this.#context, client, command, request);
    if (this.#host.waits.hasReady) this.serveReady();
  }

  /** Runs the calls that wait for keys which are ready now. */
  serveReady(): void {
    const { clock, keyspace, replication, waits } = this.#host;
    // What made the keys ready may have taken long, and they may have expired meanwhile.
    keyspace.nowMs = clock.unixMs();
    const served = waits.serveReady((session, blocked, argument) =>
      this.#callAgain(session, blocked, argument),
    );
    for (const session of served) session.writeOffset = replication.history.masterReplOffset;
  }

  #callAgain(session: Session, { command, bytes }: BlockedOnKeys, argument: number): boolean {
    this.#innerParser.parse(this.#innerRequest, bytes, 0, bytes.length);
    this.#again.readyArgument = argument;
    // Only commands of this table have waited.
    this.#call(this.#again, session, command as RunnableCommand, this.#innerRequest);
    return !this.#again.hasBlocked;
  }

  /** EXEC: runs what is queued, one reply each. */
  runQueue(session: Session): void {
    this.isRunningQueue = true;
    const queue = session.queue ?? [];
    const { reply } = session;
    this.#context.hasRunQueue = true;
    reply.array(queue.length);
    for (const { command, bytes } of queue) {
      this.#innerParser.parse(this.#innerRequest, bytes, 0, bytes.length);
      // Only this dispatcher fills queues, with commands of its own table.
      const runnable = command as RunnableCommand;
      if (this.#isNowDenied(session, runnable, this.#innerRequest)) continue;
      this.#call(this.#inner, session, runnable, this.#innerRequest);
    }
    this.isRunningQueue = false;
    this.#host.discard(session);
  }

  /** Whether the rights of a client have changed so that a queued command must not run; then it is answered. */
  #isNowDenied(session: Session, command: RunnableCommand, request: Request): boolean {
    if (session.user.isUnrestricted || session.role === 'master') return false;
    const { acl } = this.#host;
    const denial = session.user.denial(aclCall(acl.acl, command, request));
    if (denial === undefined) return false;
    const { reason } = denial;
    acl.noteRefused(session, { reason, object: Buffer.from(command.fullName, 'latin1') });
    session.reply.error(`${RIGHTS_CHANGED}${DENIED_BECAUSE[reason]}`);
    return true;
  }

  #refusal(client: Client, command: RunnableCommand, request: Request): string | undefined {
    const host = this.#host;
    const { flags } = command;
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
    if (host.isLimited) {
      const text = this.#limitRefusal(command, client);
      if (text !== undefined) return text;
    }
    if (host.clusterRouter !== undefined && client.role !== 'master') {
      const text = host.clusterRouter.redirect(client, command, request);
      if (text !== undefined) {
        this.#isRedirection = true;
        return text;
      }
    }
    if (((flags & CHANGES) !== 0 || client.queue !== undefined) && client.role !== 'master') {
      const text = this.#changeRefusal(command, client);
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
    if (host.isStale && !isServedStale(client, command)) return errors.ERR_MASTER_DOWN;
    return undefined;
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
  #limitRefusal(command: RunnableCommand, client: Client): string | undefined {
    const { persistence, replication, settings } = this.#host;
    if (persistence.loading !== undefined) {
      return (command.flags & FLAG_LOADING) === 0 ? errors.ERR_LOADING : undefined;
    }
    const isWrite = (flagsOf(command, client) & FLAG_WRITE) !== 0;
    if (replication.isReplica || (!isWrite && command.fullName !== 'ping')) return undefined;
    const { aof } = persistence;
    if (aof.failure !== undefined) return errors.aofMisconfigured(aof.failure);
    const mustSave = settings['stop-writes-on-bgsave-error'] && settings.save.length > 0;
    return mustSave && persistence.hasFailed ? errors.ERR_MISCONF : undefined;
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
  #changeRefusal(command: RunnableCommand, client: Client): string | undefined {
    const host = this.#host;
    const flags = flagsOf(command, client);
    if ((flags & FLAG_DENYOOM) !== 0 && !host.makeRoom()) return errors.ERR_OOM;
    if ((flags & FLAG_WRITE) === 0) return undefined;
    if (host.replication.isReplica) {
      return host.settings['replica-read-only'] ? errors.ERR_READONLY : undefined;
    }
    return host.hasEnoughReplicas ? undefined : errors.ERR_NO_REPLICAS;
  }

  #reject(client: Client, command: Command | undefined, text: string): void {
    if (command !== undefined) command.counters.rejectedCalls++;
    this.#host.stats.countError(text);
    const isRedirection = this.#isRedirection;
    this.#isRedirection = false;
    if (command?.fullName === 'exec') {
      this.#host.discard(client);
      if (isRedirection) return client.reply.error(text);
      const reason = text.replace(/^ERR /, '');
      client.reply.error(`EXECABORT Transaction discarded because of: ${reason}`);
      return;
    }
    if (client.queue !== undefined) client.isQueueBroken = true;
    client.reply.error(text);
  }

  #enqueue(client: Client, command: RunnableCommand, request: Request): void {
    const bytes = Buffer.from(request.buf.subarray(request.start, request.end));
    const queued: QueuedCommand = { command, bytes };
    client.queue!.push(queued);
    client.queueBytes += bytes.length;
    client.reply.simple('QUEUED');
  }

  #mustPause(client: Client, command: RunnableCommand): boolean {
    if (client.role !== 'normal') return false;
    if (this.#host.pausesAll) return true;
    const changing = FLAG_WRITE | FLAG_MAY_REPLICATE;
    if ((command.flags & changing) !== 0) return true;
    if (command.fullName !== 'exec' || client.queue === undefined) return false;
    return client.queue.some((queued) => (queued.command.flags & changing) !== 0);
  }

  #call(context: CallContext, session: Session, command: RunnableCommand, request: Request): void {
    const host = this.#host;
    const { keyspace, propagation, stats } = host;
    host.meter.before(command);
    const { reply } = session;
    const dbIndex = session.dbIndex;
    const dirty = keyspace.dirty;
    const errors = reply.errorCount;
    if (host.tracking.clientCount > 0) host.trackedCalls.begin(session);
    context.begin(session, command);
    const isOutermost = context === this.#context;
    const isUnit = host.isListening && !command.touchesArbitraryKeys;
    if (isUnit) propagation.begin();
    command.run!(context, request, reply);
    const isChanged = keyspace.dirty !== dirty;
    if ((isChanged || context.isForced) && !context.isPrevented) {
      if (host.isListening) this.#propagate(context, { dbIndex, isOutermost }, request);
    } else if (context.extra.length > 0) {
      for (const extra of context.extra) propagation.addArgs(extra.dbIndex, extra.args);
    }
    if (isUnit) propagation.end();
    if (isOutermost && isChanged) session.writeOffset = host.replication.history.masterReplOffset;
    const isAgain = context === this.#again;
    if (host.hasMonitors && !isAgain && (command.flags & (FLAG_SKIP_MONITOR | FLAG_ADMIN)) === 0) {
      host.showMonitors(session, { command, request, dbIndex });
    }
    if (host.tracking.clientCount > 0) {
      const isLast = isOutermost || isAgain;
      host.trackedCalls.end({ session, command, request, isOutermost: isLast });
    }
    if (!isAgain) stats.totalCommands++;
    // A call that waits is counted when it ends.
    if (context.hasBlocked) return host.meter.skip();
    // What EXEC ran has counted its own errors.
    if (reply.errorCount !== errors && !context.hasRunQueue) {
      command.counters.failedCalls++;
      stats.countError(reply.lastError);
    }
    host.meter.end(session, command, request);
  }

  #propagate(
    context: CallContext,
    call: { readonly dbIndex: number; readonly isOutermost: boolean },
    request: Request,
  ): void {
    const { propagation } = this.#host;
    const { dbIndex, isOutermost } = call;
    const { rewritten, extra } = context;
    // EXEC itself is not passed on; what it ran was held and goes together.
    if (context.command.fullName === 'exec') return;
    if (rewritten !== undefined) {
      propagation.addArgs(dbIndex, rewritten);
    } else if (isOutermost && extra.length === 0 && !propagation.isHolding) {
      this.#host.feed(dbIndex, request.buf, request.start, request.end - request.start);
    } else {
      propagation.addBytes(dbIndex, request.buf, request.start, request.end - request.start);
    }
    for (const { dbIndex: index, args } of extra) propagation.addArgs(index, args);
  }

  #advanceSkip(client: Client): void {
    if (client.replySkip === 'next') {
      client.replySkip = 'now';
      client.reply.isMuted = true;
    } else {
      client.replySkip = 'none';
      client.reply.isMuted = client.isReplyOff;
    }
  }
}

/** Flags of a command, with those of all that is queued for EXEC. */
function flagsOf({ flags, fullName }: Command, { queue }: Client): number {
  if (fullName !== 'exec' || queue === undefined) return flags;
  return queue.reduce((all, queued) => all | queued.command.flags, flags);
}

/** Whether a replica without its master runs the command; EXEC only if it runs all that is queued. */
function isServedStale(client: Client, command: Command): boolean {
  if ((command.flags & FLAG_STALE) === 0) return false;
  if (command.fullName !== 'exec' || client.queue === undefined) return true;
  return client.queue.every((queued) => (queued.command.flags & FLAG_STALE) !== 0);
}

/** A browser tricked into sending HTTP to this port: its first line or its `Host:` header read as a command. */
function isForeignProtocol(request: Request): boolean {
  return request.is(0, 'post') || request.is(0, 'host:');
}

function subcommand(main: RunnableCommand, request: Request): RunnableCommand | undefined {
  if (request.argc < 2) return main.run === undefined ? new MissingSubcommand(main) : main;
  return main.subcommands.get(request.text(1).toLowerCase());
}

/** A container named without a subcommand has too few arguments. */
class MissingSubcommand extends Command<Context> {
  constructor(main: RunnableCommand) {
    super({ ...main.spec, subcommands: [], arity: -2 });
  }
}

function unknownText(main: RunnableCommand | undefined, request: Request): string {
  const { SHOWN_BYTES_MAX, shown } = errors;
  if (main !== undefined) {
    const name = main.spec.name.toUpperCase();
    return `ERR unknown subcommand '${shown(request.text(1))}'. Try ${name} HELP.`;
  }
  let args = '';
  for (let i = 1; i < request.argc && args.length < SHOWN_BYTES_MAX; i++) {
    args += `'${shown(request.text(i), SHOWN_BYTES_MAX - args.length)}' `;
  }
  return `ERR unknown command '${shown(request.text(0))}', with args beginning with: ${args}`;
}
