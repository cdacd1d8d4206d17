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
  INLINE_BYTES_MAX,
  TYPE_LIST,
} from './entry.ts';
import type { LargeValues, LargeValueStore, Rubbish, Rubble, Words } from './large-values.ts';
import { type ChunkLimits, type ElementRun, ListChunks } from './list-chunks.ts';
import { ListCursor } from './list-cursor.ts';
import { ListMatcher } from './list-matcher.ts';
import { ListMiddle } from './list-middle.ts';
import type { ValueHost } from './value-host.ts';

/** Sizes of a node by the directive's -1 to -5. Source: redis.conf 7.0, list-max-listpack-size. */
const NODE_BYTES: readonly number[] = [4096, 8192, 16_384, 32_768, 65_536];
/** Largest node when elements are counted. Source: 7.0 quicklist.c, SIZE_SAFETY_LIMIT. */
const COUNTED_NODE_BYTES = 8192;
/** What a block of a node's size cannot hold: the chunk's own words. */
const NODE_HEAD_BYTES = 24;
/** Largest small list, if the node's size does not say less: what fits into the entry. */
const SMALL_BYTES_MAX: number = INLINE_BYTES_MAX;

/** Nothing fits: every run gets a chunk of its own. */
const OWN_CHUNK: ChunkLimits = { bytes: 0, count: 0 };

/** The lists of one store. */
export class Lists implements LargeValues {
  readonly cursor: ListCursor;
  readonly matcher: ListMatcher = new ListMatcher();
  /** Elements that the last `removeMatching` removed. */
  removedCount = 0;
  readonly #entries: Entries;
  readonly #chunks: ListChunks;
  readonly #middle: ListMiddle;
  readonly #rubbish: Rubbish;
  readonly #element: ListpackElement = new ListpackElement();
  readonly #limits: ChunkLimits = { bytes: 0, count: 0 };
  readonly #loneLimits: ChunkLimits = { bytes: 0, count: 1 };
  readonly #scratch: Buffer = Buffer.alloc(SMALL_BYTES_MAX);
  readonly #words: Words = { first: 0, second: 0 };
  #fill = 0;

