/**
 * The debugger of a script: when it stops, and what it answers then. It runs nothing itself: whoever runs the script asks
 * `mayStop` at each line, tells `stop` what is on the stack, hands in commands, and does what they ask for.
 * Source: behaviour of redis-server 7.0.15.
 */
import { type LuaValue, type StoppedCall } from '../../../lua/index.ts';
import { Breakpoints } from './breakpoints.ts';
import { HELP_LINES } from './help-lines.ts';
import { replyText } from './reply-text.ts';
import { type Marks, SourceView } from './source-view.ts';
import { valueText } from './value-text.ts';

/** What is to happen after a command. */
export type Next =
  /** The next command. */
  | { readonly kind: 'stay' }
  /** The script goes on. */
  | { readonly kind: 'go' }
  /** The script ends with an error. */
  | { readonly kind: 'abort' }
  /** This Lua is to be run beside the script; then the next command. */
  | { readonly kind: 'evaluate'; readonly code: string }
  /** This command of the server is to be run as the script would; then the next command. */
  | { readonly kind: 'call'; readonly args: readonly string[] };

export interface DebuggerFacts {
  /** The text of the script, with its first line. */
  readonly source: string;
  /** What tells two values apart that have no text: `function: 0x…`. */
  readonly addressOf: (value: LuaValue) => string;
  /** The values of KEYS and ARGV. */
  readonly globalOf: (name: 'KEYS' | 'ARGV') => LuaValue;
}

type Handler = (args: readonly string[]) => Next;

/** Bytes of a value or reply that is shown, at first and at least. Source: 7.0.15. */
const SHOWN_BYTES_FIRST = 256;
const SHOWN_BYTES_MIN = 60;
/** When nothing is to be trimmed. */
const SHOWN_BYTES_MAX: number = 4 * 1024 * 1024;
/** Lines above and below the one that is listed. Source: 7.0.15. */
const CONTEXT_LINES = 5;
const WHOLE_LINES = 1_000_000;
/** Arguments of the script's commands that are shown. Source: 7.0.15. */
const SHOWN_ARGUMENTS_MAX = 10;

/** What is told at a stop. */
const TOLD_BYTES_MAX: number = 32 * 1024 * 1024;
/** What a line takes besides its text, about. */
const LINE_BYTES = 40;
/** Bytes of an argument that is shown. */
const ARGUMENT_BYTES_MAX: number = 1024 * 1024;
/** A reply is at most twice as long as what is shown of it, but for the sizes of its parts. */
const REPLY_RATE = 2;
const REPLY_MARGIN_BYTES = 1024;

const STAY: Next = { kind: 'stay' };
const GO: Next = { kind: 'go' };
const TOO_MANY_LINES = '<hint> There were more lines, which are lost.';
const UNKNOWN = '<error> Unknown Redis Lua debugger command or wrong number of arguments.';
const NO_VARIABLE = 'No such variable.';
const TRIMMED_HINT = "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.";

export class Debugger {
  readonly #facts: DebuggerFacts;
  readonly #view: SourceView;
  readonly #breakpoints: Breakpoints = new Breakpoints();
  readonly #handlers: ReadonlyMap<string, Handler>;
  #lines: string[] = [];
  #toldBytes = 0;
  #calls: readonly StoppedCall[] = [];
  #currentLine = 0;
  /** Stops at the next line, and tells what the script calls until then. */
  #isStepping = true;
  /** What the client itself calls is told in any case. */
  #isCalling = false;
  #isBreakpointCalled = false;
  #hasTimedOut = false;
  #isDetached = false;
  #shownBytesMax = SHOWN_BYTES_FIRST;
  #hasHinted = false;

  constructor(facts: DebuggerFacts) {
    this.#facts = facts;
    this.#view = new SourceView(facts.source);
    this.#handlers = this.#table();
  }

  /** Takes the lines that the client has not been told yet. */
  takeLines(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#toldBytes = 0;
    return lines;
  }

