/**
 * Where the arena's memory comes from: slabs of 1 MiB cut into 4 KiB pages by a buddy allocator,
 * and slabs of exact size for single large blocks. A slab costs no memory before it is touched and
 * is dropped when its last page comes back; see `chunks.ts` for when the system has it back.
 */
import { invariant } from '../base/index.ts';
import { Chunks, type SlabPlace, type SpareChunks } from './chunks.ts';
import { SlabsAhead, type TouchMemory } from './slabs-ahead.ts';

/** Bytes of a slab. */
export const SLAB_BYTES: number = 1 << 20;
/** Bytes of a page. */
export const PAGE_BYTES: number = 1 << 12;
const SLAB_PAGES: number = SLAB_BYTES / PAGE_BYTES;
/** Slab indexes that a 32-bit ref can name: 15 bits, so a heap has at least 32 GiB unless its blocks are large. */
const SLAB_COUNT_MAX = 1 << 15;
/** Share of the slabs that nothing new should take, */
const RESERVED_SHARE: number = 1 / 32;
/** and the share that not even data should take that is elsewhere already: what is under way must end. */
const LAST_SHARE: number = 1 / 256;
/** Share of the slabs that may hold one large block each; see `Arena`. */
const LARGE_SHARE: number = 1 / 4;
/** Order of a run that is a whole slab. */
const WHOLE_ORDER = 8;

/** Words of metadata a page has; the first page of a run speaks for the run. */
export const PAGE_WORDS = 4;
/**
 * Word 0: what the page is used for (8 bits), its run's first page (8 bits), and a count (16 bits).
 */
export const KIND = 0;
/** Word 1: owner's use. */
export const STATE = 1;
/** Words 2 and 3: page ids of the neighbours in a list of runs, 0 at its ends. */
export const NEXT = 2;
export const PREV = 3;

/** Kind of a free run; its count is the order. */
const FREE_RUN = 0xff;
/** Kind of the former first page of a run that was merged into another. */
const ABSORBED = 0xfe;

const NO_BYTES: Buffer = Buffer.alloc(0);
const NO_WORDS: Int32Array = new Int32Array(0);
const NO_HALVES: Uint16Array = new Uint16Array(0);
const NO_DOUBLES: Float64Array = new Float64Array(0);
const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));

/** Of a large block's bytes, what it may have more because memory of that size is at hand. */
const SPARE_SLACK: number = 1 / 8;

/** How much room the heaps of one keyspace have. */
export class HeapRoom {
  readonly slabCountMax: number;
  /** Heaps that have few slabs left. */
  crampedCount = 0;

  /** `slabCountMax`: below what refs can name in tests only. */
  constructor(slabCountMax: number = SLAB_COUNT_MAX) {
    this.slabCountMax = slabCountMax;
  }
}

/** Slabs and their pages. A page id is `slab << 8 | page`; slab 0 never exists, so 0 is "none". */
export class PageHeap {
  /** The bytes of each slab, by slab index, and aligned views of the same memory. */
  readonly u8: Buffer[] = [NO_BYTES];
  readonly i32: Int32Array[] = [NO_WORDS];
  readonly u16: Uint16Array[] = [NO_HALVES];
  readonly f64: Float64Array[] = [NO_DOUBLES];
  readonly views: DataView[] = [NO_VIEW];
  /** PAGE_WORDS words a page; empty for a slab that holds one large block. */
  readonly meta: Int32Array[] = [NO_WORDS];
  /** Bytes of all slabs, touched or not. */
  reservedBytes = 0;
  readonly #freeRuns = new Int32Array(WHOLE_ORDER + 1);
  readonly #freeIndexes: number[] = [];
  readonly #chunks: Chunks;
  readonly #ahead: SlabsAhead;
  readonly #room: HeapRoom;
  readonly #spare: SpareChunks | undefined;
  #isCramped = false;
  #largeCount = 0;

  /** `spare`: memory of heaps that retired, to be used first. */
  constructor(spare?: SpareChunks, room: HeapRoom = new HeapRoom()) {
    this.#room = room;
    this.#spare = spare;
    this.#chunks = new Chunks(SLAB_BYTES, spare);
    this.#ahead = new SlabsAhead(this.#chunks);
  }

