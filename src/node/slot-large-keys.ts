/**
 * Large values of slots on their way to another node: one after the other, in pieces, so that no client waits for a
 * whole one. One that is written to meanwhile begins anew.
 */
import { type Database, NONE, type Ref, type Store } from '../keyspace/index.ts';
import { type SlotFormat, copyOf } from './slot-format.ts';
import { ValueCommands } from './value-commands.ts';

/** A value that is written to all the time would never be through: after so many times it goes whole. */
const RESTARTS_MAX = 3;

interface LargeKey {
  readonly key: Buffer;
  restarts: number;
}

export class SlotLargeKeys {
  readonly #db: Database;
  readonly #format: SlotFormat;
  readonly #values: ValueCommands;
  /** Not sent, or the first of them not whole. */
  readonly #waiting: LargeKey[] = [];
  /** Where the value is that was begun. */
  #store: Store | undefined;

  constructor(db: Database, format: SlotFormat) {
    this.#db = db;
    this.#format = format;
    this.#values = new ValueCommands((...args) => format.put(...args));
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(ref: Ref): void {
    this.#waiting.push({ key: copyOf(this.#db.entries.key(ref)), restarts: 0 });
  }

  /** Whether a key is still to be sent: what is done to it need not follow. */
  has(key: Buffer): boolean {
    return this.#waiting.some((each) => each.key.equals(key));
  }

  /** A key was written to. */
  changed(key: Buffer): void {
    const [first] = this.#waiting;
    if (this.#store === undefined || first?.key.equals(key) !== true) return;
    first.restarts++;
    this.#store = undefined;
  }

  /** Goes on for about `max` elements. */
  next(max: number): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { store } = this.#db;
    if (this.#store !== store) {
      const { key, restarts } = first;
      const ref = this.#db.find(key, 0, key.length);
      this.#format.put('DEL', key);
      if (ref === NONE || !store.entries.isLarge(ref) || restarts > RESTARTS_MAX) {
        if (ref !== NONE) this.#format.entry(ref);
        this.#waiting.shift();
        return;
      }
      this.#values.begin(store, ref);
      this.#store = store;
    }
    if (this.#values.next(max)) return;
    this.#waiting.shift();
    this.#store = undefined;
  }
}
