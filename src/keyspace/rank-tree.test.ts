/** Rank trees against a sorted array. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { RankCursor } from './rank-cursor.ts';
import type { TreeOrder } from './rank-reader.ts';
import { RankTree } from './rank-tree.ts';

/** Elements of 8 bytes that are a number. */
class NumberOrder implements TreeOrder {
  probe = 0;
  readonly arena: Arena;
  constructor(arena: Arena) {
    this.arena = arena;
  }
  numberOf(ref: Ref): number {
    return this.arena.i32[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1]!;
  }
  compare(ref: Ref): number {
    return this.probe - this.numberOf(ref);
  }
}

class NumberTree {
  readonly arena = new Arena();
  readonly order = new NumberOrder(this.arena);
  readonly tree = new RankTree(this.arena, this.order);
  readonly cursor = new RankCursor(this.arena);
  root: Ref = NONE;

  create(value: number): Ref {
    const ref = this.arena.alloc(8);
    this.arena.i32[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1] = value;
    return ref;
  }
  add(value: number): void {
    this.order.probe = value;
    this.root = this.tree.insert(this.root, this.create(value));
  }
  append(value: number): void {
    this.root = this.tree.append(this.root, this.create(value));
  }
  delete(value: number): void {
    this.order.probe = value;
    // By its place in the order, or as the block that it is.
    this.root =
      value % 2 === 0
        ? this.tree.remove(this.root)
        : this.tree.removeElement(this.root, this.tree.find(this.root));
    expect(this.order.numberOf(this.tree.removed)).toBe(value);
    this.arena.free(this.tree.removed);
  }
  deleteAt(rank: number): number {
    this.root = this.tree.removeAt(this.root, rank);
    const value = this.order.numberOf(this.tree.removed);
    this.arena.free(this.tree.removed);
    return value;
  }
  has(value: number): boolean {
    this.order.probe = value;
    return this.tree.find(this.root) !== NONE;
  }
  lower(value: number): number {
    this.order.probe = value;
    return this.tree.lowerBound(this.root);
  }
  upper(value: number): number {
    this.order.probe = value;
    return this.tree.upperBound(this.root);
  }
  forward(rank: number): number[] {
    const values: number[] = [];
    // How many are expected changes nothing, be it too few or too many.
    this.cursor.seek(this.root, rank, (rank % 4) * 50);
    for (; this.cursor.ref !== NONE; this.cursor.next())
      values.push(this.order.numberOf(this.cursor.ref));
    return values;
  }
  backward(rank: number): number[] {
    const values: number[] = [];
    this.cursor.seek(this.root, rank, (rank % 4) * 50, true);
    for (; this.cursor.ref !== NONE; this.cursor.previous())
      values.push(this.order.numberOf(this.cursor.ref));
    return values;
  }
  bytesAnElement(): number {
    return this.tree.memoryUsage(this.root, 0) / this.tree.count(this.root);
  }
}

/** Compares a tree with the sorted array it shall be, at a few places. */
function check(tree: NumberTree, model: readonly number[]): void {
  expect(tree.tree.count(tree.root)).toBe(model.length);
  expect(tree.forward(0)).toEqual(model);
  expect(tree.backward(model.length - 1)).toEqual(model.toReversed());
  for (let rank = 0; rank < model.length; rank += 1 + (model.length >> 4)) {
    const value = model[rank]!;
    const ref = tree.tree.at(tree.root, rank);
    expect(tree.order.numberOf(ref)).toBe(value);
    expect(tree.has(value)).toBe(true);
    expect(tree.tree.rankOf(tree.root, ref)).toBe(rank);
    expect(tree.lower(value)).toBe(rank);
    expect(tree.upper(value)).toBe(rank + 1);
    const isNextThere = model[rank + 1] === value + 1;
    expect(tree.has(value + 1)).toBe(isNextThere);
    expect(tree.lower(value + 1)).toBe(rank + 1);
    expect(tree.forward(rank)).toEqual(model.slice(rank));
    expect(tree.backward(rank)).toEqual(model.slice(0, rank + 1).toReversed());
  }
  expect(tree.lower(-1)).toBe(0);
  expect(tree.upper(1 << 30)).toBe(model.length);
  // All there is are the elements and the nodes.
  expect(tree.arena.usedBytes).toBe(8 * model.length + tree.tree.memoryUsage(tree.root, 0));
}

/** Position of the first number of the array that is not below `value`. */
function placeOf(model: readonly number[], value: number): number {
  const at = model.findIndex((other) => other >= value);
  return at < 0 ? model.length : at;
}

const runs = fc.array(
  fc.record({
    kind: fc.constantFrom(
      'up',
      'down',
      'spread',
      'delete',
      'deleteUp',
      'popFirst',
      'popLast',
      'popAny',
    ),
    from: fc.nat({ max: 6000 }),
    count: fc.nat({ max: 900 }),
  }),
  { maxLength: 9 },
);

