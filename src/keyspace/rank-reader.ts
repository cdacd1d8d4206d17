/** Looking things up in rank trees, which never changes them. */
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { CHILD, COUNT, COUNT_SHIFT, FIRST, INNER_STRIDE, TreeNodes } from './rank-nodes.ts';

/** The order of a tree's elements. */
export interface TreeOrder {
  /** Below 0 when the probe comes before the element, 0 when it is it, above 0 when it is behind. */
  compare(ref: Ref): number;
}

/** Deeper than any tree: a node that has few entries has neighbours that have many. */
export const TREE_HEIGHT_MAX = 32;
/** The reading side of `RankTree`. */
export class RankReader {
  protected readonly arena: Arena;
  protected readonly order: TreeOrder;
  protected readonly nodes: TreeNodes;
  /** Nodes from the root to a leaf, and the index of the entry taken in each. */
  protected readonly path: Int32Array = new Int32Array(TREE_HEIGHT_MAX);
  protected readonly index: Int32Array = new Int32Array(TREE_HEIGHT_MAX);
  /** Elements before the leaf that `#leafFor` found. */
  #before = 0;

  constructor(arena: Arena, order: TreeOrder) {
    this.arena = arena;
    this.order = order;
    this.nodes = new TreeNodes(arena);
  }

  /** Number of elements. */
  count(root: Ref): number {
    return root === NONE ? 0 : this.nodes.total(root);
  }

  /** The element that the probe is, or NONE. */
  find(root: Ref): Ref {
    if (root === NONE) return NONE;
    const depth = this.descend(root);
    const at = this.index[depth]! - 1;
    if (at < 0) return NONE;
    const ref = this.nodes.element(this.path[depth]!, at);
    return this.order.compare(ref) === 0 ? ref : NONE;
  }

  /** How many elements come before the probe: the rank of the first one that does not. */
  lowerBound(root: Ref): number {
    return this.#bound(root, 1);
  }

  /** How many elements come before the probe or are it: the rank of the first one behind it. */
  upperBound(root: Ref): number {
    return this.#bound(root, 0);
  }

  /**
   * The rank of an element of the tree, which the probe is. Its leaf is searched for the ref alone: to compare there
   * would mean to wait for seven elements, one after the other.
   */
  rankOf(root: Ref, ref: Ref): number {
    const leaf = this.#leafFor(root, 0);
    return this.#before + this.nodes.indexOf(leaf, ref);
  }

  /** The element of a rank in [0, count). */
  at(root: Ref, rank: number): Ref {
    const nodes = this.nodes;
    let node = root;
    let left = rank;
    for (let level = nodes.level(root); level > 0; level--) {
      let index = 0;
      for (let below; (below = nodes.word(node, index, COUNT)) <= left; index++) left -= below;
      node = nodes.word(node, index, CHILD);
    }
    return nodes.element(node, left);
  }

  /** Bytes of the nodes, estimated from about `samples` children of each (0: all). */
  memoryUsage(root: Ref, samples: number): number {
    if (root === NONE) return 0;
    const nodes = this.nodes;
    const own = nodes.bytes(root);
    if (nodes.level(root) === 0) return own;
    const count = nodes.count(root);
    const step = samples === 0 ? 1 : Math.max(1, Math.floor(count / samples));
    let bytes = 0;
    let looked = 0;
    for (let i = 0; i < count; i += step, looked++) {
      bytes += this.memoryUsage(nodes.word(root, i, CHILD), samples);
    }
    return own + Math.round((bytes / looked) * count);
  }

  /**
   * Notes the way to the probe's place behind all elements that are not behind it: in inner nodes
   * the child taken, in the leaf the index of the place. Returns the leaf's depth.
   */
  protected descend(root: Ref): number {
    const depth = this.#descendInner(root);
    this.index[depth] = this.#indexIn(this.path[depth]!, 0);
    return depth;
  }

  /** Notes the way to an element, which the probe is and which is there; returns the leaf's depth. */
  protected descendToElement(root: Ref, ref: Ref): number {
    const depth = this.#descendInner(root);
    this.index[depth] = this.nodes.indexOf(this.path[depth]!, ref);
    return depth;
  }

  /** Notes the way to the leaf where the probe belongs behind all that are not behind it; returns its depth. */
  #descendInner(root: Ref): number {
    const views = this.arena.i32;
    let node = root;
    for (let depth = 0; ; depth++) {
      const words = views[node >>> SLAB_SHIFT]!;
      const head = (node & UNIT_MASK) << 1;
      this.path[depth] = node;
      if ((words[head]! & 255) === 0) return depth;
      const index = this.#childFor(words, head, 0);
      this.index[depth] = index;
      node = words[head + 1 + index * INNER_STRIDE + CHILD]!;
    }
  }

  /** Notes the way to the element of a rank; returns the leaf's depth. */
  protected descendTo(root: Ref, rank: number): number {
    const nodes = this.nodes;
    let node = root;
    let left = rank;
    let depth = 0;
    for (let level = nodes.level(root); level > 0; level--) {
      let index = 0;
      for (let below; (below = nodes.word(node, index, COUNT)) <= left; index++) left -= below;
      this.path[depth] = node;
      this.index[depth++] = index;
      node = nodes.word(node, index, CHILD);
    }
    this.path[depth] = node;
    this.index[depth] = left;
    return depth;
  }

  /** Elements whose comparison with the probe gives `least` (1, or 0 to count the equal one) or more. */
  #bound(root: Ref, least: number): number {
    if (root === NONE) return 0;
    const leaf = this.#leafFor(root, least);
    return this.#before + this.#indexIn(leaf, least);
  }

  /** The leaf where these elements end; `#before` are those in the leaves before it. */
  #leafFor(root: Ref, least: number): Ref {
    const views = this.arena.i32;
    let before = 0;
    for (let node = root; ;) {
      const words = views[node >>> SLAB_SHIFT]!;
      const head = (node & UNIT_MASK) << 1;
      if ((words[head]! & 255) === 0) {
        this.#before = before;
        return node;
      }
      const end = head + 1 + this.#childFor(words, head, least) * INNER_STRIDE;
      for (let at = head + 1; at < end; at += INNER_STRIDE) before += words[at + COUNT]!;
      node = words[end + CHILD]!;
    }
  }

  /** Index of the child of an inner node where the elements end whose comparison gives `least` or more. */
  #childFor(words: Int32Array, head: number, least: number): number {
    const { order } = this;
    let low = 0;
    for (let high = (words[head]! >>> COUNT_SHIFT) - 1; low < high;) {
      const middle = (low + high + 1) >>> 1;
      const first = words[head + 1 + middle * INNER_STRIDE + FIRST]!;
      if (order.compare(first) < least) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  /** How many elements of a leaf give `least` or more. */
  #indexIn(leaf: Ref, least: number): number {
    const { order } = this;
    const words = this.arena.i32[leaf >>> SLAB_SHIFT]!;
    const head = (leaf & UNIT_MASK) << 1;
    let low = 0;
    for (let high = words[head]! >>> COUNT_SHIFT; low < high;) {
      const middle = (low + high) >>> 1;
      if (order.compare(words[head + 1 + middle]!) < least) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
