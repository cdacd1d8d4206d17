/**
 * Runs scripts and functions, one at a time. Most end within their call. One that takes longer leaves the stack and goes
 * on in slices of the main loop, between which the cluster bus, replication and the clocks are served: first clients
 * wait, and after `busy-reply-threshold` they are told BUSY. Nothing else changes data before the script has ended, and time
 * stands still for it.
 *
 * FCALL uses `run` as EVAL does: with a function, its arguments (tables of keys and arguments), its flags and its name. `run` writes
 * the reply, or errors, now or later; the caller does nothing more. `running` is for FUNCTION STATS, `kill` for FUNCTION KILL.
 * Divergence: redis-server stands still until the threshold, and other nodes may take it for failed.
 */
import { type UnixMs, invariant } from '../../base/index.ts';
import type { Command, Context, ScriptCaller, Session } from '../../commands/index.ts';
import {
  LuaError,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  PausedCall,
  firstResult,
} from '../../lua/index.ts';
import type { ReplyWriter, Request } from '../../resp/index.ts';
import type { DispatchHost } from '../dispatch-host.ts';
import { FEED_ALL } from '../propagation.ts';
import { CommandCalls, type CommandStage } from './command-calls.ts';
import { plainError } from './script-errors.ts';
import { scriptRefusal } from './script-checks.ts';
import type { DebugSession } from './debugger/debug-session.ts';
import { SCRIPT_NO_WRITES } from './script-flags.ts';
import type { ScriptJob, ScriptRun } from './script-run.ts';
import type { ScriptSession } from './script-session.ts';
import { ValueWriter, writeScriptError } from './value-replies.ts';

/** What the rest of the node does meanwhile; see `script-stage.ts`. */
export interface ScriptStage extends CommandStage {
  hold(caller: Session, slice: () => boolean): void;
  tellBusy(): void;
  act(nowMs: UnixMs, slice: () => void): void;
  restoreReply(): void;
  release(caller: Session): void;
  /** For a slice: the next one comes after `wake`. */
  rest(): void;
  wake(): void;
}

/** A script that is in nobody's way is not interrupted so soon, milliseconds. */
const FIRST_SLICE_MS = 50;
/** Of a script that takes longer; between two slices everybody else has a turn. */
const SLICE_MS = 10;

export const ERR_NOT_BUSY = 'NOTBUSY No scripts in execution right now.';
const ERR_UNKILLABLE =
  'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.';
const ERR_UNKILLABLE_MASTER =
  'UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed.';
const COMMANDS = { script: 'SCRIPT', function: 'FUNCTION' } as const;
const BUSY = {
  script: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  function:
    'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
} as const;

/** Thrown into a script to end it; no script catches it. */
function endOf(): LuaError {
  const error = new LuaError(plainError('ERR Script killed by user with SCRIPT KILL...'));
  error.isFinal = true;
  return error;
}

export class ScriptRunner {
  readonly #host: DispatchHost;
  readonly #stage: ScriptStage;
  readonly session: ScriptSession;
  readonly #calls: CommandCalls;
  #run: ScriptRun | undefined;
  /** Since it left the stack. */
  #isSuspended = false;
  #isBusy = false;
  #nowMs: UnixMs | undefined;
  /** When the slice ends, microseconds of the forward clock. */
  #endUs = 0;
  /** Of a script that has left the stack. */
  #steps: LuaSteps | undefined;

  constructor(host: DispatchHost, stage: ScriptStage, session: ScriptSession) {
    this.#host = host;
    this.#stage = stage;
    this.session = session;
    this.#calls = new CommandCalls(host, stage, session);
  }

  /** The script or function that runs; for those who look while it does. */
  get running(): ScriptRun | undefined {
    return this.#run;
  }

  /** The session of the debugger that the script which runs is in. */
  get debug(): DebugSession | undefined {
    return this.#run?.job.debug;
  }