  /** Whether what the script calls is told. */
  get isTelling(): boolean {
    return (this.#isStepping || this.#isCalling) && !this.#isDetached;
  }

  /** A line begins: whether the script stops there. */
  mayStop(line: number): boolean {
    this.#currentLine = line;
    if (this.#isDetached) return false;
    return (
      this.#isStepping ||
      this.#hasTimedOut ||
      this.#isBreakpointCalled ||
      this.#breakpoints.has(line)
    );
  }

  /** The script has stopped. @param calls what is on the stack, the innermost first */
  stop(calls: readonly StoppedCall[]): void {
    this.#calls = calls;
    const line = this.#currentLine;
    this.#lines.push(`* Stopped at ${line}, stop reason = ${this.#stopReason(line)}`);
    this.#isStepping = false;
    this.#isBreakpointCalled = false;
    this.#hasTimedOut = false;
    this.#lines.push(this.#view.line(line, this.#marks));
  }

  #stopReason(line: number): string {
    if (this.#isBreakpointCalled) return 'redis.breakpoint() called';
    if (this.#breakpoints.has(line)) return 'break point';
    return this.#isStepping ? 'step over' : 'timeout reached, infinite loop?';
  }

  /** The script runs for too long: it stops at the next line. */
  timeOut(): void {
    this.#hasTimedOut = true;
  }

  /** Nobody is there any more: the script runs on without stops. */
  detach(): void {
    this.#isDetached = true;
    this.#lines = [];
  }

  /** redis.breakpoint(): the script stops at the next line. */
  breakpointCalled(): void {
    this.#isBreakpointCalled = true;
  }

  /** redis.debug(…). */
  debugCalled(values: readonly LuaValue[]): void {
    const sizeMax = SHOWN_BYTES_MAX / Math.max(values.length, 1);
    const texts = values.map((value) => this.#text(value, sizeMax));
    this.#tell(`<debug> line ${this.#currentLine}: ${texts.join(', ')}`);
  }

  /** The script calls a command of the server. */
  tellCall(args: readonly string[]): void {
    const more = args.length - SHOWN_ARGUMENTS_MAX - 1;
    const shown = args
      .slice(0, SHOWN_ARGUMENTS_MAX)
      .map((arg) => arg.slice(0, ARGUMENT_BYTES_MAX))
      .join(' ');
    const tail = args.length > SHOWN_ARGUMENTS_MAX ? ` ... (${more} more)` : '';
    this.#tell(`<redis> ${shown}${tail}`);
  }

  /** @param reply the whole reply, `[0, size)` of it */
  tellReply(reply: Buffer, size: number): void {
    const max = this.#shownBytesMax;
    const bytes = reply.toString(
      'latin1',
      0,
      Math.min(size, REPLY_RATE * max + REPLY_MARGIN_BYTES),
    );
    this.#tellTrimmed(`<reply> ${replyText(bytes, max)}`);
  }

  tellError(text: string): void {
    this.#tell(`<error> ${text}`);
  }

  /** What `evaluate` came to. */
  tellResult(value: LuaValue): void {
    this.#tellTrimmed(`<retval> ${this.#text(value)}`);
  }

  /** The session is over; the lines that are still to be told. */
  end(): string[] {
    return [...this.takeLines(), '<endsession>'];
  }

  /** Answers a command of the client. @param args the command's name and what follows, at least one text */
  command(args: readonly string[]): Next {
    this.#isCalling = false;
    const handler = this.#handlers.get(args[0]!.toLowerCase());
    if (handler !== undefined) return handler(args);
    this.#tell(UNKNOWN);
    return STAY;
  }

  #table(): Map<string, Handler> {
    const telling =
      (tell: Handler | ((args: readonly string[]) => void)): Handler =>
      (args) => {
        tell(args);
        return STAY;
      };
    const step: Handler = () => {
      this.#isStepping = true;
      return GO;
    };
    const named: readonly (readonly [name: string, handler: Handler])[] = [
      ['help', telling(() => this.#tellAll(HELP_LINES))],
      ['step', step],
      ['next', step],
      ['continue', (): Next => GO],
      ['list', telling((args) => this.#list(args))],
      ['whole', telling(() => this.#tellAll(this.#around(1, WHOLE_LINES)))],
      ['print', telling((args) => this.#print(args))],
      ['break', telling((args) => this.#break(args))],
      ['trace', telling(() => this.#trace())],
      ['eval', (args): Next => ({ kind: 'evaluate', code: args.slice(1).join(' ') })],
      ['redis', (args): Next => this.#redis(args)],
      ['maxlen', telling((args) => this.#maxlen(args))],
      ['abort', (): Next => ({ kind: 'abort' })],
    ];
    return new Map(
      named.flatMap(([name, handler]) => [
        [name, handler],
        [name[0]!, handler],
      ]),
    );
  }

  get #marks(): Marks {
    return { current: this.#currentLine, breakpoints: this.#breakpoints.lines };
  }

  #around(line: number, context: number): string[] {
    return this.#view.around(line, context, this.#marks);
  }

  #list([, line, context]: readonly string[]): void {
    const asked = line === undefined ? 0 : leadingInteger(line);
    const center = asked > 0 ? asked : this.#currentLine;
    const size = context === undefined ? CONTEXT_LINES : leadingInteger(context);
    this.#tellAll(this.#around(center, size));
  }

  #print(args: readonly string[]): void {
    const [, name] = args;
    if (args.length === 2) return this.#printOne(name!);
    const locals = this.#calls[0]?.locals ?? [];
    for (const local of locals) {
      this.#tellTrimmed(`<value> ${local.name} = ${this.#text(local.value)}`);
    }
    if (locals.length === 0) this.#tell('No local variables in the current context.');
  }

  #printOne(name: string): void {
    for (const { locals } of this.#calls) {
      const local = locals.find((each) => each.name === name);
      if (local !== undefined) return this.#tellTrimmed(`<value> ${this.#text(local.value)}`);
    }
    if (name !== 'KEYS' && name !== 'ARGV') return this.#tell(NO_VARIABLE);
    this.#tellTrimmed(`<value> ${this.#text(this.#facts.globalOf(name))}`);
  }

  #break(args: readonly string[]): void {
    const { lines } = this.#breakpoints;
    if (args.length > 1) return args.slice(1).forEach((text) => this.#breakAt(text));
    if (lines.length === 0) return this.#tell("No breakpoints set. Use 'b <line>' to add one.");
    this.#tell(`${lines.length} breakpoints set:`);
    for (const line of lines) this.#tell(this.#view.line(line, this.#marks));
  }

  #breakAt(text: string): void {
    const line = /^(?:0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
    if (line === undefined) return this.#tell(`Invalid argument:'${text}'`);
    if (line === 0) {
      this.#breakpoints.clear();
      return this.#tell('All breakpoints removed.');
    }
    if (line < 0) {
      const wasThere = this.#breakpoints.remove(-line);
      return this.#tell(wasThere ? 'Breakpoint removed.' : 'No breakpoint in the specified line.');
    }
    const outcome = this.#breakpoints.add(line, this.#view.lineCount);
    if (outcome === 'added') this.#tellAll(this.#around(line, 1));
    else this.#tell(outcome === 'tooMany' ? 'Too many breakpoints set.' : 'Wrong line number.');
  }

  #trace(): void {
    for (const [index, { name, line }] of this.#calls.entries()) {
      this.#tell(`${index === 0 ? 'In' : 'From'} ${name ?? 'top level'}:`);
      this.#tell(this.#view.line(line, this.#marks));
    }
  }

  #redis(args: readonly string[]): Next {
    this.#isCalling = args.length > 1;
    if (this.#isCalling) return { kind: 'call', args: args.slice(1) };
    this.#tell(UNKNOWN);
    return STAY;
  }

  #maxlen(args: readonly string[]): void {
    if (args.length === 2) {
      const asked = leadingInteger(args[1]!);
      this.#shownBytesMax = asked === 0 ? SHOWN_BYTES_MAX : Math.max(asked, SHOWN_BYTES_MIN);
    }
    const max = this.#shownBytesMax;
    const limit = max >= SHOWN_BYTES_MAX ? 'unlimited' : `truncated at ${max} bytes`;
    this.#tell(`<value> replies are ${limit}.`);
  }

  #text(value: LuaValue, sizeMax: number = this.#shownBytesMax): string {
    return valueText(value, this.#facts.addressOf, sizeMax);
  }

  #tell(line: string): void {
    if (this.#isDetached || this.#toldBytes > TOLD_BYTES_MAX) return;
    this.#toldBytes += line.length + LINE_BYTES;
    this.#lines.push(this.#toldBytes > TOLD_BYTES_MAX ? TOO_MANY_LINES : line);
  }

  #tellAll(lines: readonly string[]): void {
    for (const line of lines) this.#tell(line);
  }

  #tellTrimmed(line: string): void {
    const max = this.#shownBytesMax;
    if (line.length <= max) return this.#tell(line);
    this.#tell(`${line.slice(0, max)} ...`);
    if (this.#hasHinted) return;
    this.#hasHinted = true;
    this.#tell(TRIMMED_HINT);
  }
}

/** The integer that a text begins with; 0 if it begins with none. */
function leadingInteger(text: string): number {
  const digits = /^\s*[+-]?\d{1,9}/.exec(text);
  return digits === null ? 0 : Number(digits[0]);
}
