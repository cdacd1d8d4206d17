/**
 * Slabs that the system has given memory for before they are needed. A load touches hundreds of megabytes for the first
 * time, and each first touch waits until the system has found and cleared a page, of two megabytes where pages are huge;
 * another thread can wait for that meanwhile.
 */
import type { Chunks, SlabPlace } from './chunks.ts';

/** Most slabs that are ready or asked for. */
const AHEAD_MAX = 8;
/** So many slabs in use for each one ahead, so that little data stay little. */
const USED_FOR_ONE = 16;

/**
 * Has the system give the memory of these places, of one byte each, while this thread goes on. `done` comes later, in no
 * turn of the node; what the bytes hold until and after then is unspecified.
 */
export type TouchMemory = (bytes: readonly Uint8Array[], done: () => void) => void;

/** Of one heap, while it grows. */
export class SlabsAhead {
  readonly #chunks: Chunks;
  readonly #ready: SlabPlace[] = [];
  #askedCount = 0;
  #state: 'growing' | 'settled' | 'retired' = 'settled';

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  /** Whether slabs are written to from elsewhere. */
  get isAsking(): boolean {
    return this.#askedCount > 0;
  }

  /** A slab that is ready, if there is one. */
  take(): SlabPlace | undefined {
    return this.#ready.shift();
  }

  /** Asks for what is missing ahead of `usedCount` slabs. */
  refill(usedCount: number, touch: TouchMemory): void {
    this.#state = 'growing';
    const wanted = Math.min(AHEAD_MAX, Math.floor(usedCount / USED_FOR_ONE));
    const missing = wanted - this.#ready.length - this.#askedCount;
    // Few at a time would cost a call to the system each.
    if (missing <= 0 || 2 * missing < wanted) return;
    const slabs = Array.from({ length: missing }, () => this.#chunks.take());
    this.#askedCount += missing;
    touch(
      slabs.map(({ memory, at }) => new Uint8Array(memory, at, 1)),
      () => this.#touched(slabs),
    );
  }

  /** No more growth is expected: what is ahead goes back. */
  settle(): void {
    if (this.#state !== 'growing') return;
    this.#state = 'settled';
    for (const slab of this.#ready.splice(0)) this.#chunks.give(slab);
  }

  /** The chunks are nobody's from here on. */
  retire(): void {
    this.#state = 'retired';
    this.#ready.length = 0;
  }

  #touched(slabs: readonly SlabPlace[]): void {
    this.#askedCount -= slabs.length;
    if (this.#state === 'growing') this.#ready.push(...slabs);
    else if (this.#state === 'settled') for (const slab of slabs) this.#chunks.give(slab);
  }
}
