/**
 * Large sorted sets: a table that finds members, and a tree of the same elements in order. Their
 * two words are the table's number and the tree's root.
 */
import { formatDouble, invariant } from '../base/index.ts';
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { Elements } from './elements.ts';
import { type BytesView, TYPE_ZSET } from './entry.ts';
import type { KeyHash } from './hash.ts';
import type { LargeValueStore, LargeValues, Rubble, Words } from './large-values.ts';
import { RankCursor } from './rank-cursor.ts';
import { RankTree } from './rank-tree.ts';
import { HASH_END, TableSet } from './table.ts';
import { SCORE_BYTES, ScoreOrder } from './zset-order.ts';

/** Bytes of a table for each of its elements. Source: measured, `table.ts`. */
const TABLE_BYTES_AN_ELEMENT = 7;
/** Elements that a scan takes at a time. */
const SCAN_SLICE = 1000;

/** The large sorted sets of one store, by their words. */
export class LargeZsets implements LargeValues {
  readonly elements: Elements;
  readonly tables: TableSet;
  readonly tree: RankTree;
  /** The probe of the tree's searches. */
  readonly order: ScoreOrder;
  readonly #arena: Arena;
  readonly #cursor: RankCursor;
  readonly #free = (ref: Ref): void => this.#arena.free(ref);
  readonly #ignore = (): void => undefined;

  constructor(arena: Arena, hash: KeyHash) {
    this.#arena = arena;
    this.elements = new Elements(arena, hash, SCORE_BYTES);
    this.tables = new TableSet(arena, this.elements, 0);
    this.order = new ScoreOrder(this.elements);
    this.tree = new RankTree(arena, this.order);
    this.#cursor = new RankCursor(arena);
  }

  /** An empty one. */
  create(): Words {
    return { first: this.tables.allocate(), second: NONE };
  }

  /** Number of members. */
  size(table: number): number {
    return this.tables.counts[table]!;
  }

  score(ref: Ref): number {
    return this.#arena.f64[ref >>> SLAB_SHIFT]![ref & UNIT_MASK]!;
  }

  /** The element of a member, or NONE. */
  find(table: number, buf: Uint8Array, at: number, size: number): Ref {
    return this.tables.find(table, this.elements.hash(buf, at, size), buf, at, size);
  }

  /** Makes the probe of searches an element of the set. */
  aim(ref: Ref): void {
    const name = this.elements.name(ref);
    this.order.setMember(this.score(ref), name.buf, name.at, name.size);
  }

  /** Adds a member that is not there; returns the tree's root. */
  insert(table: number, root: Ref, score: number, name: BytesView): Ref {
    const { buf, at, size } = name;
    const ref = this.elements.create(buf, at, size, 0);
    this.#arena.f64[ref >>> SLAB_SHIFT]![ref & UNIT_MASK] = score;
    this.tables.insert(table, this.elements.hash(buf, at, size), ref);
    this.order.setMember(score, buf, at, size);
    return this.tree.insert(root, ref);
  }

  /** Gives an element another score; returns the tree's root. */
  setScore(root: Ref, ref: Ref, score: number): Ref {
    this.aim(ref);
    const rest = this.tree.removeElement(root, ref);
    this.#arena.f64[ref >>> SLAB_SHIFT]![ref & UNIT_MASK] = score;
    this.aim(ref);
    return this.tree.insert(rest, ref);
  }

  /** Takes an element out and frees it; returns the tree's root. */
  remove(table: number, root: Ref, ref: Ref): Ref {
    this.aim(ref);
    const rest = this.tree.removeElement(root, ref);
    this.#discard(table, ref);
    return rest;
  }

  /** Takes out the element of a rank and frees it; returns the tree's root. */
  removeAt(table: number, root: Ref, rank: number): Ref {
    const rest = this.tree.removeAt(root, rank);
    this.#discard(table, this.tree.removed);
    return rest;
  }

  /** Visits about `count` members with the text of their score from a cursor on; the next cursor. */
  scan(
    table: number,
    from: { readonly cursor: number; readonly count: number },
    visit: (member: BytesView, score: BytesView) => void,
  ): number {
    const visitElement = (ref: Ref): void => {
      const buf = Buffer.from(formatDouble(this.score(ref)), 'latin1');
      visit(this.elements.name(ref), { buf, at: 0, size: buf.length });
    };
    let left = from.count;
    let position = Math.min(from.cursor, HASH_END);
    while (left > 0 && position < HASH_END) {
      position = this.tables.scan(table, position, Math.min(left, SCAN_SLICE), visitElement);
      left -= this.tables.scannedCount;
    }
    return position < HASH_END ? position : 0;
  }

  dismantle(rubble: Rubble, max: number): boolean {
    if (rubble.second !== NONE) {
      rubble.second = this.tree.dismantle(rubble.second, max, this.#free);
      if (rubble.second !== NONE) return true;
    }
    rubble.cursor = this.tables.dismantle(rubble.first, rubble.cursor, max, this.#ignore);
    if (rubble.cursor < HASH_END) return true;
    this.tables.release(rubble.first);
    return false;
  }

  copy(from: Readonly<Words>, target: LargeValueStore, to: Words): void {
    const large = target.large(TYPE_ZSET);
    invariant(large instanceof LargeZsets, 'large values of type zset are sorted sets');
    const table = large.tables.allocate();
    let root: Ref = NONE;
    const cursor = this.#cursor;
    for (cursor.seek(from.second, 0); cursor.ref !== NONE; cursor.next()) {
      root = large.append(table, root, this.score(cursor.ref), this.elements.name(cursor.ref));
    }
    to.first = table;
    to.second = root;
  }

  /** Adds a member that is not there and comes behind all others; returns the tree's root. */
  append(table: number, root: Ref, score: number, name: BytesView): Ref {
    const { buf, at, size } = name;
    const ref = this.elements.create(buf, at, size, 0);
    this.#arena.f64[ref >>> SLAB_SHIFT]![ref & UNIT_MASK] = score;
    this.tables.insert(table, this.elements.hashOf(ref), ref);
    return this.tree.append(root, ref);
  }

  memoryUsage({ first, second }: Readonly<Words>, samples: number): number {
    const count = this.size(first);
    const looked = samples === 0 ? count : Math.min(samples, count);
    let bytes = 0;
    const cursor = this.#cursor;
    cursor.seek(second, 0);
    for (let i = 0; i < looked; i++, cursor.next()) bytes += this.#arena.capacity(cursor.ref);
    const elementBytes = looked === 0 ? 0 : Math.round((bytes / looked) * count);
    const indexBytes = this.tree.memoryUsage(second, samples) + TABLE_BYTES_AN_ELEMENT * count;
    return elementBytes + indexBytes;
  }

  #discard(table: number, ref: Ref): void {
    this.tables.remove(table, this.elements.hashOf(ref), ref);
    this.#arena.free(ref);
  }
}
