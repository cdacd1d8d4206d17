/**
 * redis.call() and redis.pcall(): a command with a script's arguments, through the checks that hold in scripts, and its
 * reply as a value. Source: behaviour of redis-server 7.0.15.
 */
import {
  type Command,
  type Context,
  FLAG_DENYOOM,
  FLAG_BLOCKING,
  FLAG_MAY_REPLICATE,
  FLAG_NOSCRIPT,
  FLAG_NO_MULTI,
  FLAG_PUBSUB,
  FLAG_SCRIPT,
  FLAG_STALE,
  FLAG_WRITE,
  aclCall,
  errors,
} from '../../commands/index.ts';
import { LuaError, LuaTable, type LuaValue, preciseNumberText } from '../../lua/index.ts';
import { Request, writeHead } from '../../resp/index.ts';
import type { DispatchHost } from '../dispatch-host.ts';
import { plainError, withoutCode } from './script-errors.ts';
import { ReplyReader, errorTable } from './reply-values.ts';
import { SCRIPT_ALLOW_CROSS_SLOT, SCRIPT_ALLOW_OOM, SCRIPT_UNDECLARED } from './script-flags.ts';
import type { ScriptRun } from './script-run.ts';
import type { ScriptSession } from './script-session.ts';

type RunnableCommand = Command<Context>;

export interface CommandStage {
  /** Runs a command of a script, which has been checked. */
  run(session: ScriptSession, command: RunnableCommand, request: Request): void;
}

const ERR_NO_ARGUMENT = 'ERR Please specify at least one argument for this redis lib call';
const ERR_ARGUMENT_TYPE = 'ERR Lua redis lib command arguments must be strings or integers';
const ERR_OUTSIDE = 'ERR redis.call/pcall can only be called inside a script invocation';
const ERR_UNKNOWN = 'ERR Unknown Redis command called from script';
const ERR_ARITY = 'ERR Wrong number of args calling Redis command from script';
const ERR_NO_SCRIPT = 'ERR This Redis command is not allowed from script';
const ERR_STALE = 'ERR Can not execute the command on a stale replica';
const ERR_READ_ONLY = 'ERR Write commands are not allowed from read-only scripts.';
const ERR_CROSS_SLOT = 'ERR Script attempted to access keys that do not hash to the same slot';
const DENIED = {
  command: "ERR The user executing the script can't run this command or subcommand",
  key: "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
  channel:
    "ERR The user executing the script can't publish to the channel mentioned in the command",
} as const;

const ANY_SLOTS: number = SCRIPT_ALLOW_CROSS_SLOT | SCRIPT_UNDECLARED;
const MAY_WRITE: number = FLAG_WRITE | FLAG_MAY_REPLICATE;
const NEVER_IN_SCRIPTS: number = FLAG_SCRIPT | FLAG_BLOCKING | FLAG_PUBSUB | FLAG_NO_MULTI;

/** Names of commands, as scripts write them, that are remembered. */
const NAMES_MAX = 512;
/** Bytes of an argument's header at most: `$`, the digits of its size, two line ends. */
const HEADER_BYTES = 16;
const FIRST_BYTES = 4096;
/** Larger buffers are given up after the call. */
const KEPT_BYTES: number = 256 * 1024;
/** Longer texts are written faster by the runtime than a byte at a time. */
const SHORT_TEXT = 24;
const CR = 0x0d;
const LF = 0x0a;

export class CommandCalls {
  readonly #host: DispatchHost;
  readonly #stage: CommandStage;
  readonly #session: ScriptSession;
  readonly #request: Request = new Request();
  readonly #reader: ReplyReader = new ReplyReader();
  readonly #names: Map<string, RunnableCommand> = new Map<string, RunnableCommand>();
  #buf: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);

  constructor(host: DispatchHost, stage: CommandStage, session: ScriptSession) {
    this.#host = host;
    this.#stage = stage;
    this.#session = session;
    // More may follow, as for the meter it does when a client's pipeline goes on.
    this.#request.isLast = false;
  }

