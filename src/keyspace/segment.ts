/**
 * A segment: one arena block that holds a run of a table's elements in hash order, densely.
 *
 * Layout: word 0 is capacity (16 bits), depth (8 bits) and tag depth (8 bits), word 1 the number of
 * elements, then `capacity` refs of 4 bytes, then `capacity` tags of 2 bytes. All elements share
 * the first `depth` bits of their hashes. A tag is the 16 bits of the hash from bit `tagDepth` on,
 * which is `depth` or up to TAG_LAG_MAX less: so most splits need no new bits, and look at no
 * element. Tags are sorted, so that a search starts where the tag would be if they were spread
 * evenly, which for 240 elements is about 5 places off, and no place is kept empty. Growing,
 * shrinking and merging never look at an element.
 */
import { invariant } from '../base/index.ts';
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK, blockBytes } from './arena.ts';

const HEAD_BYTES = 8;
const SLOT_BYTES = 6;
/** Fields of word 0. */
export const CAPACITY_MASK = 0xffff;
export const DEPTH_SHIFT = 16;
export const TAG_DEPTH_SHIFT = 24;
/** Most bits of a tag that all elements of the segment have in common. */
export const TAG_LAG_MAX = 4;
/** Elements that are moved one by one; above that the engine's own copy is faster. */
const SHORT_MOVE = 24;

/** Elements that go into tables together. */
export interface ElementBatch {
  readonly hashes: Int32Array;
  readonly refs: Int32Array;
  /** Indexes of the two, by rising hash (unsigned) among those of one table. */
  readonly order: Uint16Array;
  /** Where indexes of elements go whose key is in the table already. */
  readonly refused: number[];
}

/** A part of a batch: positions in its order, the end exclusive. */
export interface BatchRange {
  from: number;
  end: number;
}

/** Elements that fit in the block for a request of `count` elements. */
export function segmentCapacity(count: number): number {
  return Math.floor((blockBytes(HEAD_BYTES + count * SLOT_BYTES) - HEAD_BYTES) / SLOT_BYTES);
}

/** The tag of `hash` in a segment of `tagDepth`. */
export function tagOf(hash: number, tagDepth: number): number {
  return (hash << tagDepth) >>> 16;
}

/**
 * Where to begin looking for `tag` among `count` sorted tags whose first `lag` bits are the same.
 */
export function guessIndex(tag: number, lag: number, count: number): number {
  return Math.imul((tag << lag) & 0xffff, count) >>> 16;
}

/**
 * Operations on the segments of one arena; has no state of its own. Indexes count elements in hash
 * order.
 */
export class Segments {
  readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** An empty segment with room for `count` elements or a few more. */
  create(depth: number, tagDepth: number, count: number): Ref {
    const capacity = segmentCapacity(count);
    invariant(capacity < 65_536, 'a segment stays within what 16-bit tags tell apart');
    const ref = this.arena.alloc(HEAD_BYTES + capacity * SLOT_BYTES);
    const words = this.arena.i32[ref >>> SLAB_SHIFT]!;
    const at = (ref & UNIT_MASK) << 1;
    words[at] = capacity | (depth << DEPTH_SHIFT) | (tagDepth << TAG_DEPTH_SHIFT);
    words[at + 1] = 0;
    return ref;
  }

  count(segment: Ref): number {
    return this.arena.i32[segment >>> SLAB_SHIFT]![((segment & UNIT_MASK) << 1) + 1]!;
  }

  capacity(segment: Ref): number {
    const head = this.arena.i32[segment >>> SLAB_SHIFT]![(segment & UNIT_MASK) << 1]!;
    return head & CAPACITY_MASK;
  }

  /** Number of leading hash bits that the segment's elements share. */
  depth(segment: Ref): number {
    const head = this.arena.i32[segment >>> SLAB_SHIFT]![(segment & UNIT_MASK) << 1]!;
    return (head >>> DEPTH_SHIFT) & 255;
  }

  /** Number of leading hash bits that the tags leave out. */
  tagDepth(segment: Ref): number {
    const head = this.arena.i32[segment >>> SLAB_SHIFT]![(segment & UNIT_MASK) << 1]!;
    return head >>> TAG_DEPTH_SHIFT;
  }

  refAt(segment: Ref, index: number): Ref {
    return this.arena.i32[segment >>> SLAB_SHIFT]![((segment & UNIT_MASK) << 1) + 2 + index]!;
  }