  /**
   * Takes `count` consecutive pages (1 to SLAB_PAGES) of one slab and returns the id of the first.
   */
  takeRun(count: number): number {
    const order = count === 1 ? 0 : 32 - Math.clz32(count - 1);
    let found = order;
    while (found <= WHOLE_ORDER && this.#freeRuns[found] === 0) found++;
    if (found > WHOLE_ORDER) {
      const place = this.#ahead.take() ?? this.#chunks.take();
      const slab = this.#addSlab(place, SLAB_BYTES, new Int32Array(SLAB_PAGES * PAGE_WORDS));
      this.#pushFree(slab << 8, WHOLE_ORDER);
      found = WHOLE_ORDER;
    }
    const id = this.#freeRuns[found]!;
    this.#unlinkFree(id, found);
    while (found > order) {
      found--;
      this.#pushFree(id + (1 << found), found);
    }
    if (count < 1 << order) this.#givePieces(id + count, (1 << order) - count);
    return id;
  }

  /** Marks a run just taken: every page knows its kind and first page. */
  labelRun(id: number, count: number, kind: number): void {
    const meta = this.meta[id >>> 8]!;
    const first = id & 255;
    const word = kind | (first << 8);
    for (let page = first; page < first + count; page++) meta[page * PAGE_WORDS + KIND] = word;
  }

  /** Gives `count` pages back. */
  giveRun(id: number, count: number): void {
    this.#givePieces(id, count);
  }

  /**
   * Takes a slab of its own for one block of at least `size` bytes, a multiple of 8; returns the slab's
   * index.
   */
  takeLarge(size: number): number {
    this.#largeCount++;
    const bytesMax = size + Math.floor(size * SPARE_SLACK);
    const memory = this.#spare?.take(size, bytesMax) ?? new ArrayBuffer(size);
    return this.#addSlab({ memory, at: 0 }, memory.byteLength, NO_WORDS);
  }

  giveLarge(slab: number): void {
    this.#largeCount--;
    this.#dropSlab(slab);
  }

  get isFull(): boolean {
    return this.#slabsLeft < this.#room.slabCountMax * LAST_SHARE;
  }

  /** Whether so many slabs hold one block that the others should share theirs. */
  get mustShare(): boolean {
    return this.#largeCount >= this.#room.slabCountMax * LARGE_SHARE;
  }

  /** Much is added now: memory for it is asked for before it is needed. */
  growAhead(touch: TouchMemory): void {
    this.#ahead.refill(this.u8.length, touch);
  }

  endGrowth(): void {
    this.#ahead.settle();
  }

  /** Gives the memory away; nothing may be read here any more. */
  retire(): void {
    // What is still written to from elsewhere must not become another heap's.
    this.#chunks.retire(!this.#ahead.isAsking);
    this.#ahead.retire();
    for (let slab = 1; slab < this.u8.length; slab++) this.#forget(slab);
    this.#noteCramped(false);
  }

  #addSlab({ memory, at }: SlabPlace, size: number, meta: Int32Array): number {
    const slab = this.#freeIndexes.pop() ?? this.u8.length;
    invariant(slab < SLAB_COUNT_MAX, 'writes are refused before the last slab is taken');
    this.u8[slab] = Buffer.from(memory, at, size);
    this.i32[slab] = new Int32Array(memory, at, size / 4);
    this.u16[slab] = new Uint16Array(memory, at, size / 2);
    this.f64[slab] = new Float64Array(memory, at, size / 8);
    this.views[slab] = new DataView(memory, at, size);
    this.meta[slab] = meta;
    this.reservedBytes += size;
    this.#noteRoom();
    return slab;
  }

  #dropSlab(slab: number): void {
    const view = this.views[slab]!;
    this.reservedBytes -= view.byteLength;
    // The view is of memory that was made here.
    const memory = view.buffer as ArrayBuffer;
    if (this.meta[slab]!.length > 0) this.#chunks.give({ memory, at: view.byteOffset });
    else this.#spare?.keep(memory);
    this.#forget(slab);
    this.#freeIndexes.push(slab);
    this.#noteRoom();
  }

  #noteRoom(): void {
    this.#noteCramped(this.#slabsLeft < this.#room.slabCountMax * RESERVED_SHARE);
  }

  get #slabsLeft(): number {
    return this.#room.slabCountMax - this.u8.length + this.#freeIndexes.length;
  }

  #noteCramped(isCramped: boolean): void {
    if (isCramped === this.#isCramped) return;
    this.#isCramped = isCramped;
    this.#room.crampedCount += isCramped ? 1 : -1;
  }

  #forget(slab: number): void {
    this.u8[slab] = NO_BYTES;
    this.i32[slab] = NO_WORDS;
    this.u16[slab] = NO_HALVES;
    this.f64[slab] = NO_DOUBLES;
    this.views[slab] = NO_VIEW;
    this.meta[slab] = NO_WORDS;
  }

  #givePieces(id: number, count: number): void {
    let at = id;
    for (const end = id + count; at < end;) {
      const page = at & 255;
      const aligned = page === 0 ? WHOLE_ORDER : 31 - Math.clz32(page & -page);
      const order = Math.min(aligned, 31 - Math.clz32(end - at));
      this.#giveBuddy(at, order);
      at += 1 << order;
    }
  }

  #giveBuddy(id: number, givenOrder: number): void {
    const meta = this.meta[id >>> 8]!;
    let page = id & 255;
    let order = givenOrder;
    while (order < WHOLE_ORDER) {
      const buddy = page ^ (1 << order);
      const word = meta[buddy * PAGE_WORDS + KIND]!;
      if ((word & 255) !== FREE_RUN || word >>> 16 !== order) break;
      this.#unlinkFree((id & ~255) | buddy, order);
      meta[Math.max(page, buddy) * PAGE_WORDS + KIND] = ABSORBED;
      page &= buddy;
      order++;
    }
    if (order === WHOLE_ORDER && this.#freeRuns[WHOLE_ORDER] !== 0) this.#dropSlab(id >>> 8);
    else this.#pushFree((id & ~255) | page, order);
  }

  #pushFree(id: number, order: number): void {
    const meta = this.meta[id >>> 8]!;
    const at = (id & 255) * PAGE_WORDS;
    const next = this.#freeRuns[order]!;
    meta[at + KIND] = FREE_RUN | ((id & 255) << 8) | (order << 16);
    meta[at + NEXT] = next;
    meta[at + PREV] = 0;
    if (next !== 0) this.meta[next >>> 8]![(next & 255) * PAGE_WORDS + PREV] = id;
    this.#freeRuns[order] = id;
  }

  #unlinkFree(id: number, order: number): void {
    const meta = this.meta[id >>> 8]!;
    const at = (id & 255) * PAGE_WORDS;
    const next = meta[at + NEXT]!;
    const prev = meta[at + PREV]!;
    if (prev === 0) this.#freeRuns[order] = next;
    else this.meta[prev >>> 8]![(prev & 255) * PAGE_WORDS + NEXT] = next;
    if (next !== 0) this.meta[next >>> 8]![(next & 255) * PAGE_WORDS + PREV] = prev;
    meta[at + KIND] = ABSORBED;
  }
}
