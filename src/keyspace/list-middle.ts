/** What happens in the middle of a large list: in each case a matter of one chunk and its neighbours. */
import { type ListpackElement, listpackNext, listpackPrevious } from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { ChunkLimits, ListChunks } from './list-chunks.ts';
import type { ListMatcher } from './list-matcher.ts';

/** Chunks are joined when both together fill no more than this share of one. */
const JOINED_SHARE = 0.75;

export class ListMiddle {
  readonly #chunks: ListChunks;
  /** Where the next element is to be put: a chunk, and an offset from the start of its elements. */
  #to: Ref = NONE;
  #offset = 0;

  constructor(chunks: ListChunks) {
    this.#chunks = chunks;
  }

  /** Puts an element before the one at `pos` of `chunk`; behind the last when `pos` is the end. */
  insert(list: Ref, chunk: Ref, pos: number, element: ListpackElement, limits: ChunkLimits): void {
    const chunks = this.#chunks;
    const { bytes } = element;
    this.#to = chunk;
    this.#offset = pos - chunks.startOf(chunk);
    const isFull = !chunks.fits(chunk, bytes, 1, limits);
    if (isFull) this.#findRoom(list, bytes, limits);
    const at = this.#open(list, bytes, limits);
    element.write(chunks.bytes(this.#to), at);
    chunks.resized(list, this.#to, 1);
    if (isFull) this.#joinAround(list, this.#to, limits);
  }

  /** Removes the element at `pos`. */
  remove(list: Ref, chunk: Ref, pos: number, limits: ChunkLimits): void {
    this.#close(chunk, pos, listpackNext(this.#chunks.bytes(chunk), pos));
    this.#chunks.resized(list, chunk, -1);
    this.#joinAround(list, chunk, limits);
  }

  /** Puts an element in the place of the one at `pos`. */
  replace(list: Ref, chunk: Ref, pos: number, element: ListpackElement, limits: ChunkLimits): void {
    const chunks = this.#chunks;
    const { bytes } = element;
    const next = listpackNext(chunks.bytes(chunk), pos);
    const old = next - pos;
    if (bytes <= old) {
      element.write(chunks.bytes(chunk), pos);
      if (bytes < old) this.#close(chunk, pos + bytes, next);
      return;
    }
    if (chunks.count(chunk) === 1 || chunks.fits(chunk, bytes - old, 0, limits)) {
      this.#to = chunk;
      this.#offset = pos - chunks.startOf(chunk);
      const at = this.#open(list, bytes - old, limits);
      element.write(chunks.bytes(this.#to), at);
      return;
    }
    this.#close(chunk, pos, next);
    chunks.resized(list, chunk, -1);
    // What was before the old one is where it was, unless that moved to close the gap.
    const offset = this.#offset;
    this.insert(list, chunk, chunks.startOf(chunk) + offset, element, limits);
  }

  /**
   * Removes up to `max` elements that match, from the front or from the back; returns how many
   * they were.
   */
  removeMatching(
    list: Ref,
    matcher: ListMatcher,
    max: number,
    isFromBack: boolean,
    limits: ChunkLimits,
  ): number {
    const chunks = this.#chunks;
    let removed = 0;
    let chunk = isFromBack ? chunks.last(list) : chunks.first(list);
    while (chunk !== NONE && removed < max) {
      const following = isFromBack ? chunks.previous(chunk) : chunks.next(chunk);
      const left = max - removed;
      const count = isFromBack
        ? this.#sweepBack(chunk, matcher, left)
        : this.#sweep(chunk, matcher, left);
      if (count > 0) {
        chunks.resized(list, chunk, -count);
        removed += count;
        this.#joinAround(list, chunk, limits, following);
      }
      chunk = following;
    }
    return removed;
  }

  /** Removes matching elements of one chunk; what stays moves once. */
  #sweep(chunk: Ref, matcher: ListMatcher, max: number): number {
    const slab = this.#chunks.bytes(chunk);
    const start = this.#chunks.startOf(chunk);
    const end = this.#chunks.endOf(chunk);
    let count = 0;
    /** What stays ends here, and goes on with what begins at `kept`. */
    let to = start;
    let kept = start;
    for (let pos = start; pos < end && count < max;) {
      const next = listpackNext(slab, pos);
      if (matcher.matches(slab, pos)) {
        if (to !== kept) slab.copyWithin(to, kept, pos);
        to += pos - kept;
        kept = next;
        count++;
      }
      pos = next;
    }
    if (count === 0) return 0;
    slab.copyWithin(to, kept, end);
    this.#chunks.setRange(chunk, start, to + end - kept);
    return count;
  }

  #sweepBack(chunk: Ref, matcher: ListMatcher, max: number): number {
    const slab = this.#chunks.bytes(chunk);
    const start = this.#chunks.startOf(chunk);
    const end = this.#chunks.endOf(chunk);
    let count = 0;
    let to = end;
    let kept = end;
    for (let pos = end; pos > start && count < max;) {
      const previous = listpackPrevious(slab, pos);
      if (matcher.matches(slab, previous)) {
        to -= kept - pos;
        if (to !== pos) slab.copyWithin(to, pos, kept);
        kept = previous;
        count++;
      }
      pos = previous;
    }
    if (count === 0) return 0;
    slab.copyWithin(to - (kept - start), start, kept);
    this.#chunks.setRange(chunk, to - (kept - start), end);
    return count;
  }

  /** A place for `bytes` beside a full chunk, which may be split for it. */
  #findRoom(list: Ref, bytes: number, limits: ChunkLimits): void {
    const chunks = this.#chunks;
    const chunk = this.#to;
    let before = chunk;
    let behind = chunk;
    if (this.#offset === 0) before = chunks.previous(chunk);
    else if (this.#offset === chunks.usedBytes(chunk)) behind = chunks.next(chunk);
    else behind = this.#split(list, chunk, this.#offset);
    if (before !== NONE && chunks.fits(before, bytes, 1, limits)) {
      this.#to = before;
      this.#offset = chunks.usedBytes(before);
      return;
    }
    this.#offset = 0;
    this.#to =
      behind !== NONE && chunks.fits(behind, bytes, 1, limits)
        ? behind
        : chunks.addBetween(list, before, behind, bytes);
  }

  /** Cuts a chunk in two; returns the second. */
  #split(list: Ref, chunk: Ref, offset: number): Ref {
    const chunks = this.#chunks;
    const start = chunks.startOf(chunk);
    const from = start + offset;
    const end = chunks.endOf(chunk);
    let count = 0;
    const slab = chunks.bytes(chunk);
    for (let pos = from; pos < end; pos = listpackNext(slab, pos)) count++;
    const second = chunks.addBetween(list, chunk, chunks.next(chunk), end - from);
    const to = chunks.startOf(second);
    slab.copy(chunks.bytes(second), to, from, end);
    chunks.setRange(second, to, to + end - from);
    chunks.setRange(chunk, start, from);
    chunks.resized(list, chunk, -count);
    chunks.resized(list, second, count);
    return second;
  }

  /** Makes a gap where the next element is to be put; returns its position. The chunk may move. */
  #open(list: Ref, bytes: number, limits: ChunkLimits): number {
    const chunks = this.#chunks;
    const offset = this.#offset;
    const isFront = offset * 2 < chunks.usedBytes(this.#to);
    const chunk = chunks.reserve(list, this.#to, bytes, isFront, limits);
    this.#to = chunk;
    const slab = chunks.bytes(chunk);
    const start = chunks.startOf(chunk);
    const end = chunks.endOf(chunk);
    if (isFront) {
      slab.copyWithin(start - bytes, start, start + offset);
      chunks.setRange(chunk, start - bytes, end);
      return start - bytes + offset;
    }
    slab.copyWithin(start + offset + bytes, start + offset, end);
    chunks.setRange(chunk, start, end + bytes);
    return start + offset;
  }

  /** Takes the bytes between two positions out; `#offset` is then where they were. */
  #close(chunk: Ref, from: number, to: number): void {
    const chunks = this.#chunks;
    const slab = chunks.bytes(chunk);
    const start = chunks.startOf(chunk);
    const end = chunks.endOf(chunk);
    this.#offset = from - start;
    if (from - start < end - to) {
      slab.copyWithin(start + to - from, start, from);
      chunks.setRange(chunk, start + to - from, end);
    } else {
      slab.copyWithin(from, to, end);
      chunks.setRange(chunk, start, end - (to - from));
    }
  }

  /**
   * Joins a chunk with its neighbours where little is left of them, except with `spared`; an empty
   * one goes.
   */
  #joinAround(list: Ref, chunk: Ref, limits: ChunkLimits, spared: Ref = NONE): void {
    const chunks = this.#chunks;
    if (chunks.count(chunk) === 0) return chunks.unlink(list, chunk);
    const previous = chunks.previous(chunk);
    const next = chunks.next(chunk);
    if (previous === next) return chunks.shrink(list, chunk);
    let joined = chunk;
    if (next !== NONE && next !== spared) joined = this.#join(list, chunk, next, limits);
    if (previous !== NONE && previous !== spared) this.#join(list, previous, joined, limits);
  }

  /** Moves the second's elements to the first, if they are few; returns the first, which may have moved. */
  #join(list: Ref, first: Ref, second: Ref, limits: ChunkLimits): Ref {
    const chunks = this.#chunks;
    const bytes = chunks.usedBytes(second);
    const count = chunks.count(second);
    if (chunks.usedBytes(first) + bytes > limits.bytes * JOINED_SHARE) return first;
    if (chunks.count(first) + count > limits.count * JOINED_SHARE) return first;
    const to = chunks.reserve(list, first, bytes, false, limits);
    const at = chunks.endOf(to);
    const from = chunks.startOf(second);
    chunks.bytes(second).copy(chunks.bytes(to), at, from, from + bytes);
    chunks.setRange(to, chunks.startOf(to), at + bytes);
    chunks.resized(list, to, count);
    chunks.resized(list, second, -count);
    chunks.unlink(list, second);
    return to;
  }
}
