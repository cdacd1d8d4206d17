/**
 * Where the entries of a load wait for their place in the key index. Many of them at a time, in hash order, are put in
 * side by side: so each part of the index comes into the processor's caches once for several keys, not for each.
 */
import { keySlot } from '../base/index.ts';
import type { Ref } from './arena.ts';
import type { Store } from './store.ts';
import { grown } from './table.ts';

/** Entries that wait at most: putting them in pauses for about ten milliseconds. */
const ROOM = 65_536;
const FIRST_ROOM = 256;
const BUCKET_BITS = 12;
const BUCKETS: number = 1 << BUCKET_BITS;
/** Of a hash slot, which has 14 bits. */
const SLOT_SHIFT = 2;
/** Beside the hash slot in a mark: the entry has an expiry time. Later on, the entries themselves are far away. */
const EXPIRES = 0x8000;

/** The intake of one store. What waits is not found by any look-up before `flush`. */
export class KeyIntake {
  readonly #store: Store;
  #hashes: Int32Array = new Int32Array(FIRST_ROOM);
  #refs: Int32Array = new Int32Array(FIRST_ROOM);
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
    if (this.#count === this.#refs.length) this.#grow();
    const at = this.#count++;
    const key = entries.key(ref);
    const slot = isPerSlot ? keySlot(key.buf, key.at, key.size) : 0;
    this.#marks[at] = slot | (entries.hasExpiry(ref) ? EXPIRES : 0);
    this.#hashes[at] = entries.hashOf(ref);
    this.#refs[at] = ref;
  }

  /** Takes the entry that was added last away again, if it still waits; whether it did. */
  removeLast(ref: Ref): boolean {
    if (this.#count === 0 || this.#refs[this.#count - 1] !== ref) return false;
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
    let duplicate: Buffer | undefined;
    for (const at of this.#order()) duplicate = this.#link(at) ?? duplicate;
    this.#count = 0;
    return duplicate;
  }

  #link(at: number): Buffer | undefined {
    const { keys, expires, entries } = this.#store;
    const ref = this.#refs[at]!;
    const hash = this.#hashes[at]!;
    const mark = this.#marks[at]!;
    if (keys.insertAbsent(mark & ~EXPIRES, hash, ref, entries)) {
      if ((mark & EXPIRES) !== 0) expires.insert(0, hash, ref);
      return undefined;
    }
    const { buf, at: from, size } = entries.key(ref);
    const duplicate = Buffer.from(buf.subarray(from, from + size));
    this.#free(ref);
    return duplicate;
  }

  #free(ref: Ref): void {
    this.#store.freeValue(ref);
    this.#store.arena.free(ref);
  }

  /** What waits, in the order of hash slots or, with one table, of hashes, as far as BUCKET_BITS tell. */
  #order(): Uint16Array {
    const order = new Uint16Array(this.#count);
    const ends = new Int32Array(BUCKETS);
    for (let i = 0; i < order.length; i++) ends[this.#bucket(i)]!++;
    let end = 0;
    for (let b = 0; b < BUCKETS; b++) {
      end += ends[b]!;
      ends[b] = end;
    }
    for (let i = order.length - 1; i >= 0; i--) order[--ends[this.#bucket(i)]!] = i;
    return order;
  }

  #bucket(at: number): number {
    if (this.#store.isPerSlot) return (this.#marks[at]! & ~EXPIRES) >>> SLOT_SHIFT;
    return this.#hashes[at]! >>> (32 - BUCKET_BITS);
  }

  #grow(): void {
    const room = this.#refs.length * 4;
    this.#hashes = grown(this.#hashes, new Int32Array(room));
    this.#refs = grown(this.#refs, new Int32Array(room));
    this.#marks = grown(this.#marks, new Uint16Array(room));
  }
}
