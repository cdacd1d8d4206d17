/**
 * What one database holds: its arena, its entries and the two indexes over them. Swapped whole by
 * flushes and full syncs.
 */
import { type Rng, SLOT_COUNT } from '../base/index.ts';
import { Arena, type Ref } from './arena.ts';
import { Entries } from './entry.ts';
import { KeyHash } from './hash.ts';
import { TableSet } from './table.ts';

/** A running snapshot, as a store knows it. */
export interface SnapshotTaker {
  /** Its bit among the marks of entries. */
  readonly mark: number;
  /** Gives it an entry that it waits for. */
  take(store: Store, ref: Ref): void;
}

/** Arena, entries and indexes of one database. */
export class Store {
  readonly arena: Arena = new Arena();
  readonly hash: KeyHash;
  readonly entries: Entries;
  /** Every key: one table, or one a slot in cluster mode. */
  readonly keys: TableSet;
  /** The keys that have an expiry time. */
  readonly expires: TableSet;
  readonly isPerSlot: boolean;
  /** Snapshots that have not walked all of this store yet. */
  readonly snapshots: SnapshotTaker[] = [];
  /** Where in `expires` the active expiry goes on. */
  expireCursor = 0;
  /** Running average of the remaining time to live that active expiry saw, in milliseconds. */
  averageTtlMs = 0;

  constructor(rng: Rng, isPerSlot: boolean) {
    this.hash = new KeyHash(rng);
    this.entries = new Entries(this.arena, this.hash);
    this.keys = new TableSet(this.arena, this.entries, isPerSlot ? SLOT_COUNT : 1);
    this.expires = new TableSet(this.arena, this.entries, 1);
    this.isPerSlot = isPerSlot;
  }

  /**
   * Must run before an entry is changed or freed: the snapshots that wait for it get it as it is.
   */
  beforeChange(ref: Ref): void {
    if (this.entries.activeMarks === 0) return;
    const pending = this.entries.pendingMarks(ref);
    if (pending === 0) return;
    for (const snapshot of this.snapshots) {
      if ((snapshot.mark & pending) !== 0) snapshot.take(this, ref);
    }
  }
}
