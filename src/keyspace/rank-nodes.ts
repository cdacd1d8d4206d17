/**
 * Nodes of rank trees, as blocks of 32-bit words. A header word (level in the low 8 bits, room for
 * entries in 12, entries in 12) and the entries: of a leaf (level 0) one word, the element's ref;
 * of an inner node three words, a child, the elements below it, and the first of these. Blocks grow
 * by an eighth at a time, so half-empty nodes are not half-empty blocks.
 */
import { invariant } from '../base/index.ts';
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK, blockBytes } from './arena.ts';

/** Most entries of a leaf and of an inner node: blocks of 512 and 768 bytes. */
export const LEAF_MAX = 127;
export const INNER_MAX = 63;
/** Words of an inner node's entry, and what they are. */
export const INNER_STRIDE = 3;
export const CHILD = 0;
export const COUNT = 1;
export const FIRST = 2;

const CAPACITY_SHIFT = 8;
const CAPACITY_MASK = 0xfff;
/** Entries of a node: its header word `>>>` this. */
export const COUNT_SHIFT = 20;
const COUNT_ONE = 1 << COUNT_SHIFT;

/** Words of an entry. */
export function strideOf(level: number): number {
  return level === 0 ? 1 : INNER_STRIDE;
}

/** Most entries of a node. */
export function entriesMax(level: number): number {
  return level === 0 ? LEAF_MAX : INNER_MAX;
}

/** Reads and writes nodes; knows nothing of order. */
export class TreeNodes {
  readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  level(node: Ref): number {
    return this.#header(node) & 255;
  }

  count(node: Ref): number {
    return this.#header(node) >>> COUNT_SHIFT;
  }

