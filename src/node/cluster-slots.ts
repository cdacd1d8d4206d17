/** Keys of slots that went to another node, or never came to be this one's. */
import type { Slot } from '../base/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { ClusterHost } from './cluster-host.ts';

/** Keys deleted at once, before anything else happens; more of them go in slices. */
const AT_ONCE_KEYS = 1000;
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
    if (this.#left.size === 0 && this.#delete(slot, AT_ONCE_KEYS) === 0) return;
    this.#left.add(slot);
    if (this.#left.size === 1) this.#inside.addWork(() => this.#slice());
  }

  /** Deletes what is left of a slot now, because its keys may come back in another way. */
  finish(slot: Slot): void {
    if (!this.#left.delete(slot) || this.#isMine(slot)) return;
    this.#delete(slot, Infinity);
  }

  #slice(): boolean {
    // A replica is told what to delete.
    if (this.#inside.keyspace.expiryMode !== 'delete') this.#left.clear();
    let left = SLICE_KEYS;
    for (const slot of this.#left) {
      const before = this.#count(slot);
      // What came back to this node is not rubbish any more.
      if (this.#isMine(slot) || this.#delete(slot, left) === 0) this.#left.delete(slot);
      left -= before - this.#count(slot) + 1;
      if (left <= 0) break;
    }
    return this.#left.size > 0;
  }

  #count(slot: Slot): number {
    return this.#inside.keyspace.db(0).countInSlot(slot);
  }

  /** Deletes up to `max` keys; returns how many are left. */
  #delete(slot: Slot, max: number): number {
    const { keyspace } = this.#inside;
    const db = keyspace.db(0);
    const keys: Buffer[] = [];
    db.keysInSlot(slot, Math.min(max, this.#count(slot)), (ref) => {
      const { buf, at, size } = db.entries.key(ref);
      keys.push(Buffer.from(buf.subarray(at, at + size)));
    });
    const { dirty } = keyspace;
    for (const key of keys) db.deleteKey(key, 0, key.length);
    // The DELs below are all that is passed on, also when a client's command caused this.
    keyspace.dirty = dirty;
    for (const key of keys) {
      this.#host.propagate(0, ['DEL', key]);
      this.#host.notifyDeleted(0, key);
    }
    return this.#count(slot);
  }
}
