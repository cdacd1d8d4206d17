/**
 * Values that are made of many blocks (tables, trees, chains of chunks). Their entry has only two
 * words, whose meaning is the type's; what all types can do with them is said here.
 */
import type { TableSet } from './table.ts';

/** What the entry of a large value holds. */
export interface Words {
  first: number;
  second: number;
}

/** A large value that nobody can reach any more, on its way out. */
export interface Rubble extends Words {
  readonly type: number;
  /** Where to go on; 0 at the start, then whatever the type left here. */
  cursor: number;
}

/** What a store has of each type. */
export interface LargeValueStore {
  large(type: number): LargeValues;
}

/** A type's large values in one store. */
export interface LargeValues {
  /** Frees about `max` blocks; whether any are left. */
  dismantle(rubble: Rubble, max: number): boolean;
  /** Puts a copy of the value into another store (or this one) and its words into `to`. */
  copy(from: Readonly<Words>, target: LargeValueStore, to: Words): void;
  /** Bytes of its blocks, estimated from about `samples` elements (0: all of them). */
  memoryUsage(words: Readonly<Words>, samples: number): number;
  /** The tables that find its elements, where it has such; its own is the first word. */
  readonly tables?: TableSet;
}

/** Blocks freed at once when a value is deleted; what is left goes in slices. */
const AT_ONCE_MAX = 64;

/** Blocks freed of one value before the next has its turn. */
const STEP_BLOCKS = 256;
/** So many values that wait double the haste, */
const CROWD = 128;
/** up to so many times: a slice is one wait for everybody. */
const HASTE_MAX = 8;
/** Places of freed values that are kept in the queue before it is made shorter. */
const FREED_MAX = 1024;

/** The large values of one store that wait to be freed. */
export class Rubbish {
  /** Those before `#first` are freed: to move up the others each time would cost more than to free one. */
  #pending: (Rubble | undefined)[] = [];
  #first = 0;
  readonly #onPending: () => void;

  /** `onPending`: something waits where nothing did. */
  constructor(onPending: () => void) {
    this.#onPending = onPending;
  }

  get pendingCount(): number {
    return this.#pending.length - this.#first;
  }

  /** How many times as much as usual has to be freed at once, or they would become more and more where many are deleted. */
  get haste(): number {
    return Math.min(1 + Math.floor(this.pendingCount / CROWD), HASTE_MAX);
  }

  /** Frees a value: small ones now, large ones by `collect`. */
  add(type: number, words: Readonly<Words>, values: LargeValues): void {
    const rubble = { type, first: words.first, second: words.second, cursor: 0 };
    if (!values.dismantle(rubble, AT_ONCE_MAX)) return;
    this.#pending.push(rubble);
    if (this.pendingCount === 1) this.#onPending();
  }

  /** Frees about `max` blocks of what waits; whether more is waiting. */
  collect(max: number, valuesOf: (type: number) => LargeValues): boolean {
    for (let left = max; left > 0; left -= STEP_BLOCKS) {
      const rubble = this.#pending[this.#first];
      if (rubble === undefined) return false;
      const blocks = Math.min(left, STEP_BLOCKS);
      if (!valuesOf(rubble.type).dismantle(rubble, blocks)) this.#drop();
    }
    return this.pendingCount > 0;
  }

  #drop(): void {
    this.#pending[this.#first++] = undefined;
    if (this.pendingCount === 0) this.#pending = [];
    else if (this.#first < FREED_MAX || this.#first < this.pendingCount) return;
    else this.#pending = this.#pending.slice(this.#first);
    this.#first = 0;
  }
}