test('a tree is what a sorted array is, whatever order elements come and go in', () => {
  fc.assert(
    fc.property(runs, fc.nat(), (steps, seed) => {
      const rng = seededRng(seed);
      const tree = new NumberTree();
      const model: number[] = [];
      for (const { kind, from, count } of steps) {
        for (let i = 0; i < count; i++) {
          const isPop = kind.startsWith('pop');
          if (isPop) {
            if (model.length === 0) break;
            const rank =
              kind === 'popFirst'
                ? 0
                : kind === 'popLast'
                  ? model.length - 1
                  : rng.below(model.length);
            expect(tree.deleteAt(rank)).toBe(model.splice(rank, 1)[0]);
            continue;
          }
          const isInOrder = kind === 'up' || kind === 'deleteUp';
          const value = isInOrder ? from + i : kind === 'down' ? 7000 - from - i : rng.below(8000);
          const at = placeOf(model, value);
          const isThere = model[at] === value;
          if (kind.startsWith('delete') && isThere) {
            tree.delete(value);
            model.splice(at, 1);
          } else if (!kind.startsWith('delete') && !isThere) {
            tree.add(value);
            model.splice(at, 0, value);
          }
        }
        check(tree, model);
      }
      while (model.length > 0) tree.delete(model.splice(rng.below(model.length), 1)[0]!);
      expect(tree.root).toBe(NONE);
      expect(tree.arena.usedBytes).toBe(0);
    }),
    { seed: 3, numRuns: 60 },
  );
});

test('an empty tree has nothing', () => {
  const tree = new NumberTree();
  check(tree, []);
  expect(tree.has(1)).toBe(false);
});

test('elements that come in order leave full leaves, in either direction', () => {
  const up = new NumberTree();
  for (let i = 0; i < 200_000; i++) up.add(i);
  expect(up.bytesAnElement()).toBeLessThan(4.3);
  const down = new NumberTree();
  for (let i = 200_000; i > 0; i--) down.add(i);
  expect(down.bytesAnElement()).toBeLessThan(4.3);
  const appended = new NumberTree();
  for (let i = 0; i < 200_000; i++) appended.append(i);
  expect(appended.bytesAnElement()).toBe(up.bytesAnElement());
});

test('elements that come in any order leave blocks that are mostly full', () => {
  const tree = new NumberTree();
  const rng = seededRng(11);
  for (let i = 0; i < 200_000; i++) {
    const value = rng.below(1 << 30);
    if (!tree.has(value)) tree.add(value);
  }
  expect(tree.bytesAnElement()).toBeLessThan(4 / 0.8);
  // A tree that lost three quarters of its elements is not a ruin of sparse leaves.
  for (let left = 150_000; left > 0; left--) tree.deleteAt(rng.below(tree.tree.count(tree.root)));
  expect(tree.bytesAnElement()).toBeLessThan(4 / 0.6);
});

test('a deep tree loses its elements from the front and from the back', () => {
  for (const isFront of [true, false]) {
    const tree = new NumberTree();
    for (let i = 0; i < 50_000; i++) tree.append(i);
    for (let left = 50_000; left > 0; left--) tree.deleteAt(isFront ? 0 : left - 1);
    expect(tree.arena.usedBytes).toBe(0);
  }
});

test('an element is replaced by another block that equals it', () => {
  const tree = new NumberTree();
  for (let i = 0; i < 20_000; i++) tree.append(i);
  for (const rank of [0, 1, 126, 127, 128, 9999, 19_999]) {
    const old = tree.tree.at(tree.root, rank);
    const ref = tree.create(rank);
    tree.tree.replaceAt(tree.root, rank, ref);
    tree.arena.free(old);
    // The block of the old one is something else now.
    tree.create(-5);
    expect(tree.tree.at(tree.root, rank)).toBe(ref);
    expect(tree.lower(rank)).toBe(rank);
    expect(tree.has(rank)).toBe(true);
  }
  expect(tree.forward(0)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
});

test('a tree is taken apart in slices', () => {
  const tree = new NumberTree();
  for (let i = 0; i < 30_000; i++) tree.append(i);
  const seen: number[] = [];
  let slices = 0;
  for (; tree.root !== NONE; slices++) {
    tree.root = tree.tree.dismantle(tree.root, 1000, (ref) => {
      seen.push(tree.order.numberOf(ref));
      tree.arena.free(ref);
    });
  }
  expect(slices).toBeGreaterThan(25);
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 30_000 }, (_, i) => i));
  expect(tree.arena.usedBytes).toBe(0);
});

test('the memory of a tree is estimated from some of its nodes', () => {
  const tree = new NumberTree();
  for (let i = 0; i < 100_000; i++) tree.append(i);
  const exact = tree.tree.memoryUsage(tree.root, 0);
  expect(Math.abs(tree.tree.memoryUsage(tree.root, 5) / exact - 1)).toBeLessThan(0.1);
});
