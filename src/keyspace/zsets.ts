/**
 * Sorted sets: members with a score each, in order of score and then of their bytes. Small ones are
 * a listpack in their entry, large ones a table and a tree.
 *
 * Members are told as (buf, at, size) or as a view; ranks start at 0. Who changes a set has told the
 * snapshots (`store.beforeChange`) and counts the change; calls that change a set return the ref
 * that its entry has from then on.
 */
import { compareBytes } from '../base/index.ts';
import { LISTPACK_HEADER_BYTES, NOWHERE, isListpackEnd, listpackNext } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import {
  type BytesView,
  ENCODING_LISTPACK,
  ENCODING_SKIPLIST,
  type Entries,
  TYPE_ZSET,
} from './entry.ts';
import type { KeyHash } from './hash.ts';
import type { ValueHost } from './value-host.ts';
import { ZsetCursor } from './zset-cursor.ts';
import { LargeZsets } from './zset-large.ts';
import { PackedZset } from './zset-packed.ts';

/** A range of scores. */
export interface ScoreRange {
  min: number;
  max: number;
  /** Whether the end itself is left out. */
  isMinOpen: boolean;
  isMaxOpen: boolean;
}

/** One end of a range of members in the order of their bytes. */
export interface LexEnd extends BytesView {
  /** -1 before, 1 behind all members; 0: the bytes. */
  infinity: number;
  /** Whether the end itself is left out. */
  isOpen: boolean;
}

/** A range of members in the order of their bytes. */
export interface LexRange {
  readonly min: LexEnd;
  readonly max: LexEnd;
}

/** The sorted sets of one store, by the refs of their entries. */
export class SortedSets {
  /** Large ones by their words, with or without an entry. */
  readonly large: LargeZsets;
  /** For walks of whoever asks; calls of this class do not move it. */
  readonly cursor: ZsetCursor;
  readonly packed: PackedZset = new PackedZset();
  /** What `boundsByScore` and `boundsByLex` found. */
  start = 0;
  end = 0;
  readonly #entries: Entries;
  /** For `forEach`; a new one costs more than a walk over a small set. */
  #walker: ZsetCursor | undefined;
  /** What `find` found: an element, or a position behind the listpack's start. */
  #element: Ref = NONE;
  #offset = 0;

  constructor(entries: Entries, hash: KeyHash) {
    this.#entries = entries;
    this.large = new LargeZsets(entries.arena, hash);
    this.cursor = new ZsetCursor(entries, this.large, this.packed);
  }

  /**
   * A new key, which must not be there yet, with an empty set that expects a member of `size` bytes. `expected`: how many
   * members it is going to have, for which room is made.
   */
  create(db: ValueHost, key: BytesView, size: number, expected: number = 1): Ref {
    const { limits } = db;
    const isLarge =
      limits['zset-max-listpack-entries'] < expected || limits['zset-max-listpack-value'] < size;
    if (isLarge) {
      const words = this.large.create();
      if (expected > 1) this.large.tables.reserve(words.first, expected);
      return db.addLarge(key, TYPE_ZSET, ENCODING_SKIPLIST, words);
    }
    return db.addBlob(key, TYPE_ZSET, ENCODING_LISTPACK, this.packed.empty());
  }