  /** Runs the command for a run; errors are raised, or with `isProtected` handed back. */
  call(run: ScriptRun | undefined, args: readonly LuaValue[], isProtected: boolean): LuaValue {
    const flaw = run === undefined ? ERR_OUTSIDE : this.#encode(args);
    const listener = run?.job.debug?.listener;
    // It is counted as an error of the script, if the script does not catch it.
    if (flaw !== undefined) {
      listener?.tellError(withoutCode(flaw));
      return fail(plainError(flaw), isProtected);
    }
    const request = this.#request;
    listener?.tellCall(Array.from({ length: request.argc }, (_, index) => request.text(index)));
    const command = this.#find(args[0]);
    const refusal = this.#refusal(run!, command, request);
    if (refusal !== undefined) {
      if (command !== undefined) command.counters.rejectedCalls++;
      this.#host.stats.countError(refusal);
      listener?.tellError(withoutCode(refusal));
      return fail(errorTable(refusal), isProtected);
    }
    const { reply } = this.#session;
    const { errorCount } = reply;
    this.#stage.run(this.#session, command!, request);
    if (reply.errorCount !== errorCount && reply.pending[0] === 0x2d) {
      listener?.tellError(`-${reply.lastError}`);
      listener?.tellReply(reply.pending, reply.length);
      reply.clear();
      return fail(errorTable(reply.lastError), isProtected);
    }
    if (reply.length === 0) {
      // It waits for something, or wants no answer: neither is for scripts.
      this.#session.blocked = undefined;
      listener?.tellError(withoutCode(ERR_NO_SCRIPT));
      return fail(errorTable(ERR_NO_SCRIPT), isProtected);
    }
    listener?.tellReply(reply.pending, reply.length);
    const value = this.#reader.read(reply.pending);
    if (reply.length > KEPT_BYTES) reply.clear();
    else reply.truncate(0);
    return value;
  }

