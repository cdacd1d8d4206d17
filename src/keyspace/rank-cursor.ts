/** Walking along a rank tree, in both directions, without allocation. */
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { CHILD, COUNT, TreeNodes } from './rank-nodes.ts';
import { TREE_HEIGHT_MAX } from './rank-reader.ts';

/** Most elements that are looked at together. */
const TOGETHER_MAX = 16;

/**
 * A place in a tree that does not change meanwhile. One object serves many walks, one after the
 * other.
 */
export class RankCursor {
  /** The element here; NONE before the first and behind the last. */
  ref: Ref = NONE;
  readonly #arena: Arena;
  readonly #nodes: TreeNodes;
  /** Inner nodes above the leaf, and the index of the child taken in each. */
  readonly #path = new Int32Array(TREE_HEIGHT_MAX);
  readonly #index = new Int32Array(TREE_HEIGHT_MAX);
  #depth = 0;
  /** The leaf's slab, where its entries start and end there, and the entry that `ref` is. */
  #words: Int32Array;
  #start = 0;
  #end = 0;
  #at = 0;
  /** Elements that are still to be visited without having been looked at, and those that have been. */
  #coming = 0;
  #seen = 0;
  /** What `#look` saw, which means nothing; it is kept so that looking is not left out. */
  protected sight = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#nodes = new TreeNodes(arena);
    this.#words = new Int32Array(0);
  }

  /**
   * Goes to the element of a rank; `ref` is NONE when there is none. `coming`: how many elements are going to be visited
   * in one direction from there on, if that is known; they are then fetched several at once.
   */
  seek(root: Ref, rank: number, coming: number = 0, isReverse: boolean = false): void {
    const nodes = this.#nodes;
    this.ref = NONE;
    this.#coming = 0;
    if (root === NONE || rank < 0 || rank >= nodes.total(root)) return;
    let node = root;
    let left = rank;
    this.#depth = 0;
    for (let level = nodes.level(root); level > 0; level--) {
      let index = 0;
      for (let below; (below = nodes.word(node, index, COUNT)) <= left; index++) left -= below;
      this.#path[this.#depth] = node;
      this.#index[this.#depth++] = index;
      node = nodes.word(node, index, CHILD);
    }
    this.#enter(node);
    this.#at = this.#start + left;
    this.ref = this.#words[this.#at]!;
    if (coming <= 1) return;
    this.#coming = coming;
    this.#look(isReverse ? -1 : 1);
  }

  /** Goes to the next element; not to be called when `ref` is NONE. */
  next(): void {
    if (++this.#at < this.#end) this.ref = this.#words[this.#at]!;
    else this.#turn(1);
    if (this.#coming > 0 && --this.#seen <= 0) this.#look(1);
  }

  /** Goes to the element before; not to be called when `ref` is NONE. */
  previous(): void {
    if (--this.#at >= this.#start) this.ref = this.#words[this.#at]!;
    else this.#turn(-1);
    if (this.#coming > 0 && --this.#seen <= 0) this.#look(-1);
  }

  /**
   * Looks at the elements that come next in this leaf. They are anywhere in memory; so the processor waits for all of
   * them at once, and not for each when its turn comes.
   */
  #look(step: number): void {
    if (this.ref === NONE) return;
    const views = this.#arena.i32;
    const words = this.#words;
    const here = this.#at;
    const left = step > 0 ? this.#end - here : here - this.#start + 1;
    const count = Math.min(this.#coming, left, TOGETHER_MAX);
    const end = here + count * step;
    let sum = 0;
    for (let at = here; at !== end; at += step) {
      const ref = words[at]!;
      sum ^= views[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1]!;
    }
    this.sight = sum;
    this.#seen = count;
    this.#coming -= count;
  }

  #enter(leaf: Ref): void {
    this.#words = this.#arena.i32[leaf >>> SLAB_SHIFT]!;
    this.#start = ((leaf & UNIT_MASK) << 1) + 1;
    this.#end = this.#start + this.#nodes.count(leaf);
  }

  /** Goes to the near end of the next leaf (`step` 1) or the one before (-1). */
  #turn(step: number): void {
    const nodes = this.#nodes;
    let depth = this.#depth - 1;
    for (; depth >= 0; depth--) {
      const index = this.#index[depth]! + step;
      if (index < 0 || index >= nodes.count(this.#path[depth]!)) continue;
      this.#index[depth] = index;
      break;
    }
    if (depth < 0) {
      this.ref = NONE;
      return;
    }
    let node = nodes.word(this.#path[depth]!, this.#index[depth]!, CHILD);
    for (depth++; depth < this.#depth; depth++) {
      this.#path[depth] = node;
      this.#index[depth] = step > 0 ? 0 : nodes.count(node) - 1;
      node = nodes.word(node, this.#index[depth]!, CHILD);
    }
    this.#enter(node);
    this.#at = step > 0 ? this.#start : this.#end - 1;
    this.ref = this.#words[this.#at]!;
  }
}
