/**
 * Hashes. A small one is a listpack in its entry; a large one is a table, whose number is the
 * entry's first word, of elements that have their value's size and bytes behind the field.
 */
import { type Rng, invariant } from '../base/index.ts';
import {
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  NOWHERE,
  listpackCount,
  listpackNext,
  listpackPairs,
  listpackSeek,
} from '../rdb/index.ts';
import { NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { copyIn } from './bytes.ts';
import { Elements, readSize, sizeBytes, writeSize } from './elements.ts';
import {
  type BytesView,
  ENCODING_HASHTABLE,
  ENCODING_LISTPACK,
  type Entries,
  TYPE_HASH,
} from './entry.ts';
import { EMPTY_LISTPACK, PACKED_BYTES_MAX, PackedHash, type Pieces } from './hash-packed.ts';
import type { KeyHash } from './hash.ts';
import type { LargeValueStore, LargeValues, Rubble, Words } from './large-values.ts';
import { TableElements } from './table-elements.ts';
import type { TableSet } from './table.ts';
import type { ValueHost } from './value-host.ts';

type Pair = (field: BytesView, value: BytesView) => void;

/** The hashes of one store. Field and value come in Buffers that are not of this store. */
export class Hashes implements LargeValues {
  /** Whether the last `set` made a new field, or the last `remove` took one out. */
  isChanged = false;
  /** The field that `random` drew, and its value. */
  readonly field: ListpackReader = new ListpackReader();
  readonly value: ListpackReader = new ListpackReader();
  /** A number for each field: what `random` drew, its element or its index in a listpack. */
  drawn = 0;
  readonly #entries: Entries;
  readonly #elements: Elements;
  readonly tables: TableSet;
  readonly #large: TableElements;
  readonly #packed = new PackedHash();
  readonly #words: Words = { first: 0, second: 0 };

  constructor(entries: Entries, hash: KeyHash) {
    this.#entries = entries;
    this.#elements = new Elements(entries.arena, hash, 0);
    this.#large = new TableElements(this.#elements, valueBytes);
    this.tables = this.#large.tables;
  }

  /** Number of fields. */
  size(ref: Ref): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) return this.tables.counts[entries.firstWord(ref)]!;
    const view = entries.stringView(ref);
    return listpackCount(view.buf, view.at) >>> 1;
  }

  /** The value of a field, in a view that the next call reuses; undefined when there is none. */
  get(ref: Ref, buf: Buffer, at: number, size: number): BytesView | undefined {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const hash = this.#elements.hash(buf, at, size);
      const element = this.tables.find(entries.firstWord(ref), hash, buf, at, size);
      return element === NONE ? undefined : this.#readValue(element);
    }
    const view = entries.stringView(ref);
    const pos = this.#packed.find(view, buf, at, size);
    if (pos === NOWHERE) return undefined;
    this.value.read(view.buf, listpackNext(view.buf, pos));
    return this.value;
  }

  /**
   * An empty hash under a key that is not there yet; the caller sets its first field next. `expected`: how many fields it
   * is going to have, for which room is made.
   */
  create(db: ValueHost, key: BytesView, expected: number = 1): Ref {
    if (expected <= db.limits['hash-max-listpack-entries'] || expected === 1) {
      return db.addBlob(key, TYPE_HASH, ENCODING_LISTPACK, EMPTY_LISTPACK);
    }
    const words = { first: this.tables.allocate(), second: 0 };
    this.tables.reserve(words.first, expected);
    return db.addLarge(key, TYPE_HASH, ENCODING_HASHTABLE, words);
  }

  /**
   * A hash of the pairs in pieces [first, end) under a key that is not there yet, and `isChanged`:
   * whether it could be made in one go. If not, it is empty, and the caller sets the pairs.
   */
  createWith(db: ValueHost, key: BytesView, pieces: Pieces, first: number, end: number): Ref {
    this.isChanged = false;
    const { limits } = db;
    let isSmall = (end - first) >>> 1 <= limits['hash-max-listpack-entries'];
    const longest = limits['hash-max-listpack-value'];
    for (let i = first; i < end && isSmall; i++) isSmall = pieces.size[i]! <= longest;
    const blob = isSmall ? this.#packed.build(pieces, first, end) : undefined;
    if (blob === undefined) return this.create(db, key);
    this.isChanged = true;
    return db.addBlob(key, TYPE_HASH, ENCODING_LISTPACK, blob);
  }

  /** Sets a field; the entry's ref from then on, and `isChanged`. The caller counts the change. */
  set(db: ValueHost, ref: Ref, field: Readonly<BytesView>, value: Readonly<BytesView>): Ref {
    db.store.beforeChange(ref);
    if (this.#entries.isLarge(ref)) return this.#setLarge(ref, field, value);
    const { limits } = db;
    const view = this.#entries.stringView(ref);
    const longest = Math.max(field.size, value.size);
    const isLong =
      longest > limits['hash-max-listpack-value'] ||
      view.size + field.size + value.size > PACKED_BYTES_MAX;
    if (isLong) return this.#setLarge(this.#enlarge(db, ref), field, value);
    const pos = this.#packed.find(view, field.buf, field.at, field.size);
    this.isChanged = pos === NOWHERE;
    if (!this.isChanged) {
      return this.#packed.replace(db, ref, listpackNext(view.buf, pos), value);
    }
    if (this.size(ref) >= limits['hash-max-listpack-entries']) {
      return this.#setLarge(this.#enlarge(db, ref), field, value);
    }
    return this.#packed.append(db, ref, field, value);
  }

  /** Takes a field out; the entry's ref from then on, and `isChanged`. The hash may be empty after it. */
  remove(db: ValueHost, ref: Ref, buf: Buffer, at: number, size: number): Ref {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const table = entries.firstWord(ref);
      const hash = this.#elements.hash(buf, at, size);
      const element = this.tables.find(table, hash, buf, at, size);
      this.isChanged = element !== NONE;
      if (!this.isChanged) return ref;
      db.store.beforeChange(ref);
      this.tables.remove(table, hash, element);
      entries.arena.free(element);
      return ref;
    }
    const pos = this.#packed.find(entries.stringView(ref), buf, at, size);
    this.isChanged = pos !== NOWHERE;
    if (!this.isChanged) return ref;
    db.store.beforeChange(ref);
    return this.#packed.remove(db, ref, pos);
  }

  /** Puts a field of a hash that has any, each with the same chance, into `field` and `value`. */
  random(ref: Ref, rng: Rng): void {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      this.drawn = this.tables.random(entries.firstWord(ref), rng);
      this.#readField(this.drawn);
      this.#readValue(this.drawn);
      return;
    }
    const { buf, at, size } = entries.stringView(ref);
    this.drawn = rng.below(listpackCount(buf, at) >>> 1);
    this.value.read(buf, this.field.read(buf, listpackSeek(buf, at, size, this.drawn * 2)));
  }

  /** What puts the pair of an index in a listpack into `field` and `value`, until the hash changes. */
  packedReader(ref: Ref): (index: number) => void {
    const { buf, at } = this.#entries.stringView(ref);
    const positions = listpackPairs(buf, at);
    return (index) => void this.value.read(buf, this.field.read(buf, positions[index]!));
  }

  /** Visits every field and its value, those of a listpack in their order; the visitor changes no hash. */
  forEach(ref: Ref, visit: Pair): void {
    this.scan(ref, 0, Infinity, visit);
  }

  /**
   * Visits about `count` fields from a cursor on (0 begins) and returns the next cursor (0: done);
   * all of a listpack at once. Fields that are there from begin to end are visited.
   */
  scan(ref: Ref, cursor: number, count: number, visit: Pair): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const visitElement = (element: Ref): void =>
        visit(this.#readField(element), this.#readValue(element));
      return this.#large.scan(entries.firstWord(ref), { cursor, count }, visitElement);
    }
    const { buf, at } = entries.stringView(ref);
    for (let pos = at + LISTPACK_HEADER_BYTES; buf[pos] !== LISTPACK_END;) {
      pos = this.value.read(buf, this.field.read(buf, pos));
      visit(this.field, this.value);
    }
    return 0;
  }

  dismantle(rubble: Rubble, max: number): boolean {
    return this.#large.dismantle(rubble, max);
  }

  copy(from: Readonly<Words>, target: LargeValueStore, to: Words): void {
    const hashes = target.large(TYPE_HASH);
    invariant(hashes instanceof Hashes, 'the large values of type hash are hashes');
    hashes.#large.copyFrom(this.#large, from.first, to);
  }

  memoryUsage(words: Readonly<Words>, samples: number): number {
    return this.#large.memoryUsage(words.first, samples);
  }

  #readField(element: Ref): BytesView {
    const { buf, at, size } = this.#elements.name(element);
    this.field.buf = buf;
    this.field.at = at;
    this.field.size = size;
    return this.field;
  }

  #readValue(element: Ref): BytesView {
    const { value } = this;
    const at = this.#elements.payloadAt(element);
    value.buf = this.#entries.arena.u8[element >>> SLAB_SHIFT]!;
    value.size = readSize(value.buf, at);
    value.at = at + sizeBytes(value.size);
    return value;
  }

  /** Makes a listpack a table. */
  #enlarge(db: ValueHost, ref: Ref): Ref {
    const words = this.#words;
    words.first = this.tables.allocate();
    this.forEach(ref, (field, value) => {
      const hash = this.#elements.hash(field.buf, field.at, field.size);
      this.tables.insert(words.first, hash, this.#createElement(field, value));
    });
    return db.makeLarge(ref, ENCODING_HASHTABLE, words);
  }

  #setLarge(ref: Ref, field: Readonly<BytesView>, value: Readonly<BytesView>): Ref {
    const { arena } = this.#entries;
    const table = this.#entries.firstWord(ref);
    const hash = this.#elements.hash(field.buf, field.at, field.size);
    const old = this.tables.find(table, hash, field.buf, field.at, field.size);
    this.isChanged = old === NONE;
    if (old === NONE) {
      this.tables.insert(table, hash, this.#createElement(field, value));
      return ref;
    }
    const payloadAt = this.#elements.payloadAt(old);
    const headBytes = payloadAt - ((old & UNIT_MASK) << 3);
    const need = headBytes + sizeBytes(value.size) + value.size;
    const capacity = arena.capacity(old);
    if (need <= capacity && need * 2 >= capacity) this.#writeValue(old, payloadAt, value);
    else {
      this.tables.replace(table, hash, old, this.#createElement(field, value));
      arena.free(old);
    }
    return ref;
  }

  #createElement(field: Readonly<BytesView>, value: Readonly<BytesView>): Ref {
    const payloadBytes = sizeBytes(value.size) + value.size;
    const element = this.#elements.create(field.buf, field.at, field.size, payloadBytes);
    this.#writeValue(element, this.#elements.payloadAt(element), value);
    return element;
  }

  #writeValue(element: Ref, payloadAt: number, value: Readonly<BytesView>): void {
    const { u8, views } = this.#entries.arena;
    const slab = element >>> SLAB_SHIFT;
    const bytes = u8[slab]!;
    const to = writeSize(bytes, payloadAt, value.size);
    copyIn(value.buf, value.at, bytes, views[slab]!, to, value.size);
  }
}

function valueBytes(buf: Uint8Array, at: number): number {
  const size = readSize(buf, at);
  return sizeBytes(size) + size;
}
