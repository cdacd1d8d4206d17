/** The order of elements by their names, byte by byte, shorter names first. */
import type { Ref } from './arena.ts';
import type { Elements } from './elements.ts';
import type { BytesView } from './entry.ts';
import type { TreeOrder } from './rank-reader.ts';

/** Compares a name, set with `setProbe`, with those of elements. */
export class NameOrder implements TreeOrder {
  readonly #elements: Elements;
  readonly #probe: BytesView = { buf: new Uint8Array(0), at: 0, size: 0 };

  constructor(elements: Elements) {
    this.#elements = elements;
  }

  setProbe({ buf, at, size }: Readonly<BytesView>): void {
    this.#probe.buf = buf;
    this.#probe.at = at;
    this.#probe.size = size;
  }

  compare(ref: Ref): number {
    const mine = this.#probe;
    const other = this.#elements.name(ref);
    const size = Math.min(mine.size, other.size);
    for (let i = 0; i < size; i++) {
      const difference = mine.buf[mine.at + i]! - other.buf[other.at + i]!;
      if (difference !== 0) return difference;
    }
    return mine.size - other.size;
  }
}
