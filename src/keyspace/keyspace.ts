/**
 * All databases of a node, and what they share: the time, expiry rules, counters, hooks and
 * snapshots.
 */
import { invariant } from '../base/index.ts';
import { Database } from './database.ts';
import { SNAPSHOT_MARKS } from './entry.ts';
import { Snapshot, type SnapshotPart, type SnapshotVisitor } from './snapshot.ts';
import { KeyspaceState, type KeyspaceOptions } from './state.ts';

/** Bytes of memory, by what they are for. */
export interface KeyspaceMemory {
  /** Blocks in use: entries, values, indexes. */
  readonly usedBytes: number;
  /**
   * Address space taken from the system; the difference to `usedBytes` is free or not yet touched.
   */
  readonly reservedBytes: number;
}

/** Entries a settling walk visits in one go when a mark is needed at once. */
const SETTLE_SLICE = 1000;

/** The databases of a node. */
export class Keyspace extends KeyspaceState {
  readonly databases: readonly Database[];
  readonly #snapshots: Snapshot[] = [];

  constructor(options: KeyspaceOptions) {
    super(options);
    const count = options.databases ?? 16;
    invariant(count >= 1, 'a keyspace has a database');
    this.databases = Array.from({ length: count }, (_, index) => new Database(this, index));
  }

  /** The database of an index below `databases.length`. */
  db(index: number): Database {
    const db = this.databases[index];
    invariant(db !== undefined, 'a database index is in range');
    return db;
  }

  /** Keys of all databases. */
  get size(): number {
    return this.databases.reduce((sum, db) => sum + db.size, 0);
  }

  get memory(): KeyspaceMemory {
    let usedBytes = 0;
    let reservedBytes = 0;
    for (const { store } of this.databases) {
      usedBytes += store.arena.usedBytes;
      reservedBytes += store.arena.reservedBytes;
    }
    return { usedBytes, reservedBytes };
  }

  /** Whether a database is so large that nothing may be added, not even what is loaded or a master says. */
  get isFull(): boolean {
    return this.databases.some(({ store }) => store.arena.isFull);
  }

  /** Call it often while much is loaded into a database: memory is then asked for ahead. */
  growAhead(dbIndex: number): void {
    if (this.touchMemory !== undefined) this.db(dbIndex).store.arena.growAhead(this.touchMemory);
  }

  /** The load is over. */
  endGrowth(): void {
    for (const { store } of this.databases) store.arena.endGrowth();
  }

  /** Large values deleted and not freed yet. */
  get rubbishCount(): number {
    return this.databases.reduce((sum, { store }) => sum + store.rubbish.pendingCount, 0);
  }

  /** How many times as much as usual of them has to be freed at once. */
  get rubbishHaste(): number {
    return Math.max(...this.databases.map(({ store }) => store.rubbish.haste));
  }

  /** Frees about `max` blocks of large values that were deleted; whether more are waiting. */
  collect(max: number): boolean {
    for (const { store } of this.databases) {
      const before = store.rubbish.pendingCount;
      if (before > 0) store.collect(max);
      this.lazyFreedCount += before - store.rubbish.pendingCount;
    }
    return this.rubbishCount > 0;
  }

  /** Removes every key; returns how many there were. Counts them as dirty. */
  flushAll(): number {
    return this.databases.reduce((sum, db) => sum + db.flush(), 0);
  }

  /** Exchanges the contents of two databases. */
  swapDb(first: number, second: number): void {
    const a = this.db(first);
    const b = this.db(second);
    const store = a.store;
    a.store = b.store;
    b.store = store;
    this.dirty++;
    if (this.isObserved) {
      this.hooks.replaced(first);
      this.hooks.replaced(second);
    }
  }

  /**
   * Takes over all contents of `other`, which is left empty; running snapshots go on over the old
   * contents.
   */
  replaceWith(other: Keyspace): void {
    invariant(other.databases.length === this.databases.length, 'both have as many databases');
    invariant(other.isClusterMode === this.isClusterMode, 'both are in cluster mode or neither');
    this.exchangeMemory(other);
    for (const db of this.databases) {
      const from = other.db(db.index);
      invariant(from.store.snapshots.length === 0, 'no snapshot of what is taken over is running');
      db.store = from.store;
      from.store = other.createStore();
      if (this.isObserved) this.hooks.replaced(db.index);
    }
  }

  /**
   * Begins a snapshot of everything as it is now; the caller walks it with `next` until it is done.
   * Undefined when four are running already.
   */
  startSnapshot(visit: SnapshotVisitor): Snapshot | undefined {
    let mark = this.#freeMark();
    while (mark === undefined && this.#snapshots.some((snapshot) => snapshot.isAborted)) {
      this.settleSnapshots(SETTLE_SLICE);
      mark = this.#freeMark();
    }
    if (mark === undefined) return undefined;
    const parts: SnapshotPart[] = this.databases.map((db) => ({
      store: db.store,
      dbIndex: db.index,
    }));
    const snapshot = new Snapshot(parts, mark, visit);
    this.#snapshots.push(snapshot);
    return snapshot;
  }

  /**
   * Settles what aborted snapshots left, about `maxEntries` entries of it; returns whether there is
   * more.
   */
  settleSnapshots(maxEntries: number): boolean {
    const aborted = this.#snapshots.find((snapshot) => snapshot.isAborted && !snapshot.isDone);
    aborted?.next(maxEntries);
    return aborted !== undefined;
  }

  #freeMark(): number | undefined {
    for (let i = this.#snapshots.length - 1; i >= 0; i--) {
      if (this.#snapshots[i]?.isDone) this.#snapshots.splice(i, 1);
    }
    return SNAPSHOT_MARKS.find((mark) => this.#snapshots.every((other) => other.mark !== mark));
  }
}
