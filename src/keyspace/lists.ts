/**
 * Lists. A small one is a blob with exactly the bytes of a listpack; one that outgrows it becomes a
 * chain of chunks and stays one. Values come in views that are not into this store. Snapshots are
 * told before changes; callers count these after (`changed`), and delete a list that has become
 * empty.
 */
import { invariant } from '../base/index.ts';
import {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  type ListpackReader,
  listpackCount,
  listpackNext,
  listpackPrevious,
  writeListpackHeader,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import { spliceBlob } from './blob.ts';
import {
  type BytesView,
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  type Entries,
  TYPE_LIST,
} from './entry.ts';
import type { LargeValues, LargeValueStore, Rubbish, Rubble, Words } from './large-values.ts';
import { type ChunkLimits, type ElementRun, ListChunks } from './list-chunks.ts';
import { ListCursor } from './list-cursor.ts';
import { ListLimits, SMALL_BYTES_MAX } from './list-limits.ts';
import { ListMatcher } from './list-matcher.ts';
import { ListMiddle } from './list-middle.ts';
import type { ValueHost } from './value-host.ts';

/** Nothing fits: every run gets a chunk of its own. */
const OWN_CHUNK: ChunkLimits = { bytes: 0, count: 0 };

/** The lists of one store. */
export class Lists implements LargeValues {
  readonly cursor: ListCursor;
  readonly matcher: ListMatcher = new ListMatcher();
  /** Elements that the last `removeMatching` removed. */
  removedCount = 0;
  /** Elements of a list after the last `create` or `push`. */
  pushedSize = 0;
  readonly #entries: Entries;
  readonly #chunks: ListChunks;
  readonly #middle: ListMiddle;
  readonly #rubbish: Rubbish;
  readonly #element: ListpackElement = new ListpackElement();
  readonly #limits: ListLimits = new ListLimits();
  readonly #scratch: Buffer = Buffer.alloc(SMALL_BYTES_MAX);
  readonly #words: Words = { first: 0, second: 0 };

  constructor(entries: Entries, rubbish: Rubbish) {
    this.#entries = entries;
    this.#rubbish = rubbish;
    this.#chunks = new ListChunks(entries.arena);
    this.#middle = new ListMiddle(this.#chunks);
    this.cursor = new ListCursor(entries, this.#chunks);
  }

  /** Number of elements. */
  size(ref: Ref): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) return this.#chunks.length(entries.firstWord(ref));
    const { buf, at } = entries.stringView(ref);
    return listpackCount(buf, at);
  }

  /** A new list of one element, at a key that is not there yet. */
  create(db: ValueHost, key: BytesView, value: BytesView): Ref {
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    this.pushedSize = 1;
    const size = element.bytes + EMPTY_LISTPACK_BYTES;
    if (!this.#limits.isSmall(db, size, 1)) {
      const list = this.#chunks.create();
      this.#chunks.push(list, element, false, this.#limits.of(db));
      return db.addLarge(key, TYPE_LIST, ENCODING_QUICKLIST, this.#wordsOf(list));
    }
    const blob = this.#scratch;
    writeListpackHeader(blob, 0, size, 1);
    const end = element.write(blob, LISTPACK_HEADER_BYTES);
    blob[end] = LISTPACK_END;
    return db.addBlob(key, TYPE_LIST, ENCODING_LISTPACK, { buf: blob, at: 0, size });
  }

  /** Adds an element at an end. */
  push(db: ValueHost, ref: Ref, value: BytesView, isFront: boolean): Ref {
    db.store.beforeChange(ref);
    const entries = this.#entries;
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    let to = ref;
    if (!entries.isLarge(ref)) {
      const { buf, at, size } = entries.stringView(ref);
      const count = listpackCount(buf, at);
      if (this.#limits.isSmall(db, size + element.bytes, count + 1)) {
        const offset = isFront ? LISTPACK_HEADER_BYTES : size - 1;
        this.pushedSize = count + 1;
        return this.#spliceSmall(db, ref, offset, 0, count + 1);
      }
      to = this.#enlarge(db, ref);
    }
    const limits = this.#limits.forElement(db, element.bytes);
    this.pushedSize = this.#chunks.push(entries.firstWord(to), element, isFront, limits);
    return to;
  }

  /** Reads the first or last element. */
  readEnd(ref: Ref, isFront: boolean): ListpackReader {
    const { cursor } = this;
    cursor.seekEnd(ref, isFront);
    cursor.element.read(cursor.buf, cursor.pos);
    return cursor.element;
  }

  /** Removes the first or last element of a list that has more. */
  pop(db: ValueHost, ref: Ref, isFront: boolean): Ref {
    db.store.beforeChange(ref);
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      this.#chunks.pop(entries.firstWord(ref), isFront);
      return ref;
    }
    const { cursor } = this;
    cursor.seekEnd(ref, isFront);
    const { buf, at } = entries.stringView(ref);
    const removed = listpackNext(buf, cursor.pos) - cursor.pos;
    return this.#removeSmall(db, ref, cursor.pos - at, removed, listpackCount(buf, at) - 1);
  }

  /** Puts a value in the place of the element of an index in [0, size). */
  replace(db: ValueHost, ref: Ref, index: number, value: BytesView): Ref {
    db.store.beforeChange(ref);
    const { cursor } = this;
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    cursor.seek(ref, index);
    let to = ref;
    if (!this.#entries.isLarge(ref)) {
      const { buf, at, size } = this.#entries.stringView(ref);
      const count = listpackCount(buf, at);
      const removed = listpackNext(buf, cursor.pos) - cursor.pos;
      if (this.#limits.isSmall(db, size - removed + element.bytes, count)) {
        return this.#spliceSmall(db, ref, cursor.pos - at, removed, count);
      }
      to = this.#enlarge(db, ref);
      cursor.seek(to, index);
    }
    const list = this.#entries.firstWord(to);
    this.#middle.replace(
      list,
      cursor.chunk,
      cursor.pos,
      element,
      this.#limits.forElement(db, element.bytes),
    );
    return to;
  }

  /** Puts a value before or behind the element that the cursor stands at. */
  insert(db: ValueHost, ref: Ref, value: BytesView, isBefore: boolean): Ref {
    db.store.beforeChange(ref);
    const { cursor } = this;
    const entries = this.#entries;
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    let { chunk, pos } = cursor;
    if (!isBefore) pos = listpackNext(cursor.buf, pos);
    let to = ref;
    if (!entries.isLarge(ref)) {
      const { buf, at, size } = entries.stringView(ref);
      const count = listpackCount(buf, at);
      const offset = pos - at;
      if (this.#limits.isSmall(db, size + element.bytes, count + 1)) {
        return this.#spliceSmall(db, ref, offset, 0, count + 1);
      }
      to = this.#enlarge(db, ref);
      chunk = this.#chunks.first(entries.firstWord(to));
      pos = this.#chunks.startOf(chunk) + offset - LISTPACK_HEADER_BYTES;
    }
    const list = entries.firstWord(to);
    this.#middle.insert(list, chunk, pos, element, this.#limits.forElement(db, element.bytes));
    return to;
  }

  /** Removes up to `max` elements equal to what `matcher` looks for; `removedCount` says how many. */
  removeMatching(db: ValueHost, ref: Ref, max: number, isFromBack: boolean): Ref {
    db.store.beforeChange(ref);
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const { matcher } = this;
      const list = entries.firstWord(ref);
      const limits = this.#limits.of(db);
      this.removedCount = this.#middle.removeMatching(list, matcher, max, isFromBack, limits);
      return ref;
    }
    return this.#removeMatchingSmall(db, ref, max, isFromBack);
  }

  /** Removes `count` elements from an end, fewer than there are. */
  trim(db: ValueHost, ref: Ref, count: number, isFront: boolean): Ref {
    const entries = this.#entries;
    if (count === 0) return ref;
    db.store.beforeChange(ref);
    if (entries.isLarge(ref)) {
      const gone = this.#chunks.trim(entries.firstWord(ref), count, isFront);
      if (gone !== NONE) this.#rubbish.add(TYPE_LIST, this.#wordsOf(gone), this);
      return ref;
    }
    const { cursor } = this;
    const { at, size, buf } = entries.stringView(ref);
    const left = listpackCount(buf, at) - count;
    invariant(left > 0, 'a list that loses all its elements is deleted');
    cursor.seek(ref, isFront ? count : left);
    const offset = cursor.pos - at;
    if (isFront) {
      const removed = offset - LISTPACK_HEADER_BYTES;
      return this.#removeSmall(db, ref, LISTPACK_HEADER_BYTES, removed, left);
    }
    return this.#removeSmall(db, ref, offset, size - 1 - offset, left);
  }

  /** Visits all elements from the first on. */
  forEach(ref: Ref, visit: (element: ListpackReader) => void): void {
    const { cursor } = this;
    cursor.seekEnd(ref, true);
    for (let i = this.size(ref); i > 0; i--) visit(cursor.readForward());
  }

  /** A new list of a listpack's elements, of which there are some, at a key that is not there yet. */
  createOf(db: ValueHost, key: BytesView, listpack: Readonly<BytesView>): Ref {
    const { buf, at, size } = listpack;
    if (this.#limits.isSmall(db, size, listpackCount(buf, at))) {
      return db.addBlob(key, TYPE_LIST, ENCODING_LISTPACK, listpack);
    }
    const list = this.#chunks.create();
    this.#chunks.append(list, runOfListpack(listpack), this.#limits.of(db));
    return db.addLarge(key, TYPE_LIST, ENCODING_QUICKLIST, this.#wordsOf(list));
  }

  /** Appends a listpack's elements, of which there are some. */
  appendOf(db: ValueHost, ref: Ref, listpack: Readonly<BytesView>): Ref {
    db.store.beforeChange(ref);
    const entries = this.#entries;
    const to = entries.isLarge(ref) ? ref : this.#enlarge(db, ref);
    this.#chunks.append(entries.firstWord(to), runOfListpack(listpack), this.#limits.of(db));
    return to;
  }

  /** Chunks of a list; a small list has none. */
  chunkCount(ref: Ref): number {
    const entries = this.#entries;
    return entries.isLarge(ref) ? this.#chunks.groups.chunkCount(entries.firstWord(ref)) : 0;
  }

  /** The first chunk, NONE of a small list. */
  firstChunk(ref: Ref): Ref {
    const entries = this.#entries;
    return entries.isLarge(ref) ? this.#chunks.first(entries.firstWord(ref)) : NONE;
  }

  /** The chunk behind another, or NONE. */
  nextChunk(chunk: Ref): Ref {
    return this.#chunks.next(chunk);
  }

  /** The elements of a chunk. */
  runOf(chunk: Ref): ElementRun {
    const chunks = this.#chunks;
    return {
      buf: chunks.bytes(chunk),
      at: chunks.startOf(chunk),
      size: chunks.usedBytes(chunk),
      count: chunks.count(chunk),
    };
  }

  /** Frees chunks; the words of what is left stay. */
  dismantle(rubble: Rubble, max: number): boolean {
    return this.#chunks.dismantle(rubble.first, max);
  }

  copy(from: Readonly<Words>, target: LargeValueStore, to: Words): void {
    const values = target.large(TYPE_LIST);
    invariant(values instanceof Lists, 'the lists of a store are Lists');
    const list = values.#chunks.create();
    const chunks = this.#chunks;
    for (let chunk = chunks.first(from.first); chunk !== NONE; chunk = chunks.next(chunk)) {
      values.#chunks.append(list, this.runOf(chunk), OWN_CHUNK);
    }
    to.first = list;
    to.second = 0;
  }

  memoryUsage(words: Readonly<Words>, samples: number): number {
    const chunks = this.#chunks;
    const length = chunks.length(words.first);
    let bytes = chunks.arena.capacity(words.first);
    let seen = 0;
    let seenBytes = 0;
    let chunk = chunks.first(words.first);
    for (; chunk !== NONE && (samples === 0 || seen < samples); chunk = chunks.next(chunk)) {
      seen += chunks.count(chunk);
      seenBytes += chunks.capacity(chunk);
      const group = chunks.groups.endingWith(chunk);
      if (group !== NONE) seenBytes += chunks.arena.capacity(group);
    }
    if (seen > 0) bytes += Math.round((seenBytes / seen) * length);
    return bytes;
  }

  /** Puts the element of this object into a small list in the place of `removed` bytes. */
  #spliceSmall(db: ValueHost, ref: Ref, offset: number, removed: number, count: number): Ref {
    const element = this.#element;
    const to = spliceBlob(db, ref, offset, removed, element.bytes);
    const { buf, at, size } = this.#entries.stringView(to);
    element.write(buf, at + offset);
    writeListpackHeader(buf, at, size, count);
    return to;
  }

  #removeSmall(db: ValueHost, ref: Ref, offset: number, removed: number, count: number): Ref {
    const to = spliceBlob(db, ref, offset, removed, 0);
    const { buf, at, size } = this.#entries.stringView(to);
    writeListpackHeader(buf, at, size, count);
    return to;
  }

  #removeMatchingSmall(db: ValueHost, ref: Ref, max: number, isFromBack: boolean): Ref {
    const { matcher } = this;
    let to = ref;
    let { buf, at, size } = this.#entries.stringView(to);
    let count = listpackCount(buf, at);
    let offset = isFromBack ? size - 1 : LISTPACK_HEADER_BYTES;
    this.removedCount = 0;
    while (this.removedCount < max) {
      if (isFromBack ? offset === LISTPACK_HEADER_BYTES : offset === size - 1) break;
      if (isFromBack) offset = listpackPrevious(buf, at + offset) - at;
      const next = listpackNext(buf, at + offset) - at;
      if (matcher.matches(buf, at + offset)) {
        to = this.#removeSmall(db, to, offset, next - offset, --count);
        this.removedCount++;
        ({ buf, at, size } = this.#entries.stringView(to));
      } else if (!isFromBack) offset = next;
    }
    return to;
  }

  /** Makes a small list a large one. */
  #enlarge(db: ValueHost, ref: Ref): Ref {
    const list = this.#chunks.create();
    this.#chunks.append(list, runOfListpack(this.#entries.stringView(ref)), this.#limits.of(db));
    return db.makeLarge(ref, ENCODING_QUICKLIST, this.#wordsOf(list));
  }

  #wordsOf(list: Ref): Words {
    this.#words.first = list;
    return this.#words;
  }
}

function runOfListpack({ buf, at, size }: Readonly<BytesView>): ElementRun {
  return {
    buf,
    at: at + LISTPACK_HEADER_BYTES,
    size: size - EMPTY_LISTPACK_BYTES,
    count: listpackCount(buf, at),
  };
}
