/**
 * Large lists: a chain of chunks, each a run of listpack elements in one arena block with free room
 * before and behind them. So both ends push and pop without moving anything, and whatever happens
 * in the middle (`list-middle.ts`) costs one chunk.
 *
 * A list is a block of three words: first and last chunk, number of elements. A chunk is seven words
 * (`list-words.ts`) and the elements, without the head and the end mark that a listpack would have.
 * Groups of chunks (`list-groups.ts`) make short work of finding an index.
 */
import { invariant } from '../base/index.ts';
import { type ListpackElement, listpackNext, listpackPrevious } from '../rdb/index.ts';
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { ListGroups } from './list-groups.ts';
import {
  CAPACITY,
  CHUNK_HEAD_BYTES,
  COUNT,
  END,
  HEAD,
  LENGTH,
  LIST_BYTES,
  NEXT,
  PREVIOUS,
  START,
  TAIL,
  getWord,
  putWord,
} from './list-words.ts';

/** Room of a chunk at either end of a list that has one chunk; later ones are as large as their neighbour. */
const FIRST_ROOM_BYTES = 1000;
/** A lone chunk of at least so many bytes is made smaller when three quarters of it are free. */
const SHRINK_FROM_BYTES = 256;
const LENGTH_MAX = 0xffff_ffff;

/** How much may be in one chunk. An element that is larger than all of it has a chunk of its own. */
export interface ChunkLimits {
  /** Bytes of elements. */
  bytes: number;
  count: number;
}

/** Elements as bytes of a listpack. */
export interface ElementRun {
  readonly buf: Uint8Array;
  readonly at: number;
  readonly size: number;
  readonly count: number;
}

