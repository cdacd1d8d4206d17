/** Large values that are one table of elements each: sets and hashes. */
import { type Ref, SLAB_SHIFT } from './arena.ts';
import { copyBytes } from './bytes.ts';
import type { Elements } from './elements.ts';
import type { Rubble, Words } from './large-values.ts';
import { HASH_END, TableSet } from './table.ts';

/** Elements that a walk over a whole table takes at a time. */
const SLICE = 1000;
/** An element's share of its segment, measured: 6 bytes, and the places that are free. */
const SLOT_BYTES = 7;

/** The tables of one kind of value in one store. A table's number is the entry's first word. */
export class TableElements {
  readonly tables: TableSet;
  readonly #elements: Elements;
  readonly #free: (element: Ref) => void;

  readonly #payloadBytes: (buf: Uint8Array, at: number) => number;

  /** `payloadBytes`: how many bytes a payload that is at (buf, at) has. */
  constructor(elements: Elements, payloadBytes: (buf: Uint8Array, at: number) => number) {
    this.#elements = elements;
    this.#payloadBytes = payloadBytes;
    this.tables = new TableSet(elements.arena, elements, 0);
    this.#free = (element) => elements.arena.free(element);
  }

  /** Visits about `count` elements from a cursor on (0 begins); the next cursor (0: done). */
  scan(
    table: number,
    from: { readonly cursor: number; readonly count: number },
    visit: (element: Ref) => void,
  ): number {
    const { tables } = this;
    let left = from.count;
    let position = Math.min(from.cursor, HASH_END);
    while (left > 0 && position < HASH_END) {
      position = tables.scan(table, position, Math.min(left, SLICE), visit);
      left -= tables.scannedCount;
    }
    return position < HASH_END ? position : 0;
  }

  /** See `LargeValues.dismantle`. */
  dismantle(rubble: Rubble, max: number): boolean {
    const { tables } = this;
    rubble.cursor = tables.dismantle(rubble.first, rubble.cursor, max, this.#free);
    if (rubble.cursor < HASH_END) return true;
    tables.release(rubble.first);
    return false;
  }

  /** Makes a table with the same elements as another one's; its number goes into `to`. */
  copyFrom(source: TableElements, from: number, to: Words): void {
    const { tables } = this;
    const elements = this.#elements;
    const table = tables.allocate();
    source.scan(from, { cursor: 0, count: Infinity }, (element) => {
      const { buf, at, size } = source.#elements.name(element);
      const payloadBytes = source.#payloadBytes(buf, at + size);
      const copy = elements.create(buf, at, size, payloadBytes);
      const to = elements.arena.u8[copy >>> SLAB_SHIFT]!;
      copyBytes(buf, at + size, to, elements.payloadAt(copy), payloadBytes);
      tables.insert(table, elements.hash(buf, at, size), copy);
    });
    to.first = table;
    to.second = 0;
  }

  /** Bytes of a table and its elements, from about `samples` of them (0: all). */
  memoryUsage(table: number, samples: number): number {
    const { tables } = this;
    const { arena } = this.#elements;
    const count = tables.counts[table]!;
    const wanted = samples === 0 ? count : samples;
    let seen = 0;
    let bytes = 0;
    this.scan(table, { cursor: 0, count: wanted }, (element) => {
      bytes += arena.capacity(element);
      seen++;
    });
    return seen === 0 ? 0 : Math.round((bytes / seen + SLOT_BYTES) * count);
  }
}
