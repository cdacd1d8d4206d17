/**
 * Ordered sets of arena blocks with ranks: counted B+ trees outside the JavaScript heap. A tree is
 * named by its root (NONE: empty), which every change returns anew. What the order is, a
 * `TreeOrder` says, whose probe the caller sets first; no two elements of a tree are equal in it.
 *
 * Elements added behind all others (or behind a full leaf) leave full leaves behind them; others
 * split a full leaf in halves. A leaf that gets small joins a neighbour. Ranks start at 0.
 */
import { invariant } from '../base/index.ts';
import { NONE, type Ref } from './arena.ts';
import { CHILD, FIRST, LEAF_MAX, entriesMax } from './rank-nodes.ts';
import { RankReader } from './rank-reader.ts';

/** A new tree's room for elements. */
const ROOM_MIN = 3;

/** Trees of one order in one arena; a reusable worker, which keeps nothing of a tree. */
export class RankTree extends RankReader {
  /** The element that the last `remove` or `removeAt` took out. */
  removed: Ref = NONE;
  /** What `#makePlace` answers besides the node. */
  #placeAt = 0;
  #sibling: Ref = NONE;

  /** Puts another block in the place of the element of a rank, which it equals in order. */
  replaceAt(root: Ref, rank: number, ref: Ref): void {
    const depth = this.descendTo(root, rank);
    this.nodes.setElement(this.path[depth]!, this.index[depth]!, ref);
    if (this.index[depth] === 0) this.#setFirst(depth, ref);
  }

  /** Adds an element, which the probe is; returns the root. */
  insert(root: Ref, ref: Ref): Ref {
    if (root === NONE) return this.#plant(ref);
    return this.#insertAt(this.descend(root), ref);
  }

  /** Adds an element behind all others, whatever the probe is; returns the root. */
  append(root: Ref, ref: Ref): Ref {
    if (root === NONE) return this.#plant(ref);
    const { nodes } = this;
    let node = root;
    let depth = 0;
    for (let level = nodes.level(root); level > 0; level--) {
      const last = nodes.count(node) - 1;
      this.path[depth] = node;
      this.index[depth++] = last;
      node = nodes.word(node, last, CHILD);
    }
    this.path[depth] = node;
    this.index[depth] = nodes.count(node);
    return this.#insertAt(depth, ref);
  }

  /** Takes out the element that the probe is, which is there; returns the root. */
  remove(root: Ref): Ref {
    const depth = this.descend(root);
    const at = this.index[depth]! - 1;
    this.index[depth] = at;
    invariant(at >= 0, 'an element that is removed is there');
    const ref = this.nodes.element(this.path[depth]!, at);
    invariant(this.order.compare(ref) === 0, 'the element that is removed is the probe');
    return this.#removeEntry(depth);
  }

  /** Takes out an element, which the probe is and which is there; returns the root. */
  removeElement(root: Ref, ref: Ref): Ref {
    return this.#removeEntry(this.descendToElement(root, ref));
  }

  /** Takes out the element of a rank in [0, count); returns the root. */
  removeAt(root: Ref, rank: number): Ref {
    return this.#removeEntry(this.descendTo(root, rank));
  }

  /**
   * Takes a tree apart from its end, leaf by leaf, until about `max` elements are visited; returns
   * what is left, which only `dismantle` may be asked about. The visitor may free the element.
   */
  dismantle(root: Ref, max: number, visit: (ref: Ref) => void): Ref {
    let rest = root;
    for (let left = max; rest !== NONE && left > 0; left -= LEAF_MAX) {
      rest = this.#dropLastLeaf(rest, visit);
    }
    return rest;
  }

