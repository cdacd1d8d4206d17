/**
 * Finds an index of a long list without a walk over all its chunks: neighbouring chunks form a
 * group, which knows how many elements they have together, and the groups are a chain as well. A
 * list of a million short elements has two thousand chunks, and thirty groups.
 *
 * A list that never had more than one chunk has no group; else every chunk is in one.
 */
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import {
  CHUNKS,
  COUNT,
  FIRST,
  GROUP,
  GROUP_BYTES,
  HEAD,
  LAST,
  LENGTH,
  NEXT,
  PREVIOUS,
  TAIL,
  getWord,
  putWord,
} from './list-words.ts';

/** Chunks in a group at most. */
const CHUNKS_MAX = 64;
/** Two groups that have no more chunks than so many become one. */
const JOINED_MAX = 32;

/** The groups of the lists of one arena. */
export class ListGroups {
  /** The number in its chunk of the element that `find` was asked for. */
  index = 0;
  readonly #arena: Arena;
  /** Elements that `#walk` has still to pass by. */
  #rest = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** The chunk that has the element of an index in [0, length), looked for from the nearer ends. */
  find(list: Ref, index: number): Ref {
    const length = this.#get(list, LENGTH) >>> 0;
    let isForward = index * 2 < length;
    this.#rest = isForward ? index : length - 1 - index;
    let chunk = this.#get(list, isForward ? HEAD : TAIL);
    let group = this.#get(chunk, GROUP);
    if (group !== NONE) {
      group = this.#walk(group, isForward);
      const behind = this.#get(group, COUNT) - 1 - this.#rest;
      if (behind < this.#rest) {
        this.#rest = behind;
        isForward = !isForward;
      }
      chunk = this.#get(group, isForward ? FIRST : LAST);
    }
    chunk = this.#walk(chunk, isForward);
    this.index = isForward ? this.#rest : this.#get(chunk, COUNT) - 1 - this.#rest;
    return chunk;
  }

  /** Counts elements that came to a chunk or (negative) went. */
  resized(chunk: Ref, count: number): void {
    // Every push and pop comes here, so the words are looked up once.
    const words = this.#arena.i32[chunk >>> SLAB_SHIFT]!;
    const head = (chunk & UNIT_MASK) << 1;
    words[head + COUNT] = words[head + COUNT]! + count;
    const group = words[head + GROUP]!;
    if (group !== NONE) this.#add(group, COUNT, count);
  }

  /** Takes in a new chunk, without elements, that names its neighbours; these do not name it yet. */
  enter(chunk: Ref): void {
    const previous = this.#get(chunk, PREVIOUS);
    const neighbour = previous === NONE ? this.#get(chunk, NEXT) : previous;
    this.#put(chunk, GROUP, NONE);
    if (neighbour === NONE) return;
    let group = this.#get(neighbour, GROUP);
    if (group === NONE) group = this.#create(neighbour, NONE, NONE);
    const isBehind = neighbour === previous;
    const isAtEdge = this.#get(group, isBehind ? LAST : FIRST) === neighbour;
    if (this.#get(group, CHUNKS) === CHUNKS_MAX) {
      // What grows at an end, or goes on to, leaves full groups behind.
      if (isAtEdge && isBehind) this.#create(chunk, group, this.#get(group, NEXT));
      else if (isAtEdge) this.#create(chunk, this.#get(group, PREVIOUS), group);
      if (isAtEdge) return;
      this.#split(group);
      group = this.#get(neighbour, GROUP);
    }
    if (this.#get(group, isBehind ? LAST : FIRST) === neighbour) {
      this.#put(group, isBehind ? LAST : FIRST, chunk);
    }
    this.#put(chunk, GROUP, group);
    this.#add(group, CHUNKS, 1);
  }

