/**
 * Address space for the slabs. A slab alone would be too small for the huge pages that the system gives to large areas
 * only (see `NODE_ENVIRONMENT`), and without them a lookup in a large data set waits for the tables of pages as
 * often as for the data; so slabs are cut from chunks, which grow with what is there. A chunk costs no memory before it is
 * touched and is given back when its last slab is.
 */
import { invariant } from '../base/index.ts';

/** Most slabs of a chunk. */
const CHUNK_SLABS_MAX = 16;

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

/** Hands out slabs of `slabBytes` each. */
export class Chunks {
  readonly #slabBytes: number;
  readonly #byMemory: Map<ArrayBuffer, Chunk> = new Map<ArrayBuffer, Chunk>();
  /** Chunks with a free slab. */
  readonly #open: Chunk[] = [];
  #slabCount = 0;

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
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

  #addChunk(): Chunk {
    const slabCount = Math.max(1, Math.min(CHUNK_SLABS_MAX, this.#slabCount));
    const memory = new ArrayBuffer(slabCount * this.#slabBytes);
    const free = Array.from({ length: slabCount }, (_, i) => (slabCount - 1 - i) * this.#slabBytes);
    const chunk = { memory, slabCount, free };
    this.#byMemory.set(memory, chunk);
    this.#open.push(chunk);
    this.#slabCount += slabCount;
    return chunk;
  }
}
