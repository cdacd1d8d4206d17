/**
 * Eviction: which keys go when the data is larger than `maxmemory`. Like Redis it does not keep all keys in order, but
 * draws a few, remembers the best of those seen, and takes the best of all.
 * Source: documentation of maxmemory-policy; behaviour of redis-server 7.0.15.
 */
import type { MonoMs, Rng } from '../base/index.ts';
import {
  type LogLevel,
  type PubSub,
  type Server,
  type ServerStats,
  clientBytesMax,
} from '../commands/index.ts';
import { KEYSPACE_EVENT, type Settings } from '../config/index.ts';
import { type Database, type Keyspace, NONE, type Ref } from '../keyspace/index.ts';
import { notifyKeyspace } from './call-context.ts';
import type { ClientMemory } from './client-memory.ts';
import type { Propagation } from './propagation.ts';

export interface EvictionHost {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly rng: Rng;
  readonly now: MonoMs;
  readonly clock: { monoUs(): number };
  readonly stats: ServerStats;
  readonly pubsub: PubSub;
  readonly propagation: Propagation;
  readonly replication: Server['replication'];
  readonly clients: { readonly memory: ClientMemory };
  /** A script goes on in slices, or clients were told that nothing changes. */
  readonly isInScript: boolean;
  readonly isPaused: boolean;
  readonly persistence: { readonly loading: unknown };
  readonly cluster: { readonly transfers: { failImports(reason: string): void } } | undefined;
  addWork(slice: () => boolean): void;
  log(level: LogLevel, text: string): void;
}

interface Candidate {
  readonly dbIndex: number;
  readonly key: Buffer;
  /** The larger, the sooner it goes. */
  readonly worth: number;
}

/** Candidates kept from one draw to the next. Source: 7.0 evict.c, EVPOOL_SIZE. */
const POOL_SIZE = 16;
/** Keys evicted before clients are served again. */
const SLICE_KEYS = 64;
/** Keys evicted for a command between two looks at the clock. Source: 7.0 evict.c. */
const STEP_KEYS = 16;
/**
 * Up to this tenacity a command waits 50 microseconds for each step of it, then 15 % longer with each, at 100 until there
 * is room. Source: 7.0 redis.conf, maxmemory-eviction-tenacity; evict.c.
 */
const LINEAR_TENACITY = 10;
const TENACITY_MAX = 100;
const TENACITY_US = 50;
const TENACITY_FACTOR = 1.15;
const FREQUENCY_MAX = 255;

export class Eviction {
  readonly #host: EvictionHost;
  /** The best candidates seen, worst first. They may be gone or changed by now. */
  readonly #pool: Candidate[] = [];
  #randomDb = 0;
  /** When all clients were last counted: at each command that would cost more than the command. */
  #countedAt: MonoMs | undefined;
  #isAtWork = false;
  #wasCramped = false;

  constructor(host: EvictionHost) {
    this.#host = host;
  }

  /** Measures the buffers, keeps the peak of all, and begins to evict when it is too much. */
  sample(): void {
    const { clients, now, stats } = this.#host;
    clients.memory.sample(stats, now);
    stats.peakMemoryBytes = Math.max(stats.peakMemoryBytes, this.#usedBytes);
    this.#noteCramped();
    if (this.#isWithinLimit) stats.noteEviction(false, now);
    if (this.#isOver) this.#evictSoon();
  }

  /** Evicts in slices of background work. */
  #evictSoon(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    this.#host.addWork(() => {
      this.#isAtWork = this.#slice();
      return this.#isAtWork;
    });
  }

  /** Whether a command may use more memory before anything is done for it, as far as can be told without counting anew. */
  get hasRoom(): boolean {
    return this.#isWithinLimit && !this.#host.keyspace.isCramped;
  }

  /** Says once that a database is full: no eviction of keys here and there would give whole pieces of it back. */
  #noteCramped(): void {
    const { isCramped } = this.#host.keyspace;
    if (isCramped === this.#wasCramped) return;
    this.#wasCramped = isCramped;
    const text = isCramped
      ? 'A database is almost 32 GiB large, which is the most it can be: commands that need memory are refused.'
      : 'There is room in all databases again.';
    this.#host.log('warning', text);
  }

