/** Blocks of streams as the listpacks that Redis has of them, and back: for DUMP and RDB. */
import {
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  listpackBodyBytes,
  listpackInt,
  listpackNext,
  writeListpackBack,
  writeListpackHeader,
} from '../rdb/index.ts';
import { type Ref, UNIT_MASK } from './arena.ts';
import { readSize, sizeBytes, writeSize } from './elements.ts';
import type { BytesView } from './entry.ts';
import {
  BLOCK_HEAD_BYTES,
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  type StreamBlocks,
  elementBytes,
  intElementBytes,
} from './stream-block.ts';
import type { StreamId } from './stream-id.ts';

/** Elements of an entry besides names, values and their number: flags, and two of the id. */
const ENTRY_ELEMENTS = 3;

/** Makes listpacks of blocks; one object for many. */
export class StreamListpackWriter {
  readonly #blocks: StreamBlocks;
  readonly #int = new ListpackElement();
  readonly #view: BytesView = { buf: Buffer.alloc(4096), at: 0, size: 0 };
  #out = Buffer.alloc(4096);
  #to = 0;
  #elements = 0;
  #from: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(blocks: StreamBlocks) {
    this.#blocks = blocks;
  }

  /** The listpack of a block, in a view that the next call reuses. */
  listpack(block: Ref): BytesView {
    const blocks = this.#blocks;
    const size = blocks.listpackBytes(block);
    if (this.#out.length < size) this.#out = Buffer.alloc(size + (size >>> 2));
    this.#from = blocks.buf(block);
    this.#at = blocks.masterAt(block);
    this.#to = LISTPACK_HEADER_BYTES;
    this.#elements = 0;
    this.#writeInt(blocks.liveCount(block));
    this.#writeInt(blocks.deletedCount(block));
    const shared = this.#copySize();
    this.#copyBodies(shared);
    this.#writeInt(0);
    const end = blocks.endAt(block);
    while (this.#at < end) this.#copyEntry(shared);
    this.#out[this.#to++] = LISTPACK_END;
    writeListpackHeader(this.#out, 0, this.#to, this.#elements);
    this.#view.buf = this.#out;
    this.#view.size = this.#to;
    return this.#view;
  }

  #copyEntry(shared: number): void {
    const before = this.#elements;
    const flags = this.#from[this.#at++]!;
    this.#writeInt(flags);
    this.#copyBodies(2);
    if ((flags & ENTRY_SAME_FIELDS) !== 0) this.#copyBodies(shared);
    else this.#copyBodies(this.#copySize() * 2);
    this.#writeInt(this.#elements - before);
  }

  /** Turns a size into an element, and returns it. */
  #copySize(): number {
    const size = readSize(this.#from, this.#at);
    this.#at += sizeBytes(size);
    this.#writeInt(size);
    return size;
  }

  #copyBodies(count: number): void {
    const from = this.#from;
    for (let i = 0; i < count; i++) {
      const size = listpackBodyBytes(from, this.#at);
      from.copy(this.#out, this.#to, this.#at, this.#at + size);
      this.#at += size;
      this.#to = writeListpackBack(this.#out, this.#to + size, size);
    }
    this.#elements += count;
  }

  #writeInt(value: number): void {
    this.#int.setInt(value);
    this.#to = this.#int.write(this.#out, this.#to);
    this.#elements++;
  }
}

/** Makes blocks of listpacks that were checked; one object for many. */
export class StreamListpackReader {
  readonly #blocks: StreamBlocks;
  #from: Buffer = Buffer.alloc(0);
  #pos = 0;
  #out: Buffer = Buffer.alloc(0);
  #to = 0;
  /** Bytes that the elements read so far have in a listpack of ours. */
  #bytes = 0;

  constructor(blocks: StreamBlocks) {
    this.#blocks = blocks;
  }

  /** The block of a sound listpack of a stream whose first id this is. */
  block(id: StreamId, buf: Buffer, at: number, size: number): Ref {
    const blocks = this.#blocks;
    this.#from = buf;
    this.#pos = at + LISTPACK_HEADER_BYTES;
    const live = this.#int();
    const deleted = this.#int();
    // The backward size that an element loses is at least as long as what a size may gain.
    const block = blocks.create(id, size);
    this.#out = blocks.buf(block);
    this.#to = ((block & UNIT_MASK) << 3) + BLOCK_HEAD_BYTES;
    this.#bytes = 0;
    const shared = this.#copySize();
    this.#copyBodies(shared);
    this.#int();
    while (buf[this.#pos] !== LISTPACK_END) this.#copyEntry(shared);
    blocks.describe(block, this.#to, this.#bytes, { live, deleted });
    return blocks.shrink(block);
  }

  #copyEntry(shared: number): void {
    const flags = this.#int() & (ENTRY_SAME_FIELDS | ENTRY_DELETED);
    this.#out[this.#to++] = flags;
    this.#bytes += intElementBytes(flags);
    this.#copyBodies(2);
    let elements = shared;
    if ((flags & ENTRY_SAME_FIELDS) === 0) {
      const count = this.#copySize();
      elements = 2 * count + 1;
      this.#copyBodies(2 * count);
    } else this.#copyBodies(shared);
    this.#int();
    this.#bytes += intElementBytes(elements + ENTRY_ELEMENTS);
  }

  /** Turns an element into a size, and returns it. */
  #copySize(): number {
    const size = this.#int();
    this.#to = writeSize(this.#out, this.#to, size);
    this.#bytes += intElementBytes(size);
    return size;
  }

  #copyBodies(count: number): void {
    const from = this.#from;
    for (let i = 0; i < count; i++) {
      const size = listpackBodyBytes(from, this.#pos);
      from.copy(this.#out, this.#to, this.#pos, this.#pos + size);
      this.#to += size;
      this.#bytes += elementBytes(size);
      this.#pos = listpackNext(from, this.#pos);
    }
  }

  #int(): number {
    const value = Number(listpackInt(this.#from, this.#pos) ?? 0);
    this.#pos = listpackNext(this.#from, this.#pos);
    return value;
  }
}
