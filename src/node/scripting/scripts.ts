/** EVAL and its like, and SCRIPT: the service that the commands use. */
import { NOT_INTEGER } from '../../base/index.ts';
import { type Command, type EvalManner, type ScriptCaller, errors } from '../../commands/index.ts';
import { LuaTable, type LuaValue, Rand48 } from '../../lua/index.ts';
import type { ReplyBufferPool, ReplyWriter, Request } from '../../resp/index.ts';
import type { DispatchHost, ScriptDispatch } from '../dispatch-host.ts';
import { FEED_ALL } from '../propagation.ts';
import { DebugCopies, type DebugCopiesHost } from './debugger/debug-copies.ts';
import { DebugSession } from './debugger/debug-session.ts';
import { latin1 } from './latin1.ts';
import { createRedisLibrary } from './redis-library.ts';
import { ScriptCache } from './script-cache.ts';
import { createScriptEngine } from './script-engine.ts';
import { commandFlagsOf, readShebang } from './script-flags.ts';
import type { ScriptJob } from './script-run.ts';
import { ScriptRunner, type ScriptStage } from './script-runner.ts';
import { ScriptSession } from './script-session.ts';

const ERR_NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
const ERR_TOO_MANY_KEYS = "ERR Number of keys can't be greater than number of args";
const ERR_NEGATIVE_KEYS = "ERR Number of keys can't be negative";

const ERR_DEBUG_BY_SHA = 'ERR Please use EVAL instead of EVALSHA for debugging';
/** Divergence: redis-server mixes the session with the replies of the transaction. */
const ERR_DEBUG_IN_TRANSACTION = 'ERR Scripts cannot be debugged in a transaction';
/** For scripts in a debugger where nothing else limits them. Source: 7.0.15. */
const DEBUG_TIME_LIMIT_MS = 5000;

/** Characters of a digest. */
const SHA_LENGTH = 40;
/** Where the number of keys stands in EVAL. */
const KEY_COUNT_AT = 2;
/** A script that begins with it tells its flags. */
const HASH = 0x23;
const NO_ARGS: readonly LuaValue[] = [];

type ScriptsHost = DispatchHost & DebugCopiesHost;

export class Scripts implements ScriptDispatch {
  readonly runner: ScriptRunner;
  /** All scripts draw from it, and functions too. */
  readonly dice: Rand48 = new Rand48();
  readonly #host: ScriptsHost;
  readonly #cache: ScriptCache;
  readonly #copies: DebugCopies;

  constructor(host: ScriptsHost, stage: ScriptStage, bufferPool: ReplyBufferPool) {
    this.#host = host;
    this.#copies = new DebugCopies(host);
    const { now } = host;
    const user = host.acl.acl.defaultUser;
    this.runner = new ScriptRunner(host, stage, new ScriptSession({ bufferPool, user, now }));
    this.#cache = new ScriptCache(() =>
      createScriptEngine({
        clockMs: () => host.clock.monoMs(),
        shouldPause: () => this.runner.shouldPause(),
        dice: this.dice,
        redis: createRedisLibrary({
          runner: this.runner,
          log: (level, text) => host.log(level, text),
        }),
      }),
    );
  }

  evaluate(call: ScriptCaller, request: Request, reply: ReplyWriter, how: EvalManner): void {
    this.runner.showMonitors(call, request);
    if (call.session.debugging === 'no') {
      const job = this.#job(request, how);
      if (typeof job === 'string') reply.error(job);
      else this.runner.run(call, reply, job);
    } else if (how.bySha) reply.error(ERR_DEBUG_BY_SHA);
    else if (call.session.queue !== undefined) reply.error(ERR_DEBUG_IN_TRANSACTION);
    else if (call.session.debugging === 'onCopy') {
      const error = this.#copies.begin(call.session, request);
      if (error !== undefined) reply.error(error);
    } else this.#debug(call, request, reply, how);
  }

  /** Runs the script in a session of the debugger. */
  #debug(call: ScriptCaller, request: Request, reply: ReplyWriter, how: EvalManner): void {
    const source = request.text(1);
    const debug = new DebugSession({
      client: call.session,
      source,
      lua: this.#cache.lua,
      call: (args) => this.runner.call(args, true),
      wake: () => this.runner.wakeDebugger(),
      timeLimitMs: () => this.#host.settings['busy-reply-threshold'] || DEBUG_TIME_LIMIT_MS,
      log: (text) => this.#host.log('warning', text),
    });
    const job = this.#job(request, how);
    if (typeof job === 'string') {
      debug.end();
      return reply.error(job);
    }
    const run = this.#cache.withStops(source, (line) => debug.mayStop(line));
    this.runner.run(call, reply, { ...job, run, debug });
  }

  /** What a request asks to be run; an error's text if there is none. */
  #job(request: Request, how: EvalManner): ScriptJob | string {
    if (how.bySha && request.size[1] !== SHA_LENGTH) return ERR_NO_SCRIPT;
    const count = request.int(KEY_COUNT_AT);
    if (count === NOT_INTEGER) return errors.ERR_NOT_INTEGER;
    if (count > request.argc - KEY_COUNT_AT - 1) return ERR_TOO_MANY_KEYS;
    if (count < 0) return ERR_NEGATIVE_KEYS;
    const script = how.bySha
      ? (this.#cache.bySha(request.text(1)) ?? ERR_NO_SCRIPT)
      : this.#cache.ofBytes(request.buf, request.at[1]!, request.size[1]!);
    if (typeof script === 'string') return script;
    const { lua } = this.#cache;
    const firstArgument = KEY_COUNT_AT + 1 + Number(count);
    lua.globals.setString('KEYS', texts(request, KEY_COUNT_AT + 1, firstArgument));
    lua.globals.setString('ARGV', texts(request, firstArgument, request.argc));
    const { run, sha: name, flags } = script;
    const { isReadOnly } = how;
    return { lua, run, args: NO_ARGS, name, flags, isReadOnly, kind: 'script' };
  }

  flagsOf({ flags, spec }: Command, request: Request): number {
    if (spec.name.startsWith('evalsha')) {
      const script = this.#cache.bySha(request.text(1));
      return script === undefined ? flags : commandFlagsOf(flags, script.flags);
    }
    if (request.buf[request.at[1]!] !== HASH) return flags;
    const shebang = readShebang(request.text(1));
    return typeof shebang === 'string' ? flags : commandFlagsOf(flags, shebang.flags);
  }

  tick(): void {
    this.runner.wakeDebugger();
    this.#copies.tick();
  }

  get isSuspended(): boolean {
    return this.runner.isSuspended;
  }

  get busyError(): string | undefined {
    return this.runner.busyError;
  }

  get targets(): number {
    return this.runner.running?.targets ?? FEED_ALL;
  }

  load(text: string): { readonly sha: string } | { readonly error: string } {
    const script = this.#cache.ofText(text);
    return typeof script === 'string' ? { error: script } : { sha: script.sha };
  }

  has(sha: string): boolean {
    return this.#cache.bySha(sha) !== undefined;
  }

  flush(): void {
    this.#cache.flush();
  }

  kill(): string | undefined {
    return this.runner.kill('script');
  }

  get count(): number {
    return this.#cache.size;
  }

  get bytes(): number {
    return this.#cache.bytes;
  }
}

/** The arguments `[from, to)` as a table. */
export function texts(request: Request, from: number, to: number): LuaTable {
  const list: LuaValue[] = [undefined];
  const { buf, at, size } = request;
  for (let i = from; i < to; i++) list.push(latin1(buf, at[i]!, size[i]!));
  return new LuaTable().adoptList(list);
}
