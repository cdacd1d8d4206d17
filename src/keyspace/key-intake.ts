/**
 * Where the entries of a load wait for their place in the key index. Many of them at a time, in hash order, are put in
 * side by side: so each part of the index comes into the processor's caches once for several keys, not for each.
 */
import { keySlot } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { ElementBatch } from './segment.ts';
import type { Store } from './store.ts';
import { grown } from './table.ts';

/** Entries that wait at most: putting them in pauses for about ten milliseconds. */
const ROOM = 65_536;
const FIRST_ROOM = 256;
/** As many as a hash slot has. */
const BUCKET_BITS = 14;
const BUCKETS: number = 1 << BUCKET_BITS;
/** Beside the hash slot in a mark: the entry has an expiry time. Later on, the entries themselves are far away. */
const EXPIRES = 0x8000;

/** The intake of one store. What waits is not found by any look-up before `flush`. */
export class KeyIntake implements ElementBatch {
  readonly #store: Store;
  hashes: Int32Array = new Int32Array(FIRST_ROOM);
  refs: Int32Array = new Int32Array(FIRST_ROOM);
  order: Uint16Array = new Uint16Array(0);
  readonly refused: number[] = [];
  #marks: Uint16Array = new Uint16Array(FIRST_ROOM);
  #count = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  get isFull(): boolean {
    return this.#count === ROOM;
  }

  /** Takes an entry that is under no key; there is room. */
  add(ref: Ref): void {
    const { entries, isPerSlot } = this.#store;
    if (this.#count === this.refs.length) this.#grow();
    const at = this.#count++;
    const key = entries.key(ref);
    const slot = isPerSlot ? keySlot(key.buf, key.at, key.size) : 0;
    this.#marks[at] = slot | (entries.hasExpiry(ref) ? EXPIRES : 0);
    this.hashes[at] = entries.hashOf(ref);
    this.refs[at] = ref;
  }

  /** Takes the entry that was added last away again, if it still waits; whether it did. */
  removeLast(ref: Ref): boolean {
    if (this.#count === 0 || this.refs[this.#count - 1] !== ref) return false;
    this.#count--;
    this.#free(ref);
    return true;
  }

  /**
   * Puts all that waits into the index. Of entries whose key is there already nothing stays; one of those keys is
   * returned.
   */
  flush(): Buffer | undefined {
    if (this.#count === 0) return undefined;
    const { keys, entries, expires, isPerSlot } = this.#store;
    this.#sort();
    for (let from = 0; from < this.#count;) {
      const table = isPerSlot ? this.#slotOf(this.order[from]!) : 0;
      let end = isPerSlot ? from + 1 : this.#count;
      while (end < this.#count && this.#slotOf(this.order[end]!) === table) end++;
      keys.insertBatch(table, this, { from, end }, entries);
      from = end;
    }
    const duplicate = this.#freeRefused();
    for (const at of this.order) {
      const ref = this.refs[at]!;
      if (ref !== NONE && (this.#marks[at]! & EXPIRES) !== 0) {
        expires.insert(0, this.hashes[at]!, ref);
      }
    }
    this.#count = 0;
    return duplicate;
  }

  /** Takes away those whose key was there already; one of the keys, if any. */
  #freeRefused(): Buffer | undefined {
    let duplicate: Buffer | undefined;
    for (const at of this.refused) {
      const { buf, at: from, size } = this.#store.entries.key(this.refs[at]!);
      duplicate = Buffer.from(buf.subarray(from, from + size));
      this.#free(this.refs[at]!);
      this.refs[at] = NONE;
    }
    this.refused.length = 0;
    return duplicate;
  }

  #free(ref: Ref): void {
    this.#store.freeValue(ref);
    this.#store.arena.free(ref);
  }

  #slotOf(at: number): number {
    return this.#marks[at]! & ~EXPIRES;
  }

  /** Brings what waits into the order of hash slots, if there is a table for each, and hashes. */
  #sort(): void {
    const order = new Uint16Array(this.#count);
    const ends = new Int32Array(BUCKETS);
    for (let i = 0; i < order.length; i++) ends[this.#bucket(i)]!++;
    let end = 0;
    for (let b = 0; b < BUCKETS; b++) {
      end += ends[b]!;
      ends[b] = end;
    }
    for (let i = order.length - 1; i >= 0; i--) order[--ends[this.#bucket(i)]!] = i;
    // A bucket has few, so what is left to do is little.
    for (let i = 1; i < order.length; i++) {
      const at = order[i]!;
      let to = i;
      for (; to > 0 && this.#isBefore(at, order[to - 1]!); to--) order[to] = order[to - 1]!;
      order[to] = at;
    }
    this.order = order;
  }

  #isBefore(at: number, other: number): boolean {
    const bucket = this.#bucket(at) - this.#bucket(other);
    return bucket === 0 ? this.hashes[at]! >>> 0 < this.hashes[other]! >>> 0 : bucket < 0;
  }

  #bucket(at: number): number {
    if (this.#store.isPerSlot) return this.#slotOf(at);
    return this.hashes[at]! >>> (32 - BUCKET_BITS);
  }

  #grow(): void {
    const room = this.refs.length * 4;
    this.hashes = grown(this.hashes, new Int32Array(room));
    this.refs = grown(this.refs, new Int32Array(room));
    this.#marks = grown(this.#marks, new Uint16Array(room));
  }
}
