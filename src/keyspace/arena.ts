/**
 * Memory outside the JavaScript heap, handed out in blocks. Blocks up to 16 KiB come from size
 * classes (8-byte steps to 128 bytes, then eight classes a doubling), up to 256 KiB from whole
 * pages, above that from a slab of their own, which wastes nothing; where there are many of those, blocks up to a
 * slab's size are made of pages, too, for the sake of the slabs' indexes. A block holds what its last owner left in it.
 */
import { invariant } from '../base/index.ts';
import type { SpareChunks } from './chunks.ts';
import type { TouchMemory } from './slabs-ahead.ts';
import {
  type HeapRoom,
  KIND,
  NEXT,
  PAGE_BYTES,
  PAGE_WORDS,
  PREV,
  PageHeap,
  SLAB_BYTES,
  STATE,
} from './pages.ts';

/**
 * A block's address: `slab << 17 | offset / 8` as a signed 32-bit integer, so that it lives in an
 * Int32Array and in a machine word. Use `>>> 17` and `& UNIT_MASK`; compare with `===` only.
 */
export type Ref = number;
/** The ref of nothing. */
export const NONE: Ref = 0;
/** Bits of a ref below the slab index. */
export const SLAB_SHIFT = 17;
/** Mask of a ref's offset in units of 8 bytes. */
export const UNIT_MASK = 0x1ffff;

/** Largest block of a size class, in bytes. */
const CLASS_BYTES_MAX = 16_384;
/** Largest block that is always made of pages, in bytes; up to a slab's bytes they are where slabs become few. */
const PAGED_BYTES_MAX = 262_144;
const CLASS_COUNT = 73;
/** Kind of a run of pages that is one block; its STATE is the number of pages. */
const ONE_BLOCK = 0x80;

const CLASS_SIZE: Int32Array = new Int32Array(CLASS_COUNT);
const CLASS_PAGES: Int32Array = new Int32Array(CLASS_COUNT);
const CLASS_BLOCKS: Int32Array = new Int32Array(CLASS_COUNT);
fillClasses();

function fillClasses(): void {
  for (let cls = 1; cls < CLASS_COUNT; cls++) {
    const step = cls - 17;
    const size = cls <= 16 ? cls * 8 : (9 + (step & 7)) << (4 + (step >> 3));
    let pages = 1;
    // Runs grow until what is left over at their end is below a sixteenth.
    while (pages < 16 && ((pages * PAGE_BYTES) % size) * 16 > pages * PAGE_BYTES) pages *= 2;
    while (pages * PAGE_BYTES < size) pages *= 2;
    CLASS_SIZE[cls] = size;
    CLASS_PAGES[cls] = pages;
    CLASS_BLOCKS[cls] = Math.floor((pages * PAGE_BYTES) / size);
  }
}

function classOf(size: number): number {
  if (size <= 128) return (size + 7) >>> 3;
  const log = 31 - Math.clz32(size - 1);
  return (log - 7) * 8 + ((size - 1) >>> (log - 3)) + 9;
}

/** Bytes the block for a request of `size` bytes really has, but for large ones, which may have more. */
export function blockBytes(size: number): number {
  if (size <= CLASS_BYTES_MAX) return CLASS_SIZE[classOf(size)]!;
  if (size <= PAGED_BYTES_MAX) return Math.ceil(size / PAGE_BYTES) * PAGE_BYTES;
  return Math.ceil(size / 8) * 8;
}

// STATE of a run of blocks: its first free block (offset / 8 + 1, 18 bits) and the blocks ever used
// (14 bits).
const FREE_MASK = 0x3ffff;
const EVER_SHIFT = 18;
// KIND: class, first page, and in the first page's word the blocks in use.
const USED_SHIFT = 16;
const USED_ONE = 1 << USED_SHIFT;

/** An allocator of blocks. */
export class Arena {
  /**
   * Views of the slabs by slab index; a block lives at `u8[ref >>> 17]`, offset `(ref & UNIT_MASK)
   * << 3`.
   */
  readonly u8: Buffer[];
  readonly i32: Int32Array[];
  readonly u16: Uint16Array[];
  readonly f64: Float64Array[];
  readonly views: DataView[];
  /** Bytes of all blocks in use, rounded up to their classes. */
  usedBytes = 0;
  readonly #heap: PageHeap;
  readonly #meta: Int32Array[];
  /** Runs with a free block, by class. */
  readonly #open = new Int32Array(CLASS_COUNT);

  /** `spare`: memory of arenas that retired, to be used first. */
  constructor(spare?: SpareChunks, room?: HeapRoom) {
    this.#heap = new PageHeap(spare, room);
    this.u8 = this.#heap.u8;
    this.i32 = this.#heap.i32;
    this.u16 = this.#heap.u16;
    this.f64 = this.#heap.f64;
    this.views = this.#heap.views;
    this.#meta = this.#heap.meta;
  }

  /** Bytes of address space taken from the system, touched or not. */
  get reservedBytes(): number {
    return this.#heap.reservedBytes;
  }

  /** Call it often while much is added: memory is then asked for ahead. */
  growAhead(touch: TouchMemory): void {
    this.#heap.growAhead(touch);
  }

  /** Nothing more is added so quickly. */
  endGrowth(): void {
    this.#heap.endGrowth();
  }

  /** Whether hardly any slab is left. */
  get isFull(): boolean {
    return this.#heap.isFull;
  }

  /** Gives the memory away for other arenas; this one and all refs into it are dead from here on. */
  retire(): void {
    this.#heap.retire();
  }

