/**
 * The storage of a table: a list for the keys 1, 2, 3 …, and a part that finds any other key in two dense arrays, in the order
 * of insertion. A key whose value becomes nil keeps its place until the next insertion that cleans up, so that a table can
 * be emptied while it is walked. The fields are open to compiled code, which reads and replaces list elements in place.
 */

/** Up to so many keys are found by looking at each; more get an index. */
const SCAN_MAX = 8;

// Shared by all empty tables, and never changed.
const NO_LIST: undefined[] = [undefined];
const NO_KEYS: never[] = [];

/** Fewer keys than this are not worth a list with holes. */
const DENSE_MIN = 4;
/** A list is at most so long. Source: Lua 5.1, ltable.c, MAXBITS. */
const LIST_BITS_MAX = 26;

export class TableStore<V> {
  /** Element i is the value of key i; element 0 is always undefined, and the last one never, unless it is element 0. */
  list: (V | undefined)[] = NO_LIST;
  keys: V[] = NO_KEYS;
  values: (V | undefined)[] = NO_KEYS;
  /** Whether `keys` belongs to this table alone. */
  #ownsKeys = false;
  #index: Map<V, number> | undefined = undefined;
  /** Keys of the second part without a value. */
  #dead = 0;
  /** Keys of the second part that are numbers, values or not: whether a longer list could take some over. */
  #numberKeys = 0;
  /** The longest that the list was: a walk may stand on a key that has gone. */
  #listMax = 1;

  /** A border: 0, or an n with a value at n and none at n + 1. */
  get length(): number {
    return this.list.length - 1;
  }

  get(key: V | undefined): V | undefined {
    if (typeof key === 'number') return this.getIndex(key);
    const at = this.#find(key as V);
    return at < 0 ? undefined : this.values[at];
  }

  /** As `get`, of a key that is no number. */
  getString(key: string): V | undefined {
    const at = this.#find(key as V);
    return at < 0 ? undefined : this.values[at];
  }

  /** Where a key that is no number stands in `keys`; -1 if nowhere. */
  fieldIndex(key: string): number {
    return this.#find(key as V);
  }

