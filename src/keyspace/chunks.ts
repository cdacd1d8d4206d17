/**
 * Address space for the slabs. A slab alone would be too small for the huge pages that the system gives to large areas
 * only (see `NODE_ENVIRONMENT`), and without them a lookup in a large data set waits for the tables of pages as
 * often as for the data; so slabs are cut from chunks, which grow with what is there. A chunk costs no memory before it is
 * touched and is given back when its last slab is.
 *
 * The runtime takes each new chunk for a reason to collect all garbage, which costs as much as fifty thousand commands:
 * that is why chunks become so large, and why those of a database that was flushed are kept for a while.
 */
import { Spares, invariant } from '../base/index.ts';

/** Most slabs of a chunk. */
const CHUNK_SLABS_MAX = 64;
/** Most bytes of chunks that are kept. */
const SPARE_BYTES_MAX: number = 1 << 26;

/** One slab's place. */
export interface SlabPlace {
  readonly memory: ArrayBuffer;
  readonly at: number;
}

interface Chunk {
  readonly memory: ArrayBuffer;
  readonly slabCount: number;
  /** Offsets of slabs that nobody has. */
  readonly free: number[];
}

/** Chunks, and blocks that had memory of their own, that nobody uses now. */
export class SpareChunks extends Spares<ArrayBuffer> {
  constructor() {
    super(SPARE_BYTES_MAX);
  }
}

/** Hands out slabs of `slabBytes` each. */
export class Chunks {
  readonly #slabBytes: number;
  readonly #byMemory: Map<ArrayBuffer, Chunk> = new Map<ArrayBuffer, Chunk>();
  /** Chunks with a free slab. */
  readonly #open: Chunk[] = [];
  readonly #spare: SpareChunks | undefined;
  #slabCount = 0;

  constructor(slabBytes: number, spare?: SpareChunks) {
    this.#slabBytes = slabBytes;
    this.#spare = spare;
  }

  /** A slab; it holds zeros or what its last owner left. */
  take(): SlabPlace {
    const chunk = this.#open.at(-1) ?? this.#addChunk();
    const at = chunk.free.pop();
    invariant(at !== undefined, 'an open chunk has a free slab');
    if (chunk.free.length === 0) this.#open.pop();
    return { memory: chunk.memory, at };
  }

  give({ memory, at }: SlabPlace): void {
    const chunk = this.#byMemory.get(memory);
    invariant(chunk !== undefined, 'a slab that is given back was taken here');
    if (chunk.free.length === 0) this.#open.push(chunk);
    chunk.free.push(at);
    if (chunk.free.length < chunk.slabCount) return;
    this.#byMemory.delete(memory);
    this.#open.splice(this.#open.indexOf(chunk), 1);
    this.#slabCount -= chunk.slabCount;
  }

  /** Lets all chunks go, for others to use if it `isKept`: nothing may look at a slab of this object any more. */
  retire(isKept = true): void {
    // The first and smallest come last, so that they are kept: each heap begins with such.
    if (isKept)
      for (const memory of [...this.#byMemory.keys()].reverse()) this.#spare?.keep(memory);
    this.#byMemory.clear();
    this.#open.length = 0;
    this.#slabCount = 0;
  }

  #addChunk(): Chunk {
    const slabCount = Math.max(1, Math.min(CHUNK_SLABS_MAX, this.#slabCount));
    const bytes = slabCount * this.#slabBytes;
    const memory = this.#spare?.take(bytes) ?? new ArrayBuffer(bytes);
    const free = Array.from({ length: slabCount }, (_, i) => (slabCount - 1 - i) * this.#slabBytes);
    const chunk = { memory, slabCount, free };
    this.#byMemory.set(memory, chunk);
    this.#open.push(chunk);
    this.#slabCount += slabCount;
    return chunk;
  }
}
