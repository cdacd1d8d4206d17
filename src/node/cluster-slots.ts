/** Keys of slots that went to another node, or never came to be this one's. */
import type { Slot } from '../base/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { ClusterHost } from './cluster-host.ts';

/** Keys deleted at once, before anything else happens, whatever slots they are of; more of them go in slices. */
const AT_ONCE_KEYS = 128;
const SLICE_KEYS = 256;

interface CleanerHost {
  readonly keyspace: Keyspace;
  addWork(slice: () => boolean): void;
}

/** Deletes them here and at our replicas, one DEL a key as Redis does. */
export class SlotCleaner {
  readonly #inside: CleanerHost;
  readonly #host: ClusterHost;
  readonly #isMine: (slot: Slot) => boolean;
  readonly #left: Set<Slot> = new Set();
  /** Keys that may still go at once before the next slice. */
  #atOnceLeft = AT_ONCE_KEYS;
  #isWorking = false;

  constructor(inside: CleanerHost, host: ClusterHost, isMine: (slot: Slot) => boolean) {
    this.#inside = inside;
    this.#host = host;
    this.#isMine = isMine;
  }

  /** Those that are not through. */
  get slots(): ReadonlySet<Slot> {
    return this.#left;
  }

  add(slot: Slot): void {
    this.#left.add(slot);
    if (this.#left.size === 1) this.#atOnceLeft -= this.#clean(this.#atOnceLeft);
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#inside.addWork(() => this.#slice());
  }

  /** Deletes what is left of a slot now, because its keys may come back in another way. */
  finish(slot: Slot): void {
    if (!this.#left.delete(slot) || this.#isMine(slot)) return;
    this.#delete(slot, Infinity);
  }

  #slice(): boolean {
    // A replica is told what to delete.
    if (this.#inside.keyspace.expiryMode !== 'delete') this.#left.clear();
    this.#clean(SLICE_KEYS);
    this.#isWorking = this.#left.size > 0;
    if (!this.#isWorking) this.#atOnceLeft = AT_ONCE_KEYS;
    return this.#isWorking;
  }

  /** Deletes up to about `max` keys; returns how many, each slot counted as one. */
  #clean(max: number): number {
    let done = 0;
    for (const slot of this.#left) {
      if (done >= max) break;
      const before = this.#count(slot);
      // What came back to this node is not rubbish any more.
      if (this.#isMine(slot) || this.#delete(slot, max - done) === 0) this.#left.delete(slot);
      done += before - this.#count(slot) + 1;
    }
    return done;
  }

  #count(slot: Slot): number {
    return this.#inside.keyspace.db(0).countInSlot(slot);
  }

  /** Deletes up to `max` keys; returns how many are left. */
  #delete(slot: Slot, max: number): number {
    const { keyspace } = this.#inside;
    const db = keyspace.db(0);
    const keys: Buffer[] = [];
    const { dirty } = keyspace;
    db.keysInSlot(slot, Math.min(max, this.#count(slot)), (ref) => {
      const { buf, at, size } = db.entries.key(ref);
      keys.push(Buffer.from(buf.subarray(at, at + size)));
      db.delete(ref);
    });
    // The DELs below are all that is passed on, also when a client's command caused this.
    keyspace.dirty = dirty;
    for (const key of keys) {
      this.#host.propagate(0, ['DEL', key]);
      this.#host.notifyDeleted(0, key);
    }
    return this.#count(slot);
  }
}
