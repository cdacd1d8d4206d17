/**
 * Blocks of a stream: runs of entries in order of id. A block is a listpack of Redis's streams (a
 * master entry with the names of the fields, then the entries relative to it) without what can be
 * computed: the backward sizes of elements, and the count behind each entry. `toListpack` gives the
 * listpack back, byte for byte. What is left out is about a third of a small entry.
 *
 * Layout, in words: id of the first entry ever (4), bytes in use, bytes of the listpack without
 * its two counters, entries, deleted entries; then the number of the master's fields (a size) and
 * their bodies; then the entries. An entry is a byte of flags, the bodies of the differences of its
 * id's halves to the first id, unless SAME_FIELDS its number of fields (a size), and the bodies of
 * its values, or of its names and values in turn. Source: 7.0 t_stream.c, observed in DUMP.
 */
import { copyBytes, sameBytes } from '../base/index.ts';
import {
  ListpackElement,
  ListpackReader,
  listpackBackBytes,
  listpackBodyBytes,
} from '../rdb/index.ts';
import { type Arena, type Ref, SLAB_SHIFT, UNIT_MASK, blockBytes } from './arena.ts';
import { readSize, sizeBytes, writeSize } from './elements.ts';
import { ID_WORDS, type StreamId, difference64 } from './stream-id.ts';

/** Flags of an entry, as in Redis's listpacks. */
export const ENTRY_DELETED = 1;
export const ENTRY_SAME_FIELDS = 2;

const USED = ID_WORDS;
const LISTPACK_BYTES = ID_WORDS + 1;
const LIVE = ID_WORDS + 2;
const DELETED = ID_WORDS + 3;
/** Where in a block its master's fields start, in bytes. */
export const BLOCK_HEAD_BYTES: number = (ID_WORDS + 4) * 4;
/** Header and end mark of a listpack, and the 0 that ends the master entry. */
const EMPTY_LISTPACK_BYTES = 6 + 1 + 2;
/** Bytes of a body beyond the bytes of its string, at most. */
const BODY_EXTRA_MAX = 5;
/** Flags, two integers and a size, at most. */
const ENTRY_EXTRA_MAX = 1 + 9 + 9 + 5;
/** Bytes of the number of master fields, at most. */
const MASTER_SIZE_MAX = 5;
/** First byte of the body of a string of up to 63 bytes, less its size. */
const SHORT_STRING = 0x80;
const SHORT_STRING_MAX = 63;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Names and values in turn, as the arguments of a command: argument `i` is `buf[at[i], at[i] +
 * size[i])`. Reused from call to call.
 */
export interface StreamFields {
  buf: Uint8Array;
  at: Int32Array;
  size: Int32Array;
  /** The first name's argument. */
  first: number;
  /** Pairs of name and value, at least one. */
  pairs: number;
  /** Bytes of all of them. */
  bytes: number;
}

/** Bytes of a listpack's element that is a small integer. */
export function intElementBytes(value: number): number {
  if (value < 128) return 2;
  if (value < 4096) return 3;
  if (value < 0x8000) return 4;
  return value < 0x80_0000 ? 5 : 6;
}

/** Bytes of a listpack's element whose body has `size` bytes. */
export function elementBytes(size: number): number {
  return size + listpackBackBytes(size);
}

/** Reads and writes the blocks of one arena. */
export class StreamBlocks {
  readonly #arena: Arena;
  readonly #element = new ListpackElement();
  readonly #reader = new ListpackReader();

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** The slab a block is in. */
  buf(block: Ref): Buffer {
    return this.#arena.u8[block >>> SLAB_SHIFT]!;
  }

  /** Where in its slab a block's master fields start, as a size. */
  masterAt(block: Ref): number {
    return ((block & UNIT_MASK) << 3) + BLOCK_HEAD_BYTES;
  }

  /** Where in its slab a block's entries start. */
  entriesAt(block: Ref): number {
    const buf = this.buf(block);
    const at = this.masterAt(block);
    const count = readSize(buf, at);
    return skipBodies(buf, at + sizeBytes(count), count);
  }

  /** Where in its slab a block's entries end. */
  endAt(block: Ref): number {
    return ((block & UNIT_MASK) << 3) + this.#word(block, USED);
  }

  /** Entries that are not deleted. */
  liveCount(block: Ref): number {
    return this.#word(block, LIVE);
  }

  deletedCount(block: Ref): number {
    return this.#word(block, DELETED);
  }

