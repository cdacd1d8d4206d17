/**
 * The reading side of a database: counts, raw look-up, cursors, samples and slots. Nothing here
 * expires a key or counts as a use.
 */
import { type Rng, keySlot } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { Entries } from './entry.ts';
import type { Recency } from './recency.ts';
import type { KeyspaceHooks, KeyspaceState } from './state.ts';
import type { Store } from './store.ts';
import { HASH_END, type TableShape } from './table.ts';

const NO_SLOTS: ReadonlySet<number> = new Set<number>();

/** Reads one database. */
export class DatabaseReader {
  readonly index: number;
  /** What the database holds now; flushes and swaps exchange it, so it is not to be kept. */
  store: Store;
  readonly #recency: Recency;
  readonly #hooks: KeyspaceHooks;

  constructor(index: number, store: Store, { recency, hooks }: KeyspaceState) {
    this.index = index;
    this.#recency = recency;
    this.#hooks = hooks;
    this.store = store;
  }

  /** Reads entries by their refs. Exchanged with the store, so it is not to be kept. */
  get entries(): Entries {
    return this.store.entries;
  }

  get size(): number {
    return this.store.keys.size;
  }

  /** Keys with an expiry time. */
  get volatileCount(): number {
    return this.store.expires.size;
  }

  /**
   * Remaining time to live of volatile keys in milliseconds, a running average of what active
   * expiry saw.
   */
  get averageTtlMs(): number {
    return this.store.averageTtlMs;
  }

  /** The entry of a key, expired or not; nothing else happens. */
  find(buf: Uint8Array, at: number, size: number): Ref {
    const { store } = this;
    const tail = size === 0 ? 0 : (size << 8) | buf[at + size - 1]!;
    const last = store.lastFound;
    if (last !== NONE && tail === store.lastTail && store.entries.hasKey(last, buf, at, size)) {
      return last;
    }
    const table = store.isPerSlot ? keySlot(buf, at, size) : 0;
    const ref = store.keys.find(table, store.hash.hash(buf, at, size), buf, at, size);
    store.lastFound = ref;
    store.lastTail = tail;
    return ref;
  }

  /** A random entry, expired or not, of a database that is not empty. */
  sample(rng: Rng): Ref {
    const keys = this.store.keys;
    return keys.random(keys.randomTable(rng), rng);
  }

  /** One in sight; there are some. */
  sampleShown(rng: Rng): Ref {
    const { keys } = this.store;
    return keys.random(keys.randomTable(rng, this.#hidden), rng);
  }

  /** A random entry with an expiry time, of a database that has one. */
  sampleVolatile(rng: Rng): Ref {
    return this.store.expires.random(0, rng);
  }

  /**
   * Visits about `count` entries, expired ones too, from a cursor on (0 begins) and returns the
   * next cursor (0: done). Entries that are there from begin to end are visited at least once. The
   * visitor may delete the entry it is given. A cursor is hash slot * 2^32 + position in hash
   * order, below 2^46; any other number acts like one near it. Keys of `hidden` slots are left out.
   */
  scan(
    cursor: number,
    count: number,
    visit: (ref: Ref) => void,
    hidden: ReadonlySet<number> = NO_SLOTS,
  ): number {
    const keys = this.store.keys;
    let table = this.#nextTable(Math.floor(cursor / HASH_END), hidden);
    let position = table === Math.floor(cursor / HASH_END) ? cursor % HASH_END : 0;
    for (let left = count; table < keys.counts.length;) {
      position = keys.scan(table, position, left, visit);
      left -= keys.scannedCount;
      if (position === HASH_END) {
        table = this.#nextTable(table + 1, hidden);
        position = 0;
      }
      if (left <= 0) break;
    }
    return table < keys.counts.length ? table * HASH_END + position : 0;
  }

  #nextTable(from: number, hidden: ReadonlySet<number>): number {
    const { keys } = this.store;
    let table = keys.nextTable(from);
    while (hidden.has(table)) table = keys.nextTable(table + 1);
    return table;
  }

  /**
   * Visits every entry, expired ones too, but those of `hidden` slots; the visitor changes nothing but may delete the
   * entry it is given.
   */
  forEach(visit: (ref: Ref) => void, hidden: ReadonlySet<number> = NO_SLOTS): void {
    let cursor = 0;
    do cursor = this.scan(cursor, 1000, visit, hidden);
    while (cursor !== 0);
  }

  /** Keys without those of slots that are hidden. */
  get shownSize(): number {
    let { size } = this;
    for (const slot of this.#hidden) size -= this.countInSlot(slot);
    return size;
  }

  /** `forEach` and `scan` over what is in sight. */
  forEachShown(visit: (ref: Ref) => void): void {
    this.forEach(visit, this.#hidden);
  }

  scanShown(cursor: number, count: number, visit: (ref: Ref) => void): number {
    return this.scan(cursor, count, visit, this.#hidden);
  }

  get #hidden(): ReadonlySet<number> {
    return (this.store.isPerSlot ? this.#hooks.hiddenSlots?.() : undefined) ?? NO_SLOTS;
  }

  /** Keys in a hash slot; cluster mode only, like the next two. */
  countInSlot(slot: number): number {
    return this.store.keys.counts[slot] ?? 0;
  }

  /** Visits up to `max` entries of a slot. */
  keysInSlot(slot: number, max: number, visit: (ref: Ref) => void): void {
    let left = max;
    this.store.keys.scan(slot, 0, max, (ref) => {
      if (left-- > 0) visit(ref);
    });
  }

  /** How the index of the keys lies in memory, and that of the keys with an expiry time. */
  shapes(): { readonly keys: TableShape; readonly expires: TableShape } {
    const { keys, expires } = this.store;
    const shapes = { keys: newShape(), expires: newShape() };
    for (let table = keys.nextTable(0); table < keys.counts.length;) {
      keys.measure(table, shapes.keys);
      table = keys.nextTable(table + 1);
    }
    expires.measure(0, shapes.expires);
    return shapes;
  }

  /** How the table of a value lies in memory; undefined for a value without one. */
  shapeOf(ref: Ref): TableShape | undefined {
    const { store } = this;
    if (!store.entries.isLarge(ref)) return undefined;
    const { tables } = store.large(store.entries.type(ref));
    if (tables === undefined) return undefined;
    const shape = newShape();
    tables.measure(store.entries.firstWord(ref), shape);
    return shape;
  }

  idleSeconds(ref: Ref): number {
    return this.#recency.idleSeconds(this.store.entries.lru(ref));
  }

  frequency(ref: Ref): number {
    return this.#recency.frequency(this.store.entries.lru(ref));
  }

  setIdleSeconds(ref: Ref, seconds: number): void {
    this.store.entries.setLru(ref, this.#recency.bitsForIdle(seconds));
  }

  setFrequency(ref: Ref, counter: number): void {
    this.store.entries.setLru(ref, this.#recency.bitsForFrequency(counter));
  }
}

function newShape(): TableShape {
  return { elements: 0, places: 0, segments: 0 };
}