/** The chains of one arena. */
export class ListChunks {
  readonly arena: Arena;
  readonly groups: ListGroups;
  /** Where `seek` arrived: a chunk, and the position of an element in its slab. */
  chunk: Ref = NONE;
  pos = 0;
  /** Its number in the chunk. */
  index = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.groups = new ListGroups(arena);
  }

  create(): Ref {
    const list = this.arena.alloc(LIST_BYTES);
    this.#put(list, HEAD, NONE);
    this.#put(list, TAIL, NONE);
    this.#put(list, LENGTH, 0);
    return list;
  }

  /** Number of elements. */
  length(list: Ref): number {
    return this.#get(list, LENGTH) >>> 0;
  }

  first(list: Ref): Ref {
    return this.#get(list, HEAD);
  }

  last(list: Ref): Ref {
    return this.#get(list, TAIL);
  }

  next(chunk: Ref): Ref {
    return this.#get(chunk, NEXT);
  }

  previous(chunk: Ref): Ref {
    return this.#get(chunk, PREVIOUS);
  }

  /** Elements of a chunk. */
  count(chunk: Ref): number {
    return this.#get(chunk, COUNT);
  }

  /** The slab that a chunk is in. */
  bytes(chunk: Ref): Buffer {
    return this.arena.u8[chunk >>> SLAB_SHIFT]!;
  }

  /** Where in its slab a chunk's elements start. */
  startOf(chunk: Ref): number {
    return ((chunk & UNIT_MASK) << 3) + this.#get(chunk, START);
  }

  /** Where in its slab a chunk's elements end. */
  endOf(chunk: Ref): number {
    return ((chunk & UNIT_MASK) << 3) + this.#get(chunk, END);
  }

  usedBytes(chunk: Ref): number {
    return this.#get(chunk, END) - this.#get(chunk, START);
  }

  /** Bytes of a chunk's block. */
  capacity(chunk: Ref): number {
    return this.#get(chunk, CAPACITY);
  }

  /** Whether so much more may be in a chunk. */
  fits(chunk: Ref, bytes: number, count: number, limits: ChunkLimits): boolean {
    return (
      this.usedBytes(chunk) + bytes <= limits.bytes &&
      this.#get(chunk, COUNT) + count <= limits.count
    );
  }

  /** Goes to the element of an index in [0, length), from the nearer end. */
  seek(list: Ref, index: number): void {
    this.chunk = this.groups.find(list, index);
    this.index = this.groups.index;
    this.pos = this.#position(this.chunk, this.index);
  }

  /** Adds an element at an end; returns how many there are then. */
  push(list: Ref, element: ListpackElement, isFront: boolean, limits: ChunkLimits): number {
    const { bytes } = element;
    const chunk = this.#roomAtEnd(list, bytes, 1, isFront, limits);
    const slab = chunk >>> SLAB_SHIFT;
    const words = this.arena.i32[slab]!;
    const unit = chunk & UNIT_MASK;
    const edge = (unit << 1) + (isFront ? START : END);
    const at = isFront ? words[edge]! - bytes : words[edge]!;
    element.write(this.arena.u8[slab]!, (unit << 3) + at, this.arena.views[slab]);
    words[edge] = isFront ? at : at + bytes;
    return this.resized(list, chunk, 1);
  }

  /** Appends elements as they are: to the last chunk, or together in one of their own. */
  append(list: Ref, run: ElementRun, limits: ChunkLimits): void {
    const { buf, at, size, count } = run;
    const chunk = this.#roomAtEnd(list, size, count, false, limits);
    const end = this.#get(chunk, END);
    this.bytes(chunk).set(buf.subarray(at, at + size), ((chunk & UNIT_MASK) << 3) + end);
    this.#put(chunk, END, end + size);
    this.resized(list, chunk, count);
  }

  /** Removes the first or last element. */
  pop(list: Ref, isFront: boolean): void {
    const chunk = this.#get(list, isFront ? HEAD : TAIL);
    const base = (chunk & UNIT_MASK) << 3;
    const slab = this.bytes(chunk);
    if (isFront) this.#put(chunk, START, listpackNext(slab, this.startOf(chunk)) - base);
    else this.#put(chunk, END, listpackPrevious(slab, this.endOf(chunk)) - base);
    this.resized(list, chunk, -1);
    if (this.#get(chunk, COUNT) === 0) this.unlink(list, chunk);
    else this.shrink(list, chunk);
  }

  /** Counts elements that came to a chunk or (negative) went; returns how many the list then has. */
  resized(list: Ref, chunk: Ref, count: number): number {
    const words = this.arena.i32[list >>> SLAB_SHIFT]!;
    const at = ((list & UNIT_MASK) << 1) + LENGTH;
    const length = (words[at]! >>> 0) + count;
    invariant(length <= LENGTH_MAX, 'a list has fewer than 2^32 elements');
    words[at] = length;
    this.groups.resized(chunk, count);
    return length;
  }

  /** Says where in its slab a chunk's elements now start and end. */
  setRange(chunk: Ref, start: number, end: number): void {
    const base = (chunk & UNIT_MASK) << 3;
    this.#put(chunk, START, start - base);
    this.#put(chunk, END, end - base);
  }

  /** Makes `bytes` of room before or behind a chunk's elements; the chunk may have another ref then. */
  reserve(list: Ref, chunk: Ref, bytes: number, isFront: boolean, limits: ChunkLimits): Ref {
    const start = this.#get(chunk, START);
    const end = this.#get(chunk, END);
    const capacity = this.#get(chunk, CAPACITY);
    if ((isFront ? start - CHUNK_HEAD_BYTES : capacity - end) >= bytes) return chunk;
    const used = end - start;
    const free = capacity - CHUNK_HEAD_BYTES - used;
    if (free < bytes) {
      const room = Math.min(Math.max(limits.bytes, used + bytes), (used + bytes) * 2);
      return this.#move(list, chunk, room, isFront);
    }
    // Half of what is left stays on the other side, so that turns between the sides move little.
    const side = bytes + ((free - bytes) >>> 1);
    const to = isFront ? CHUNK_HEAD_BYTES + side : capacity - side - used;
    const base = (chunk & UNIT_MASK) << 3;
    this.bytes(chunk).copyWithin(base + to, base + start, base + end);
    this.#put(chunk, START, to);
    this.#put(chunk, END, to + used);
    return chunk;
  }

  /** Gives memory back when a chunk is all that is left of a list, and little. */
  shrink(list: Ref, chunk: Ref): void {
    const capacity = this.#get(chunk, CAPACITY);
    if (capacity < SHRINK_FROM_BYTES || this.#get(list, HEAD) !== this.#get(list, TAIL)) return;
    const used = this.usedBytes(chunk);
    if (used * 4 < capacity) this.#move(list, chunk, used * 2, false);
  }

  /** A new, empty chunk between two neighbours (NONE at an end of the list). */
  addBetween(list: Ref, previous: Ref, next: Ref, room: number): Ref {
    const chunk = this.arena.alloc(CHUNK_HEAD_BYTES + room);
    this.#put(chunk, CAPACITY, this.arena.capacity(chunk));
    this.#put(chunk, COUNT, 0);
    this.#put(chunk, START, CHUNK_HEAD_BYTES);
    this.#put(chunk, END, CHUNK_HEAD_BYTES);
    this.#put(chunk, PREVIOUS, previous);
    this.#put(chunk, NEXT, next);
    this.groups.enter(chunk);
    this.#link(list, chunk);
    return chunk;
  }

  /** Takes a chunk out of the chain and frees it; its elements were counted out. */
  unlink(list: Ref, chunk: Ref): void {
    const previous = this.#get(chunk, PREVIOUS);
    const next = this.#get(chunk, NEXT);
    if (previous === NONE) this.#put(list, HEAD, next);
    else this.#put(previous, NEXT, next);
    if (next === NONE) this.#put(list, TAIL, previous);
    else this.#put(next, PREVIOUS, previous);
    this.groups.leave(chunk);
    this.arena.free(chunk);
  }

  /**
   * Removes `count` elements from an end, fewer than there are; returns the whole chunks among them
   * as a list of their own, or NONE.
   */
  trim(list: Ref, count: number, isFront: boolean): Ref {
    const length = this.length(list);
    this.seek(list, isFront ? count : length - 1 - count);
    const { chunk, index } = this;
    const base = (chunk & UNIT_MASK) << 3;
    const inside = isFront ? index : this.#get(chunk, COUNT) - 1 - index;
    const outer = this.#get(chunk, isFront ? PREVIOUS : NEXT);
    let gone: Ref = NONE;
    if (outer !== NONE) {
      this.groups.cut(chunk, isFront);
      gone = this.create();
      this.#put(gone, HEAD, isFront ? this.#get(list, HEAD) : outer);
      this.#put(gone, TAIL, isFront ? outer : this.#get(list, TAIL));
      this.#put(gone, LENGTH, count - inside);
      this.#put(outer, isFront ? NEXT : PREVIOUS, NONE);
      this.#put(chunk, isFront ? PREVIOUS : NEXT, NONE);
      this.#put(list, isFront ? HEAD : TAIL, chunk);
    }
    if (isFront) this.#put(chunk, START, this.pos - base);
    else this.#put(chunk, END, listpackNext(this.bytes(chunk), this.pos) - base);
    this.groups.resized(chunk, -inside);
    this.#put(list, LENGTH, length - count);
    this.shrink(list, chunk);
    return gone;
  }

  /** Frees up to `max` chunks from the front, and then the list; whether chunks are left. */
  dismantle(list: Ref, max: number): boolean {
    let chunk = this.#get(list, HEAD);
    for (let i = 0; i < max && chunk !== NONE; i++) {
      const next = this.#get(chunk, NEXT);
      const group = this.groups.endingWith(chunk);
      if (group !== NONE) this.arena.free(group);
      this.arena.free(chunk);
      chunk = next;
    }
    this.#put(list, HEAD, chunk);
    if (chunk !== NONE) return true;
    this.arena.free(list);
    return false;
  }

  /** The chunk at an end with room for `bytes` more on that side, or a new one. */
  #roomAtEnd(list: Ref, bytes: number, count: number, isFront: boolean, limits: ChunkLimits): Ref {
    const chunk = this.#get(list, isFront ? HEAD : TAIL);
    if (chunk === NONE) return this.#addEnd(list, bytes, isFront, limits);
    // Nearly every push is told here that there is room, so the words are read at once.
    const words = this.arena.i32[chunk >>> SLAB_SHIFT]!;
    const head = (chunk & UNIT_MASK) << 1;
    const start = words[head + START]!;
    const end = words[head + END]!;
    if (end - start + bytes > limits.bytes || words[head + COUNT]! + count > limits.count) {
      return this.#addEnd(list, bytes, isFront, limits);
    }
    const room = isFront ? start - CHUNK_HEAD_BYTES : words[head + CAPACITY]! - end;
    return room >= bytes ? chunk : this.reserve(list, chunk, bytes, isFront, limits);
  }

  /** A new chunk at an end; its old neighbour is not expected to grow on. */
  #addEnd(list: Ref, bytes: number, isFront: boolean, limits: ChunkLimits): Ref {
    const old = this.#get(list, isFront ? HEAD : TAIL);
    let room = bytes;
    let neighbour = old;
    if (old !== NONE) {
      const used = this.usedBytes(old);
      const isLone = this.#get(list, HEAD) === this.#get(list, TAIL);
      const likely = isLone ? FIRST_ROOM_BYTES : used;
      room = Math.max(bytes, Math.min(likely, limits.bytes));
      const capacity = this.#get(old, CAPACITY);
      if ((capacity - CHUNK_HEAD_BYTES - used) * 8 > capacity) {
        neighbour = this.#move(list, old, used, isFront);
      }
    }
    const chunk = isFront
      ? this.addBetween(list, NONE, neighbour, room)
      : this.addBetween(list, neighbour, NONE, room);
    if (isFront) {
      const capacity = this.#get(chunk, CAPACITY);
      this.#put(chunk, START, capacity);
      this.#put(chunk, END, capacity);
    }
    return chunk;
  }

  /** Puts a chunk into another block, with its free room before or behind the elements. */
  #move(list: Ref, from: Ref, room: number, isFront: boolean): Ref {
    const chunk = this.arena.alloc(CHUNK_HEAD_BYTES + room);
    const capacity = this.arena.capacity(chunk);
    const used = this.usedBytes(from);
    const start = isFront ? capacity - used : CHUNK_HEAD_BYTES;
    this.#put(chunk, CAPACITY, capacity);
    this.#put(chunk, COUNT, this.#get(from, COUNT));
    this.#put(chunk, START, start);
    this.#put(chunk, END, start + used);
    this.#put(chunk, PREVIOUS, this.#get(from, PREVIOUS));
    this.#put(chunk, NEXT, this.#get(from, NEXT));
    const at = this.startOf(from);
    this.bytes(from).copy(this.bytes(chunk), ((chunk & UNIT_MASK) << 3) + start, at, at + used);
    this.#link(list, chunk);
    this.groups.moved(from, chunk);
    this.arena.free(from);
    return chunk;
  }

  /** Makes the neighbours that a chunk names, or the list's ends, name it. */
  #link(list: Ref, chunk: Ref): void {
    const previous = this.#get(chunk, PREVIOUS);
    const next = this.#get(chunk, NEXT);
    if (previous === NONE) this.#put(list, HEAD, chunk);
    else this.#put(previous, NEXT, chunk);
    if (next === NONE) this.#put(list, TAIL, chunk);
    else this.#put(next, PREVIOUS, chunk);
  }

  /** Position in its slab of the element `index` of a chunk. */
  #position(chunk: Ref, index: number): number {
    const slab = this.bytes(chunk);
    const count = this.#get(chunk, COUNT);
    if (index * 2 <= count) {
      let pos = this.startOf(chunk);
      for (let i = 0; i < index; i++) pos = listpackNext(slab, pos);
      return pos;
    }
    let pos = this.endOf(chunk);
    for (let i = count; i > index; i--) pos = listpackPrevious(slab, pos);
    return pos;
  }

  #get(ref: Ref, word: number): number {
    return getWord(this.arena, ref, word);
  }

  #put(ref: Ref, word: number, value: number): void {
    putWord(this.arena, ref, word, value);
  }
}
