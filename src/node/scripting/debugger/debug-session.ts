/**
 * A session of the debugger: the script at one side, its client at the other. What the client sends is kept until the script
 * stands still, and answered in slices of the main loop.
 */
import type { InputTap, Session } from '../../../commands/index.ts';
import {
  type Lua,
  LuaError,
  type LuaFunction,
  type LuaResult,
  type LuaSteps,
  LuaTable,
  type LuaValue,
  PausedCall,
  firstResult,
  stoppedCalls,
} from '../../../lua/index.ts';
import { plainError } from '../script-errors.ts';
import { COMMAND_BYTES_MAX, CommandReader } from './command-reader.ts';
import { Debugger } from './debugger.ts';

export interface DebugSessionInit {
  readonly client: Session;
  /** The text of the script, with its first line. */
  readonly source: string;
  readonly lua: Lua;
  /** Runs a command as the script would, and hands its errors back. */
  readonly call: (args: readonly string[]) => LuaValue;
  /** Asks for `serve`. */
  readonly wake: () => void;
  /** Milliseconds after which a script that does not stop is stopped. */
  readonly timeLimitMs: () => number;
  readonly log: (text: string) => void;
}

const ERR_ABORTED = 'ERR script aborted for user request';
const ERR_GONE = 'ERR timeout during Lua debugging with client closing connection';
const ERR_READING = {
  malformed: 'ERR protocol error',
  tooLong: 'ERR max client buffer reached',
} as const;
/** Of commands that cannot be answered yet. */
const WAITING_BYTES_MAX: number = 4 * COMMAND_BYTES_MAX;
const EVAL_CHUNK = '@ldb_eval';

export class DebugSession implements InputTap {
  readonly #init: DebugSessionInit;
  readonly #reader: CommandReader = new CommandReader();
  readonly #debugger: Debugger;
  /** The script stands still. */
  #isStopped = false;
  /** The script has been told to leave the stack at a line. */
  #isStopping = false;
  #isGone = false;
  /** Where the script is to fail. */
  #error: LuaError | undefined;
  /** Lua that the client wants to be run, and that takes long. */
  #evaluation: LuaSteps | undefined;
  #isEvaluating = false;

  constructor(init: DebugSessionInit) {
    this.#init = init;
    const { lua, source } = init;
    this.#debugger = new Debugger({
      source,
      addressOf: (value) => lua.plainText(value),
      globalOf: (name) => lua.globals.getString(name),
    });
    init.client.tap = this;
    init.log('Redis synchronous debugging eval session started');
  }

  /** Who is told what the script calls; undefined while nobody is. */
  get listener(): Debugger | undefined {
    return this.#debugger.isTelling ? this.#debugger : undefined;
  }

  /** What redis.breakpoint() and redis.debug() of a script call. */
  get console(): Debugger {
    return this.#debugger;
  }

  /** Whether what runs is to leave the stack, because the script stands still or is to fail. */
  get isWaiting(): boolean {
    return (this.#isStopped && !this.#isEvaluating) || this.isFailing;
  }

  mayStop(line: number): boolean {
    if (!this.#debugger.mayStop(line)) return false;
    this.#isStopping = true;
    return true;
  }

  get isFailing(): boolean {
    return this.#error !== undefined;
  }

  /** The script has left the stack. */
  noteLeft(): void {
    if (!this.#isStopping) return;
    this.#isStopping = false;
    this.#isStopped = true;
    this.#debugger.stop(stoppedCalls());
    this.#tell(this.#debugger.takeLines());
  }

  /** The script has been there for so long. */
  noteTime(tookMs: number): void {
    if (this.#isStopped || tookMs < this.#init.timeLimitMs()) return;
    if (!this.#isGone) return this.#debugger.timeOut();
    this.#error = new LuaError(plainError(ERR_GONE));
    this.#error.isFinal = true;
  }

  /** The error that the script is to go on with. */
  takeError(): LuaError | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  take(bytes: Buffer): void {
    this.#reader.add(bytes);
    // The script runs, and the client goes on and on.
    if (this.#reader.waitingBytes > WAITING_BYTES_MAX) this.#init.client.close();
    else this.#init.wake();
  }

  closed(): void {
    this.#isGone = true;
    this.#debugger.detach();
    this.#init.wake();
  }

  /** Answers what the client has sent, up to what lets the script go on. Whether it goes, or waits for the client. */
  serve(): 'goes' | 'rests' | 'evaluates' {
    while (this.#isStopped) {
      if (this.#isGone) this.#goOn();
      else if (this.#evaluation !== undefined) {
        if (!this.#evaluate(this.#evaluation)) return 'evaluates';
        this.#tell(this.#debugger.takeLines());
      } else {
        const read = this.#reader.next();
        if (read.kind === 'more') return 'rests';
        if (read.kind === 'refused') this.#goOn(ERR_READING[read.reason]);
        else this.#run(read.args);
      }
    }
    return 'goes';
  }

  /** The script has ended, or cannot begin: its answer follows, and then the connection ends. */
  end(): void {
    const { client, log } = this.#init;
    if (!this.#isGone) this.#tell(this.#debugger.end());
    client.tap = undefined;
    client.closeAfterReply();
    log('Redis synchronous debugging eval session ended');
  }

  #goOn(error?: string): void {
    this.#isStopped = false;
    this.#evaluation = undefined;
    if (error !== undefined) this.#error = new LuaError(plainError(error));
  }

  #run(args: readonly string[]): void {
    const next = this.#debugger.command(args);
    switch (next.kind) {
      case 'go':
        return this.#goOn();
      case 'abort':
        return this.#goOn(ERR_ABORTED);
      case 'call':
        this.#init.call(next.args);
        break;
      case 'evaluate':
        this.#beginEvaluation(next.code);
        break;
      case 'stay':
    }
    if (this.#evaluation === undefined) this.#tell(this.#debugger.takeLines());
  }

  #beginEvaluation(code: string): void {
    this.#evaluating(() => {
      const result = this.#init.lua.start(this.#compile(code), []);
      if (result instanceof PausedCall) this.#evaluation = result.steps;
      else this.#debugger.tellResult(firstResult(result));
    });
  }

  /** Goes on with what the client wants to be run; whether it has ended. */
  #evaluate(steps: LuaSteps): boolean {
    let result: IteratorResult<void, LuaResult> | undefined;
    this.#evaluating(() => {
      result = steps.next();
      if (result.done === true) this.#debugger.tellResult(firstResult(result.value));
    });
    const hasEnded = result?.done !== false;
    if (hasEnded) this.#evaluation = undefined;
    return hasEnded;
  }

  /** An expression is one whose value is wanted. */
  #compile(code: string): LuaFunction {
    const { lua } = this.#init;
    try {
      return lua.compile(`return ${code}`, EVAL_CHUNK);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      return lua.compile(code, EVAL_CHUNK);
    }
  }

  #evaluating(run: () => void): void {
    this.#isEvaluating = true;
    try {
      run();
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      this.#debugger.tellError(this.#errorText(error.value));
    }
    this.#isEvaluating = false;
  }

  #errorText(value: LuaValue): string {
    const text = value instanceof LuaTable ? value.getString('err') : undefined;
    return this.#init.lua.plainText(text ?? value);
  }

  #tell(lines: readonly string[]): void {
    const { reply } = this.#init.client;
    reply.array(lines.length);
    for (const line of lines) reply.simple(line.replaceAll(/[\r\n]/g, ' '));
  }
}