  /** Bytes of the block as a listpack. */
  listpackBytes(block: Ref): number {
    return (
      this.#word(block, LISTPACK_BYTES) +
      intElementBytes(this.liveCount(block)) +
      intElementBytes(this.deletedCount(block))
    );
  }

  /** The id that the entries are relative to. */
  readFirstId(block: Ref, into: StreamId): StreamId {
    return into.read(this.#arena.i32[block >>> SLAB_SHIFT]!, (block & UNIT_MASK) << 1);
  }

  /** A block without entries, with room for `room` bytes of master fields and entries. */
  create(id: StreamId, room: number): Ref {
    const block = this.#arena.alloc(BLOCK_HEAD_BYTES + room);
    const words = this.#arena.i32[block >>> SLAB_SHIFT]!;
    const at = (block & UNIT_MASK) << 1;
    id.write(words, at);
    words[at + USED] = BLOCK_HEAD_BYTES;
    words[at + LISTPACK_BYTES] = EMPTY_LISTPACK_BYTES;
    words[at + LIVE] = 0;
    words[at + DELETED] = 0;
    return block;
  }

  /** Bytes of a block in use. */
  usedBytes(block: Ref): number {
    return this.#word(block, USED);
  }

  /** A block without entries, whose master has the names among `fields`; it is expected to become `likelyBytes`. */
  createFor(id: StreamId, fields: StreamFields, likelyBytes: number): Ref {
    const { first, pairs } = fields;
    const room = Math.max(MASTER_SIZE_MAX + entryRoom(fields), likelyBytes - BLOCK_HEAD_BYTES);
    const block = this.create(id, room);
    const buf = this.buf(block);
    let at = writeSize(buf, this.masterAt(block), pairs);
    let bytes = intElementBytes(pairs);
    for (let i = first; i < first + 2 * pairs; i += 2) {
      const from = at;
      at = this.#writeField(buf, at, fields, i);
      bytes += elementBytes(at - from);
    }
    this.#grow(block, at, bytes);
    return block;
  }

  /** Adds an entry to the end of a block, with an id behind all of it; returns the block's ref from then on. */
  append(old: Ref, id: StreamId, fields: StreamFields): Ref {
    const block = this.#withRoom(old, entryRoom(fields));
    const { first, pairs } = fields;
    const words = this.#arena.i32[block >>> SLAB_SHIFT]!;
    const head = (block & UNIT_MASK) << 1;
    const buf = this.buf(block);
    const isSame = this.#hasFields(buf, (head << 2) + BLOCK_HEAD_BYTES, fields);
    const start = (head << 2) + words[head + USED]!;
    buf[start] = isSame ? ENTRY_SAME_FIELDS : 0;
    const msAt = start + 1;
    const seqAt = this.#writeDelta(buf, msAt, id.msHigh, id.msLow, words, head);
    let at = this.#writeDelta(buf, seqAt, id.seqHigh, id.seqLow, words, head + 2);
    // Flags, and the two deltas, which are short.
    let bytes = 2 + (at - msAt) + 2;
    let elements = pairs + 3;
    if (!isSame) {
      elements = 2 * pairs + 4;
      at = writeSize(buf, at, pairs);
      bytes += intElementBytes(pairs);
    }
    const end = first + 2 * pairs;
    for (let i = isSame ? first + 1 : first; i < end; i += isSame ? 2 : 1) {
      const from = at;
      at = this.#writeField(buf, at, fields, i);
      bytes += elementBytes(at - from);
    }
    words[head + USED] = at - (head << 2);
    words[head + LISTPACK_BYTES] =
      words[head + LISTPACK_BYTES]! + bytes + intElementBytes(elements);
    words[head + LIVE] = words[head + LIVE]! + 1;
    return block;
  }

  /** Marks the entry whose flags are at `at` in the block's slab as deleted. */
  markDeleted(block: Ref, at: number): void {
    const buf = this.buf(block);
    buf[at] = buf[at]! | ENTRY_DELETED;
    this.#add(block, LIVE, -1);
    this.#add(block, DELETED, 1);
  }

  /** The block without room to grow; its ref from then on. */
  shrink(block: Ref): Ref {
    const used = this.#word(block, USED);
    if (blockBytes(used) >= this.#arena.capacity(block)) return block;
    return this.#move(block, used);
  }

  /** A copy in an arena. */
  copyTo(block: Ref, arena: Arena): Ref {
    const used = this.#word(block, USED);
    const to = arena.alloc(used);
    const at = (block & UNIT_MASK) << 3;
    this.buf(block).copy(arena.u8[to >>> SLAB_SHIFT]!, (to & UNIT_MASK) << 3, at, at + used);
    return to;
  }

  /**
   * Says of a block that was filled from outside where it ends in its slab, what its listpack has
   * beyond an empty one, and its entries.
   */
  describe(
    block: Ref,
    end: number,
    bytes: number,
    counts: { live: number; deleted: number },
  ): void {
    this.#grow(block, end, bytes);
    this.#add(block, LIVE, counts.live);
    this.#add(block, DELETED, counts.deleted);
  }

  /** Writes the body of a name or value, and returns the position behind it. */
  #writeField(buf: Buffer, at: number, fields: StreamFields, i: number): number {
    const from = fields.at[i]!;
    const size = fields.size[i]!;
    const source = fields.buf;
    if (size > SHORT_STRING_MAX || size === 0 || mayBeginInt(source[from]!)) {
      this.#element.set(source, from, size);
      return this.#element.writeBody(buf, at);
    }
    buf[at] = SHORT_STRING | size;
    copyBytes(source, from, buf, at + 1, size);
    return at + 1 + size;
  }

  /** Writes by how much half an id is beyond that in the words at `base`; returns the position behind it. */
  #writeDelta(
    buf: Buffer,
    at: number,
    high: number,
    low: number,
    words: Int32Array,
    base: number,
  ): number {
    const delta = low - words[base + 1]!;
    // Words of different signs are too far apart for this.
    if (delta >= 0 && delta < 128 && high === words[base]!) {
      buf[at] = delta;
      return at + 1;
    }
    this.#element.setInt(difference64(high, low, words[base]!, words[base + 1]!));
    return this.#element.writeBody(buf, at);
  }

