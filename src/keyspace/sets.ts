/**
 * Sets. A small set of integers is an intset in its entry; any other is a table of elements whose
 * number is the entry's first word.
 */
import {
  DIGITS_MAX,
  NOT_INTEGER,
  type Rng,
  invariant,
  parseInt64,
  writeDigits,
} from '../base/index.ts';
import {
  INTSET_HEADER_BYTES,
  intsetCount,
  intsetFind,
  intsetGet,
  intsetPut,
  intsetWidth,
  intsetWidthFor,
  writeIntsetHeader,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { spliceBlob } from './blob.ts';
import { Elements } from './elements.ts';
import {
  type BytesView,
  ENCODING_HASHTABLE,
  ENCODING_INTSET,
  type Entries,
  TYPE_SET,
} from './entry.ts';
import type { KeyHash } from './hash.ts';
import type { LargeValueStore, LargeValues, Rubble, Words } from './large-values.ts';
import { TableElements } from './table-elements.ts';
import type { TableSet } from './table.ts';
import type { ValueHost } from './value-host.ts';

/** Largest number of elements of an intset, whatever the limit says. Source: 7.0 t_set.c. */
const INTSET_ENTRIES_MAX: number = 2 ** 30;
/** Members that `forEachWhile` takes at a time. */
const WHILE_SLICE = 100;
const EMPTY_INTSET: BytesView = { buf: Buffer.alloc(INTSET_HEADER_BYTES), at: 0, size: 0 };
EMPTY_INTSET.size = INTSET_HEADER_BYTES;
writeIntsetHeader(EMPTY_INTSET.buf, 0, 2, 0);

/** The sets of one store. Members come as (buf, at, size), in a Buffer. */
export class Sets implements LargeValues {
  /** Whether the last `add` or `remove` changed the set. */
  isChanged = false;
  readonly elements: Elements;
  readonly tables: TableSet;
  readonly #entries: Entries;
  readonly #large: TableElements;
  readonly #digits: Buffer = Buffer.alloc(DIGITS_MAX);
  readonly #view: BytesView = { buf: this.#digits, at: 0, size: 0 };
  /** The integer whose digits these are. */
  #shown: number | bigint = 0;
  readonly #words: Words = { first: 0, second: 0 };
  /** What `random` drew last, a number for each member: its element, or its index in an intset. */
  drawn = 0;

  constructor(entries: Entries, hash: KeyHash) {
    this.#entries = entries;
    this.elements = new Elements(entries.arena, hash, 0);
    this.#large = new TableElements(this.elements, () => 0);
    this.tables = this.#large.tables;
  }

  /** Number of members. */
  size(ref: Ref): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) return this.tables.counts[entries.firstWord(ref)]!;
    const view = entries.stringView(ref);
    return intsetCount(view.buf, view.at);
  }

  has(ref: Ref, buf: Buffer, at: number, size: number): boolean {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const hash = this.elements.hash(buf, at, size);
      return this.tables.find(entries.firstWord(ref), hash, buf, at, size) !== NONE;
    }
    const value = this.integerOf(buf, at, size);
    if (value === NOT_INTEGER) return false;
    const view = entries.stringView(ref);
    return intsetFind(view.buf, view.at, value) >= 0;
  }

  /** As `parseInt64`; for a member that is being visited without reading what has just been written. */
  integerOf(buf: Uint8Array, at: number, size: number): number | bigint | typeof NOT_INTEGER {
    return buf === this.#digits ? this.#shown : parseInt64(buf, at, size);
  }

  /**
   * An empty set under a key that is not there yet, of the encoding for this first member, which
   * the caller adds next.
   */
  create(db: ValueHost, key: BytesView, buf: Buffer, at: number, size: number): Ref {
    if (parseInt64(buf, at, size) !== NOT_INTEGER) {
      return db.addBlob(key, TYPE_SET, ENCODING_INTSET, EMPTY_INTSET);
    }
    return db.addLarge(key, TYPE_SET, ENCODING_HASHTABLE, this.#newTable());
  }

  /** Makes room in a set that is empty for about so many members, if it is one of those that have a table. */
  reserve(ref: Ref, count: number): void {
    const entries = this.#entries;
    if (entries.isLarge(ref)) this.tables.reserve(entries.firstWord(ref), count);
  }

  /** Adds a member; the entry's ref from then on, and `isChanged`. The caller counts the change. */
  add(db: ValueHost, ref: Ref, buf: Buffer, at: number, size: number): Ref {
    let to = ref;
    if (!this.#entries.isLarge(ref)) {
      const value = parseInt64(buf, at, size);
      const limit = Math.min(db.limits['set-max-intset-entries'], INTSET_ENTRIES_MAX);
      if (value !== NOT_INTEGER) {
        const view = this.#entries.stringView(ref);
        const index = intsetFind(view.buf, view.at, value);
        this.isChanged = index < 0;
        if (index >= 0) return ref;
        if (intsetCount(view.buf, view.at) < limit) return this.#insert(db, ref, -1 - index, value);
      }
      db.store.beforeChange(ref);
      to = this.#enlarge(db, ref);
    }
    const table = this.#entries.firstWord(to);
    const hash = this.elements.hash(buf, at, size);
    this.isChanged = this.tables.find(table, hash, buf, at, size) === NONE;
    if (!this.isChanged) return to;
    db.store.beforeChange(to);
    this.tables.insert(table, hash, this.elements.create(buf, at, size, 0));
    return to;
  }

  /** Takes a member out; the entry's ref from then on, and `isChanged`. The set may be empty after it. */
  remove(db: ValueHost, ref: Ref, buf: Buffer, at: number, size: number): Ref {
    const entries = this.#entries;
    if (!entries.isLarge(ref)) {
      const value = parseInt64(buf, at, size);
      const view = entries.stringView(ref);
      const index = value === NOT_INTEGER ? -1 : intsetFind(view.buf, view.at, value);
      this.isChanged = index >= 0;
      return this.isChanged ? this.#removeAt(db, ref, index) : ref;
    }
    const table = entries.firstWord(ref);
    const hash = this.elements.hash(buf, at, size);
    const element = this.tables.find(table, hash, buf, at, size);
    this.isChanged = element !== NONE;
    if (!this.isChanged) return ref;
    db.store.beforeChange(ref);
    this.tables.remove(table, hash, element);
    entries.arena.free(element);
    return ref;
  }

  /** A member of a set that has any, each with the same chance; a view that the next call reuses. */
  random(ref: Ref, rng: Rng): BytesView {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      this.drawn = this.tables.random(entries.firstWord(ref), rng);
      return this.elements.name(this.drawn);
    }
    const view = entries.stringView(ref);
    this.drawn = rng.below(intsetCount(view.buf, view.at));
    return this.#digitsOf(view, this.drawn);
  }

  /** Takes out the member that `random` gave last; the entry's ref from then on. */
  removeDrawn(db: ValueHost, ref: Ref): Ref {
    const entries = this.#entries;
    if (!entries.isLarge(ref)) return this.#removeAt(db, ref, this.drawn);
    db.store.beforeChange(ref);
    this.tables.remove(entries.firstWord(ref), this.elements.hashOf(this.drawn), this.drawn);
    entries.arena.free(this.drawn);
    return ref;
  }

  /** Visits every member, integers of an intset in their order; the visitor changes no set. */
  forEach(ref: Ref, visit: (member: BytesView) => void): void {
    this.scan(ref, 0, Infinity, visit);
  }

  /** Visits members until the visitor returns false. */
  forEachWhile(ref: Ref, visit: (member: BytesView) => boolean): void {
    let isGoing = true;
    let cursor = 0;
    do {
      cursor = this.scan(ref, cursor, WHILE_SLICE, (member) => {
        if (isGoing) isGoing = visit(member);
      });
    } while (isGoing && cursor !== 0);
  }

  /**
   * Visits about `count` members from a cursor on (0 begins) and returns the next cursor (0: done);
   * all members of an intset at once. Members that are there from begin to end are visited.
   */
  scan(ref: Ref, cursor: number, count: number, visit: (member: BytesView) => void): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const visitElement = (element: Ref): void => visit(this.elements.name(element));
      return this.#large.scan(entries.firstWord(ref), { cursor, count }, visitElement);
    }
    const { buf, at } = entries.stringView(ref);
    const blob = { buf, at, size: 0 };
    const end = intsetCount(buf, at);
    for (let i = 0; i < end; i++) visit(this.#digitsOf(blob, i));
    return 0;
  }

  dismantle(rubble: Rubble, max: number): boolean {
    return this.#large.dismantle(rubble, max);
  }

  copy(from: Readonly<Words>, target: LargeValueStore, to: Words): void {
    const sets = target.large(TYPE_SET);
    invariant(sets instanceof Sets, 'the large values of type set are sets');
    sets.#large.copyFrom(this.#large, from.first, to);
  }

  memoryUsage(words: Readonly<Words>, samples: number): number {
    return this.#large.memoryUsage(words.first, samples);
  }

  /** Frees a table whose elements nobody reaches any more. */
  discard(table: number): void {
    const rubble = { type: TYPE_SET, first: table, second: 0, cursor: 0 };
    const isLeft = this.dismantle(rubble, Infinity);
    invariant(!isLeft, 'a table is dismantled in one go');
  }

  #newTable(): Words {
    this.#words.first = this.tables.allocate();
    return this.#words;
  }

  #digitsOf(blob: Readonly<BytesView>, index: number): BytesView {
    const value = intsetGet(blob.buf, blob.at, intsetWidth(blob.buf, blob.at), index);
    const view = this.#view;
    this.#shown = value;
    view.buf = this.#digits;
    view.at = writeDigits(this.#digits, DIGITS_MAX, value);
    view.size = DIGITS_MAX - view.at;
    return view;
  }

  /** Makes an intset a table. */
  #enlarge(db: ValueHost, ref: Ref): Ref {
    const words = this.#newTable();
    const add = ({ buf, at, size }: BytesView): void => {
      const element = this.elements.create(buf, at, size, 0);
      this.tables.insert(words.first, this.elements.hash(buf, at, size), element);
    };
    this.forEach(ref, add);
    return db.makeLarge(ref, ENCODING_HASHTABLE, words);
  }

  #insert(db: ValueHost, ref: Ref, index: number, value: number | bigint): Ref {
    const entries = this.#entries;
    db.store.beforeChange(ref);
    const old = entries.stringView(ref);
    const count = intsetCount(old.buf, old.at);
    const width = intsetWidth(old.buf, old.at);
    const newWidth = intsetWidthFor(value);
    if (newWidth > width) return this.#insertWider(db, ref, value, newWidth);
    const to = spliceBlob(db, ref, INTSET_HEADER_BYTES + index * width, 0, width);
    const { buf, at } = entries.stringView(to);
    intsetPut(buf, at, width, index, value);
    writeIntsetHeader(buf, at, width, count + 1);
    return to;
  }

  /** Inserts an integer that the width of the others has no room for; it is the first or the last. */
  #insertWider(db: ValueHost, ref: Ref, value: number | bigint, newWidth: number): Ref {
    const entries = this.#entries;
    const old = entries.stringView(ref);
    const count = intsetCount(old.buf, old.at);
    const width = intsetWidth(old.buf, old.at);
    const shift = value < 0 ? 1 : 0;
    const added = (count + 1) * newWidth - count * width;
    const to = spliceBlob(db, ref, old.size, 0, added);
    const { buf, at } = entries.stringView(to);
    for (let i = count - 1; i >= 0; i--) {
      intsetPut(buf, at, newWidth, i + shift, intsetGet(buf, at, width, i));
    }
    intsetPut(buf, at, newWidth, shift === 1 ? 0 : count, value);
    writeIntsetHeader(buf, at, newWidth, count + 1);
    return to;
  }

  #removeAt(db: ValueHost, ref: Ref, index: number): Ref {
    const entries = this.#entries;
    db.store.beforeChange(ref);
    const old = entries.stringView(ref);
    const width = intsetWidth(old.buf, old.at);
    const count = intsetCount(old.buf, old.at) - 1;
    const to = spliceBlob(db, ref, INTSET_HEADER_BYTES + index * width, width, 0);
    const { buf, at } = entries.stringView(to);
    writeIntsetHeader(buf, at, width, count);
    return to;
  }
}