  #plant(ref: Ref): Ref {
    const leaf = this.nodes.create(0, ROOM_MIN);
    this.nodes.open(leaf, 0);
    this.nodes.setElement(leaf, 0, ref);
    return leaf;
  }

  /** Adds an element at the noted place and returns the root. */
  #insertAt(depth: number, ref: Ref): Ref {
    const { nodes } = this;
    for (let i = 0; i < depth; i++) nodes.addToCount(this.path[i]!, this.index[i]!, 1);
    if (this.index[depth] === 0) this.#setFirst(depth, ref);
    nodes.setElement(this.#makePlace(depth), this.#placeAt, ref);
    this.#linkSibling(depth);
    return this.path[0]!;
  }

  /**
   * Makes room for an entry at the noted place of one level; returns the node it is in, and puts its
   * index into `#placeAt`. A full node is split: the new node behind it is `#sibling`, which the
   * parent does not know yet, else NONE.
   */
  #makePlace(depth: number): Ref {
    const { nodes } = this;
    const node = this.path[depth]!;
    const at = this.index[depth]!;
    const count = nodes.count(node);
    const max = entriesMax(nodes.level(node));
    this.#placeAt = at;
    this.#sibling = NONE;
    if (count === max) return this.#split(depth, at, count);
    let roomy = node;
    if (count === nodes.capacity(node)) {
      roomy = nodes.resize(node, Math.min(withSlack(count) + 1, max));
      this.#relink(depth, roomy);
    }
    nodes.open(roomy, at);
    return roomy;
  }

  #split(depth: number, at: number, count: number): Ref {
    const { nodes } = this;
    const node = this.path[depth]!;
    const level = nodes.level(node);
    if (at === count) {
      // Behind everything: the full node stays full, as for elements that come in order.
      this.#sibling = nodes.create(level, ROOM_MIN);
      this.#placeAt = 0;
      nodes.open(this.#sibling, 0);
      return this.#sibling;
    }
    if (at === 0) {
      const left = nodes.create(level, ROOM_MIN);
      this.#relink(depth, left);
      this.#sibling = node;
      nodes.open(left, 0);
      return left;
    }
    const middle = count >>> 1;
    const right = nodes.create(level, withSlack(count - middle) + 1);
    nodes.append(right, node, middle, count);
    nodes.truncate(node, middle);
    const left = nodes.resize(node, withSlack(middle) + 1);
    this.#relink(depth, left);
    this.#sibling = right;
    if (at >= middle) this.#placeAt = at - middle;
    const place = at < middle ? left : right;
    nodes.open(place, this.#placeAt);
    return place;
  }

  /** Tells the parents of the sibling that `#makePlace` left at this depth, and of those that follow. */
  #linkSibling(leafDepth: number): void {
    const { nodes } = this;
    for (let depth = leafDepth; this.#sibling !== NONE; depth--) {
      const left = this.path[depth]!;
      const right = this.#sibling;
      if (depth === 0) {
        const root = nodes.create(nodes.level(left) + 1, 2);
        nodes.open(root, 0);
        nodes.open(root, 1);
        nodes.describe(root, 0, left);
        nodes.describe(root, 1, right);
        this.path[0] = root;
        return;
      }
      nodes.describe(this.path[depth - 1]!, this.index[depth - 1]!, left);
      this.index[depth - 1] = this.index[depth - 1]! + 1;
      const parent = this.#makePlace(depth - 1);
      nodes.describe(parent, this.#placeAt, right);
    }
  }

  /** Takes out the element at the noted place and returns the root. */
  #removeEntry(leafDepth: number): Ref {
    const { nodes } = this;
    this.removed = nodes.element(this.path[leafDepth]!, this.index[leafDepth]!);
    for (let i = 0; i < leafDepth; i++) nodes.addToCount(this.path[i]!, this.index[i]!, -1);
    for (let depth = leafDepth; depth > 0; depth--) {
      const node = this.path[depth]!;
      nodes.close(node, this.index[depth]!);
      const count = nodes.count(node);
      if (count > 0) {
        if (this.index[depth] === 0) this.#setFirst(depth, nodes.first(node));
        if (count * 3 >= entriesMax(nodes.level(node)) || !this.#join(depth)) {
          if (count * 2 < nodes.capacity(node)) {
            this.#relink(depth, nodes.resize(node, withSlack(count)));
          }
          return this.path[0]!;
        }
      } else this.arena.free(node);
    }
    nodes.close(this.path[0]!, this.index[0]!);
    return this.#settleRoot(this.path[0]!);
  }

  /**
   * Whether a node was joined with a neighbour; the entry that its parent loses is then the noted
   * one.
   */
  #join(depth: number): boolean {
    const { nodes } = this;
    const parent = this.path[depth - 1]!;
    const index = this.index[depth - 1]!;
    const count = nodes.count(this.path[depth]!);
    const max = (entriesMax(nodes.level(this.path[depth]!)) * 3) >>> 2;
    for (let first = index; first >= index - 1; first--) {
      if (first < 0 || first + 1 >= nodes.count(parent)) continue;
      let left = nodes.word(parent, first, CHILD);
      const right = nodes.word(parent, first + 1, CHILD);
      const sum = nodes.count(left) + nodes.count(right);
      if (sum > max) continue;
      invariant(sum > count, 'a neighbour is not empty');
      if (sum > nodes.capacity(left)) left = nodes.resize(left, withSlack(sum));
      nodes.append(left, right, 0, nodes.count(right));
      this.arena.free(right);
      nodes.describe(parent, first, left);
      this.index[depth - 1] = first + 1;
      return true;
    }
    return false;
  }

  /** The root after it lost an entry: without levels that nobody needs, NONE when it is empty. */
  #settleRoot(old: Ref): Ref {
    const { nodes } = this;
    let root = old;
    while (nodes.level(root) > 0 && nodes.count(root) === 1) {
      const child = nodes.word(root, 0, CHILD);
      this.arena.free(root);
      root = child;
    }
    const count = nodes.count(root);
    if (count === 0) {
      this.arena.free(root);
      return NONE;
    }
    return count * 2 < nodes.capacity(root) ? nodes.resize(root, withSlack(count)) : root;
  }

  /** Makes the parent (or the tree) know a node that took the place of the noted one. */
  #relink(depth: number, node: Ref): void {
    this.path[depth] = node;
    if (depth > 0) this.nodes.setWord(this.path[depth - 1]!, this.index[depth - 1]!, CHILD, node);
  }

  /** Tells the parents that the noted node begins with `ref`. */
  #setFirst(depth: number, ref: Ref): void {
    for (let i = depth - 1; i >= 0; i--) {
      this.nodes.setWord(this.path[i]!, this.index[i]!, FIRST, ref);
      if (this.index[i] !== 0) return;
    }
  }

  /** Frees the last leaf of a tree; returns what is left of the tree. */
  #dropLastLeaf(root: Ref, visit: (ref: Ref) => void): Ref {
    const { nodes } = this;
    let node = root;
    let depth = 0;
    for (let level = nodes.level(root); level > 0; level--) {
      this.path[depth++] = node;
      node = nodes.word(node, nodes.count(node) - 1, CHILD);
    }
    const count = nodes.count(node);
    for (let i = 0; i < count; i++) visit(nodes.element(node, i));
    this.arena.free(node);
    while (depth > 0) {
      const parent = this.path[--depth]!;
      const left = nodes.count(parent) - 1;
      nodes.truncate(parent, left);
      if (left > 0) return root;
      this.arena.free(parent);
    }
    return NONE;
  }
}

/** Room for `count` entries and some more. */
function withSlack(count: number): number {
  return count + (count >>> 3);
}
