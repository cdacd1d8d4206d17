/**
 * What one database holds: its arena, its entries and the two indexes over them. Swapped whole by
 * flushes and full syncs.
 */
import { type Rng, SLOT_COUNT, invariant } from '../base/index.ts';
import { Arena, NONE, type Ref } from './arena.ts';
import type { SpareChunks } from './chunks.ts';
import type { HeapRoom } from './pages.ts';
import { Entries, TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_ZSET } from './entry.ts';
import { KeyHash } from './hash.ts';
import { Hashes } from './hashes.ts';
import { type LargeValues, Rubbish, type Words } from './large-values.ts';
import { Lists } from './lists.ts';
import { Sets } from './sets.ts';
import { Streams } from './streams.ts';
import { TableSet } from './table.ts';
import { SortedSets } from './zsets.ts';

/** A running snapshot, as a store knows it. */
export interface SnapshotTaker {
  /** Its bit among the marks of entries. */
  readonly mark: number;
  /** Gives it an entry that it waits for. */
  take(store: Store, ref: Ref): void;
}

/** Arena, entries and indexes of one database. */
export class Store {
  readonly arena: Arena;
  readonly hash: KeyHash;
  readonly entries: Entries;
  /** Every key: one table, or one a slot in cluster mode. */
  readonly keys: TableSet;
  /** The keys that have an expiry time. */
  readonly expires: TableSet;
  readonly isPerSlot: boolean;
  readonly hashes: Hashes;
  readonly lists: Lists;
  readonly sets: Sets;
  readonly zsets: SortedSets;
  /** Large values that wait to be freed. */
  readonly rubbish: Rubbish;
  readonly streams: Streams;
  /** Snapshots that have not walked all of this store yet. */
  readonly snapshots: SnapshotTaker[] = [];
  /** Where in `expires` the active expiry goes on. */
  expireCursor = 0;
  /** Running average of the remaining time to live that active expiry saw, in milliseconds. */
  averageTtlMs = 0;
  /** The key that was found last, or NONE: often it is asked for again, and then nothing needs to be hashed. */
  lastFound: Ref = NONE;
  /** Size and last byte of that key in one number, which tells most other keys from it. */
  lastTail = 0;

  readonly #large: (LargeValues | undefined)[] = [];
  readonly #words: Words = { first: 0, second: 0 };

  /** `onRubbish`: large values wait for `collect`; `memory`: what stores of a keyspace have together. */
  constructor(
    rng: Rng,
    isPerSlot: boolean,
    onRubbish: () => void,
    memory: { readonly spare: SpareChunks; readonly room: HeapRoom },
  ) {
    this.arena = new Arena(memory.spare, memory.room);
    this.hash = new KeyHash(rng);
    this.entries = new Entries(this.arena, this.hash);
    this.keys = new TableSet(this.arena, this.entries, isPerSlot ? SLOT_COUNT : 1);
    this.expires = new TableSet(this.arena, this.entries, 1);
    this.isPerSlot = isPerSlot;
    this.sets = new Sets(this.entries, this.hash);
    this.hashes = new Hashes(this.entries, this.hash);
    this.zsets = new SortedSets(this.entries, this.hash);
    this.rubbish = new Rubbish(onRubbish);
    this.lists = new Lists(this.entries, this.rubbish);
    this.#large[TYPE_LIST] = this.lists;
    this.#large[TYPE_SET] = this.sets;
    this.#large[TYPE_ZSET] = this.zsets.large;
    this.#large[TYPE_HASH] = this.hashes;
    this.streams = new Streams(this.arena, this.hash, this.rubbish);
    this.#large[TYPE_STREAM] = this.streams;
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

  /** Gives the memory away, if nobody walks this store; it is dead then. */
  retire(): void {
    if (this.snapshots.length === 0) this.arena.retire();
  }

  /** An entry went to another block, or away (`to` is NONE). */
  moved(ref: Ref, to: Ref): void {
    if (this.lastFound === ref) this.lastFound = to;
  }

  /** The large values of a type. */
  large(type: number): LargeValues {
    const values = this.#large[type];
    invariant(values !== undefined, 'a type with large values says what they are');
    return values;
  }

  /** The words of a large value, in an object that the next call reuses. */
  words(ref: Ref): Words {
    this.#words.first = this.entries.firstWord(ref);
    this.#words.second = this.entries.secondWord(ref);
    return this.#words;
  }

  /** Frees what an entry's value holds outside the entry. */
  freeValue(ref: Ref): void {
    const { entries } = this;
    if (entries.isOut(ref)) this.arena.free(entries.outBlock(ref));
    else if (entries.isLarge(ref)) {
      const type = entries.type(ref);
      this.rubbish.add(type, this.words(ref), this.large(type));
    }
  }

  /** Frees about `max` blocks of deleted large values; whether more are waiting. */
  collect(max: number): boolean {
    return this.rubbish.collect(max, (type) => this.large(type));
  }

  /** Bytes of an entry with its value, large ones estimated from about `samples` elements (0: all). */
  memoryUsage(ref: Ref, samples: number): number {
    const { entries } = this;
    const own = entries.memoryUsage(ref);
    if (!entries.isLarge(ref)) return own;
    return own + this.large(entries.type(ref)).memoryUsage(this.words(ref), samples);
  }
}
