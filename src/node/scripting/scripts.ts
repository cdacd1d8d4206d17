/** EVAL and its like, and SCRIPT: the service that the commands use. */
import { NOT_INTEGER } from '../../base/index.ts';
import { type Command, type EvalManner, type ScriptCaller, errors } from '../../commands/index.ts';
import { LuaTable, type LuaValue, Rand48 } from '../../lua/index.ts';
import type { ReplyBufferPool, ReplyWriter, Request } from '../../resp/index.ts';
import type { DispatchHost, ScriptDispatch } from '../dispatch-host.ts';
import { FEED_ALL } from '../propagation.ts';
import { latin1 } from './latin1.ts';
import { createRedisLibrary } from './redis-library.ts';
import { ScriptCache } from './script-cache.ts';
import { createScriptEngine } from './script-engine.ts';
import { commandFlagsOf, readShebang } from './script-flags.ts';
import { ScriptRunner, type ScriptStage } from './script-runner.ts';
import { ScriptSession } from './script-session.ts';

const ERR_NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
const ERR_TOO_MANY_KEYS = "ERR Number of keys can't be greater than number of args";
const ERR_NEGATIVE_KEYS = "ERR Number of keys can't be negative";

/** Characters of a digest. */
const SHA_LENGTH = 40;
/** Where the number of keys stands in EVAL. */
const KEY_COUNT_AT = 2;
/** A script that begins with it tells its flags. */
const HASH = 0x23;
const NO_ARGS: readonly LuaValue[] = [];

export class Scripts implements ScriptDispatch {
  readonly runner: ScriptRunner;
  /** All scripts draw from it, and functions too. */
  readonly dice: Rand48 = new Rand48();
  readonly #cache: ScriptCache;

  constructor(host: DispatchHost, stage: ScriptStage, bufferPool: ReplyBufferPool) {
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
    if (how.bySha && request.size[1] !== SHA_LENGTH) return reply.error(ERR_NO_SCRIPT);
    const count = request.int(KEY_COUNT_AT);
    if (count === NOT_INTEGER) return reply.error(errors.ERR_NOT_INTEGER);
    if (count > request.argc - KEY_COUNT_AT - 1) return reply.error(ERR_TOO_MANY_KEYS);
    if (count < 0) return reply.error(ERR_NEGATIVE_KEYS);
    const script = how.bySha
      ? (this.#cache.bySha(request.text(1)) ?? ERR_NO_SCRIPT)
      : this.#cache.ofBytes(request.buf, request.at[1]!, request.size[1]!);
    if (typeof script === 'string') return reply.error(script);
    const { lua } = this.#cache;
    const firstArgument = KEY_COUNT_AT + 1 + Number(count);
    lua.globals.setString('KEYS', texts(request, KEY_COUNT_AT + 1, firstArgument));
    lua.globals.setString('ARGV', texts(request, firstArgument, request.argc));
    const { run, sha: name, flags } = script;
    const { isReadOnly } = how;
    this.runner.run(call, reply, {
      lua,
      run,
      args: NO_ARGS,
      name,
      flags,
      isReadOnly,
      kind: 'script',
    });
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