  /** Whether the caller's user may run a command with these arguments; undefined when there is no such command. */
  mayCall(run: ScriptRun, args: readonly LuaValue[]): boolean | undefined {
    const flaw = this.#encode(args);
    if (flaw !== undefined) throw new LuaError(plainError(flaw));
    const command = this.#find(args[0]);
    if (command === undefined) return undefined;
    const { user } = run.caller;
    const { acl } = this.#host.acl;
    if (user.isUnrestricted) return true;
    // Nobody can tell which keys it would use.
    if (command.hasKeys && !command.acceptsCount(args.length)) return false;
    return user.denial(aclCall(acl, command, this.#request)) === undefined;
  }

  /** The arguments as a request in canonical form; an error's text when they cannot be one. */
  #encode(args: readonly LuaValue[]): string | undefined {
    const count = args.length;
    if (count === 0) return ERR_NO_ARGUMENT;
    let size = HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      const arg = args[i];
      if (typeof arg === 'string') size += arg.length + HEADER_BYTES;
      else if (typeof arg === 'number') size += 2 * HEADER_BYTES + SHORT_TEXT;
      else return ERR_ARGUMENT_TYPE;
    }
    const request = this.#request;
    request.reserve(count);
    if (size > this.#buf.length) this.#buf = Buffer.allocUnsafeSlow(size * 2);
    const buf = this.#buf;
    let at = writeHead(buf, 0, 0x2a, count);
    for (let i = 0; i < count; i++) {
      const arg = args[i] as string | number;
      const text = typeof arg === 'string' ? arg : preciseNumberText(arg);
      const { length } = text;
      at = writeHead(buf, at, 0x24, length);
      request.at[i] = at;
      request.size[i] = length;
      if (length <= SHORT_TEXT) {
        for (let j = 0; j < length; j++) buf[at + j] = text.charCodeAt(j);
      } else {
        buf.write(text, at, 'latin1');
      }
      at += length;
      buf[at++] = CR;
      buf[at++] = LF;
    }
    request.buf = buf;
    request.argc = count;
    request.end = at;
    if (buf.length > KEPT_BYTES) this.#buf = Buffer.allocUnsafeSlow(FIRST_BYTES);
    return undefined;
  }

  #find(name: LuaValue): RunnableCommand | undefined {
    const known = this.#names.get(name as string);
    if (known !== undefined && !known.isContainer) return known;
    const found = this.#host.table.find(this.#request);
    if (found === undefined) return undefined;
    if (found.isContainer && this.#request.argc > 1) {
      return found.subcommands.get(this.#request.text(1).toLowerCase());
    }
    if (this.#names.size === NAMES_MAX) this.#names.clear();
    this.#names.set(name as string, found);
    return found;
  }

  #refusal(
    run: ScriptRun,
    command: RunnableCommand | undefined,
    request: Request,
  ): string | undefined {
    if (command === undefined) return ERR_UNKNOWN;
    if (command.run === undefined || !command.acceptsCount(request.argc)) return ERR_ARITY;
    const { flags } = command;
    const host = this.#host;
    if ((flags & FLAG_NOSCRIPT) !== 0 && !this.#isUncovered(command)) return ERR_NO_SCRIPT;
    if (host.isStale && (flags & FLAG_STALE) === 0) return ERR_STALE;
    if (!run.caller.user.isUnrestricted) {
      const text = this.#aclRefusal(run.caller, command, request);
      if (text !== undefined) return text;
    }
    if (run.isReadOnly && (flags & MAY_WRITE) !== 0) return ERR_READ_ONLY;
    if ((flags & FLAG_WRITE) !== 0) {
      const text = this.#writeRefusal(run);
      if (text !== undefined) return text;
    }
    if (run.isOutOfMemory && !run.hasWritten && (flags & FLAG_DENYOOM) !== 0) {
      if ((run.job.flags & SCRIPT_ALLOW_OOM) === 0) return errors.ERR_OOM;
    }
    if ((flags & FLAG_WRITE) !== 0) run.hasWritten = true;
    if (host.clusterRouter === undefined || run.mustObey) return undefined;
    return this.#slotRefusal(run, command, request);
  }

  /** Whether DEBUG lets scripts call what they otherwise must not; never what needs a connection, or a call of its own. */
  #isUncovered({ flags, fullName, spec }: RunnableCommand): boolean {
    if (!this.#host.debug.isNoscriptIgnored || spec.group === 'transactions') return false;
    if (fullName === 'config|set') return false;
    return (flags & NEVER_IN_SCRIPTS) === 0;
  }

  #aclRefusal(
    caller: ScriptRun['caller'],
    command: RunnableCommand,
    request: Request,
  ): string | undefined {
    const { acl } = this.#host;
    const call = aclCall(acl.acl, command, request);
    const denial = caller.user.denial(call);
    if (denial === undefined) return undefined;
    const { reason } = denial;
    const object =
      reason === 'command'
        ? Buffer.from(command.fullName, 'latin1')
        : reason === 'key'
          ? call.keys[denial.index]!.key
          : call.channels[denial.index]!.channel;
    acl.noteRefused(caller, { reason, object, context: 'lua' });
    return DENIED[reason];
  }

  /** The state of the node may forbid the first write; once there was one, the script is not left half done. */
  #writeRefusal(run: ScriptRun): string | undefined {
    if (run.hasWritten || run.mustObey) return undefined;
    const host = this.#host;
    if (host.replication.isReplica) {
      return host.settings['replica-read-only'] ? errors.ERR_READONLY : undefined;
    }
    const failure = host.diskFailure();
    if (failure !== undefined) return failure;
    return host.hasEnoughReplicas ? undefined : errors.ERR_NO_REPLICAS;
  }

  #slotRefusal(run: ScriptRun, command: RunnableCommand, request: Request): string | undefined {
    const session = this.#session;
    session.isReadonly = run.caller.isReadonly;
    session.isAsking = run.caller.isAsking;
    const found = this.#host.clusterRouter!.slotOfScript(session, command, request);
    if (typeof found === 'string') return found;
    // Scripts that say nothing of themselves were always free to take any slots of this node.
    if (found === undefined || (run.job.flags & ANY_SLOTS) !== 0) return undefined;
    if (run.slot !== undefined && run.slot !== found) return ERR_CROSS_SLOT;
    run.slot = found;
    return undefined;
  }
}

function fail(error: LuaTable, isProtected: boolean): LuaTable {
  if (isProtected) return error;
  throw new LuaError(error);
}
