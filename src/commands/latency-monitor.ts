/** Spikes by event, behind LATENCY, and the durations of every command. */
import type { UnixMs } from '../base/index.ts';
import type { Settings } from '../config/index.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Command } from './table.ts';

/** Samples kept of an event. Source: 7.0 latency.h, LATENCY_TS_LEN. */
export const LATENCY_SAMPLES_MAX = 160;

export interface LatencySample {
  readonly unixSeconds: number;
  readonly ms: number;
}

export interface LatencyEvent {
  readonly name: string;
  /** Oldest first, at most one a second. */
  readonly samples: readonly LatencySample[];
  /** The worst ever, ms. */
  readonly maxMs: number;
}

interface Series {
  readonly name: string;
  readonly samples: LatencySample[];
  maxMs: number;
}

type LatencySettings = Pick<Settings, 'latency-monitor-threshold'>;

/** The series of a node and its histograms. */
export class LatencyMonitor {
  readonly #settings: LatencySettings;
  readonly #series: Map<string, Series> = new Map<string, Series>();
  /** Commands whose durations were counted. */
  readonly #counted: Set<Command> = new Set<Command>();

  /** `settings` are read at every call, so that CONFIG SET takes effect. */
  constructor(settings: LatencySettings) {
    this.#settings = settings;
  }

  /** Takes a sample of an event such as `command` or `expire-cycle` if it is long enough to matter. */
  add(event: string, ms: number, now: UnixMs): void {
    const threshold = this.#settings['latency-monitor-threshold'];
    if (threshold === 0 || ms < threshold) return;
    const unixSeconds = Math.floor(now / 1000);
    let series = this.#series.get(event);
    if (series === undefined) {
      series = { name: event, samples: [], maxMs: 0 };
      this.#series.set(event, series);
    }
    series.maxMs = Math.max(series.maxMs, ms);
    const last = series.samples.at(-1);
    if (last?.unixSeconds === unixSeconds) {
      if (ms > last.ms) series.samples[series.samples.length - 1] = { unixSeconds, ms };
      return;
    }
    series.samples.push({ unixSeconds, ms });
    if (series.samples.length > LATENCY_SAMPLES_MAX) series.samples.shift();
  }

  get isMonitoring(): boolean {
    return this.#settings['latency-monitor-threshold'] > 0;
  }

  events(): Iterable<LatencyEvent> {
    return this.#series.values();
  }

  event(name: string): LatencyEvent | undefined {
    return this.#series.get(name);
  }

  /** Forgets the samples of an event; says whether there was one. */
  reset(name: string): boolean {
    return this.#series.delete(name);
  }

  /** Gives a command a histogram for LATENCY HISTOGRAM. */
  beginHistogram(command: Command): LatencyHistogram {
    const durations = new LatencyHistogram();
    command.durations = durations;
    this.#counted.add(command);
    return durations;
  }

  /** CONFIG RESETSTAT forgets the durations of all commands. */
  resetHistograms(): void {
    for (const command of this.#counted) command.durations = undefined;
    this.#counted.clear();
  }
}