  capacity(node: Ref): number {
    return (this.#header(node) >>> CAPACITY_SHIFT) & CAPACITY_MASK;
  }

  /** Bytes of the node's block. */
  bytes(node: Ref): number {
    return blockBytes((this.capacity(node) * strideOf(this.level(node)) + 1) * 4);
  }

  /** An empty node with room for at least `room` entries. */
  create(level: number, room: number): Ref {
    const stride = strideOf(level);
    const size = (room * stride + 1) * 4;
    const node = this.arena.alloc(size);
    const fitting = Math.floor((blockBytes(size) / 4 - 1) / stride);
    const capacity = Math.min(fitting, entriesMax(level));
    this.arena.i32[node >>> SLAB_SHIFT]![(node & UNIT_MASK) << 1] =
      level | (capacity << CAPACITY_SHIFT);
    return node;
  }

  /** The element of a leaf. */
  element(leaf: Ref, index: number): Ref {
    return this.arena.i32[leaf >>> SLAB_SHIFT]![((leaf & UNIT_MASK) << 1) + 1 + index]!;
  }

  /** Index in a leaf of an element that it has. */
  indexOf(leaf: Ref, ref: Ref): number {
    const words = this.arena.i32[leaf >>> SLAB_SHIFT]!;
    const first = ((leaf & UNIT_MASK) << 1) + 1;
    const end = first + (words[first - 1]! >>> COUNT_SHIFT);
    let at = first;
    while (at < end && words[at] !== ref) at++;
    invariant(at < end, 'an element is in the leaf where the order has it');
    return at - first;
  }

  setElement(leaf: Ref, index: number, ref: Ref): void {
    this.arena.i32[leaf >>> SLAB_SHIFT]![((leaf & UNIT_MASK) << 1) + 1 + index] = ref;
  }

  /** A word of an inner node's entry: CHILD, COUNT or FIRST. */
  word(inner: Ref, index: number, which: number): number {
    const at = ((inner & UNIT_MASK) << 1) + 1 + index * INNER_STRIDE + which;
    return this.arena.i32[inner >>> SLAB_SHIFT]![at]!;
  }

  setWord(inner: Ref, index: number, which: number, value: number): void {
    const at = ((inner & UNIT_MASK) << 1) + 1 + index * INNER_STRIDE + which;
    this.arena.i32[inner >>> SLAB_SHIFT]![at] = value;
  }

  /** Adds to the number of elements below a child. */
  addToCount(inner: Ref, index: number, change: number): void {
    const at = ((inner & UNIT_MASK) << 1) + 1 + index * INNER_STRIDE + COUNT;
    const words = this.arena.i32[inner >>> SLAB_SHIFT]!;
    words[at] = words[at]! + change;
  }

  /** Makes a child's entry say what is true of it. */
  describe(inner: Ref, index: number, child: Ref): void {
    this.setWord(inner, index, CHILD, child);
    this.setWord(inner, index, COUNT, this.total(child));
    this.setWord(inner, index, FIRST, this.first(child));
  }

  /** First element at or below a node that is not empty. */
  first(node: Ref): Ref {
    return this.level(node) === 0 ? this.element(node, 0) : this.word(node, 0, FIRST);
  }

  /** Elements at or below a node. */
  total(node: Ref): number {
    const words = this.arena.i32[node >>> SLAB_SHIFT]!;
    const head = (node & UNIT_MASK) << 1;
    const count = words[head]! >>> COUNT_SHIFT;
    if ((words[head]! & 255) === 0) return count;
    let total = 0;
    const end = head + 1 + count * INNER_STRIDE;
    for (let at = head + 1 + COUNT; at < end; at += INNER_STRIDE) total += words[at]!;
    return total;
  }

  /** Makes room for an entry at `index`, of unspecified content; the node is not full. */
  open(node: Ref, index: number): void {
    const words = this.arena.i32[node >>> SLAB_SHIFT]!;
    const head = (node & UNIT_MASK) << 1;
    const stride = strideOf(words[head]! & 255);
    const end = head + 1 + (words[head]! >>> COUNT_SHIFT) * stride;
    const at = head + 1 + index * stride;
    for (let i = end - 1; i >= at; i--) words[i + stride] = words[i]!;
    words[head] = words[head]! + COUNT_ONE;
  }

  /** Takes the entry at `index` out. */
  close(node: Ref, index: number): void {
    const words = this.arena.i32[node >>> SLAB_SHIFT]!;
    const head = (node & UNIT_MASK) << 1;
    const stride = strideOf(words[head]! & 255);
    const end = head + 1 + (words[head]! >>> COUNT_SHIFT) * stride;
    for (let i = head + 1 + index * stride; i + stride < end; i++) words[i] = words[i + stride]!;
    words[head] = words[head]! - COUNT_ONE;
  }

  /** Adds the entries [start, end) of a node to the end of another of its level, which has room. */
  append(to: Ref, from: Ref, start: number, end: number): void {
    const stride = strideOf(this.level(to));
    const words = this.arena.i32[to >>> SLAB_SHIFT]!;
    const head = (to & UNIT_MASK) << 1;
    const source = this.arena.i32[from >>> SLAB_SHIFT]!;
    const fromAt = ((from & UNIT_MASK) << 1) + 1;
    let at = head + 1 + (words[head]! >>> COUNT_SHIFT) * stride;
    for (let i = start * stride; i < end * stride; i++) words[at++] = source[fromAt + i]!;
    words[head] = words[head]! + (end - start) * COUNT_ONE;
  }

  /** Drops the entries from `count` on. */
  truncate(node: Ref, count: number): void {
    const words = this.arena.i32[node >>> SLAB_SHIFT]!;
    const head = (node & UNIT_MASK) << 1;
    words[head] = (words[head]! & (COUNT_ONE - 1)) | (count << COUNT_SHIFT);
  }

  /** The node in a block with room for `room` entries; the old block is freed. */
  resize(node: Ref, room: number): Ref {
    const to = this.create(this.level(node), room);
    this.append(to, node, 0, this.count(node));
    this.arena.free(node);
    return to;
  }

  #header(node: Ref): number {
    return this.arena.i32[node >>> SLAB_SHIFT]![(node & UNIT_MASK) << 1]!;
  }
}
