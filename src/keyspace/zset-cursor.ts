/** Walking along a sorted set of either kind, in both directions, without allocation. */
import {
  LISTPACK_HEADER_BYTES,
  isListpackEnd,
  listpackNext,
  listpackPairs,
  listpackPrevious,
  listpackSeek,
} from '../rdb/index.ts';
import { NONE, type Ref } from './arena.ts';
import type { BytesView, Entries } from './entry.ts';
import { RankCursor } from './rank-cursor.ts';
import type { LargeZsets } from './zset-large.ts';
import type { PackedZset } from './zset-packed.ts';

/** A place in a sorted set that does not change meanwhile; one object serves many walks. */
export class ZsetCursor implements BytesView {
  /** Whether there is a member here; not before the first and behind the last. */
  isHere = false;
  /** The member's bytes and its score. */
  buf: Buffer = Buffer.alloc(0);
  at = 0;
  size = 0;
  score = 0;
  readonly #entries: Entries;
  readonly #large: LargeZsets;
  readonly #packed: PackedZset;
  readonly #cursor: RankCursor;
  #isLarge = false;
  /** The listpack: its buffer, the place of its first member, and the one of this member. */
  #pack: Uint8Array = this.buf;
  #first = 0;
  #pos = 0;

  constructor(entries: Entries, large: LargeZsets, packed: PackedZset) {
    this.#entries = entries;
    this.#large = large;
    this.#packed = packed;
    this.#cursor = new RankCursor(entries.arena);
  }

  /** In a small set: where in the listpack's buffer the member is. */
  get position(): number {
    return this.#pos;
  }

  /**
   * Goes to the member of a rank, if there is one. `coming`: how many are going to be visited in one direction from there
   * on, if that is known: it makes them come faster.
   */
  seek(ref: Ref, rank: number, coming: number = 0, isReverse: boolean = false): void {
    const entries = this.#entries;
    this.#isLarge = entries.isLarge(ref);
    if (this.#isLarge) {
      this.#cursor.seek(entries.secondWord(ref), rank, coming, isReverse);
      return this.#readElement();
    }
    const view = entries.stringView(ref);
    this.#pack = view.buf;
    this.#first = view.at + LISTPACK_HEADER_BYTES;
    this.isHere = rank >= 0 && rank < this.#packed.size(view);
    if (!this.isHere) return;
    this.#pos = listpackSeek(view.buf, view.at, view.size, rank * 2);
    this.#readPair();
  }

  /** What goes to the member of a rank again and again, until the set changes: it looks up once where a listpack has them. */
  seeker(ref: Ref): (rank: number) => void {
    const entries = this.#entries;
    if (entries.isLarge(ref)) return (rank) => this.seek(ref, rank);
    this.seek(ref, 0);
    const { buf, at } = entries.stringView(ref);
    const positions = listpackPairs(buf, at);
    return (rank) => {
      this.#pos = positions[rank]!;
      this.#readPair();
    };
  }

  /** Goes to the element of a rank in the tree of a large one. */
  seekTree(root: Ref, rank: number): void {
    this.#isLarge = true;
    this.#cursor.seek(root, rank);
    this.#readElement();
  }

  /** Goes to the next member; not to be called where there is none. */
  next(): void {
    if (this.#isLarge) {
      this.#cursor.next();
      this.#readElement();
      return;
    }
    this.#pos = listpackNext(this.#pack, listpackNext(this.#pack, this.#pos));
    this.isHere = !isListpackEnd(this.#pack, this.#pos);
    if (this.isHere) this.#readPair();
  }

  /** Goes to the member before; not to be called where there is none. */
  previous(): void {
    if (this.#isLarge) {
      this.#cursor.previous();
      this.#readElement();
      return;
    }
    this.isHere = this.#pos !== this.#first;
    if (!this.isHere) return;
    this.#pos = listpackPrevious(this.#pack, listpackPrevious(this.#pack, this.#pos));
    this.#readPair();
  }

  #readElement(): void {
    const { ref } = this.#cursor;
    this.isHere = ref !== NONE;
    if (!this.isHere) return;
    this.score = this.#large.score(ref);
    this.#take(this.#large.elements.name(ref));
  }

  #readPair(): void {
    const { member } = this.#packed;
    const scorePos = this.#packed.readMember(this.#pack, this.#pos);
    this.score = this.#packed.scoreAt(this.#pack, scorePos);
    this.#take(member);
  }

  #take(view: BytesView): void {
    // Slabs and the digits of integers are Buffers, which the views' type does not say.
    this.buf = view.buf as Buffer;
    this.at = view.at;
    this.size = view.size;
  }
}