  /** As `get`, of any number. */
  getIndex(key: number): V | undefined {
    if (key > 0 && key < this.list.length && Number.isInteger(key)) return this.list[key];
    if (this.#numberKeys === 0) return undefined;
    const at = this.#find(key as V);
    return at < 0 ? undefined : this.values[at];
  }

  /** @param key neither undefined nor NaN */
  set(key: V, value: V | undefined): void {
    if (typeof key === 'number') this.setIndex(key, value);
    else this.#put(key, value);
  }

  /** As `set`, of a key that is no number. */
  setString(key: string, value: V | undefined): void {
    this.#put(key as V, value);
  }

  /** As `set`, of any number but NaN. */
  setIndex(key: number, value: V | undefined): void {
    const { list } = this;
    if (key > 0 && key < list.length && Number.isInteger(key)) {
      list[key] = value;
      if (value === undefined && key === list.length - 1) this.#trim();
    } else if (key === list.length && value !== undefined) this.#append(value);
    else this.#put(key as V, value);
  }

  /** The key and value behind `key`; behind the last one undefined. Throws RangeError if there was never such a key. */
  next(key: V | undefined): [V, V] | undefined {
    const place = this.advance(key === undefined ? 0 : this.#placeOf(key));
    return place === 0 ? undefined : [this.keyAt(place), this.valueAt(place) as V];
  }

  /** The place of the next value behind the place of another: a number that only has a meaning here, 0 before and behind all. */
  advance(place: number): number {
    let index = -place;
    if (place >= 0) {
      for (let at = place + 1; at < this.list.length; at++) {
        if (this.list[at] !== undefined) return at;
      }
      index = 0;
    }
    for (; index < this.keys.length; index++) {
      if (this.values[index] !== undefined) return -index - 1;
    }
    return 0;
  }

  keyAt(place: number): V {
    return place > 0 ? (place as V) : (this.keys[-place - 1] as V);
  }

  valueAt(place: number): V | undefined {
    return place > 0 ? this.list[place] : this.values[-place - 1];
  }

  /** Puts a value before the one at `at`, which is in [1, length]. */
  insertAt(at: number, value: V): void {
    // The last value is appended anew, in case that the key behind it is taken.
    const last = this.list[this.list.length - 1] as V;
    this.list.splice(at, 0, value);
    this.list.pop();
    this.#append(last);
  }

  /** Takes the value at `at`, which is in [1, length), out of the list. */
  removeAt(at: number): void {
    this.list.splice(at, 1);
    this.#trim();
  }

  /** Makes `list`, which nobody else may hold, the list of this empty table; its element 0 must be undefined. */
  adoptList(list: (V | undefined)[]): this {
    this.list = list;
    this.#listMax = list.length;
    if (list.length > 1 && list[list.length - 1] === undefined) this.#trim();
    return this;
  }

  /** Gives this table, which has no keys but of its list, some. `keys` may be shared and must be different strings, up to eight. */
  adoptFields(keys: V[], values: (V | undefined)[]): this {
    this.keys = keys;
    this.values = values;
    for (const value of values) if (value === undefined) this.#dead++;
    return this;
  }

  #find(key: V): number {
    if (this.#index !== undefined) return this.#index.get(key) ?? -1;
    const { keys } = this;
    for (let at = 0; at < keys.length; at++) if (keys[at] === key) return at;
    return -1;
  }

  #placeOf(key: V): number {
    const isIndex = typeof key === 'number' && key > 0 && Number.isInteger(key);
    if (isIndex && key < this.list.length) return key;
    const at = this.#find(key);
    if (at >= 0) return -at - 1;
    // It was in the list, which has become shorter since.
    if (isIndex && key < this.#listMax) return key;
    throw new RangeError("invalid key to 'next'");
  }

  #put(key: V, value: V | undefined): void {
    const at = this.#find(key);
    if (at < 0) {
      if (value !== undefined) this.#insert(key, value);
      return;
    }
    if (this.values[at] === undefined) this.#dead--;
    if (value === undefined) this.#dead++;
    this.values[at] = value;
  }

  #insert(key: V, value: V): void {
    if (this.#dead * 2 > this.keys.length) this.#compact();
    if (!this.#ownsKeys) {
      this.keys = this.keys.slice();
      if (this.values === NO_KEYS) this.values = [];
      this.#ownsKeys = true;
    }
    const at = this.keys.push(key) - 1;
    this.values.push(value);
    if (typeof key === 'number') {
      this.#numberKeys++;
      // Asked when the number of keys doubles.
      if (at >= DENSE_MIN && (at & (at - 1)) === 0 && this.#growList()) return;
    }
    if (this.#index !== undefined) this.#index.set(key, at);
    else if (at >= SCAN_MAX) this.#index = new Map(this.keys.map((each, index) => [each, index]));
  }

  #append(value: V): void {
    if (this.list === NO_LIST) this.list = [undefined];
    const { list } = this;
    if (this.#numberKeys > 0) this.#forget(this.#find(list.length as V));
    list.push(value);
    if (this.#numberKeys > 0) this.#takeOver();
    if (list.length > this.#listMax) this.#listMax = list.length;
  }

  /** What was put beyond the end of the list before is now part of it. */
  #takeOver(): void {
    const { list } = this;
    for (;;) {
      const at = this.#find(list.length as V);
      const moved = at < 0 ? undefined : this.values[at];
      if (moved === undefined) return;
      this.#forget(at);
      list.push(moved);
    }
  }

  /** A number of the second part is in the list from now on: a walk must not find it in both. */
  #forget(at: number): void {
    if (at < 0) return;
    this.#index?.delete(this.keys[at] as V);
    // Equal to no key.
    this.keys[at] = Number.NaN as V;
    if (this.values[at] !== undefined) this.#dead++;
    this.values[at] = undefined;
    this.#numberKeys--;
  }

  /** Moves keys into the list if more than half of its places would then be taken. Answers whether it has. */
  #growList(): boolean {
    const counts: number[] = Array.from({ length: LIST_BITS_MAX + 1 }, () => 0);
    for (const [at, key] of this.keys.entries()) {
      if (!isListKey(key) || this.values[at] === undefined) continue;
      const bits = Math.ceil(Math.log2(key));
      counts[bits] = (counts[bits] as number) + 1;
    }
    let taken = this.list.length - 1;
    let end = 0;
    for (const [bits, count] of counts.entries()) {
      taken += count;
      if (taken > 2 ** bits / 2 && 2 ** bits >= this.list.length) end = 2 ** bits;
    }
    if (end === 0) return false;
    if (this.list === NO_LIST) this.list = [undefined];
    while (this.list.length <= end) this.list.push(undefined);
    for (const [at, key] of this.keys.entries()) {
      if (!isListKey(key) || key > end) continue;
      this.list[key] = this.values[at];
      this.values[at] = undefined;
    }
    this.#trim();
    this.#compact();
    this.#takeOver();
    this.#listMax = Math.max(this.#listMax, this.list.length);
    return true;
  }

  #trim(): void {
    const { list } = this;
    let length = list.length;
    while (length > 1 && list[length - 1] === undefined) length--;
    list.length = length;
  }

  /** Throws keys without values out. */
  #compact(): void {
    const { keys, values } = this;
    this.keys = keys.filter((_key, at) => values[at] !== undefined);
    this.values = values.filter((value) => value !== undefined);
    this.#ownsKeys = true;
    this.#dead = 0;
    this.#numberKeys = this.keys.filter((key) => typeof key === 'number').length;
    if (this.#index === undefined) return;
    this.#index =
      this.keys.length < SCAN_MAX
        ? undefined
        : new Map(this.keys.map((key, index) => [key, index]));
  }
}

function isListKey(key: unknown): key is number {
  return typeof key === 'number' && key > 0 && key <= 2 ** LIST_BITS_MAX && Number.isInteger(key);
}
