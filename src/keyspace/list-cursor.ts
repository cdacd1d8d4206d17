/** Walks a list, small or large, in either direction. */
import {
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  listpackCount,
  listpackNext,
  listpackPrevious,
  listpackSeek,
} from '../rdb/index.ts';
import { NONE, type Ref, SLAB_SHIFT } from './arena.ts';
import type { BytesView, Entries } from './entry.ts';
import type { ListChunks } from './list-chunks.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer, 0, 0);

/** Reused; valid until the list or its entry changes. */
export class ListCursor {
  /** The element last read. */
  readonly element: ListpackReader = new ListpackReader();
  /** The chunk it stands in; NONE in a small list. */
  chunk: Ref = NONE;
  /** Bytes and position of the element it stands at. */
  buf: Uint8Array = NO_BYTES;
  pos = 0;
  /** Where the elements of the chunk, or of the small list, end. */
  end = 0;
  /** The slab of `buf`; without bytes when it is not known. */
  view: DataView = NO_VIEW;
  readonly #entries: Entries;
  readonly #chunks: ListChunks;
  #start = 0;

  constructor(entries: Entries, chunks: ListChunks) {
    this.#entries = entries;
    this.#chunks = chunks;
  }

  /** Goes to the element of an index in [0, size). */
  seek(ref: Ref, index: number): void {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const chunks = this.#chunks;
      chunks.seek(entries.firstWord(ref), index);
      this.#enter(chunks.chunk);
      this.pos = chunks.pos;
      return;
    }
    const { at, size } = this.#enterSmall(ref);
    this.pos = listpackSeek(this.buf, at, size, index);
  }

  /** Goes to the first element, or the last. */
  seekEnd(ref: Ref, isFront: boolean): void {
    const entries = this.#entries;
    if (entries.isLarge(ref)) {
      const chunks = this.#chunks;
      const list = entries.firstWord(ref);
      this.#enter(isFront ? chunks.first(list) : chunks.last(list));
    } else this.#enterSmall(ref);
    this.pos = isFront ? this.#start : listpackPrevious(this.buf, this.end);
  }

  /** Reads the element it stands at and goes on to the next; behind the last it stays. */
  readForward(): ListpackReader {
    this.pos = this.element.read(this.buf, this.pos);
    if (this.pos === this.end) this.#enterNext();
    return this.element;
  }

  /** Goes to the next element without reading this one; false when it was the last. */
  forward(): boolean {
    this.pos = listpackNext(this.buf, this.pos);
    return this.pos !== this.end || this.#enterNext();
  }

  /** Elements of the chunk, or of the small list, that it stands in. */
  get runCount(): number {
    if (this.chunk !== NONE) return this.#chunks.count(this.chunk);
    return listpackCount(this.buf, this.#start - LISTPACK_HEADER_BYTES);
  }

  /** Goes on to `pos` of the same chunk, where an element is, or its end and so the next chunk. */
  moveTo(pos: number): void {
    this.pos = pos;
    if (pos === this.end) this.#enterNext();
  }

  /** Goes to the element before; false when it was the first. */
  backward(): boolean {
    if (this.pos !== this.#start) {
      this.pos = listpackPrevious(this.buf, this.pos);
      return true;
    }
    if (this.chunk === NONE) return false;
    const previous = this.#chunks.previous(this.chunk);
    if (previous === NONE) return false;
    this.#enter(previous);
    this.pos = listpackPrevious(this.buf, this.end);
    return true;
  }

  #enterSmall(ref: Ref): Readonly<BytesView> {
    const blob = this.#entries.stringView(ref);
    const slab = ref >>> SLAB_SHIFT;
    const { arena } = this.#chunks;
    this.chunk = NONE;
    this.buf = blob.buf;
    this.view = arena.u8[slab] === blob.buf ? arena.views[slab]! : NO_VIEW;
    this.#start = blob.at + LISTPACK_HEADER_BYTES;
    this.end = blob.at + blob.size - 1;
    return blob;
  }

  #enterNext(): boolean {
    if (this.chunk === NONE) return false;
    const next = this.#chunks.next(this.chunk);
    if (next === NONE) return false;
    this.#enter(next);
    return true;
  }

  #enter(chunk: Ref): void {
    const chunks = this.#chunks;
    this.chunk = chunk;
    this.buf = chunks.bytes(chunk);
    this.view = chunks.arena.views[chunk >>> SLAB_SHIFT]!;
    this.#start = chunks.startOf(chunk);
    this.end = chunks.endOf(chunk);
    this.pos = this.#start;
  }
}
