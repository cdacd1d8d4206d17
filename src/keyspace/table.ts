/**
 * Hash tables outside the JavaScript heap: extendible hashing by the high bits of a 32-bit hash. A table is one segment
 * while it is small, then a directory of segments. Segments grow by an eighth at a time to about 250 elements and then
 * split in two, so no insertion pauses for more than a split (tens of microseconds). A set of many tables (one a hash
 * slot) costs nine bytes a table that is empty.
 *
 * Elements are refs to arena blocks; what their keys are, `ElementKeys` says. All elements of a table have a fixed place
 * in hash order, which is what cursors count in: whatever grows or shrinks, an element stays before or after a cursor.
 */
import { type Rng, invariant } from '../base/index.ts';
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import { SLAB_BYTES } from './pages.ts';
import {
  type BatchRange,
  CAPACITY_MASK,
  DEPTH_SHIFT,
  type ElementBatch,
  Segments,
  TAG_DEPTH_SHIFT,
  TAG_LAG_MAX,
  guessIndex,
  segmentCapacity,
  tagOf,
} from './segment.ts';

/** Reads the keys of a table's elements. */
export interface ElementKeys {
  hashOf(ref: Ref): number;
  hasKey(ref: Ref, buf: Uint8Array, at: number, size: number): boolean;
}

/** Tells the key of an element. */
export interface KeyViews {
  key(ref: Ref): { readonly buf: Uint8Array; readonly at: number; readonly size: number };
}

/** What a scan is about to visit: the first `count`. The array is not emptied, for it would have to grow anew each time. */
interface Found {
  readonly refs: Ref[];
  count: number;
}

/** How a table, or several of them, lie in memory. */
export interface TableShape {
  elements: number;
  /** Elements that there is room for. */
  places: number;
  segments: number;
}

/** End of the hash order: one past the last position a cursor can stand at. */
export const HASH_END = 0x1_0000_0000;

/** A full segment of this many elements or more splits instead of growing. */
const SPLIT_AT = 240;
/** A segment of fewer elements than this looks whether it can join its neighbour. */
const MERGE_BELOW = 48;
/** Two neighbours that together have no more than this join. */
const MERGED_MAX = 128;
const DEPTH_MAX = 24;
/** Elements of a batch that are put into a segment in one step. */
const PART_MAX = 64;
/** Elements that a reserved segment is expected to have at most: chance seldom makes more than SPLIT_AT of them. */
const RESERVED_FILL = 200;
/** Room for 13 million elements is the most that is reserved. */
const RESERVED_DEPTH_MAX = 16;
const GROUP_TABLES = 128;
/** About the most elements of a segment: more of them get no greater chance to be drawn. */
const FULL_SEGMENT = 272;
/** A segment is drawn again at most this often. */
const RANDOM_TRIES = 100;
const TABLES_MIN = 16;
/** Room for what a scan finds that is kept for the next one. */
const FOUND_KEPT = 1024;
const NO_TABLES: ReadonlySet<number> = new Set<number>();
const SLAB_WORDS: number = SLAB_BYTES / 4;

/**
 * Many tables over one arena: a fixed number of them, or made and given back one by one with
 * `allocate` and `release`.
 */
export class TableSet {
  /** Elements of each table; a longer array takes its place when tables are added. */
  counts: Uint32Array;
  /** Elements of all tables. */
  size = 0;
  /** Elements that the last call of `scan` visited. */
  scannedCount = 0;
  readonly #arena: Arena;
  readonly #segments: Segments;
  readonly #keys: ElementKeys;
  /** By table: NONE, its only segment (depth 0), or its directory of 2^depth segment refs. */
  #roots: Int32Array;
  #depths: Uint8Array;
  /** Elements of each GROUP_TABLES tables, so that full tables are found among many empty ones. */
  #groups: Uint32Array;
  /** Kept between scans. */
  #found: Found | undefined;
  /** What `#fetch` or `#fetchAll` read last. Public, so that the read counts as needed. */
  fetched = 0;
  /** Tables handed out by `allocate`, and those that came back. */
  #allocatedCount = 0;
  readonly #released: number[] = [];