  /** Whether the fields of the master at a place are the names among the arguments, in their order. */
  #hasFields(buf: Buffer, masterAt: number, fields: StreamFields): boolean {
    const { first, pairs } = fields;
    if (readSize(buf, masterAt) !== pairs) return false;
    let at = masterAt + sizeBytes(pairs);
    const reader = this.#reader;
    for (let i = first; i < first + 2 * pairs; i += 2) {
      const size = fields.size[i]!;
      if (size <= SHORT_STRING_MAX && buf[at] === (SHORT_STRING | size)) {
        if (!sameBytes(buf, at + 1, fields.buf, fields.at[i]!, size)) return false;
        at += 1 + size;
      } else {
        at = reader.readBody(buf, at);
        if (!reader.is(fields.buf, fields.at[i]!, size)) return false;
      }
    }
    return true;
  }

  #withRoom(block: Ref, room: number): Ref {
    const used = this.#word(block, USED);
    if (used + room <= this.#arena.capacity(block)) return block;
    return this.#move(block, used + room + (used >>> 1));
  }

  #move(block: Ref, size: number): Ref {
    const arena = this.#arena;
    const to = arena.alloc(size);
    const at = (block & UNIT_MASK) << 3;
    const used = this.#word(block, USED);
    this.buf(block).copy(arena.u8[to >>> SLAB_SHIFT]!, (to & UNIT_MASK) << 3, at, at + used);
    arena.free(block);
    return to;
  }

  #grow(block: Ref, end: number, listpackBytes: number): void {
    const words = this.#arena.i32[block >>> SLAB_SHIFT]!;
    const at = (block & UNIT_MASK) << 1;
    words[at + USED] = end - ((block & UNIT_MASK) << 3);
    words[at + LISTPACK_BYTES] = words[at + LISTPACK_BYTES]! + listpackBytes;
  }

  #word(block: Ref, which: number): number {
    return this.#arena.i32[block >>> SLAB_SHIFT]![((block & UNIT_MASK) << 1) + which]!;
  }

  #add(block: Ref, which: number, change: number): void {
    const words = this.#arena.i32[block >>> SLAB_SHIFT]!;
    const at = ((block & UNIT_MASK) << 1) + which;
    words[at] = words[at]! + change;
  }
}

/** Position behind `count` bodies. */
export function skipBodies(buf: Uint8Array, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count; i++) at += listpackBodyBytes(buf, at);
  return at;
}

/** Room for an entry's bytes, at most. */
function entryRoom({ pairs, bytes }: StreamFields): number {
  return ENTRY_EXTRA_MAX + bytes + 2 * pairs * BODY_EXTRA_MAX;
}

/** Whether a string that begins with this byte may be an integer. */
function mayBeginInt(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || byte === MINUS;
}