  constructor(entries: Entries, rubbish: Rubbish) {
    this.#entries = entries;
    this.#rubbish = rubbish;
    this.#chunks = new ListChunks(entries.arena);
    this.#middle = new ListMiddle(this.#chunks);
    this.cursor = new ListCursor(entries, this.#chunks);
    this.#setFill(-2);
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
    const limits = this.#limitsOf(db);
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    const size = element.bytes + EMPTY_LISTPACK_BYTES;
    if (size > SMALL_BYTES_MAX || element.bytes > limits.bytes) {
      const list = this.#chunks.create();
      this.#chunks.push(list, element, false, limits);
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
    const limits = this.#limitsOf(db);
    const entries = this.#entries;
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    let to = ref;
    if (!entries.isLarge(ref)) {
      const { buf, at, size } = entries.stringView(ref);
      const count = listpackCount(buf, at);
      if (this.#isSmall(size + element.bytes, count + 1, limits)) {
        const offset = isFront ? LISTPACK_HEADER_BYTES : size - 1;
        return this.#spliceSmall(db, ref, offset, 0, count + 1);
      }
      to = this.#enlarge(db, ref, limits);
    }
    this.#chunks.push(entries.firstWord(to), element, isFront, this.#limitsFor(db, limits));
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
    const limits = this.#limitsOf(db);
    const { cursor } = this;
    const element = this.#element;
    element.set(value.buf, value.at, value.size);
    cursor.seek(ref, index);
    let to = ref;
    if (!this.#entries.isLarge(ref)) {
      const { buf, at, size } = this.#entries.stringView(ref);
      const count = listpackCount(buf, at);
      const removed = listpackNext(buf, cursor.pos) - cursor.pos;
      if (this.#isSmall(size - removed + element.bytes, count, limits)) {
        return this.#spliceSmall(db, ref, cursor.pos - at, removed, count);
      }
      to = this.#enlarge(db, ref, limits);
      cursor.seek(to, index);
    }
    const list = this.#entries.firstWord(to);
    this.#middle.replace(list, cursor.chunk, cursor.pos, element, this.#limitsFor(db, limits));
    return to;
  }

  /** Puts a value before or behind the element that the cursor stands at. */
  insert(db: ValueHost, ref: Ref, value: BytesView, isBefore: boolean): Ref {
    db.store.beforeChange(ref);
    const limits = this.#limitsOf(db);
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
      if (this.#isSmall(size + element.bytes, count + 1, limits)) {
        return this.#spliceSmall(db, ref, offset, 0, count + 1);
      }
      to = this.#enlarge(db, ref, limits);
      chunk = this.#chunks.first(entries.firstWord(to));
      pos = this.#chunks.startOf(chunk) + offset - LISTPACK_HEADER_BYTES;
    }
    const list = entries.firstWord(to);
    this.#middle.insert(list, chunk, pos, element, this.#limitsFor(db, limits));
    return to;
  }

  /** Removes up to `max` elements equal to what `matcher` looks for; `removedCount` says how many. */
  removeMatching(db: ValueHost, ref: Ref, max: number, isFromBack: boolean): Ref {
    db.store.beforeChange(ref);
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const { matcher } = this;
      const list = entries.firstWord(ref);
      const limits = this.#limitsOf(db);
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
    const limits = this.#limitsOf(db);
    const { buf, at, size } = listpack;
    if (this.#isSmall(size, listpackCount(buf, at), limits)) {
      return db.addBlob(key, TYPE_LIST, ENCODING_LISTPACK, listpack);
    }
    const list = this.#chunks.create();
    this.#chunks.append(list, runOfListpack(listpack), limits);
    return db.addLarge(key, TYPE_LIST, ENCODING_QUICKLIST, this.#wordsOf(list));
  }

  /** Appends a listpack's elements, of which there are some. */
  appendOf(db: ValueHost, ref: Ref, listpack: Readonly<BytesView>): Ref {
    db.store.beforeChange(ref);
    const limits = this.#limitsOf(db);
    const entries = this.#entries;
    const to = entries.isLarge(ref) ? ref : this.#enlarge(db, ref, limits);
    this.#chunks.append(entries.firstWord(to), runOfListpack(listpack), limits);
    return to;
  }

  /** Chunks of a list; a small list has none. */
  chunkCount(ref: Ref): number {
    let count = 0;
    for (let chunk = this.firstChunk(ref); chunk !== NONE; chunk = this.nextChunk(chunk)) count++;
    return count;
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
    }
    if (seen > 0) bytes += Math.round((seenBytes / seen) * length);
    return bytes;
  }

  #isSmall(size: number, count: number, limits: ChunkLimits): boolean {
    return (
      size <= SMALL_BYTES_MAX &&
      size - EMPTY_LISTPACK_BYTES <= limits.bytes &&
      count <= limits.count
    );
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
  #enlarge(db: ValueHost, ref: Ref, limits: ChunkLimits): Ref {
    const list = this.#chunks.create();
    this.#chunks.append(list, runOfListpack(this.#entries.stringView(ref)), limits);
    return db.makeLarge(ref, ENCODING_QUICKLIST, this.#wordsOf(list));
  }

  #wordsOf(list: Ref): Words {
    this.#words.first = list;
    return this.#words;
  }

  /** Limits for the element of this object: one that is to be plain has a chunk of its own. */
  #limitsFor(db: ValueHost, limits: ChunkLimits): ChunkLimits {
    if (this.#element.bytes < db.plainElementBytes) return limits;
    this.#loneLimits.bytes = limits.bytes;
    return this.#loneLimits;
  }

  #limitsOf(db: ValueHost): ChunkLimits {
    const fill = db.limits['list-max-listpack-size'];
    if (fill !== this.#fill) this.#setFill(fill);
    return this.#limits;
  }

  #setFill(fill: number): void {
    this.#fill = fill;
    const isCounted = fill >= 0;
    const level = Math.min(-fill, NODE_BYTES.length) - 1;
    const nodeBytes = isCounted ? COUNTED_NODE_BYTES : NODE_BYTES[level]!;
    this.#limits.bytes = nodeBytes - NODE_HEAD_BYTES;
    this.#limits.count = isCounted ? Math.max(1, fill) : Infinity;
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
