/** The keys of some slots, in an order by which one can tell of every key whether it has been passed. */
import type { Database, Ref } from '../keyspace/index.ts';

/** One past the last position in a slot's table. */
const HASH_END = 2 ** 32;

export class SlotWalk {
  readonly #db: Database;
  readonly #slots: readonly number[];
  #at = 0;
  #position = 0;

  constructor(db: Database, slots: readonly number[]) {
    this.#db = db;
    this.#slots = slots;
  }

  get isDone(): boolean {
    return this.#at === this.#slots.length;
  }

  /** Visits about `max` keys as they are now, expired ones too; one that changes meanwhile perhaps twice. */
  next(max: number, visit: (ref: Ref) => void): void {
    const { keys } = this.#db.store;
    for (let left = max; left > 0 && !this.isDone;) {
      const slot = this.#slots[this.#at]!;
      if (keys.counts[slot]! > 0) {
        this.#position = keys.scan(slot, this.#position, left, visit);
        left -= Math.max(1, keys.scannedCount);
      } else {
        this.#position = HASH_END;
        left--;
      }
      if (this.#position === HASH_END) {
        this.#at++;
        this.#position = 0;
      }
    }
  }

  /** Whether the walk is past a key of its slots; what is done to that key now, it will not see. */
  hasPassed(slot: number, key: Buffer): boolean {
    const current = this.#slots[this.#at];
    if (current === undefined || slot !== current) return current === undefined || slot < current;
    return this.#db.store.hash.hash(key, 0, key.length) >>> 0 < this.#position;
  }
}
