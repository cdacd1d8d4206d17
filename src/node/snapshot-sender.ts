/**
 * Makes a snapshot for a full synchronisation or a file: walks the keyspace in slices, no faster than the slowest
 * receiver takes it.
 */
import type { UnixMs } from '../base/index.ts';
import {
  type Keyspace,
  type Ref,
  type Snapshot,
  type Store,
  ValueSaver,
} from '../keyspace/index.ts';
import { RdbWriter, type RdbHeader } from '../rdb/index.ts';

/** Where the snapshot goes. */
export interface SnapshotOutlet {
  /** Bytes given to the slowest receiver and not yet taken by the system. */
  pendingBytes(): number;
  bytes(buf: Buffer, at: number, size: number): void;
  /** All is given. */
  ended(): void;
  /** Calls `slice` at the start of every slice of background work until it returns false. */
  addWork(slice: () => boolean): void;
}

export interface SnapshotRequest {
  readonly keyspace: Keyspace;
  readonly clock: { monoUs(): number };
  readonly unixNow: UnixMs;
  /** What a replica needs to go on from here; undefined where nobody does. */
  readonly replication: RdbHeader['replication'] | undefined;
  readonly withoutData: boolean;
  /** `rdbcompression` and `rdbchecksum`. */
  readonly compression: boolean;
  readonly checksum: boolean;
  /** Facts about use that go with every key: those that maxmemory-policy goes by. */
  readonly recency: 'lru' | 'lfu' | 'none';
}

/** Clients wait for a slice; code that has never run takes ten times as long for the same entries. */
const SLICE_US = 1000;
const SLICE_ENTRIES = 512;
const SLICE_BYTES = 256 * 1024;
/** Entries between two looks at the clock and the bytes written. */
const STEP_ENTRIES = 32;
/** Above this the walk waits for the receivers. */
const PENDING_BYTES_MAX = 1024 * 1024;
const SETTLE_ENTRIES = 1000;

export class SnapshotSender {
  readonly #request: SnapshotRequest;
  readonly #outlet: SnapshotOutlet;
  readonly #writer: RdbWriter;
  readonly #saver: ValueSaver;
  /** Sizes of the databases at the start, until they are written. */
  readonly #sizes: ({ readonly keys: number; readonly expiring: number } | undefined)[];
  #snapshot: Snapshot | undefined;
  #dbIndex = -1;
  #writtenCount = 0;
  #state: 'walking' | 'waiting' | 'ended' = 'ended';

  constructor(request: SnapshotRequest, outlet: SnapshotOutlet) {
    const { compression, checksum, keyspace } = request;
    this.#request = request;
    this.#outlet = outlet;
    this.#writer = new RdbWriter({ compression, checksum });
    this.#saver = new ValueSaver(this.#writer);
    this.#sizes = keyspace.databases.map((db) => ({ keys: db.size, expiring: db.volatileCount }));
  }

  /** Begins with the data of this very moment; false when too many snapshots are running. */
  start(): boolean {
    const { keyspace, replication, unixNow, withoutData } = this.#request;
    if (!withoutData) {
      this.#snapshot = keyspace.startSnapshot((dbIndex, store, ref) => {
        this.#visit(dbIndex, store, ref);
      });
      if (this.#snapshot === undefined) return false;
    }
    this.#writer.header({
      ctimeUnixSeconds: Math.floor(unixNow / 1000),
      usedMemoryBytes: keyspace.memory.usedBytes,
      ...(replication === undefined ? {} : { replication }),
    });
    this.#walk();
    return true;
  }

  /** Keys written so far. */
  get writtenCount(): number {
    return this.#writtenCount;
  }

  /** A receiver took bytes or went away: the walk may go on. */
  wake(): void {
    if (this.#state === 'waiting' && !this.#isBehind()) this.#walk();
  }

  /** Nobody wants it any more. */
  abort(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    if (this.#snapshot === undefined) return;
    this.#snapshot.abort();
    const { keyspace } = this.#request;
    this.#outlet.addWork(() => keyspace.settleSnapshots(SETTLE_ENTRIES));
  }

  #walk(): void {
    this.#state = 'walking';
    this.#outlet.addWork(() => this.#slice());
  }

  #isBehind(): boolean {
    return this.#outlet.pendingBytes() > PENDING_BYTES_MAX;
  }

  #slice(): boolean {
    if (this.#state !== 'walking') return false;
    if (this.#isBehind()) {
      this.#state = 'waiting';
      return false;
    }
    const hasMore = this.#writeSlice();
    if (!hasMore) this.#writer.end();
    const { pendingSize } = this.#writer;
    if (pendingSize > 0) this.#outlet.bytes(this.#writer.take(), 0, pendingSize);
    // Its last receiver may just have gone.
    if (this.#state !== 'walking') return false;
    if (hasMore) return true;
    this.#state = 'ended';
    this.#outlet.ended();
    return false;
  }

  #writeSlice(): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return false;
    const { clock } = this.#request;
    const endUs = clock.monoUs() + SLICE_US;
    for (let entries = 0; entries < SLICE_ENTRIES; entries += STEP_ENTRIES) {
      if (!snapshot.next(STEP_ENTRIES)) return false;
      if (this.#writer.pendingSize >= SLICE_BYTES || clock.monoUs() >= endUs) return true;
    }
    return true;
  }

  #visit(dbIndex: number, store: Store, ref: Ref): void {
    const writer = this.#writer;
    const { entries } = store;
    if (dbIndex !== this.#dbIndex) {
      this.#dbIndex = dbIndex;
      writer.selectDb(dbIndex);
      const sizes = this.#sizes[dbIndex];
      if (sizes !== undefined) writer.resizeDb(sizes);
      this.#sizes[dbIndex] = undefined;
    }
    const expireAtUnixMs = entries.expireAt(ref);
    const { recency } = this.#request.keyspace;
    if (this.#request.recency === 'lru') {
      const idleSeconds = recency.idleSeconds(entries.lru(ref));
      writer.entryFacts({ expireAtUnixMs, idleSeconds });
    } else if (this.#request.recency === 'lfu') {
      writer.entryFacts({ expireAtUnixMs, freq: recency.frequency(entries.lru(ref)) });
    } else if (expireAtUnixMs >= 0) {
      writer.entryFacts({ expireAtUnixMs });
    }
    writer.type(this.#saver.typeOf(store, ref));
    const key = entries.key(ref);
    writer.string(key.buf, key.at, key.size);
    this.#saver.save(store, ref);
    this.#writtenCount++;
  }
}

/** Facts about use that a maxmemory-policy goes by. */
export function recencyOf(policy: string): SnapshotRequest['recency'] {
  if (policy.includes('lru')) return 'lru';
  return policy.includes('lfu') ? 'lfu' : 'none';
}
