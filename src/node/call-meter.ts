/**
 * How long calls take, and who is told: the command's own counters, LATENCY HISTOGRAM, the slow log and the latency
 * monitor. The clock is read once a call: a call begins where the one before it, or the reading of its bytes, ended.
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

export class CallMeter {
  readonly #host: CallMeterHost;
  readonly #clock: Clock;
  /** Microseconds of the forward clock when the last call ended, or the turn began. */
  #sinceUs = 0;
  /** What the settings say, so that a call that is not long asks one number; see `configure`. */
  #keepsHistograms = true;
  #longUs = Infinity;
  #slowUs = Infinity;

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

  /** A call ended; the next one begins here. */
  end(session: Session, command: Command, request: Request): void {
    const nowUs = this.#clock.monoUs();
    const durationUs = Math.max(0, nowUs - this.#sinceUs);
    this.#sinceUs = nowUs;
    const { counters } = command;
    counters.calls++;
    counters.microseconds += durationUs;
    if (this.#keepsHistograms) {
      const durations = command.durations ?? this.#host.latency.beginHistogram(command);
      durations.record(durationUs);
    }
    if (durationUs >= this.#longUs) this.#long(session, command, request, durationUs);
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
    const event = (flags & FLAG_FAST) === 0 ? 'command' : 'fast-command';
    latency.add(event, durationUs / 1000, unixNow);
  }
}
