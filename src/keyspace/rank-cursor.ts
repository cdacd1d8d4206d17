/** Walking along a rank tree, in both directions, without allocation. */
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { CHILD, COUNT, TreeNodes } from './rank-nodes.ts';
import { TREE_HEIGHT_MAX } from './rank-reader.ts';

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

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#nodes = new TreeNodes(arena);
    this.#words = new Int32Array(0);
  }

  /** Goes to the element of a rank; `ref` is NONE when there is none. */
  seek(root: Ref, rank: number): void {
    const nodes = this.#nodes;
    this.ref = NONE;
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
  }

  /** Goes to the next element; not to be called when `ref` is NONE. */
  next(): void {
    if (++this.#at < this.#end) this.ref = this.#words[this.#at]!;
    else this.#turn(1);
  }

  /** Goes to the element before; not to be called when `ref` is NONE. */
  previous(): void {
    if (--this.#at >= this.#start) this.ref = this.#words[this.#at]!;
    else this.#turn(-1);
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