  constructor(arena: Arena, keys: ElementKeys, tableCount: number) {
    this.#arena = arena;
    this.#segments = new Segments(arena);
    this.#keys = keys;
    this.counts = new Uint32Array(tableCount);
    this.#groups = new Uint32Array(Math.ceil(tableCount / GROUP_TABLES));
    this.#roots = new Int32Array(tableCount);
    this.#depths = new Uint8Array(tableCount);
  }

  /** An empty table of its own for one value; `release` gives it back. For sets made with no tables. */
  allocate(): number {
    const table = this.#released.pop() ?? this.#allocatedCount++;
    if (table >= this.counts.length) this.#addTables();
    return table;
  }

  /** Gives an empty table back. */
  release(table: number): void {
    invariant(this.#roots[table] === NONE, 'a table that is given back is empty');
    this.#released.push(table);
  }

  /**
   * Makes room for about `count` elements in an empty table, so that it need not grow step by step. Elements that never
   * come cost seven bytes each for as long as the table has any.
   */
  reserve(table: number, count: number): void {
    if (count === 0 || this.#roots[table] !== NONE) return;
    if (count < SPLIT_AT) {
      this.#roots[table] = this.#segments.create(0, 0, count);
      return;
    }
    const depth = Math.min(Math.ceil(Math.log2(count / RESERVED_FILL)), RESERVED_DEPTH_MAX);
    const share = count / (1 << depth);
    // Hashes spread by chance: few segments get more than this.
    const room = Math.min(Math.ceil(share + 2 * Math.sqrt(share)), SPLIT_AT);
    const directory = this.#arena.alloc(4 << depth);
    const at = (directory & UNIT_MASK) << 1;
    for (let i = 0; i < 1 << depth; i++) {
      const segment = this.#segments.create(depth, depth, room);
      this.#arena.i32[directory >>> SLAB_SHIFT]![at + i] = segment;
    }
    this.#roots[table] = directory;
    this.#depths[table] = depth;
  }

  /** The element with this key, or NONE. */
  find(table: number, hash: number, buf: Uint8Array, at: number, size: number): Ref {
    const segment = this.#segmentOf(table, hash);
    if (segment === NONE) return NONE;
    // What Segments offers, in one piece: here every read of a slab's views counts.
    const slab = segment >>> SLAB_SHIFT;
    const words = this.#arena.i32[slab]!;
    const tags = this.#arena.u16[slab]!;
    const head = (segment & UNIT_MASK) << 1;
    this.#fetch(table, hash, head, words, tags);
    const tagDepth = words[head]! >>> TAG_DEPTH_SHIFT;
    const tag = tagOf(hash, tagDepth);
    const lag = ((words[head]! >>> DEPTH_SHIFT) & 255) - tagDepth;
    const count = words[head + 1]!;
    const refsAt = head + 2;
    const tagsAt = (refsAt + (words[head]! & CAPACITY_MASK)) << 1;
    let i = guessIndex(tag, lag, count);
    while (i < count && tags[tagsAt + i]! < tag) i++;
    while (i > 0 && tags[tagsAt + i - 1]! >= tag) i--;
    for (; i < count && tags[tagsAt + i] === tag; i++) {
      const ref = words[refsAt + i]!;
      if (this.#keys.hasKey(ref, buf, at, size)) return ref;
    }
    return NONE;
  }

  /** Adds an element whose key the table does not have. */
  insert(table: number, hash: number, ref: Ref): void {
    const segments = this.#segments;
    let segment = this.#segmentOf(table, hash);
    if (segment === NONE) {
      segment = segments.create(0, 0, 1);
      this.#roots[table] = segment;
    } else if (segments.count(segment) === segments.capacity(segment)) {
      this.#makeRoom(table, hash, segment);
      segment = this.#segmentOf(table, hash);
    }
    const tag = tagOf(hash, segments.tagDepth(segment));
    segments.insertAt(segment, segments.lowerBound(segment, tag), tag, ref);
    this.#count(table, 1);
  }

  /** Adds elements of a batch, those of them whose keys the table does not have. */
  insertBatch(table: number, batch: ElementBatch, range: BatchRange, keys: KeyViews): void {
    const segments = this.#segments;
    const isSame = (ref: Ref, other: Ref): boolean => {
      const { buf, at, size } = keys.key(ref);
      return this.#keys.hasKey(other, buf, at, size);
    };
    const part = { from: range.from, end: range.from };
    while (part.from < range.end) {
      const hash = batch.hashes[batch.order[part.from]!]!;
      let segment = this.#segmentOf(table, hash);
      part.end = this.#endOfPart(segment, batch, part.from, range.end);
      const added = part.end - part.from;
      if (segment === NONE) {
        segment = segments.create(0, 0, added);
        this.#roots[table] = segment;
      }
      const count = segments.count(segment) + added;
      if (count > segments.capacity(segment)) {
        if (count > SPLIT_AT && this.#isSplittable(segment)) {
          this.#split(table, hash, segment);
          continue;
        }
        segment = segments.resize(segment, count + (count >>> 4));
        this.#point(table, hash, segment);
      }
      this.#count(table, segments.merge(segment, batch, part, isSame));
      part.from = part.end;
    }
  }

  /** Where the elements of a batch end that go into the segment of the one at `from`, or enough of them for one step. */
  #endOfPart(segment: Ref, { hashes, order }: ElementBatch, from: number, end: number): number {
    const last = Math.min(end, from + PART_MAX);
    const shift = 32 - (segment === NONE ? 0 : this.#segments.depth(segment));
    if (shift === 32) return last;
    const prefix = hashes[order[from]!]! >>> shift;
    let at = from + 1;
    while (at < last && hashes[order[at]!]! >>> shift === prefix) at++;
    return at;
  }

  /** Puts `ref` where `old` is: the same key in another block. */
  replace(table: number, hash: number, old: Ref, ref: Ref): void {
    const segment = this.#segmentOf(table, hash);
    this.#segments.setRefAt(segment, this.#indexOf(segment, hash, old), ref);
  }

  /** Takes an element out; its block is the caller's to free. */
  remove(table: number, hash: number, ref: Ref): void {
    const segments = this.#segments;
    const segment = this.#segmentOf(table, hash);
    segments.removeAt(segment, this.#indexOf(segment, hash, ref));
    this.#count(table, -1);
    const count = segments.count(segment);
    if (count < MERGE_BELOW && segments.depth(segment) > 0) {
      if (this.#mergeWithBuddy(table, hash, segment)) return;
    }
    if (count === 0 && this.#depths[table] === 0) {
      this.#arena.free(segment);
      this.#roots[table] = NONE;
    } else if (count * 2 < segments.capacity(segment)) {
      const room = count + (count >>> 2) + 1;
      if (segmentCapacity(room) < segments.capacity(segment)) {
        this.#point(table, hash, segments.resize(segment, room));
      }
    }
  }

  /**
   * Visits elements from hash position `from` on, at least `max` unless the table ends, and returns the position to go
   * on from, or HASH_END. An element that is in the table from the first call to the last is visited at least once. The
   * visitor may remove the element it is given.
   */
  scan(table: number, from: number, max: number, visit: (ref: Ref) => void): number {
    // A visitor may scan too.
    const found = this.#found ?? { refs: [], count: 0 };
    this.#found = undefined;
    found.count = 0;
    let position = from;
    while (position < HASH_END && found.count < max) {
      position = this.#collect(table, position, max, found);
    }
    const { refs, count } = found;
    this.scannedCount = count;
    this.#fetchAll(found);
    for (let i = 0; i < count; i++) visit(refs[i]!);
    if (count <= FOUND_KEPT) this.#found = found;
    return position;
  }

  /**
   * An element of a table that has any, each with the same chance: a segment is found by a random hash and taken with a
   * chance that makes up for its share of the hashes and its size.
   */
  random(table: number, rng: Rng): Ref {
    invariant(this.counts[table]! > 0, 'a random element is asked of a table that has one');
    const depth = this.#depths[table]!;
    for (let tries = 0; ; tries++) {
      const segment = this.#segmentOf(table, rng.below(HASH_END) | 0);
      const count = segment === NONE ? 0 : this.#segments.count(segment);
      const share = depth === 0 ? count : count / (1 << (depth - this.#segments.depth(segment)));
      const isTaken = depth === 0 || tries >= RANDOM_TRIES || rng.below(FULL_SEGMENT) < share;
      if (count > 0 && isTaken) return this.#segments.refAt(segment, rng.below(count));
    }
  }

  /**
   * Takes a table apart in slices, from position 0 on: visits every element, frees the segments, and returns the
   * position to go on from, or HASH_END when the table is empty. Nobody may look anything up in between.
   */
  dismantle(table: number, from: number, max: number, visit: (ref: Ref) => void): number {
    const segments = this.#segments;
    let position = from;
    for (let visited = 0; position < HASH_END && visited < max;) {
      const segment = this.#segmentOf(table, position | 0);
      position = segment === NONE ? HASH_END : this.#endOf(segment, position);
      if (segment === NONE) break;
      const count = segments.count(segment);
      for (let i = 0; i < count; i++) visit(segments.refAt(segment, i));
      visited += count + 1;
      this.#arena.free(segment);
      if (this.#depths[table] === 0) this.#roots[table] = NONE;
    }
    if (position < HASH_END) return position;
    if (this.#roots[table] !== NONE) this.#arena.free(this.#roots[table]!);
    this.#roots[table] = NONE;
    this.#depths[table] = 0;
    // Not minus the count: -0 is no small integer, and what it is added to stops being kept as one.
    this.#count(table, 0 - this.counts[table]!);
    return HASH_END;
  }

  /** Adds a table to `shape`. */
  measure(table: number, shape: TableShape): void {
    const segments = this.#segments;
    shape.elements += this.counts[table]!;
    for (let position = 0; position < HASH_END;) {
      const segment = this.#segmentOf(table, position | 0);
      position = this.#endOf(segment, position);
      if (segment === NONE) continue;
      shape.segments++;
      shape.places += segments.capacity(segment);
    }
  }

  /** The first table from `from` on that has an element; `counts.length` when none has. */
  nextTable(from: number): number {
    let table = from;
    while (table < this.counts.length && this.counts[table] === 0) {
      const isGroupEmpty = this.#groups[Math.floor(table / GROUP_TABLES)] === 0;
      table = isGroupEmpty ? (Math.floor(table / GROUP_TABLES) + 1) * GROUP_TABLES : table + 1;
    }
    return Math.min(table, this.counts.length);
  }

  /** A table chosen with the weight of its elements, none of those left out; there are elements in others. */
  randomTable(rng: Rng, leftOut: ReadonlySet<number> = NO_TABLES): number {
    if (this.counts.length === 1) return 0;
    if (leftOut.size > 0) return this.#randomTableBut(leftOut, rng);
    let left = rng.below(this.size);
    let group = 0;
    for (; left >= this.#groups[group]!; group++) left -= this.#groups[group]!;
    let table = group * GROUP_TABLES;
    for (; left >= this.counts[table]!; table++) left -= this.counts[table]!;
    return table;
  }

  #randomTableBut(leftOut: ReadonlySet<number>, rng: Rng): number {
    let { size } = this;
    for (const table of leftOut) size -= this.counts[table]!;
    let left = rng.below(size);
    let table = 0;
    for (; leftOut.has(table) || left >= this.counts[table]!; table++) {
      if (!leftOut.has(table)) left -= this.counts[table]!;
    }
    return table;
  }

  #addTables(): void {
    const count = Math.max(TABLES_MIN, this.counts.length * 2);
    this.counts = grown(this.counts, new Uint32Array(count));
    this.#groups = grown(this.#groups, new Uint32Array(Math.ceil(count / GROUP_TABLES)));
    this.#roots = grown(this.#roots, new Int32Array(count));
    this.#depths = grown(this.#depths, new Uint8Array(count));
  }

  #count(table: number, change: number): void {
    this.counts[table] = this.counts[table]! + change;
    const group = Math.floor(table / GROUP_TABLES);
    this.#groups[group] = this.#groups[group]! + change;
    this.size += change;
  }

  #segmentOf(table: number, hash: number): Ref {
    const root = this.#roots[table]!;
    const depth = this.#depths[table]!;
    if (depth === 0) return root;
    const index = hash >>> (32 - depth);
    return this.#arena.i32[root >>> SLAB_SHIFT]![((root & UNIT_MASK) << 1) + index]!;
  }

  /**
   * Reads where the tag and the ref of a hash are in a segment of usual size. In a large table none of this is in the
   * processor's caches, and head, tag and ref would be waited for one after the other; so they come together.
   */
  #fetch(table: number, hash: number, head: number, words: Int32Array, tags: Uint16Array): void {
    const depth = this.#depths[table]!;
    const count = this.counts[table]! >>> depth;
    const index = guessIndex(tagOf(hash, depth), 0, count);
    const refAt = head + 2 + index;
    const tagAt = ((head + 2 + count + (count >>> 5)) << 1) + index;
    // Kept, because a read that nobody needs is not compiled.
    this.fetched = words[refAt & (SLAB_WORDS - 1)]! ^ tags[tagAt & (2 * SLAB_WORDS - 1)]!;
  }

  /** Reads the heads of blocks that are about to be visited, whose memory would be waited for one by one. */
  #fetchAll({ refs, count }: Found): void {
    const { i32 } = this.#arena;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      sum ^= i32[ref >>> SLAB_SHIFT]![(ref & UNIT_MASK) << 1]!;
    }
    this.fetched = sum;
  }

  #indexOf(segment: Ref, hash: number, ref: Ref): number {
    const segments = this.#segments;
    const count = segments.count(segment);
    let i = segments.lowerBound(segment, tagOf(hash, segments.tagDepth(segment)));
    while (i < count && segments.refAt(segment, i) !== ref) i++;
    invariant(i < count, 'an element is found in the segment of its hash');
    return i;
  }

  /** Position one past the range of hashes of the segment that holds `position`. */
  #endOf(segment: Ref, position: number): number {
    const depth = segment === NONE ? 0 : this.#segments.depth(segment);
    if (depth === 0) return HASH_END;
    const span = HASH_END / (1 << depth);
    return (Math.floor(position / span) + 1) * span;
  }

  #collect(table: number, from: number, max: number, found: Found): number {
    const segments = this.#segments;
    const segment = this.#segmentOf(table, from | 0);
    const end = this.#endOf(segment, from);
    if (segment === NONE) return end;
    const tagDepth = segments.tagDepth(segment);
    const count = segments.count(segment);
    let last = -1;
    const first = from === 0 ? 0 : segments.lowerBound(segment, tagOf(from | 0, tagDepth));
    for (let i = first; i < count; i++) {
      const tag = segments.tagAt(segment, i);
      // Elements of one tag go together, because a cursor cannot stand between them.
      if (tag !== last && found.count >= max) {
        const span = HASH_END / (1 << tagDepth);
        return from - (from % span) + (tag / 0x1_0000) * span;
      }
      last = tag;
      found.refs[found.count++] = segments.refAt(segment, i);
    }
    return end;
  }