  setRefAt(segment: Ref, index: number, ref: Ref): void {
    this.arena.i32[segment >>> SLAB_SHIFT]![((segment & UNIT_MASK) << 1) + 2 + index] = ref;
  }

  tagAt(segment: Ref, index: number): number {
    return this.arena.u16[segment >>> SLAB_SHIFT]![this.#tagsAt(segment) + index]!;
  }

  /** Index of the first element whose tag is not below `tag`; the count when there is none. */
  lowerBound(segment: Ref, tag: number): number {
    const slab = segment >>> SLAB_SHIFT;
    const words = this.arena.i32[slab]!;
    const at = (segment & UNIT_MASK) << 1;
    const capacity = words[at]! & CAPACITY_MASK;
    const count = words[at + 1]!;
    const tags = this.arena.u16[slab]!;
    const tagsAt = (at + 2 + capacity) << 1;
    const end = tagsAt + count;
    const lag = ((words[at]! >>> DEPTH_SHIFT) & 255) - (words[at]! >>> TAG_DEPTH_SHIFT);
    let i = tagsAt + guessIndex(tag, lag, count);
    while (i < end && tags[i]! < tag) i++;
    while (i > tagsAt && tags[i - 1]! >= tag) i--;
    return i - tagsAt;
  }

  /** Puts an element in before `index`; the segment has room. */
  insertAt(segment: Ref, index: number, tag: number, ref: Ref): void {
    const slab = segment >>> SLAB_SHIFT;
    const words = this.arena.i32[slab]!;
    const tags = this.arena.u16[slab]!;
    const at = (segment & UNIT_MASK) << 1;
    const count = words[at + 1]!;
    const from = at + 2 + index;
    const end = at + 2 + count;
    const tagFrom = this.#tagsAt(segment) + index;
    const tagEnd = tagFrom + count - index;
    if (count - index <= SHORT_MOVE) {
      for (let i = end; i > from; i--) words[i] = words[i - 1]!;
      for (let i = tagEnd; i > tagFrom; i--) tags[i] = tags[i - 1]!;
    } else {
      words.copyWithin(from + 1, from, end);
      tags.copyWithin(tagFrom + 1, tagFrom, tagEnd);
    }
    words[from] = ref;
    tags[tagFrom] = tag;
    words[at + 1] = count + 1;
  }

  /** Takes the element at `index` out. */
  removeAt(segment: Ref, index: number): void {
    const slab = segment >>> SLAB_SHIFT;
    const words = this.arena.i32[slab]!;
    const tags = this.arena.u16[slab]!;
    const at = (segment & UNIT_MASK) << 1;
    const count = words[at + 1]! - 1;
    const from = at + 2 + index;
    const end = at + 2 + count;
    const tagFrom = this.#tagsAt(segment) + index;
    const tagEnd = tagFrom + count - index;
    if (count - index <= SHORT_MOVE) {
      for (let i = from; i < end; i++) words[i] = words[i + 1]!;
      for (let i = tagFrom; i < tagEnd; i++) tags[i] = tags[i + 1]!;
    } else {
      words.copyWithin(from, from + 1, end + 1);
      tags.copyWithin(tagFrom, tagFrom + 1, tagEnd + 1);
    }
    words[at + 1] = count;
  }

  /**
   * Puts elements of a batch in side by side, so that what is there moves once; the segment has room. `isSame` compares
   * the keys of two elements. Returns how many are in, for those of the same key as another are not.
   */
  merge(
    segment: Ref,
    batch: ElementBatch,
    { from, end }: BatchRange,
    isSame: (ref: Ref, other: Ref) => boolean,
  ): number {
    const slab = segment >>> SLAB_SHIFT;
    const words = this.arena.i32[slab]!;
    const tags = this.arena.u16[slab]!;
    const head = (segment & UNIT_MASK) << 1;
    const tagDepth = words[head]! >>> TAG_DEPTH_SHIFT;
    const refsAt = head + 2;
    const tagsAt = this.#tagsAt(segment);
    const room = words[head + 1]! + end - from;
    let old = words[head + 1]! - 1;
    let to = room - 1;
    for (let i = end - 1; i >= from; i--) {
      const index = batch.order[i]!;
      const ref = batch.refs[index]!;
      const tag = tagOf(batch.hashes[index]!, tagDepth);
      for (; old >= 0 && tags[tagsAt + old]! > tag; old--, to--) {
        words[refsAt + to] = words[refsAt + old]!;
        tags[tagsAt + to] = tags[tagsAt + old]!;
      }
      let isNew = true;
      for (let k = old; isNew && k >= 0 && tags[tagsAt + k] === tag; k--) {
        isNew = !isSame(ref, words[refsAt + k]!);
      }
      for (let k = to + 1; isNew && k < room && tags[tagsAt + k] === tag; k++) {
        isNew = !isSame(ref, words[refsAt + k]!);
      }
      if (!isNew) {
        batch.refused.push(index);
        continue;
      }
      words[refsAt + to] = ref;
      tags[tagsAt + to] = tag;
      to--;
    }
    const refused = to - old;
    if (refused > 0) {
      words.copyWithin(refsAt + old + 1, refsAt + to + 1, refsAt + room);
      tags.copyWithin(tagsAt + old + 1, tagsAt + to + 1, tagsAt + room);
    }
    words[head + 1] = room - refused;
    return end - from - refused;
  }

  /** Adds an element whose tag is not below the last one's; the segment has room. */
  append(segment: Ref, tag: number, ref: Ref): void {
    const slab = segment >>> SLAB_SHIFT;
    const words = this.arena.i32[slab]!;
    const at = (segment & UNIT_MASK) << 1;
    const count = words[at + 1]!;
    words[at + 2 + count] = ref;
    this.arena.u16[slab]![this.#tagsAt(segment) + count] = tag;
    words[at + 1] = count + 1;
  }

  /** A copy with room for `room` elements; the old segment is freed. */
  resize(segment: Ref, room: number): Ref {
    const copy = this.create(this.depth(segment), this.tagDepth(segment), room);
    this.appendRange(copy, segment, 0, this.count(segment));
    this.arena.free(segment);
    return copy;
  }

  /**
   * Adds the elements [first, end) of another segment of the same tag depth; they come after those
   * already there.
   */
  appendRange(segment: Ref, from: Ref, first: number, end: number): void {
    const slab = segment >>> SLAB_SHIFT;
    const fromSlab = from >>> SLAB_SHIFT;
    const at = (segment & UNIT_MASK) << 1;
    const count = this.count(segment);
    const refs = ((from & UNIT_MASK) << 1) + 2;
    const tags = this.#tagsAt(from);
    this.arena.i32[slab]!.set(
      this.arena.i32[fromSlab]!.subarray(refs + first, refs + end),
      at + 2 + count,
    );
    this.arena.u16[slab]!.set(
      this.arena.u16[fromSlab]!.subarray(tags + first, tags + end),
      this.#tagsAt(segment) + count,
    );
    this.arena.i32[slab]![at + 1] = count + end - first;
  }

  /**
   * Joins two halves of one prefix, lower half first, into a segment one bit shallower; both are
   * freed. `lowHash` is any hash of `low`.
   */
  join(low: Ref, high: Ref, lowHash: number): Ref {
    const depth = this.depth(low) - 1;
    const tagDepth = Math.min(depth, this.tagDepth(low), this.tagDepth(high));
    const merged = this.create(depth, tagDepth, this.count(low) + this.count(high));
    this.#appendRetagged(merged, low, lowHash);
    this.#appendRetagged(merged, high, lowHash | (1 << (31 - depth)));
    this.arena.free(low);
    this.arena.free(high);
    return merged;
  }

  /**
   * Appends all elements of a segment whose tags may begin deeper; the bits between come from
   * `hash`, one of its hashes.
   */
  #appendRetagged(segment: Ref, from: Ref, hash: number): void {
    const tagDepth = this.tagDepth(segment);
    const shift = this.tagDepth(from) - tagDepth;
    const common = tagOf(hash, tagDepth) & ~(0xffff >>> shift);
    const count = this.count(from);
    for (let i = 0; i < count; i++) {
      this.append(segment, (this.tagAt(from, i) >>> shift) | common, this.refAt(from, i));
    }
  }

  #tagsAt(segment: Ref): number {
    const at = (segment & UNIT_MASK) << 1;
    const capacity = this.arena.i32[segment >>> SLAB_SHIFT]![at]! & CAPACITY_MASK;
    return (at + 2 + capacity) << 1;
  }
}
