/**
 * What the databases of a keyspace share: the time, expiry rules, use counting, counters and hooks.
 */
import { type Rng, type UnixMs, unixMs } from '../base/index.ts';
import { DEFAULT_LIMITS, type EncodingLimits } from './value-host.ts';
import { Recency } from './recency.ts';
import type { TouchMemory } from './slabs-ahead.ts';
import { SpareChunks } from './chunks.ts';
import { HeapRoom } from './pages.ts';
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
   * `Keyspace.isWatched` or some type is awaited.
   */
  replaced(dbIndex: number): void;
  /**
   * A key was added whose type somebody waits for, or a stream that somebody waits at is gone;
   * called only for the types in `Keyspace.awaitedTypes`.
   */
  ready?(dbIndex: number, buf: Uint8Array, at: number, size: number): void;
  /**
   * Whether keys of a slot (0 outside a cluster) whose time is over may be removed now; else they only seem to be gone.
   * Default: they may.
   */
  mayExpire?(slot: number): boolean;
  /**
   * Slots whose keys are in nobody's sight: they are another node's, on their way here or on their way out. Asked for by
   * each look at all keys. Default: none.
   */
  hiddenSlots?(): ReadonlySet<number> | undefined;
  /** Large values were deleted and wait: `Keyspace.collect` is to be called until it returns false. */
  rubbish(): void;
}

/** How long memory of flushed databases is kept for what comes into them next. */
const SPARE_MS_MAX = 10_000;
/** Source: 7.0 quicklist.c, packed_threshold. */
export const PLAIN_ELEMENT_BYTES: number = 2 ** 30;

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
  /** Of each database; fewer than there can be in tests only. */
  readonly slabCountMax?: number;
  /** Without it memory comes when it is needed. */
  readonly touchMemory?: TouchMemory | undefined;
}

/** The shared part of a keyspace. */
export class KeyspaceState {
  readonly isClusterMode: boolean;
  readonly recency: Recency;
  readonly hooks: KeyspaceHooks;
  readonly limits: EncodingLimits;
  protected readonly touchMemory: TouchMemory | undefined;
  /** See `ValueHost.plainElementBytes`. */
  plainElementBytes: number = PLAIN_ELEMENT_BYTES;
  expiryMode: ExpiryMode = 'delete';
  /** Whether clients of this replica have given keys expiry times, which its master does not know. */
  hasOwnExpiries = false;
  /** Whether `hooks.touched` and `hooks.replaced` are wanted (WATCH, client tracking). */
  isWatched = false;
  /** The types whose new keys `hooks.ready` is told of, as bits by type number (blocked clients). */
  awaitedTypes = 0;
  /** Changes since the counter was last reset by its owner. Expiry does not count. */
  dirty = 0;
  hits = 0;
  misses = 0;
  expiredCount = 0;
  /** Large values that were freed in slices after they were deleted. */
  lazyFreedCount = 0;
  readonly #rng: Rng;
  #spare: SpareChunks = new SpareChunks();
  #room: HeapRoom;
  /** Since when there may be spare memory. */
  #spareSince: UnixMs | undefined;
  #nowMs: UnixMs = unixMs(0);

  constructor(options: KeyspaceOptions) {
    this.isClusterMode = options.clusterMode ?? false;
    this.hooks = options.hooks;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    this.touchMemory = options.touchMemory;
    this.#room = new HeapRoom(options.slabCountMax);
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

  /** Whether a database is as large as it can be: nothing more should be written. */
  get isCramped(): boolean {
    return this.#room.crampedCount > 0;
  }

  /** Whether hooks want to hear of whole databases that change. */
  get isObserved(): boolean {
    return this.isWatched || this.awaitedTypes !== 0;
  }

  /** An empty store as databases of this keyspace have them. */
  createStore(): Store {
    const memory = { spare: this.#spare, room: this.#room };
    return new Store(this.#rng, this.isClusterMode, () => this.hooks.rubbish(), memory);
  }

  /** Takes over what the stores of another keyspace have together, since they come here; that one gets ours. */
  protected exchangeMemory(other: KeyspaceState): void {
    [this.#spare, other.#spare] = [other.#spare, this.#spare];
    [this.#room, other.#room] = [other.#room, this.#room];
  }

  /** Ends a store that no database has any more. */
  retireStore(store: Store): void {
    store.retire();
    this.#spareSince = this.#nowMs;
  }

  /** Gives memory of flushed databases and large values back to the system a while after they have gone. */
  dropSpareMemory(): void {
    if (this.#spare.isEmpty) {
      this.#spareSince = undefined;
      return;
    }
    this.#spareSince ??= this.#nowMs;
    const age = this.#nowMs - this.#spareSince;
    // A clock that was set back must not keep it for long.
    if (age >= 0 && age < SPARE_MS_MAX) return;
    this.#spare.clear();
    this.#spareSince = undefined;
  }
}