  /** Number of members. */
  size(ref: Ref): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) return this.large.size(entries.firstWord(ref));
    return this.packed.size(entries.stringView(ref));
  }

  /** Score of a member, NaN when it is not there. `setScore` and `remove` then know where it is. */
  find(ref: Ref, buf: Uint8Array, at: number, size: number): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      this.#element = this.large.find(entries.firstWord(ref), buf, at, size);
      return this.#element === NONE ? Number.NaN : this.large.score(this.#element);
    }
    const view = entries.stringView(ref);
    const pos = this.packed.find(view, buf, at, size);
    if (pos === NOWHERE) return Number.NaN;
    this.#offset = pos - view.at;
    return this.packed.scoreAt(view.buf, listpackNext(view.buf, pos));
  }

  /** Rank of a member, -1 when it is not there. */
  rank(ref: Ref, buf: Uint8Array, at: number, size: number): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const element = this.large.find(entries.firstWord(ref), buf, at, size);
      if (element === NONE) return -1;
      this.large.aim(element);
      return this.large.tree.rankOf(entries.secondWord(ref), element);
    }
    const view = entries.stringView(ref);
    const pos = this.packed.find(view, buf, at, size);
    return pos === NOWHERE ? -1 : countPairs(view, pos);
  }

  /** Visits the members in order. */
  forEach(ref: Ref, visit: (member: BytesView, score: number) => void): void {
    // A visitor may walk too.
    const cursor = this.#walker ?? new ZsetCursor(this.#entries, this.large, this.packed);
    this.#walker = undefined;
    for (cursor.seek(ref, 0); cursor.isHere; cursor.next()) visit(cursor, cursor.score);
    this.#walker = cursor;
  }

  /**
   * Visits about `count` members with the text of their score from a cursor on (0 begins) and
   * returns the next cursor (0: done); all members of a small set at once. Members that are there
   * from begin to end are visited.
   */
  scan(
    ref: Ref,
    from: { readonly cursor: number; readonly count: number },
    visit: (member: BytesView, score: BytesView) => void,
  ): number {
    const entries = this.#entries;
    if (entries.isLarge(ref)) return this.large.scan(entries.firstWord(ref), from, visit);
    this.packed.forEachText(entries.stringView(ref), visit);
    return 0;
  }

  /** Adds a member that is not there. Its bytes are not of this very set. */
  insert(db: ValueHost, ref: Ref, score: number, name: BytesView): Ref {
    const entries = this.#entries;
    let to = ref;
    if (!entries.isLarge(ref)) {
      if (this.#fits(db, ref, name.size)) return this.packed.insert(db, ref, score, name);
      to = this.#enlarge(db, ref);
    }
    const root = entries.secondWord(to);
    const grown = this.large.insert(entries.firstWord(to), root, score, name);
    if (grown !== root) entries.putSecondWord(to, grown);
    return to;
  }

  /** Gives the member that `find` just found another score. */
  setScore(db: ValueHost, ref: Ref, score: number, name: BytesView): Ref {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const root = entries.secondWord(ref);
      const to = this.large.setScore(root, this.#element, score);
      if (to !== root) entries.putSecondWord(ref, to);
      return ref;
    }
    const to = this.packed.remove(db, ref, this.#foundPos(ref), 1);
    return this.packed.insert(db, to, score, name);
  }

  /** Takes out the member that `find` just found. A set may become empty; the key stays. */
  remove(db: ValueHost, ref: Ref): Ref {
    const entries = this.#entries;
    if (!entries.isLarge(ref)) return this.packed.remove(db, ref, this.#foundPos(ref), 1);
    const root = entries.secondWord(ref);
    const to = this.large.remove(entries.firstWord(ref), root, this.#element);
    if (to !== root) entries.putSecondWord(ref, to);
    return ref;
  }

  /** Takes out the members of the ranks [start, end), which are there. */
  removeRange(db: ValueHost, ref: Ref, start: number, end: number): Ref {
    const entries = this.#entries;
    if (!entries.isLarge(ref)) {
      this.cursor.seek(ref, start);
      return this.packed.remove(db, ref, this.cursor.position, end - start);
    }
    const table = entries.firstWord(ref);
    let root = entries.secondWord(ref);
    for (let i = start; i < end; i++) root = this.large.removeAt(table, root, start);
    entries.putSecondWord(ref, root);
    return ref;
  }

  /** Sets `start` and `end` to the ranks [start, end) of the scores in a range. */
  boundsByScore(ref: Ref, range: ScoreRange): void {
    const entries = this.#entries;
    if (!entries.isLarge(ref)) return this.#packedBounds(entries.stringView(ref), range);
    const root = entries.secondWord(ref);
    const { order, tree } = this.large;
    if (range.min === -Infinity && !range.isMinOpen) this.start = 0;
    else {
      if (range.isMinOpen) order.setBehindScore(range.min);
      else order.setScore(range.min);
      this.start = tree.lowerBound(root);
    }
    if (range.max === Infinity && !range.isMaxOpen) this.end = this.size(ref);
    else {
      if (range.isMaxOpen) order.setScore(range.max);
      else order.setBehindScore(range.max);
      this.end = Math.max(this.start, tree.lowerBound(root));
    }
  }

  /**
   * Sets `start` and `end` to the ranks [start, end) of the members in a range of bytes. Where
   * scores differ, a small set gives what a walk from its first such member finds, or (with
   * `isReverse`) from its last.
   */
  boundsByLex(ref: Ref, range: LexRange, isReverse: boolean): void {
    const entries = this.#entries;
    const size = this.size(ref);
    this.start = 0;
    this.end = 0;
    if (!this.#mayHaveLex(ref, size, range)) return;
    if (!entries.isLarge(ref)) return this.#packedLexBounds(ref, range, isReverse);
    const root = entries.secondWord(ref);
    this.start = this.#lexBound(root, size, range.min, range.min.isOpen);
    this.end = Math.max(this.start, this.#lexBound(root, size, range.max, !range.max.isOpen));
  }

  /** Whether the last member is not before the range and the first one not behind it. */
  #mayHaveLex(ref: Ref, size: number, range: LexRange): boolean {
    const { cursor } = this;
    cursor.seek(ref, size - 1);
    if (isBeforeMin(cursor, range.min)) return false;
    cursor.seek(ref, 0);
    return !isBehindMax(cursor, range.max);
  }

  #lexBound(root: Ref, size: number, end: LexEnd, isBehind: boolean): number {
    if (end.infinity !== 0) return end.infinity < 0 ? 0 : size;
    const { order, tree } = this.large;
    order.setName(end.buf, end.at, end.size);
    return isBehind ? tree.upperBound(root) : tree.lowerBound(root);
  }

  #packedBounds(view: BytesView, range: ScoreRange): void {
    const { buf } = view;
    const { min, max, isMinOpen, isMaxOpen } = range;
    const isWithoutEnd = max === Infinity && !isMaxOpen;
    let pos = view.at + LISTPACK_HEADER_BYTES;
    let start = 0;
    let rank = 0;
    for (; !isListpackEnd(buf, pos); rank++) {
      const scorePos = listpackNext(buf, pos);
      const score = this.packed.scoreAt(buf, scorePos);
      if (isMinOpen ? score <= min : score < min) start = rank + 1;
      else if (isWithoutEnd || (isMaxOpen ? score >= max : score > max)) break;
      pos = listpackNext(buf, scorePos);
    }
    this.start = start;
    this.end = isWithoutEnd ? this.packed.size(view) : rank;
  }

  #packedLexBounds(ref: Ref, range: LexRange, isReverse: boolean): void {
    const { min, max } = range;
    const { cursor } = this;
    const size = this.size(ref);
    let rank = isReverse ? size - 1 : 0;
    cursor.seek(ref, rank);
    const isBefore = isReverse ? isBehindMax : isBeforeMin;
    const isBehind = isReverse ? isBeforeMin : isBehindMax;
    const near = isReverse ? max : min;
    const far = isReverse ? min : max;
    const step = isReverse ? -1 : 1;
    for (; cursor.isHere && isBefore(cursor, near); rank += step) this.#step(isReverse);
    const first = rank;
    for (; cursor.isHere && !isBehind(cursor, far); rank += step) this.#step(isReverse);
    this.start = isReverse ? rank + 1 : first;
    this.end = isReverse ? first + 1 : rank;
  }

  #step(isReverse: boolean): void {
    if (isReverse) this.cursor.previous();
    else this.cursor.next();
  }

  #foundPos(ref: Ref): number {
    return this.#entries.stringView(ref).at + this.#offset;
  }

  /** Whether a small set stays small with one more member. */
  #fits(db: ValueHost, ref: Ref, size: number): boolean {
    const { limits } = db;
    if (size > limits['zset-max-listpack-value']) return false;
    const view = db.entries.stringView(ref);
    if (this.packed.size(view) >= limits['zset-max-listpack-entries']) return false;
    return this.packed.hasRoom(view, size);
  }

  /** Makes a small set a large one, as sorting it does. Not a change of its value. */
  enlarge(db: ValueHost, ref: Ref): Ref {
    return this.#entries.isLarge(ref) ? ref : this.#enlarge(db, ref);
  }

  /** Makes a small set a large one. */
  #enlarge(db: ValueHost, ref: Ref): Ref {
    const { large } = this;
    const words = large.create();
    const walk = new ZsetCursor(this.#entries, large, this.packed);
    for (walk.seek(ref, 0); walk.isHere; walk.next()) {
      // A listpack from a stranger may name a member twice.
      if (large.find(words.first, walk.buf, walk.at, walk.size) !== NONE) continue;
      words.second = large.insert(words.first, words.second, walk.score, walk);
    }
    return db.makeLarge(ref, ENCODING_SKIPLIST, words);
  }
}

/** Pairs of a listpack before a position. */
function countPairs(view: BytesView, end: number): number {
  const { buf } = view;
  let count = 0;
  for (let pos = view.at + LISTPACK_HEADER_BYTES; pos < end; count++) {
    pos = listpackNext(buf, listpackNext(buf, pos));
  }
  return count;
}

function compareToEnd(member: BytesView, end: LexEnd): number {
  return compareBytes(member.buf, member.at, member.size, end.buf, end.at, end.size);
}

function isBeforeMin(member: BytesView, min: LexEnd): boolean {
  if (min.infinity !== 0) return min.infinity > 0;
  const order = compareToEnd(member, min);
  return min.isOpen ? order <= 0 : order < 0;
}

function isBehindMax(member: BytesView, max: LexEnd): boolean {
  if (max.infinity !== 0) return max.infinity < 0;
  const order = compareToEnd(member, max);
  return max.isOpen ? order >= 0 : order > 0;
}
