/** What a node counts for INFO stats, and the samples behind its instantaneous rates. */
import type { MonoMs } from '../base/index.ts';

/** Samples behind an average. Source: 7.0 server.h, STATS_METRIC_SAMPLES. */
const SAMPLE_COUNT = 16;
/** Distinct error codes counted before counting stops, so that scripts cannot fill the memory. 7.0 has no bound, 7.2 has 128. */
const ERROR_CODES_MAX = 4096;

/** An amount that grows, and how fast it grew lately. */
class Rate {
  readonly #samples: number[] = [];
  #lastTotal = 0;
  #lastAt: MonoMs | undefined;
  #next = 0;

  sample(total: number, now: MonoMs): void {
    if (this.#lastAt !== undefined && now > this.#lastAt) {
      this.#samples[this.#next] = ((total - this.#lastTotal) * 1000) / (now - this.#lastAt);
      this.#next = (this.#next + 1) % SAMPLE_COUNT;
    }
    this.#lastTotal = total;
    this.#lastAt = now;
  }

  /** Growth a second, over the samples kept. */
  get perSecond(): number {
    let sum = 0;
    for (const sample of this.#samples) sum += sample;
    return sum / SAMPLE_COUNT;
  }

  reset(): void {
    this.#samples.length = 0;
    this.#next = 0;
    this.#lastTotal = 0;
  }
}

/** Seconds that a largest value is remembered. Source: 7.0 server.c, CLIENTS_PEAK_MEM_USAGE_SLOTS. */
const RECENT_SECONDS = 8;

/** The largest of the values that were noted lately. */
class RecentMax {
  readonly #slots = new Float64Array(RECENT_SECONDS);
  #second = 0;

  note(value: number, now: MonoMs): void {
    const second = Math.floor(now / 1000);
    const passed = Math.min(second - this.#second, RECENT_SECONDS);
    for (let i = 0; i < passed; i++) this.#slots[(second - i) % RECENT_SECONDS] = 0;
    this.#second = second;
    const slot = second % RECENT_SECONDS;
    this.#slots[slot] = Math.max(this.#slots[slot]!, value);
  }

  get value(): number {
    return Math.max(...this.#slots);
  }
}

/** The counters of one node; hits, misses and expired keys are the keyspace's own. */
export class ServerStats {
  totalConnections = 0;
  rejectedConnections = 0;
  totalCommands = 0;
  /** Bytes from and to clients, without the replication streams. */
  netInputBytes = 0;
  netOutputBytes = 0;
  /** Bytes from our master and to our replicas. */
  replInputBytes = 0;
  replOutputBytes = 0;
  readsProcessed = 0;
  writesProcessed = 0;
  /** Share of the keys that active expiry looks at whose time was over, as a running average. */
  expiredStalePercent = 0;
  expiredTimeCapReached = 0;
  /** Microseconds of the active expiry. */
  expireCycleUs = 0;
  evictedKeys = 0;
  evictedClients = 0;
  /** Time in which there was more data than `maxmemory` although keys were evicted, and since when there is now. */
  evictionExceededMs = 0;
  evictionExceededSince: MonoMs | undefined;
  fullSyncs = 0;
  partialSyncs = 0;
  refusedPartialSyncs = 0;
  unexpectedErrorReplies = 0;
  totalErrorReplies = 0;
  /** Of a client, with what it has queued and with what waits for it, bytes. */
  readonly recentMaxInput: RecentMax = new RecentMax();
  readonly recentMaxOutput: RecentMax = new RecentMax();
  peakMemoryBytes = 0;
  /** Error replies by their first word, such as `ERR`. */
  readonly errors: Map<string, number> = new Map<string, number>();
  readonly commandRate: Rate = new Rate();
  readonly inputRate: Rate = new Rate();
  readonly outputRate: Rate = new Rate();
  readonly replInputRate: Rate = new Rate();
  readonly replOutputRate: Rate = new Rate();

  /** Counts an error reply by its text without the minus. */
  countError(text: string): void {
    this.totalErrorReplies++;
    const space = text.indexOf(' ');
    const code = space < 0 ? 'ERR' : text.slice(0, space);
    const count = this.errors.get(code);
    if (count === undefined && this.errors.size >= ERROR_CODES_MAX) return;
    this.errors.set(code, (count ?? 0) + 1);
  }

  /** Whether there is still too much data after an eviction. */
  noteEviction(isExceeded: boolean, now: MonoMs): void {
    const since = this.evictionExceededSince;
    if (isExceeded) this.evictionExceededSince ??= now;
    else if (since !== undefined) {
      this.evictionExceededMs += now - since;
      this.evictionExceededSince = undefined;
    }
  }

  /** Takes a sample of everything that has a rate; ten times a second or so. */
  sample(now: MonoMs): void {
    this.commandRate.sample(this.totalCommands, now);
    this.inputRate.sample(this.netInputBytes + this.replInputBytes, now);
    this.outputRate.sample(this.netOutputBytes + this.replOutputBytes, now);
    this.replInputRate.sample(this.replInputBytes, now);
    this.replOutputRate.sample(this.replOutputBytes, now);
  }

  /** CONFIG RESETSTAT. The counters of commands and keyspace are reset by their owners. */
  reset(): void {
    this.totalConnections = 0;
    this.rejectedConnections = 0;
    this.totalCommands = 0;
    this.netInputBytes = 0;
    this.netOutputBytes = 0;
    this.replInputBytes = 0;
    this.replOutputBytes = 0;
    this.readsProcessed = 0;
    this.writesProcessed = 0;
    this.expiredStalePercent = 0;
    this.expiredTimeCapReached = 0;
    this.expireCycleUs = 0;
    this.evictedKeys = 0;
    this.evictedClients = 0;
    this.evictionExceededMs = 0;
    this.evictionExceededSince = undefined;
    this.fullSyncs = 0;
    this.partialSyncs = 0;
    this.refusedPartialSyncs = 0;
    this.unexpectedErrorReplies = 0;
    this.totalErrorReplies = 0;
    this.errors.clear();
    this.commandRate.reset();
    this.inputRate.reset();
    this.outputRate.reset();
    this.replInputRate.reset();
    this.replOutputRate.reset();
  }
}
