/** Walking the entries of a stream, in both directions, without allocation. */
import { ListpackReader, listpackBodyBytes, listpackInt } from '../rdb/index.ts';
import { type Arena, NONE, type Ref, UNIT_MASK } from './arena.ts';
import { readSize, sizeBytes } from './elements.ts';
import { RankCursor } from './rank-cursor.ts';
import {
  BLOCK_HEAD_BYTES,
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  type StreamBlocks,
  skipBodies,
} from './stream-block.ts';
import { StreamId } from './stream-id.ts';

/** What the cursor needs of a stream: its blocks in order. */
export interface BlockOrder {
  /** Root of the stream's tree of blocks. */
  blocksRoot(stream: Ref): Ref;
  /** Rank of the last block that begins at or before an id, -1 when none does. */
  blockRank(stream: Ref, id: StreamId): number;
}

/**
 * A place among the entries of a stream that does not change meanwhile, deletions of the entry just
 * read apart. One object serves many walks, one after the other.
 */
export class StreamCursor {
  /** Id of the entry. */
  readonly id: StreamId = new StreamId();
  /** Pairs of name and value that the entry has. */
  fieldCount = 0;
  /** What `nextField` read. */
  readonly name: ListpackReader = new ListpackReader();
  readonly value: ListpackReader = new ListpackReader();
  /** The entry's block, and where in its slab the entry's flags are. */
  block: Ref = NONE;
  entryAt = 0;
  readonly #order: BlockOrder;
  readonly #blocks: StreamBlocks;
  readonly #places: RankCursor;
  readonly #first = new StreamId();
  readonly #from = new StreamId();
  readonly #to = new StreamId();
  #isReverse = false;
  #isInside = false;
  #buf: Buffer = Buffer.alloc(0);
  #entriesAt = 0;
  #end = 0;
  /** Where the next thing to read is: of the entry while it has `#left` pairs, then the next entry. */
  #at = 0;
  #left = 0;
  #nameAt = 0;
  #isSame = false;
  /** Where the entries of the block are, for the way back; `#known` of them are to come. */
  #offsets = new Int32Array(128);
  #known = 0;

  constructor(arena: Arena, order: BlockOrder, blocks: StreamBlocks) {
    this.#order = order;
    this.#blocks = blocks;
    this.#places = new RankCursor(arena);
  }

  /** Begins a walk over the entries with ids in [from, to], from the end when it is reverse. */
  open(stream: Ref, from: StreamId, to: StreamId, isReverse: boolean): void {
    this.#from.set(from);
    this.#to.set(to);
    this.#isReverse = isReverse;
    this.#isInside = false;
    this.#left = 0;
    this.#known = 0;
    this.#at = this.#end = 0;
    const rank = this.#order.blockRank(stream, isReverse ? to : from);
    this.#places.seek(this.#order.blocksRoot(stream), isReverse ? rank : Math.max(rank, 0));
    this.#enter(this.#places.ref);
  }

  /** Goes to the next entry; whether there is one. */
  next(): boolean {
    return this.#isReverse ? this.#nextBack() : this.#nextAhead();
  }

  /** Reads the next pair of the entry into `name` and `value`. */
  nextField(): void {
    this.#left--;
    if (this.#isSame) this.#nameAt = this.name.readBody(this.#buf, this.#nameAt);
    else this.#at = this.name.readBody(this.#buf, this.#at);
    this.#at = this.value.readBody(this.#buf, this.#at);
  }

  /** Reads the id of the last entry of a block, be it deleted. Ends the walk. */
  readLastId(block: Ref, into: StreamId): StreamId {
    this.#isReverse = false;
    this.#places.ref = NONE;
    this.#enter(block);
    while (this.#at < this.#end) {
      this.#readHead(this.#at);
      this.#skipFields();
    }
    this.block = NONE;
    return into.set(this.id);
  }

  #nextAhead(): boolean {
    for (;;) {
      if (this.#left > 0) this.#skipFields();
      if (this.#at >= this.#end) {
        if (this.block === NONE) return false;
        this.#places.next();
        this.#enter(this.#places.ref);
        continue;
      }
      const flags = this.#readHead(this.#at);
      if (!this.#isInside) {
        if (this.id.compare(this.#from) < 0) continue;
        this.#isInside = true;
      }
      if (this.id.compare(this.#to) > 0) {
        this.block = NONE;
        this.#at = this.#end = this.#left = 0;
        return false;
      }
      if ((flags & ENTRY_DELETED) === 0) return true;
    }
  }

  #nextBack(): boolean {
    for (;;) {
      if (this.#known === 0) {
        if (this.block === NONE) return false;
        this.#places.previous();
        this.#enter(this.#places.ref);
        continue;
      }
      const flags = this.#readHead(this.#offsets[--this.#known]!);
      if (this.id.compare(this.#from) < 0) {
        this.block = NONE;
        this.#known = this.#left = 0;
        return false;
      }
      if ((flags & ENTRY_DELETED) === 0) return true;
    }
  }

  /** Begins a block. */
  #enter(block: Ref): void {
    this.block = block;
    this.#left = 0;
    if (block === NONE) {
      this.#at = this.#end = 0;
      return;
    }
    const blocks = this.#blocks;
    this.#buf = blocks.buf(block);
    this.#entriesAt = blocks.entriesAt(block);
    this.#at = this.#entriesAt;
    this.#end = blocks.endAt(block);
    blocks.readFirstId(block, this.#first);
    if (this.#isReverse) this.#locate();
  }

  /** Notes where the entries of the block are, up to the walk's end. */
  #locate(): void {
    while (this.#at < this.#end) {
      const at = this.#at;
      this.#readHead(at);
      this.#skipFields();
      if (this.id.compare(this.#to) > 0) break;
      if (this.#known === this.#offsets.length) {
        const grown = new Int32Array(this.#known * 2);
        grown.set(this.#offsets);
        this.#offsets = grown;
      }
      this.#offsets[this.#known++] = at;
    }
  }

  /** Reads the entry at `at` as far as its fields and returns its flags. */
  #readHead(at: number): number {
    const buf = this.#buf;
    this.entryAt = at;
    const flags = buf[at]!;
    const msAt = at + 1;
    const ms = buf[msAt]!;
    const seqAt = ms < 0x80 ? msAt + 1 : msAt + listpackBodyBytes(buf, msAt);
    const seq = buf[seqAt]!;
    let next = seq < 0x80 ? seqAt + 1 : seqAt + listpackBodyBytes(buf, seqAt);
    const { id } = this;
    id.set(this.#first);
    // Ids of blocks are those of their first entries, so most differences are small.
    id.addDeltas(
      ms < 0x80 ? ms : listpackInt(buf, msAt)!,
      seq < 0x80 ? seq : listpackInt(buf, seqAt)!,
    );
    const master = ((this.block & UNIT_MASK) << 3) + BLOCK_HEAD_BYTES;
    this.#isSame = (flags & ENTRY_SAME_FIELDS) !== 0;
    if (this.#isSame) {
      this.fieldCount = readSize(buf, master);
      this.#nameAt = master + sizeBytes(this.fieldCount);
    } else {
      this.fieldCount = readSize(buf, next);
      next += sizeBytes(this.fieldCount);
    }
    this.#left = this.fieldCount;
    this.#at = next;
    return flags;
  }

  #skipFields(): void {
    this.#at = skipBodies(this.#buf, this.#at, this.#isSame ? this.#left : this.#left * 2);
    this.#left = 0;
  }
}