  #makeRoom(table: number, hash: number, segment: Ref): void {
    const segments = this.#segments;
    const count = segments.count(segment);
    if (count >= SPLIT_AT && this.#isSplittable(segment)) this.#split(table, hash, segment);
    else this.#point(table, hash, segments.resize(segment, count + 1 + (count >>> 4)));
  }

  #isSplittable(segment: Ref): boolean {
    const segments = this.#segments;
    const count = segments.count(segment);
    if (count < 2 || segments.depth(segment) >= DEPTH_MAX) return false;
    return segments.tagAt(segment, 0) !== segments.tagAt(segment, count - 1);
  }

  #split(table: number, hash: number, segment: Ref): void {
    const segments = this.#segments;
    const depth = segments.depth(segment);
    const count = segments.count(segment);
    if (depth === this.#depths[table]) this.#deepenDirectory(table);
    const bit = 1 << (31 - depth);
    const firstOfHigh = ((hash | bit) >> (31 - depth)) << (31 - depth);
    const oldTagDepth = segments.tagDepth(segment);
    const middle = segments.lowerBound(segment, tagOf(firstOfHigh, oldTagDepth));
    const isRetagged = depth + 1 - oldTagDepth > TAG_LAG_MAX;
    const tagDepth = isRetagged ? depth + 1 : oldTagDepth;
    const low = segments.create(depth + 1, tagDepth, middle + (middle >>> 4) + 4);
    const highCount = count - middle;
    const high = segments.create(depth + 1, tagDepth, highCount + (highCount >>> 4) + 4);
    if (isRetagged) {
      this.#fillRetagged(low, segment, 0, middle);
      this.#fillRetagged(high, segment, middle, count);
    } else {
      segments.appendRange(low, segment, 0, middle);
      segments.appendRange(high, segment, middle, count);
    }
    this.#arena.free(segment);
    this.#point(table, hash & ~bit, low);
    this.#point(table, hash | bit, high);
  }

  /**
   * Fills an empty segment with the elements [first, end) of `from`, with tags made anew from their keys.
   */
  #fillRetagged(segment: Ref, from: Ref, first: number, end: number): void {
    const segments = this.#segments;
    const tagDepth = segments.tagDepth(segment);
    for (let i = first; i < end; i++) {
      const ref = segments.refAt(from, i);
      const tag = tagOf(this.#keys.hashOf(ref), tagDepth);
      // Tags gain bits at their end, so elements that had the same one may change places.
      let at = segments.count(segment);
      while (at > 0 && segments.tagAt(segment, at - 1) > tag) at--;
      segments.insertAt(segment, at, tag, ref);
    }
  }

  /** Whether the segment was joined with the other half of its parent prefix. */
  #mergeWithBuddy(table: number, hash: number, segment: Ref): boolean {
    const segments = this.#segments;
    const depth = segments.depth(segment);
    const bit = 1 << (32 - depth);
    const buddy = this.#segmentOf(table, hash ^ bit);
    if (segments.depth(buddy) !== depth) return false;
    if (segments.count(segment) + segments.count(buddy) > MERGED_MAX) return false;
    const isHigh = (hash & bit) !== 0;
    const merged = isHigh
      ? segments.join(buddy, segment, hash & ~bit)
      : segments.join(segment, buddy, hash);
    this.#point(table, hash, merged);
    this.#shallowDirectory(table);
    return true;
  }

  /**
   * Makes the directory (or the root) point at `segment` for every hash that shares its prefix with `hash`.
   */
  #point(table: number, hash: number, segment: Ref): void {
    const tableDepth = this.#depths[table]!;
    if (tableDepth === 0) {
      this.#roots[table] = segment;
      return;
    }
    const root = this.#roots[table]!;
    const span = 1 << (tableDepth - this.#segments.depth(segment));
    const first = (hash >>> (32 - tableDepth)) & ~(span - 1);
    const at = ((root & UNIT_MASK) << 1) + first;
    this.#arena.i32[root >>> SLAB_SHIFT]!.fill(segment, at, at + span);
  }

  #deepenDirectory(table: number): void {
    const depth = this.#depths[table]!;
    const old = this.#roots[table]!;
    const directory = this.#arena.alloc(4 << (depth + 1));
    const to = this.#arena.i32[directory >>> SLAB_SHIFT]!;
    const at = (directory & UNIT_MASK) << 1;
    if (depth === 0) to.fill(old, at, at + 2);
    else {
      const from = this.#arena.i32[old >>> SLAB_SHIFT]!;
      const fromAt = (old & UNIT_MASK) << 1;
      for (let i = 0; i < 1 << depth; i++) {
        const segment = from[fromAt + i]!;
        to[at + 2 * i] = segment;
        to[at + 2 * i + 1] = segment;
      }
      this.#arena.free(old);
    }
    this.#roots[table] = directory;
    this.#depths[table] = depth + 1;
  }

  /** Halves the directory while no segment needs its last bit. */
  #shallowDirectory(table: number): void {
    for (let depth = this.#depths[table]!; depth > 0; depth--) {
      const old = this.#roots[table]!;
      const from = this.#arena.i32[old >>> SLAB_SHIFT]!;
      const at = (old & UNIT_MASK) << 1;
      // Cheap to refuse: with enough elements, some segment is surely as deep as the directory.
      if (this.counts[table]! > MERGED_MAX << depth) return;
      for (let i = 0; i < 1 << depth; i += 2) if (from[at + i] !== from[at + i + 1]) return;
      const half = depth === 1 ? from[at]! : this.#arena.alloc(2 << depth);
      if (depth > 1) {
        const to = this.#arena.i32[half >>> SLAB_SHIFT]!;
        const toAt = (half & UNIT_MASK) << 1;
        for (let i = 0; i < 1 << (depth - 1); i++) to[toAt + i] = from[at + 2 * i]!;
      }
      this.#arena.free(old);
      this.#roots[table] = half;
      this.#depths[table] = depth - 1;
    }
  }
}

/** The longer array `to` in the place of `from`. */
export function grown<T extends Uint8Array | Uint16Array | Int32Array | Uint32Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}
