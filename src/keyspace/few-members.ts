/**
 * Members with their scores, not many, for results that are made, answered and forgotten: in room that one result after
 * the other uses, where a table and a tree of their own would take most of the time.
 */
import { type SortKeys, compareBytes, copyBytes, sameBytes, sortedIndexes } from '../base/index.ts';
import type { BytesView } from './entry.ts';

const MEMBERS_MAX = 256;
const BYTES_MAX = 16_384;
/** Slots of the table of places: at most half of them are taken. */
const SLOTS = MEMBERS_MAX * 2;
const SLOT_MASK: number = SLOTS - 1;
/** Bytes at the end of a member that say where it is looked for. */
const TAIL_BYTES = 6;

export class FewMembers {
  count = 0;
  readonly #buf: Buffer = Buffer.allocUnsafeSlow(BYTES_MAX);
  #end = 0;
  readonly #at: Int32Array = new Int32Array(MEMBERS_MAX);
  readonly #size: Int32Array = new Int32Array(MEMBERS_MAX);
  readonly #score: Float64Array = new Float64Array(MEMBERS_MAX);
  /** A member's place plus one in the first free slot from that of its tail on; 0 for none. */
  readonly #slots: Int16Array = new Int16Array(SLOTS);
  /** Places in the order of a walk, if it is known. */
  #order: Uint32Array | undefined;
  readonly #by: SortKeys = {
    keys: this.#score,
    compareEqual: (a, b) => this.#compareBytes(a, b),
  };
  readonly #view: { buf: Buffer; at: number; size: number } = { buf: this.#buf, at: 0, size: 0 };

  clear(): void {
    if (this.count > 0) this.#slots.fill(0);
    this.count = 0;
    this.#end = 0;
    this.#order = undefined;
  }

  /** Whether a member of `size` bytes can be added. */
  hasRoom(size: number): boolean {
    return this.count < MEMBERS_MAX && this.#end + size <= BYTES_MAX;
  }

  /** Place of a member; -1 when it is not there. */
  find({ buf, at, size }: BytesView): number {
    return this.#slots[this.#slotOf(buf, at, size)]! - 1;
  }

  score(place: number): number {
    return this.#score[place]!;
  }

  setScore(place: number, score: number): void {
    this.#score[place] = score;
    this.#order = undefined;
  }

  /** Adds a member that is not there and that there is room for. */
  add(score: number, { buf, at, size }: BytesView): void {
    const slot = this.#slotOf(buf, at, size);
    const place = this.count++;
    this.#slots[slot] = place + 1;
    copyBytes(buf, at, this.#buf, this.#end, size);
    this.#at[place] = this.#end;
    this.#size[place] = size;
    this.#score[place] = score;
    this.#end += size;
    this.#order = undefined;
  }

  /** Visits the members by their scores, those of one score by their bytes. The view is valid during the call. */
  forEach(visit: (member: BytesView, score: number) => void): void {
    this.#order ??= sortedIndexes(this.count, this.#by);
    const view = this.#view;
    for (const place of this.#order) {
      view.at = this.#at[place]!;
      view.size = this.#size[place]!;
      visit(view, this.#score[place]!);
    }
  }

  /** The slot of a member, or the free one where it would be. */
  #slotOf(buf: Uint8Array, at: number, size: number): number {
    const end = at + size;
    let tail = size;
    for (let i = Math.max(at, end - TAIL_BYTES); i < end; i++) tail = Math.imul(tail, 31) + buf[i]!;
    for (let slot = tail & SLOT_MASK; ; slot = (slot + 1) & SLOT_MASK) {
      const place = this.#slots[slot]! - 1;
      if (place < 0) return slot;
      if (this.#size[place] !== size) continue;
      if (sameBytes(this.#buf, this.#at[place]!, buf, at, size)) return slot;
    }
  }

  #compareBytes(a: number, b: number): number {
    const { buf } = this.#view;
    return compareBytes(buf, this.#at[a]!, this.#size[a]!, buf, this.#at[b]!, this.#size[b]!);
  }
}
