/**
 * How long calls take, and who is told: the command's own counters, LATENCY HISTOGRAM, the slow log and the latency
 * monitor. A call begins where the one before it, or the reading of its bytes, ended, so the clock is read once a call;
 * and once for a few equal calls of a pipeline that are too short to be told apart, as a reading costs a tenth of one.
 */
import type { Clock, UnixMs } from '../base/index.ts';
import {
  type Command,
  FLAG_FAST,
  FLAG_SKIP_SLOWLOG,
  type LatencyMonitor,
  type Session,
  type SlowLog,
} from '../commands/index.ts';
import type { Settings } from '../config/index.ts';
import type { Request } from '../resp/index.ts';

export interface CallMeterHost {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly unixNow: UnixMs;
}

/** Most calls that are timed together. */
const TOGETHER_MAX = 16;
/** Thresholds below this are about single short calls, which are timed one by one then, microseconds. */
const LONG_US_MIN = 1000;
/** A short call has few arguments, a small request and leaves few replies. */
const SHORT_ARGUMENTS_MAX = 6;
const SHORT_REQUEST_BYTES = 1024;
const SHORT_REPLY_BYTES: number = 64 * 1024;

export class CallMeter {
  readonly #host: CallMeterHost;
  readonly #clock: Clock;
  /** Microseconds of the forward clock when the last call ended, or the turn began. */
  #sinceUs = 0;
  /** What the settings say, so that a call that is not long asks one number; see `configure`. */
  #keepsHistograms = true;
  #longUs = Infinity;
  #slowUs = Infinity;
  /** Calls of `#command`, one behind the other, whose time is still to be read; their session. */
  #untimed = 0;
  #command: Command | undefined;
  #session: Session | undefined;
  /** Where the call began that ends next and has had others inside it; negative when there is none. */
  #outerUs = -1;

  constructor(host: CallMeterHost) {
    this.#host = host;
    this.#clock = host.clock;
  }

  /** Takes over settings that may have changed. */
  configure(): void {
    const { settings } = this.#host;
    const slowUs = settings['slowlog-log-slower-than'];
    const monitoredMs = settings['latency-monitor-threshold'];
    this.#keepsHistograms = settings['latency-tracking'];
    this.#slowUs = slowUs < 0 ? Infinity : slowUs;
    this.#longUs = Math.min(this.#slowUs, monitoredMs === 0 ? Infinity : monitoredMs * 1000);
  }

  /** Sets the time from which the next call counts. */
  begin(clockUs: number): void {
    this.#sinceUs = clockUs;
  }

  /** A call waits instead of ending: its time is counted when it is served. */
  skip(): void {
    this.settle();
    this.#sinceUs = this.#clock.monoUs();
  }

  /** Where the running call began; for `reopen`, when calls inside it have been timed on their own. */
  mark(): number {
    return this.#sinceUs;
  }

  /** The running call, which ends next and is not short, began at a mark. */
  reopen(markUs: number): void {
    this.#outerUs = markUs;
  }

  /** A call of this command is about to run: calls of another one are not timed with it. */
  before(command: Command): void {
    if (this.#untimed > 0 && command !== this.#command) this.settle();
  }

  /** A call ended; the next one begins here. */
  end(session: Session, command: Command, request: Request): void {
    if (!request.isLast && this.#isShort(session, command, request)) {
      if (this.#untimed === 0) {
        this.#command = command;
        this.#session = session;
      }
      if (++this.#untimed < TOGETHER_MAX) return;
      this.#untimed--;
    }
    if (this.#outerUs >= 0) return this.#endOuter(session, command, request);
    const count = this.#untimed + 1;
    this.#untimed = 0;
    const durationUs = this.#count(command, count);
    if (durationUs >= this.#longUs) this.#long(session, command, request, durationUs);
  }

  /** Reads the time (or is told it) of calls that were to be timed with others which did not come. */
  settle(nowUs?: number): void {
    const count = this.#untimed;
    if (count === 0) return;
    this.#untimed = 0;
    const durationUs = this.#count(this.#command!, count, nowUs);
    if (durationUs >= this.#longUs) this.#longTogether(count, durationUs);
  }

  /** What was inside the call that ends is timed by itself, and then it from its own beginning. */
  #endOuter(session: Session, command: Command, request: Request): void {
    const nowUs = this.#clock.monoUs();
    this.settle(nowUs);
    this.#sinceUs = this.#outerUs;
    this.#outerUs = -1;
    const durationUs = this.#count(command, 1, nowUs);
    if (durationUs >= this.#longUs) this.#long(session, command, request, durationUs);
  }

  /** Whether nothing that the call does could take long, so that its share of a common time is as good as its own. */
  #isShort(session: Session, command: Command, request: Request): boolean {
    return (
      command.isShort &&
      this.#longUs >= LONG_US_MIN &&
      request.argc <= SHORT_ARGUMENTS_MAX &&
      request.end - request.start <= SHORT_REQUEST_BYTES &&
      session.reply.length <= SHORT_REPLY_BYTES
    );
  }

  /** Counts `count` calls that end now; returns how long they took together. */
  #count(command: Command, count: number, nowUs: number = this.#clock.monoUs()): number {
    const durationUs = Math.max(0, nowUs - this.#sinceUs);
    this.#sinceUs = nowUs;
    const { counters } = command;
    counters.calls += count;
    counters.microseconds += durationUs;
    if (this.#keepsHistograms) {
      const durations = command.durations ?? this.#host.latency.beginHistogram(command);
      durations.record(durationUs / count, count);
    }
    return durationUs;
  }

  #long(session: Session, command: Command, request: Request, durationUs: number): void {
    const { slowLog, latency, unixNow } = this.#host;
    const { flags } = command;
    // A call that waited for keys ends when it is served, while its client still counts as waiting.
    const isWaiting = session.blocked !== undefined && session.blocked.kind !== 'keys';
    const isNoted = (flags & FLAG_SKIP_SLOWLOG) === 0 && !isWaiting;
    if (durationUs >= this.#slowUs && isNoted) {
      slowLog.record({ session, command, request, durationUs, unixNow });
    }
    latency.add(eventOf(command), durationUs / 1000, unixNow);
  }

  /** Short calls took long together, as when the process had to stand still; their arguments are gone. */
  #longTogether(count: number, durationUs: number): void {
    const { slowLog, latency, unixNow } = this.#host;
    const command = this.#command!;
    if (durationUs >= this.#slowUs) {
      slowLog.recordTogether({ session: this.#session!, command, count, durationUs, unixNow });
    }
    latency.add(eventOf(command), durationUs / 1000, unixNow);
  }
}

/** The event that LATENCY knows long calls by. */
function eventOf({ flags }: Command): string {
  return (flags & FLAG_FAST) === 0 ? 'command' : 'fast-command';
}