  /** A block of at least `size` bytes, `size` at least 1; its content is unspecified. */
  alloc(size: number): Ref {
    if (size > CLASS_BYTES_MAX) return this.#allocBig(size);
    const cls = classOf(size);
    const run = this.#open[cls]! || this.#openRun(cls);
    const slab = run >>> 8;
    const meta = this.#meta[slab]!;
    const at = (run & 255) * PAGE_WORDS;
    const state = meta[at + STATE]!;
    const free = state & FREE_MASK;
    let units: number;
    if (free !== 0) {
      units = free - 1;
      const next = this.i32[slab]![units << 1]!;
      meta[at + STATE] = (state & ~FREE_MASK) | next;
      if (next === 0 && state >>> EVER_SHIFT === CLASS_BLOCKS[cls]) this.#close(run, cls);
    } else {
      const ever = state >>> EVER_SHIFT;
      units = ((run & 255) << 9) + ever * (CLASS_SIZE[cls]! >>> 3);
      meta[at + STATE] = (ever + 1) << EVER_SHIFT;
      if (ever + 1 === CLASS_BLOCKS[cls]) this.#close(run, cls);
    }
    meta[at + KIND] = meta[at + KIND]! + USED_ONE;
    this.usedBytes += CLASS_SIZE[cls]!;
    return (slab << SLAB_SHIFT) | units;
  }

  /** Gives a block back; its ref is dead from here on. */
  free(ref: Ref): void {
    const slab = ref >>> SLAB_SHIFT;
    const meta = this.#meta[slab]!;
    if (meta.length === 0) {
      this.usedBytes -= this.u8[slab]!.length;
      this.#heap.giveLarge(slab);
      return;
    }
    const units = ref & UNIT_MASK;
    const kind = meta[(units >>> 9) * PAGE_WORDS + KIND]!;
    const cls = kind & 255;
    const first = (kind >>> 8) & 255;
    const at = first * PAGE_WORDS;
    if (cls === ONE_BLOCK) {
      const pages = meta[at + STATE]!;
      this.usedBytes -= pages * PAGE_BYTES;
      this.#heap.giveRun((slab << 8) | first, pages);
      return;
    }
    const state = meta[at + STATE]!;
    const wasFull = (state & FREE_MASK) === 0 && state >>> EVER_SHIFT === CLASS_BLOCKS[cls];
    this.i32[slab]![units << 1] = state & FREE_MASK;
    meta[at + STATE] = (state & ~FREE_MASK) | (units + 1);
    const word = meta[at + KIND]! - USED_ONE;
    meta[at + KIND] = word;
    this.usedBytes -= CLASS_SIZE[cls]!;
    const run = (slab << 8) | first;
    if (wasFull) this.#link(run, cls);
    if (word >>> USED_SHIFT === 0) this.#retire(run, cls);
  }

  /** Bytes the block really has, at least what was asked for. */
  capacity(ref: Ref): number {
    const slab = ref >>> SLAB_SHIFT;
    const meta = this.#meta[slab]!;
    if (meta.length === 0) return this.u8[slab]!.length;
    const kind = meta[((ref & UNIT_MASK) >>> 9) * PAGE_WORDS + KIND]!;
    const cls = kind & 255;
    if (cls !== ONE_BLOCK) return CLASS_SIZE[cls]!;
    return meta[((kind >>> 8) & 255) * PAGE_WORDS + STATE]! * PAGE_BYTES;
  }

  #allocBig(size: number): Ref {
    if (size > PAGED_BYTES_MAX && (size > SLAB_BYTES || !this.#heap.mustShare)) {
      const slab = this.#heap.takeLarge(blockBytes(size));
      this.usedBytes += this.u8[slab]!.length;
      return slab << SLAB_SHIFT;
    }
    const pages = Math.ceil(size / PAGE_BYTES);
    const run = this.#heap.takeRun(pages);
    this.#heap.labelRun(run, pages, ONE_BLOCK);
    this.#meta[run >>> 8]![(run & 255) * PAGE_WORDS + STATE] = pages;
    this.usedBytes += pages * PAGE_BYTES;
    return ((run >>> 8) << SLAB_SHIFT) | ((run & 255) << 9);
  }

  #openRun(cls: number): number {
    const pages = CLASS_PAGES[cls]!;
    invariant(pages > 0, 'a block has at least one byte');
    const run = this.#heap.takeRun(pages);
    this.#heap.labelRun(run, pages, cls);
    this.#meta[run >>> 8]![(run & 255) * PAGE_WORDS + STATE] = 0;
    this.#link(run, cls);
    return run;
  }

  /** Gives an empty run's pages back, unless it is the only one its class could allocate from. */
  #retire(run: number, cls: number): void {
    const meta = this.#meta[run >>> 8]!;
    const at = (run & 255) * PAGE_WORDS;
    if (meta[at + NEXT] === 0 && meta[at + PREV] === 0) return;
    this.#close(run, cls);
    this.#heap.giveRun(run, CLASS_PAGES[cls]!);
  }

  #link(run: number, cls: number): void {
    const meta = this.#meta[run >>> 8]!;
    const at = (run & 255) * PAGE_WORDS;
    const next = this.#open[cls]!;
    meta[at + NEXT] = next;
    meta[at + PREV] = 0;
    if (next !== 0) this.#meta[next >>> 8]![(next & 255) * PAGE_WORDS + PREV] = run;
    this.#open[cls] = run;
  }

  #close(run: number, cls: number): void {
    const meta = this.#meta[run >>> 8]!;
    const at = (run & 255) * PAGE_WORDS;
    const next = meta[at + NEXT]!;
    const prev = meta[at + PREV]!;
    if (prev === 0) this.#open[cls] = next;
    else this.#meta[prev >>> 8]![(prev & 255) * PAGE_WORDS + NEXT] = next;
    if (next !== 0) this.#meta[next >>> 8]![(next & 255) * PAGE_WORDS + PREV] = prev;
  }
}