  get #isWithinLimit(): boolean {
    const { maxmemory } = this.#host.settings;
    return maxmemory === 0 || this.#usedBytes <= maxmemory;
  }

  get #usedBytes(): number {
    return this.#host.keyspace.memory.usedBytes + countedBufferBytes(this.#host);
  }

  /** Whether data and buffers are larger than allowed, on a node that has to mind. */
  get #isOver(): boolean {
    if (this.#isWithinLimit) return false;
    const { clients, keyspace, now, replication, settings } = this.#host;
    if (replication.isReplica && settings['replica-ignore-maxmemory']) return false;
    // Source: behaviour of redis-server 7.0.15, which evicts nothing then and refuses nothing for want of room.
    const { isInScript, isPaused, persistence } = this.#host;
    if (isInScript || isPaused || persistence.loading !== undefined) return false;
    if (keyspace.memory.usedBytes > settings.maxmemory || this.#countedAt === now) return true;
    // No key goes because of buffers that are gone.
    clients.memory.recountAll();
    this.#countedAt = now;
    return !this.#isWithinLimit;
  }

  /** Evicts keys while there are too many, some at a time. Whether it is worth going on. */
  #slice(): boolean {
    for (let i = 0; i < SLICE_KEYS; i++) if (!this.#isOver || !this.#evictOne()) return false;
    return this.#isOver;
  }

  /**
   * Evicts what has to go before a command may use more memory, for as long as `maxmemory-eviction-tenacity` says, and
   * the rest later. Whether the command may run: false when nothing can go.
   */
  makeRoom(): boolean {
    const { clock, settings, stats, now } = this.#host;
    const endUs = clock.monoUs() + timeLimitUs(settings['maxmemory-eviction-tenacity']);
    let isExceeded = false;
    let canGoOn = true;
    for (let count = 0; !isExceeded && this.#isOver; count++) {
      canGoOn = this.#evictOne();
      isExceeded = !canGoOn || (count % STEP_KEYS === STEP_KEYS - 1 && clock.monoUs() > endUs);
    }
    if (isExceeded && canGoOn) this.#evictSoon();
    stats.noteEviction(isExceeded, now);
    return canGoOn && !this.#host.keyspace.isCramped;
  }

  #evictOne(): boolean {
    // A slot that moves here is whole or not here at all; without it there may be room enough.
    this.#host.cluster?.transfers.failImports('the target is out of memory');
    const policy = this.#host.settings['maxmemory-policy'];
    if (policy === 'noeviction') return false;
    const isVolatile = policy.startsWith('volatile');
    if (policy.endsWith('random')) return this.#evictRandom(isVolatile);
    this.#draw(isVolatile, policy);
    for (let best = this.#pool.pop(); best !== undefined; best = this.#pool.pop()) {
      const db = this.#host.keyspace.db(best.dbIndex);
      const ref = db.find(best.key, 0, best.key.length);
      if (ref === NONE || (isVolatile && !db.entries.hasExpiry(ref))) continue;
      this.#evict(db, ref);
      return true;
    }
    return false;
  }

  #evictRandom(isVolatile: boolean): boolean {
    const { keyspace, rng } = this.#host;
    const { databases } = keyspace;
    for (let tries = 0; tries < databases.length; tries++) {
      this.#randomDb = (this.#randomDb + 1) % databases.length;
      const db = keyspace.db(this.#randomDb);
      if ((isVolatile ? db.volatileCount : db.size) === 0) continue;
      this.#evict(db, isVolatile ? db.sampleVolatile(rng) : db.sample(rng));
      return true;
    }
    return false;
  }

  #draw(isVolatile: boolean, policy: string): void {
    const { keyspace, rng, settings } = this.#host;
    for (const db of keyspace.databases) {
      const count = isVolatile ? db.volatileCount : db.size;
      const wanted = Math.min(count, settings['maxmemory-samples']);
      for (let i = 0; i < wanted; i++) {
        const ref = isVolatile ? db.sampleVolatile(rng) : db.sample(rng);
        this.#offer(db, ref, worthOf(db, ref, policy));
      }
    }
  }

  #offer(db: Database, ref: Ref, worth: number): void {
    const pool = this.#pool;
    if (pool.length === POOL_SIZE && worth <= pool[0]!.worth) return;
    const { buf, at, size } = db.entries.key(ref);
    const key = Buffer.from(buf.subarray(at, at + size));
    if (pool.some((other) => other.dbIndex === db.index && other.key.equals(key))) return;
    if (pool.length === POOL_SIZE) pool.shift();
    const place = pool.findIndex((other) => other.worth > worth);
    pool.splice(place < 0 ? pool.length : place, 0, { dbIndex: db.index, key, worth });
  }

  #evict(db: Database, ref: Ref): void {
    const { settings, stats, propagation } = this.#host;
    const { buf, at, size } = db.entries.key(ref);
    const key = Buffer.from(buf.subarray(at, at + size));
    db.drop(ref);
    stats.evictedKeys++;
    propagation.addArgs(db.index, [settings['lazyfree-lazy-eviction'] ? 'UNLINK' : 'DEL', key]);
    const wanted = settings['notify-keyspace-events'];
    if ((wanted & KEYSPACE_EVENT.e) === 0) return;
    notifyKeyspace(this.#host, { wanted, event: 'evicted', dbIndex: db.index }, key);
  }
}

/**
 * The buffers that count towards `maxmemory`. Those of replicas would make eviction feed itself, and what clients have
 * beyond `maxmemory-clients` goes with them in the same turn: no key must go for it.
 */
export function countedBufferBytes({
  clients,
  replication,
  settings,
}: Pick<EvictionHost, 'clients' | 'replication' | 'settings'>): number {
  const { backlog } = replication.history;
  const backlogBytes = backlog === undefined ? 0 : backlog.heldBytes - backlog.outgrownBytes;
  return backlogBytes + Math.min(clients.memory.totalBytes, clientBytesMax(settings));
}

function timeLimitUs(tenacity: number): number {
  if (tenacity === TENACITY_MAX) return Infinity;
  const beyond = Math.max(0, tenacity - LINEAR_TENACITY);
  return Math.min(tenacity, LINEAR_TENACITY) * TENACITY_US * TENACITY_FACTOR ** beyond;
}

function worthOf(db: Database, ref: Ref, policy: string): number {
  if (policy.endsWith('ttl')) return -db.entries.expireAt(ref);
  return policy.endsWith('lfu') ? FREQUENCY_MAX - db.frequency(ref) : db.idleSeconds(ref);
}