  /** Lets a chunk go whose elements were counted out; it still names its neighbours, they no longer it. */
  leave(chunk: Ref): void {
    const group = this.#get(chunk, GROUP);
    if (group === NONE) return;
    this.#add(group, CHUNKS, -1);
    const previous = this.#get(group, PREVIOUS);
    const next = this.#get(group, NEXT);
    if (this.#get(group, CHUNKS) === 0) {
      if (previous !== NONE) this.#put(previous, NEXT, next);
      if (next !== NONE) this.#put(next, PREVIOUS, previous);
      this.#arena.free(group);
      return;
    }
    if (this.#get(group, FIRST) === chunk) this.#put(group, FIRST, this.#get(chunk, NEXT));
    else if (this.#get(group, LAST) === chunk) this.#put(group, LAST, this.#get(chunk, PREVIOUS));
    if (next !== NONE) this.#join(group, next);
    if (previous !== NONE) this.#join(previous, group);
  }

  /** A chunk has another ref. */
  moved(from: Ref, to: Ref): void {
    const group = this.#get(from, GROUP);
    this.#put(to, GROUP, group);
    if (group === NONE) return;
    if (this.#get(group, FIRST) === from) this.#put(group, FIRST, to);
    if (this.#get(group, LAST) === from) this.#put(group, LAST, to);
  }

  /**
   * Cuts off all chunks before a chunk (or behind it), of which there are some: those of its group
   * are in none then, the other groups go with their chunks.
   */
  cut(chunk: Ref, isBefore: boolean): void {
    const outward = isBefore ? PREVIOUS : NEXT;
    const edge = isBefore ? FIRST : LAST;
    const group = this.#get(chunk, GROUP);
    const outermost = this.#get(group, edge);
    for (let gone = chunk; gone !== outermost;) {
      gone = this.#get(gone, outward);
      this.#put(gone, GROUP, NONE);
      this.#add(group, CHUNKS, -1);
      this.#add(group, COUNT, -this.#get(gone, COUNT));
    }
    this.#put(group, edge, chunk);
    const beyond = this.#get(group, outward);
    if (beyond !== NONE) this.#put(beyond, isBefore ? NEXT : PREVIOUS, NONE);
    this.#put(group, outward, NONE);
  }

  /** The group that a chunk is the last of, or NONE: with the chunk it goes. */
  endingWith(chunk: Ref): Ref {
    const group = this.#get(chunk, GROUP);
    return group !== NONE && this.#get(group, LAST) === chunk ? group : NONE;
  }

  /** Chunks of a list. */
  chunkCount(list: Ref): number {
    const head = this.#get(list, HEAD);
    if (head === NONE) return 0;
    let group = this.#get(head, GROUP);
    if (group === NONE) return 1;
    let count = 0;
    for (; group !== NONE; group = this.#get(group, NEXT)) count += this.#get(group, CHUNKS);
    return count;
  }

  /** Passes by chunks, or groups, of no more than `#rest` elements. */
  #walk(from: Ref, isForward: boolean): Ref {
    const { i32 } = this.#arena;
    const onward = isForward ? NEXT : PREVIOUS;
    let ref = from;
    let rest = this.#rest;
    for (;;) {
      const words = i32[ref >>> SLAB_SHIFT]!;
      const at = (ref & UNIT_MASK) << 1;
      const count = words[at + COUNT]!;
      if (rest < count) break;
      rest -= count;
      ref = words[at + onward]!;
    }
    this.#rest = rest;
    return ref;
  }

  /** A group of one chunk, between two others. */
  #create(chunk: Ref, previous: Ref, next: Ref): Ref {
    const group = this.#arena.alloc(GROUP_BYTES);
    this.#put(group, PREVIOUS, previous);
    this.#put(group, NEXT, next);
    this.#put(group, COUNT, this.#get(chunk, COUNT));
    this.#put(group, FIRST, chunk);
    this.#put(group, LAST, chunk);
    this.#put(group, CHUNKS, 1);
    if (previous !== NONE) this.#put(previous, NEXT, group);
    if (next !== NONE) this.#put(next, PREVIOUS, group);
    this.#put(chunk, GROUP, group);
    return group;
  }

  /** Puts the second half of a full group into one of its own. */
  #split(group: Ref): void {
    const second = this.#create(this.#get(group, LAST), group, this.#get(group, NEXT));
    for (let i = 1; i < CHUNKS_MAX / 2; i++) {
      const chunk = this.#get(this.#get(second, FIRST), PREVIOUS);
      this.#put(chunk, GROUP, second);
      this.#put(second, FIRST, chunk);
      this.#add(second, COUNT, this.#get(chunk, COUNT));
    }
    this.#put(second, CHUNKS, CHUNKS_MAX / 2);
    this.#put(group, LAST, this.#get(this.#get(second, FIRST), PREVIOUS));
    this.#add(group, CHUNKS, -CHUNKS_MAX / 2);
    this.#add(group, COUNT, -this.#get(second, COUNT));
  }

  /** Puts the chunks of the second into the first, if they are few. */
  #join(first: Ref, second: Ref): void {
    const moved = this.#get(second, CHUNKS);
    if (this.#get(first, CHUNKS) + moved > JOINED_MAX) return;
    let chunk = this.#get(second, FIRST);
    for (let i = 0; i < moved; i++) {
      this.#put(chunk, GROUP, first);
      chunk = this.#get(chunk, NEXT);
    }
    this.#add(first, CHUNKS, moved);
    this.#add(first, COUNT, this.#get(second, COUNT));
    this.#put(first, LAST, this.#get(second, LAST));
    const next = this.#get(second, NEXT);
    this.#put(first, NEXT, next);
    if (next !== NONE) this.#put(next, PREVIOUS, first);
    this.#arena.free(second);
  }

  #get(ref: Ref, word: number): number {
    return getWord(this.#arena, ref, word);
  }

  #put(ref: Ref, word: number, value: number): void {
    putWord(this.#arena, ref, word, value);
  }

  #add(ref: Ref, word: number, value: number): void {
    putWord(this.#arena, ref, word, getWord(this.#arena, ref, word) + value);
  }
}
