/**
 * From a request to its reply: finds the command, refuses what may not run now, runs it, counts it
 * and passes on what it changed. The order of the checks is Redis's, because clients see which
 * error comes first.
 */
import { keySlot, splitArguments } from '../base/index.ts';
import {
  type BlockedOnKeys,
  type Command,
  type Context,
  FLAG_ADMIN,
  FLAG_MAY_REPLICATE,
  FLAG_SKIP_MONITOR,
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
import { isForeignProtocol, subcommand, unknownText } from './command-finding.ts';
import type { DispatchHost } from './dispatch-host.ts';
import { UNKNOWN_COMMAND, noteDivergence } from './divergence.ts';
import { Refusals } from './refusals.ts';
import { MAY_CHANGE, UNQUEUED_COMMANDS, UNUSUAL } from './request-flags.ts';
import type { ScriptSession } from './scripting/script-session.ts';
import { SuspendedCalls } from './suspended-calls.ts';
import { UnsavedWarning } from './unsaved-warning.ts';

type RunnableCommand = Command<Context>;

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
  #context: CallContext;
  /** EXEC runs queued commands inside its own call, so they have a context and request of their own. */
  #inner: CallContext;
  readonly #innerRequest: Request = new Request();
  /** For calls that waited for keys and are run again. */
  readonly #again: CallContext;
  /** For what scripts call. */
  readonly #script: CallContext;
  /** For what a log has that is loaded. */
  readonly #loading: CallContext;
  readonly #suspended: SuspendedCalls = new SuspendedCalls();
  /** What of the queue EXEC runs next, and where in the replies its answer begins. */
  #queueAt = 0;
  #queueReplyStart = 0;
  readonly #innerParser: RequestParser;
  readonly #refusals: Refusals;
  readonly #unsavedWarning: UnsavedWarning;
  /** Inside EXEC. */
  isRunningQueue = false;

  constructor(host: DispatchHost) {
    this.#host = host;
    this.#refusals = new Refusals(host);
    this.#unsavedWarning = new UnsavedWarning(host);
    this.#context = new CallContext(host);
    this.#inner = new CallContext(host);
    this.#again = new CallContext(host);
    this.#script = new CallContext(host);
    this.#loading = new CallContext(host);
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
    return host.eviction.hasRoom && ((flags & MAY_CHANGE) === 0 || host.takesAllChanges);
  }

  #executeChecked(client: Client, main: RunnableCommand | undefined, request: Request): void {
    const host = this.#host;
    if (client.replySkip !== 'none') this.#advanceSkip(client);
    const command = main !== undefined && main.isContainer ? subcommand(main, request) : main;
    client.lastCommand = command;
    const refusal =
      command === undefined
        ? unknownText(main, request)
        : command.acceptsCount(request.argc)
          ? this.#refusals.of(client, command, request)
          : errors.wrongArity(command.fullName);
    if (main === undefined && isForeignProtocol(request)) {
      host.log('warning', FOREIGN_PROTOCOL_WARNING);
      return client.close();
    }
    if (refusal !== undefined) return this.#reject(client, command, request, refusal);
    if (client.queue !== undefined && !UNQUEUED_COMMANDS.has(command!.fullName)) {
      return this.#enqueue(client, command!, request);
    }
    const isHeld = host.isPaused || host.clusterRouter?.isWriteHeld === true;
    if (isHeld && this.#mustPause(client, command!, request)) {
      client.blocked = { kind: 'pause' };
      return;
    }
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
    const name = command?.fullName ?? UNKNOWN_COMMAND;
    this.#host.log(
      'warning',
      `Replica generated a reply to command '${name}', disconnecting it: ${clientLine(client, this.#host.now)}`,
    );
    const count = client.reply.errorCount - errorCount;
    if (count > 0) noteDivergence(this.#host, 'replica', client.reply.lastError, name, count);
    client.close();
  }

  /**
   * Runs a command of the data of slots that move here. It is this node's own write, but obeys no check: the source has
   * done it already. One that fails here ends the move, because the two differ from then on.
   */
  #executeFromSource(client: Client, main: RunnableCommand | undefined, request: Request): void {
    const { clusterRouter, keyspace } = this.#host;
    if (this.#host.scripts.isSuspended) {
      client.blocked = { kind: 'pause' };
      return;
    }
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
    const host = this.#host;
    // DEBUG LOADAOF loads inside its own call.
    const isLoading = host.persistence.loading !== undefined;
    const origin = isLoading ? 'log' : 'master';
    const name = command?.fullName ?? UNKNOWN_COMMAND;
    if (command === undefined || !command.acceptsCount(request.argc)) {
      const text = command === undefined ? unknownText(main, request) : errors.wrongArity(name);
      client.isQueueBroken = client.queue !== undefined;
      host.stats.countError(text);
      return noteDivergence(host, origin, text, name, 1);
    }
    if (client.queue !== undefined && !UNQUEUED_COMMANDS.has(command.fullName)) {
      return this.#enqueue(client, command, request);
    }
    const isWrite = (command.flags & FLAG_WRITE) !== 0;
    if (host.isLimited && !isLoading && isWrite) this.#unsavedWarning.beforeWrite();
    const { errorCount } = client.reply;
    this.#call(isLoading ? this.#loading : this.#context, client, command, request);
    const count = client.reply.errorCount - errorCount;
    if (count > 0) noteDivergence(host, origin, client.reply.lastError, name, count);
    if (host.waits.hasReady) this.serveReady();
  }

  /** Runs the calls that wait for keys which are ready now. */
  serveReady(): void {
    const { clock, keyspace, replication, scripts, waits } = this.#host;
    // A script is one change: what it made ready so far is not to be had yet.
    if (scripts.isSuspended) return;
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
    const { reply } = session;
    this.#context.hasRunQueue = true;
    this.#queueAt = 0;
    this.#queueReplyStart = reply.length;
    reply.array(session.queue?.length ?? 0);
    this.#goOnWithQueue(session);
  }

  /** Runs what is left of the queue, up to a script that takes long. */
  #goOnWithQueue(session: Session): void {
    this.isRunningQueue = true;
    const queue = session.queue ?? [];
    while (this.#queueAt < queue.length) {
      const { command, bytes } = queue[this.#queueAt++]!;
      this.#innerParser.parse(this.#innerRequest, bytes, 0, bytes.length);
      // Only this dispatcher fills queues, with commands of its own table.
      const runnable = command as RunnableCommand;
      if (this.#isNowDenied(session, runnable, this.#innerRequest)) continue;
      this.#call(this.#inner, session, runnable, this.#innerRequest);
      if (!this.#inner.isSuspended) continue;
      this.isRunningQueue = false;
      this.#context.suspend();
      return;
    }
    this.isRunningQueue = false;
    this.#host.discard(session);
  }

  /** Runs a command of a script, which has checked it; its reply is in the session's writer. */
  runFromScript(session: ScriptSession, command: RunnableCommand, request: Request): void {
    this.#script.targets = this.#host.scripts.targets;
    this.#call(this.#script, session, command, request);
  }

  /** A script that calls were waiting for is about to answer. */
  restoreReply(): void {
    this.#suspended.restoreReply();
  }

  /** The script that calls were waiting for has ended: they end now, unless the next one in the queue takes long, too. */
  endSuspended(): void {
    const { inner, outer } = this.#suspended.take();
    this.#context = outer.context;
    if (inner !== undefined) {
      const { session } = outer.context;
      this.#inner = inner.context;
      this.#inner.isSuspended = false;
      this.#finish(this.#inner, inner.request);
      this.#goOnWithQueue(session);
      if (this.#inner.isSuspended) return this.#suspend(outer.context, outer.request);
    }
    outer.context.isSuspended = false;
    this.#finish(outer.context, outer.request);
  }

  /** A call goes on later: what others call meanwhile gets contexts of its own. */
  #suspend(context: CallContext, request: Request): void {
    if (context === this.#inner) return this.#suspended.addInner(context, request);
    const { reply } = context.session;
    const start = context.hasRunQueue ? this.#queueReplyStart : reply.length;
    this.#suspended.addOuter(context, request, reply, start);
    this.#context = new CallContext(this.#host);
    this.#inner = new CallContext(this.#host);
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

  #reject(
    client: Client,
    command: RunnableCommand | undefined,
    request: Request,
    text: string,
  ): void {
    if (command !== undefined) command.counters.rejectedCalls++;
    this.#host.stats.countError(text);
    const { isRedirection } = this.#refusals;
    this.#refusals.isRedirection = false;
    if (command?.fullName === 'exec') {
      this.#host.discard(client);
      if (isRedirection) return client.reply.error(text);
      const reason = text.replace(/^ERR /, '');
      client.reply.error(`EXECABORT Transaction discarded because of: ${reason}`);
      // Whoever saw MULTI sees where it ended.
      if (this.#host.hasMonitors) this.#host.showMonitors(client, { command, request });
      return;
    }
    if (client.queue !== undefined) client.isQueueBroken = true;
    client.reply.error(text);
  }

  #enqueue(client: Client, command: RunnableCommand, request: Request): void {
    client.reply.simple('QUEUED');
    // What will not be carried out is not kept.
    if (client.isQueueBroken || client.isWatchBroken) return;
    const bytes = Buffer.from(request.buf.subarray(request.start, request.end));
    const queued: QueuedCommand = {
      command,
      flags: this.#refusals.flagsOf(command, request),
      bytes,
    };
    client.queue!.push(queued);
    client.queueBytes += bytes.length;
  }

  #mustPause(client: Client, command: RunnableCommand, request: Request): boolean {
    if (client.role !== 'normal') return false;
    if (this.#host.pausesAll) return true;
    const changing = FLAG_WRITE | FLAG_MAY_REPLICATE;
    if ((this.#refusals.flagsOf(command, request) & changing) !== 0) return true;
    if (command.fullName !== 'exec' || client.queue === undefined) return false;
    return client.queue.some((queued) => (queued.flags & changing) !== 0);
  }

  #call(context: CallContext, session: Session, command: RunnableCommand, request: Request): void {
    const host = this.#host;
    host.meter.before(command);
    if (host.tracking.isUsed && context !== this.#script) {
      this.#beginTracking(session, command, request);
    }
    context.begin(session, command);
    const isUnit = host.isListening && !command.touchesArbitraryKeys;
    context.isUnit = isUnit;
    if (isUnit) host.propagation.begin();
    command.run!(context, request, session.reply);
    if (context.isSuspended) this.#suspend(context, request);
    else this.#finish(context, request);
  }

  #beginTracking(session: Session, command: RunnableCommand, request: Request): void {
    const { scripts, trackedCalls } = this.#host;
    // Between the slices of a script it is still the script's caller whose keys and changes are told.
    if (!scripts.isSuspended) trackedCalls.begin(session, command, request);
  }

  #endTracking(context: CallContext, command: RunnableCommand, request: Request): void {
    const { scripts, trackedCalls } = this.#host;
    if (context === this.#script) return trackedCalls.endInScript(command);
    if (scripts.isSuspended) return;
    const isAgain = context === this.#again;
    const isOutermost = isAgain || context === this.#context;
    trackedCalls.end({ session: context.session, command, request, isOutermost, isAgain });
  }

  /** What follows when a command has run. What is seldom stands apart, so that the rest becomes part of the caller. */
  #finish(context: CallContext, request: Request): void {
    const host = this.#host;
    const { session } = context;
    // Contexts are given runnable commands only.
    const command = context.command as RunnableCommand;
    const isChanged = host.keyspace.dirty !== context.dirty;
    if ((isChanged || context.isForced || context.extra.length > 0) && host.isListening) {
      this.#propagate(context, isChanged, request);
    }
    if (context.isUnit) host.propagation.end();
    if (isChanged && context === this.#context) {
      session.writeOffset = host.replication.history.masterReplOffset;
    }
    if (host.hasMonitors) this.#showMonitors(context, command, request);
    if (host.tracking.isUsed) this.#endTracking(context, command, request);
    if (context !== this.#again) host.stats.totalCommands++;
    // A call that waits is counted now, for its client may go; how it ends and how long it took, then.
    if (context.hasBlocked) {
      if (context !== this.#again) command.counters.calls++;
      return host.meter.skip();
    }
    if (context === this.#again) command.counters.calls--;
    if (session.reply.errorCount !== context.errorCount) this.#countError(context);
    host.meter.end(session, command, request);
  }

  #showMonitors(context: CallContext, command: RunnableCommand, request: Request): void {
    if (context === this.#again || (command.flags & (FLAG_SKIP_MONITOR | FLAG_ADMIN)) !== 0) return;
    this.#host.showMonitors(context.session, { command, request });
  }

  #countError(context: CallContext): void {
    // What EXEC ran has counted its own errors.
    if (context.hasRunQueue) return;
    context.command.counters.failedCalls++;
    if (!context.isErrorCounted) this.#host.stats.countError(context.session.reply.lastError);
    context.isErrorCounted = false;
  }

  #propagate(context: CallContext, isChanged: boolean, request: Request): void {
    const { propagation } = this.#host;
    const { extra, isForced, isPrevented, targets } = context;
    if ((isChanged || isForced) && !isPrevented) {
      // EXEC itself is not passed on; what it ran was held and goes together.
      if (context.command.fullName === 'exec') return;
      this.#propagateCall(context, request);
    }
    for (const { dbIndex: index, args } of extra) propagation.addArgs(index, args, targets);
  }

  #propagateCall(context: CallContext, request: Request): void {
    const { propagation } = this.#host;
    const { dbIndex, rewritten, extra, targets } = context;
    const { buf, start: at, end } = request;
    if (rewritten !== undefined) {
      propagation.addArgs(dbIndex, rewritten, targets);
    } else if (context === this.#context && extra.length === 0 && !propagation.isHolding) {
      this.#host.feed(dbIndex, buf, at, end - at);
    } else {
      propagation.addBytes({ dbIndex, buf, at, size: end - at, targets });
    }
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
