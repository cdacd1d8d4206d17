/**
 * What the databases of a keyspace share: the time, expiry rules, use counting, counters and hooks.
 */
import { type Rng, type UnixMs, unixMs } from '../base/index.ts';
import { Recency } from './recency.ts';
import { Store } from './store.ts';

/**
 * What becomes of a key found past its time. 'delete': removed and reported (a master). 'hide':
 * kept but not found (a replica, which waits for its master's DEL). 'ignore': found as if alive
 * (the master's own link on a replica; loading).
 */
export type ExpiryMode = 'delete' | 'hide' | 'ignore';

/**
 * What the keyspace tells its node. A hook reads the key at once and does not touch the keyspace.
 */
export interface KeyspaceHooks {
  /** A key is about to be removed because its time has come. */
  expired(dbIndex: number, buf: Uint8Array, at: number, size: number): void;
  /** A key was changed or removed; called only while `Keyspace.isWatched`. */
  touched(dbIndex: number, buf: Uint8Array, at: number, size: number): void;
  /**
   * A database was flushed or swapped: any of its keys may have changed; called only while
   * `Keyspace.isWatched`.
   */
  replaced(dbIndex: number): void;
  /** Large values were deleted and wait: `Keyspace.collect` is to be called until it returns false. */
  rubbish(): void;
}

/** When small containers become large ones; named as their directives, so that settings fit. */
export interface EncodingLimits {
  readonly 'hash-max-listpack-entries': number;
  readonly 'hash-max-listpack-value': number;
  readonly 'list-max-listpack-size': number;
  readonly 'set-max-intset-entries': number;
  readonly 'stream-node-max-bytes': number;
  readonly 'stream-node-max-entries': number;
  readonly 'zset-max-listpack-entries': number;
  readonly 'zset-max-listpack-value': number;
}

/** Source: defaults of redis.conf 7.0. */
const DEFAULT_LIMITS: EncodingLimits = {
  'hash-max-listpack-entries': 512,
  'hash-max-listpack-value': 64,
  'list-max-listpack-size': -2,
  'set-max-intset-entries': 512,
  'stream-node-max-bytes': 4096,
  'stream-node-max-entries': 100,
  'zset-max-listpack-entries': 128,
  'zset-max-listpack-value': 64,
};

export interface KeyspaceOptions {
  /** Number of databases, at least 1. Default 16. */
  readonly databases?: number;
  /** One table a hash slot. Default false. */
  readonly clusterMode?: boolean;
  /** Seeds the key hash and drives LFU. */
  readonly rng: Rng;
  readonly hooks: KeyspaceHooks;
  /** Read at every use, so they may change. Default: those of redis.conf. */
  readonly limits?: EncodingLimits;
}

/** The shared part of a keyspace. */
export class KeyspaceState {
  readonly isClusterMode: boolean;
  readonly recency: Recency;
  readonly hooks: KeyspaceHooks;
  readonly limits: EncodingLimits;
  expiryMode: ExpiryMode = 'delete';
  /** Whether clients of this replica have given keys expiry times, which its master does not know. */
  hasOwnExpiries = false;
  /** Whether `hooks.touched` and `hooks.replaced` are wanted (WATCH, client tracking). */
  isWatched = false;
  /** Changes since the counter was last reset by its owner. Expiry does not count. */
  dirty = 0;
  hits = 0;
  misses = 0;
  expiredCount = 0;
  readonly #rng: Rng;
  #nowMs: UnixMs = unixMs(0);

  constructor(options: KeyspaceOptions) {
    this.isClusterMode = options.clusterMode ?? false;
    this.hooks = options.hooks;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.#rng = options.rng;
    this.recency = new Recency(options.rng);
  }

  /** The time that expiry and LRU go by; the node sets it before each command. */
  get nowMs(): UnixMs {
    return this.#nowMs;
  }

  set nowMs(nowMs: UnixMs) {
    if (nowMs === this.#nowMs) return;
    this.#nowMs = nowMs;
    this.recency.setNow(nowMs);
  }

  /** An empty store as databases of this keyspace have them. */
  createStore(): Store {
    return new Store(this.#rng, this.isClusterMode, () => this.hooks.rubbish());
  }
}