  /** Whether a script has begun and not ended, and others have a turn. */
  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  /** The error for whoever may not run now; undefined while no script is busy. */
  get busyError(): string | undefined {
    return this.#isBusy ? BUSY[this.#run!.job.kind] : undefined;
  }

  /** Shows a call to monitors before those of its script; to be called first. */
  showMonitors({ session, command }: ScriptCaller, request: Request): void {
    if (!this.#host.hasMonitors) return;
    // Contexts are given runnable commands only.
    const call = { command: command as Command<Context>, request, dbIndex: session.dbIndex };
    this.#host.showMonitors(session, call);
  }

  /**
   * Runs a script for a call and writes its reply. If it goes on in later turns, the call ends then.
   * The caller has found the script, and checked its own arguments.
   */
  run(call: ScriptCaller, reply: ReplyWriter, job: ScriptJob): void {
    const host = this.#host;
    invariant(this.#run === undefined, 'scripts run one at a time');
    const caller = call.session;
    const mustObey = caller.role === 'master' || caller.role === 'source';
    const isOutOfMemory = !host.eviction.hasRoom && !mustObey && !host.eviction.makeRoom();
    const { flags, isReadOnly } = job;
    const refusal = scriptRefusal(host, { flags, isReadOnly, mustObey, isOutOfMemory });
    if (refusal !== undefined) {
      job.debug?.end();
      return reply.error(refusal);
    }
    // What it does goes on by itself.
    call.preventPropagation();
    const { session } = this;
    session.user = caller.user;
    session.dbIndex = caller.dbIndex;
    session.reply.resp = 2;
    const meterUs = host.meter.mark();
    const run: ScriptRun = {
      job,
      caller,
      call,
      reply,
      mustObey,
      isReadOnly: isReadOnly || (flags & SCRIPT_NO_WRITES) !== 0,
      isOutOfMemory,
      startedUs: meterUs,
      hasWritten: false,
      targets: FEED_ALL,
      slot: host.clusterRouter?.slotOfLastRequest,
      isKilled: false,
    };
    this.#run = run;
    this.#endUs = mustObey ? Infinity : meterUs + FIRST_SLICE_MS * 1000;
    if (this.#start(run)) return;
    this.#isSuspended = true;
    this.#nowMs = host.keyspace.nowMs;
    call.suspend();
    this.#stage.hold(caller, () => this.#slice());
  }

  /** SCRIPT KILL, FUNCTION KILL: ends what runs; an error's text when it must not. */
  kill(kind: ScriptJob['kind']): string | undefined {
    const run = this.#run;
    if (run === undefined) return ERR_NOT_BUSY;
    if (run.mustObey) return ERR_UNKILLABLE_MASTER;
    if (run.hasWritten) return ERR_UNKILLABLE;
    if (run.job.kind !== kind) return BUSY[run.job.kind];
    run.isKilled = true;
    this.#stage.wake();
    this.#host.log('warning', 'Lua script killed by user with SCRIPT KILL.');
    return undefined;
  }

  /** redis.call and redis.pcall. */
  call(args: readonly LuaValue[], isProtected: boolean): LuaValue {
    return this.#calls.call(this.#run, args, isProtected);
  }

  /** redis.acl_check_cmd: undefined when there is no such command. */
  mayCall(args: readonly LuaValue[]): boolean | undefined {
    return this.#run === undefined ? undefined : this.#calls.mayCall(this.#run, args);
  }

  /** Whether what runs is to leave the stack: its slice is over, or it is to end. Engines ask it now and then. */
  shouldPause(): boolean {
    const run = this.#run;
    if (run === undefined) return false;
    const nowUs = this.#host.clock.monoUs();
    const { debug } = run.job;
    debug?.noteTime((nowUs - run.startedUs) / 1000);
    return run.isKilled || debug?.isWaiting === true || nowUs >= this.#endUs;
  }

  /** Somebody waits for the script that is being debugged, or it has got something to do. */
  wakeDebugger(): void {
    if (this.debug !== undefined) this.#stage.wake();
  }

  /** Runs it for its first slice; whether it has ended. */
  #start(run: ScriptRun): boolean {
    const { job } = run;
    try {
      const result = job.lua.start(job.run, job.args);
      if (!(result instanceof PausedCall)) {
        this.#answer(run, firstResult(result));
        return true;
      }
      this.#steps = result.steps;
      job.debug?.noteLeft();
    } catch (error) {
      this.#fail(run, error);
      return true;
    }
    return this.shouldPause() ? false : this.#advance(run);
  }

  /** Goes on with it for a slice; whether it has ended. */
  #advance(run: ScriptRun): boolean {
    const steps = this.#steps!;
    try {
      for (;;) {
        const error = run.isKilled ? endOf() : run.job.debug?.takeError();
        const { done, value } = error === undefined ? steps.next() : steps.throw(error);
        if (done === true) {
          this.#answer(run, firstResult(value));
          return true;
        }
        run.job.debug?.noteLeft();
        // What is deep leaves the stack, too, and goes on at once, and so does what is to fail.
        if (this.shouldPause() && run.job.debug?.isFailing !== true) return false;
      }
    } catch (error) {
      this.#fail(run, error);
      return true;
    }
  }

  #slice(): boolean {
    const host = this.#host;
    const run = this.#run!;
    this.#stage.act(this.#nowMs!, () => {
      this.#endUs = host.clock.monoUs() + SLICE_MS * 1000;
      const { debug } = run.job;
      const state = debug === undefined || run.isKilled ? 'goes' : debug.serve();
      if (state === 'rests') this.#stage.rest();
      if (state === 'goes' && this.#advance(run)) {
        this.#isSuspended = false;
        this.#isBusy = false;
        this.#stage.release(run.caller);
      }
    });
    if (this.#run !== run) return this.#isSuspended;
    const tookMs = (host.clock.monoUs() - run.startedUs) / 1000;
    if (!this.#isBusy && tookMs >= host.settings['busy-reply-threshold']) this.#becomeBusy(run);
    return true;
  }

  #becomeBusy({ job }: ScriptRun): void {
    this.#isBusy = true;
    const { settings } = this.#host;
    this.#host.log(
      'warning',
      `Slow script detected: still in execution after ${settings['busy-reply-threshold']} milliseconds. ` +
        `You can try killing the script using the ${COMMANDS[job.kind]} KILL command. ` +
        `Script name is: ${job.name}.`,
    );
    this.#stage.tellBusy();
  }

  #answer(run: ScriptRun, value: LuaValue): void {
    this.#end(run);
    const writer = new ValueWriter(run.reply, this.session.reply.resp === 3);
    const { errorCount } = run.reply;
    writer.write(value);
    if (run.reply.errorCount !== errorCount && writer.uncountedErrors === 0) {
      run.call.noteErrorCounted();
    }
  }

  #fail(run: ScriptRun, error: unknown): void {
    this.#end(run);
    if (!(error instanceof LuaError)) throw error;
    const { value, source, line } = error;
    const table = value instanceof LuaTable ? value : undefined;
    const text = table === undefined ? undefined : table.getString('err');
    if (table?.getString('ignore_error_stats_update') === true) run.call.noteErrorCounted();
    const message =
      text === undefined ? `ERR ${run.job.lua.plainText(value)}` : run.job.lua.plainText(text);
    const where = source === undefined ? '' : `, on @${source}:${line}.`;
    writeScriptError(run.reply, `${message} script: ${run.job.name}${where}`);
  }

  /** redis.set_repl: to whom what the script changes from now on goes, as FEED_ bits. */
  replicateTo(targets: number): void {
    if (this.#run !== undefined) this.#run.targets = targets;
  }

  #end(run: ScriptRun): void {
    this.#run = undefined;
    this.#steps = undefined;
    if (this.#isSuspended) this.#stage.restoreReply();
    run.job.debug?.end();
    this.#host.meter.reopen(run.startedUs);
  }
}
