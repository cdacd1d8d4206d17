/**
 * A point in time of all databases, without fork. A snapshot walks each store in hash order, a
 * slice at a time. Every entry carries a mark that says whether the snapshot has it; a change to an
 * entry not yet taken gives it to the snapshot first, and entries born later are marked as taken.
 * When the walk ends all marks are equal again, and the next snapshot turns their meaning round.
 */
import type { Ref } from './arena.ts';
import type { SnapshotTaker, Store } from './store.ts';
import { HASH_END } from './table.ts';

/**
 * Gets each entry once, as it was when the snapshot began; reads it at once and keeps nothing of
 * it.
 */
export type SnapshotVisitor = (dbIndex: number, store: Store, ref: Ref) => void;

/** One of the keyspace's databases at the start. */
export interface SnapshotPart {
  readonly store: Store;
  readonly dbIndex: number;
}

/** A running snapshot. Its order across and within databases is not defined. */
export class Snapshot implements SnapshotTaker {
  readonly mark: number;
  readonly #parts: SnapshotPart[];
  #visit: SnapshotVisitor | undefined;
  #table = 0;
  #position = 0;
  readonly #takeRef: (ref: Ref) => void;

  /** `mark` is one of SNAPSHOT_MARKS that no other snapshot of these stores uses. */
  constructor(parts: readonly SnapshotPart[], mark: number, visit: SnapshotVisitor) {
    this.mark = mark;
    this.#parts = parts.filter((part) => part.store.keys.size > 0);
    this.#visit = visit;
    this.#takeRef = (ref) => {
      const part = this.#parts[0];
      if (part !== undefined && (part.store.entries.pendingMarks(ref) & mark) !== 0) {
        this.take(part.store, ref);
      }
    };
    for (const { store } of this.#parts) {
      store.entries.marks ^= mark;
      store.entries.activeMarks |= mark;
      store.snapshots.push(this);
    }
  }

  /** Whether everything has been visited (or, after `abort`, all marks are settled). */
  get isDone(): boolean {
    return this.#parts.length === 0;
  }

  get isAborted(): boolean {
    return this.#visit === undefined;
  }

  /** Goes on for about `maxEntries` entries; returns whether there is more. */
  next(maxEntries: number): boolean {
    let left = maxEntries;
    while (left > 0) {
      const part = this.#parts[0];
      if (part === undefined) return false;
      const keys = part.store.keys;
      const table = keys.nextTable(this.#table);
      if (table !== this.#table) this.#position = 0;
      this.#table = table;
      if (table === keys.counts.length) {
        this.#finishPart(part.store);
        continue;
      }
      this.#position = keys.scan(table, this.#position, left, this.#takeRef);
      left -= Math.max(1, keys.scannedCount);
      if (this.#position === HASH_END) {
        this.#table++;
        this.#position = 0;
      }
    }
    return !this.isDone;
  }

  /**
   * Ends the visits. The marks still have to be settled by further calls of `next`, which the
   * keyspace makes.
   */
  abort(): void {
    this.#visit = undefined;
  }

  /** Visits an entry that waits for this snapshot. Called by the walk and before changes. */
  take(store: Store, ref: Ref): void {
    store.entries.setMark(ref, this.mark);
    if (this.#visit === undefined) return;
    for (const part of this.#parts) {
      if (part.store === store) this.#visit(part.dbIndex, store, ref);
    }
  }

  #finishPart(store: Store): void {
    this.#parts.shift();
    this.#table = 0;
    this.#position = 0;
    store.entries.activeMarks &= ~this.mark;
    store.snapshots.splice(store.snapshots.indexOf(this), 1);
  }
}
