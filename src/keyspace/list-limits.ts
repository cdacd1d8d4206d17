/** How large the chunks of a list become, by `list-max-listpack-size`. */
import { INLINE_BYTES_MAX } from './entry.ts';
import type { ChunkLimits } from './list-chunks.ts';
import { CHUNK_HEAD_BYTES } from './list-words.ts';
import type { ValueHost } from './value-host.ts';
import { EMPTY_LISTPACK_BYTES } from '../rdb/index.ts';

/** Sizes of a node by the directive's -1 to -5. Source: redis.conf 7.0, list-max-listpack-size. */
const NODE_BYTES: readonly number[] = [4096, 8192, 16_384, 32_768, 65_536];
/** Largest node when elements are counted. Source: 7.0 quicklist.c, SIZE_SAFETY_LIMIT. */
const COUNTED_NODE_BYTES = 8192;
/** No limit: more than any chunk can hold. */
const COUNT_MAX = 0x3fff_ffff;
/** Largest small list, if the node's size does not say less: what stays inside the entry. */
export const SMALL_BYTES_MAX: number = INLINE_BYTES_MAX;

export class ListLimits {
  readonly #limits: ChunkLimits = { bytes: 0, count: 0 };
  readonly #alone: ChunkLimits = { bytes: 0, count: 1 };
  /** What `#limits` was made from. */
  #fill: number | undefined;

  /** The limits of chunks now. */
  of(db: ValueHost): ChunkLimits {
    const fill = db.limits['list-max-listpack-size'];
    if (fill !== this.#fill) this.#setFill(fill);
    return this.#limits;
  }

  /** The limits for an element of so many bytes: one that is to be plain has a chunk of its own. */
  forElement(db: ValueHost, bytes: number): ChunkLimits {
    const limits = this.of(db);
    if (bytes < db.plainElementBytes) return limits;
    this.#alone.bytes = limits.bytes;
    return this.#alone;
  }

  /** Whether a listpack of `size` bytes and `count` elements is a small list. */
  isSmall(db: ValueHost, size: number, count: number): boolean {
    const limits = this.of(db);
    return (
      size <= SMALL_BYTES_MAX &&
      size - EMPTY_LISTPACK_BYTES <= limits.bytes &&
      count <= limits.count
    );
  }

  #setFill(fill: number): void {
    this.#fill = fill;
    const isCounted = fill >= 0;
    const level = Math.min(-fill, NODE_BYTES.length) - 1;
    const nodeBytes = isCounted ? COUNTED_NODE_BYTES : NODE_BYTES[level]!;
    // A chunk's own words are in its block, so that this is as large as the node may be.
    this.#limits.bytes = nodeBytes - CHUNK_HEAD_BYTES;
    this.#limits.count = isCounted ? Math.max(1, fill) : COUNT_MAX;
  }
}
