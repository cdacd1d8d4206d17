/**
 * Streams of one store: entries in packed blocks under a tree by id, and the facts that outlive
 * entries. A stream is named by the ref of its head, which its entry's first word is and which
 * never moves. Consumer groups are in `groups`.
 *
 * Head, in words: length (2), entries ever added (2), last id (4), id of the first entry (4),
 * greatest id deleted by XDEL (4), root of the tree of blocks, last block, root of the groups.
 */
import { type Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK } from './arena.ts';
import type { BytesView } from './entry.ts';
import type { KeyHash } from './hash.ts';
import { RankTree } from './rank-tree.ts';
import { StreamBlocks, type StreamFields } from './stream-block.ts';
import { type BlockOrder, StreamCursor } from './stream-cursor.ts';
import { type GroupRoots, StreamGroups } from './stream-groups.ts';
import { StreamListpackReader, StreamListpackWriter } from './stream-listpack.ts';
import { IdOrder, StreamId, increment64, readInt64, writeInt64 } from './stream-id.ts';

const LENGTH = 0;
const ENTRIES_ADDED = 2;
const LAST_ID = 4;
const FIRST_ID = 8;
const MAX_DELETED_ID = 12;
const BLOCKS_ROOT = 16;
const LAST_BLOCK = 17;
const GROUPS_ROOT = 18;
/** Bytes of a head. */
export const STREAM_HEAD_BYTES = 80;
const HEAD_WORDS = STREAM_HEAD_BYTES / 4;

/** Most bytes of a block's listpack, whatever the limits say. Source: 7.0, STREAM_LISTPACK_MAX_SIZE. */
const LISTPACK_BYTES_MAX = 1 << 30;

/** Which entries are too many; `limit` is the most that are removed, 0 for any number. */
export type TrimRule = {
  /** Whether only whole blocks are removed. */
  readonly isApproximate: boolean;
  readonly limit: number;
} & (
  | { readonly kind: 'maxLength'; readonly length: number | bigint }
  | { readonly kind: 'minId'; readonly id: StreamId }
);

/** When a block is full, 0 for no limit; named as the directives. */
export interface StreamLimits {
  readonly 'stream-node-max-bytes': number;
  readonly 'stream-node-max-entries': number;
}

/** Entries and facts of the streams of one arena. */
export class StreamCore implements BlockOrder, GroupRoots {
  readonly arena: Arena;
  readonly blocks: StreamBlocks;
  readonly groups: StreamGroups;
  /** Walks the entries for whoever needs it, one walk at a time. */
  readonly cursor: StreamCursor;
  /** Trees of what begins with an id: blocks and pending entries. Set `probe` first. */
  readonly ids: RankTree;
  readonly probe: StreamId;
  /** For walks that a change needs, while `cursor` may be in use. */
  readonly #inner: StreamCursor;
  readonly #reader: StreamListpackReader;
  readonly #writer: StreamListpackWriter;
  readonly #from = new StreamId();
  readonly #to = new StreamId();

  constructor(arena: Arena, hash: KeyHash) {
    this.arena = arena;
    const order = new IdOrder(arena);
    this.probe = order.probe;
    this.ids = new RankTree(arena, order);
    this.blocks = new StreamBlocks(arena);
    this.groups = new StreamGroups(arena, hash, this);
    this.#reader = new StreamListpackReader(this.blocks);
    this.#writer = new StreamListpackWriter(this.blocks);
    this.cursor = new StreamCursor(arena, this, this.blocks);
    this.#inner = new StreamCursor(arena, this, this.blocks);
  }

  /** A new, empty stream. */
  create(): Ref {
    const stream = this.arena.alloc(STREAM_HEAD_BYTES);
    const at = (stream & UNIT_MASK) << 1;
    this.arena.i32[stream >>> SLAB_SHIFT]!.fill(0, at, at + HEAD_WORDS);
    return stream;
  }

  /** Entries in the stream. */
  length(stream: Ref): number {
    return Number(this.#int64(stream, LENGTH));
  }

  /** Entries ever added: what is told, which may be beyond the safe integers. */
  entriesAdded(stream: Ref): number | bigint {
    return this.#int64(stream, ENTRIES_ADDED);
  }

  setEntriesAdded(stream: Ref, count: number | bigint): void {
    writeInt64(this.#words(stream), at(stream, ENTRIES_ADDED), count);
  }

  readLastId(stream: Ref, into: StreamId): StreamId {
    return into.read(this.#words(stream), at(stream, LAST_ID));
  }

  /** Whether an id is behind the last one. */
  isBehindLast(stream: Ref, id: StreamId): boolean {
    return id.compareAt(this.#words(stream), at(stream, LAST_ID)) > 0;
  }

  setLastId(stream: Ref, id: StreamId): void {
    id.write(this.#words(stream), at(stream, LAST_ID));
  }

  /** The first entry's id, 0-0 of an empty stream. */
  readFirstId(stream: Ref, into: StreamId): StreamId {
    return into.read(this.#words(stream), at(stream, FIRST_ID));
  }

  setFirstId(stream: Ref, id: StreamId): void {
    id.write(this.#words(stream), at(stream, FIRST_ID));
  }

  readMaxDeletedId(stream: Ref, into: StreamId): StreamId {
    return into.read(this.#words(stream), at(stream, MAX_DELETED_ID));
  }

  setMaxDeletedId(stream: Ref, id: StreamId): void {
    id.write(this.#words(stream), at(stream, MAX_DELETED_ID));
  }

  blocksRoot(stream: Ref): Ref {
    return this.#words(stream)[at(stream, BLOCKS_ROOT)]!;
  }

  groupsRoot(stream: Ref): Ref {
    return this.#words(stream)[at(stream, GROUPS_ROOT)]!;
  }

  setGroupsRoot(stream: Ref, root: Ref): void {
    this.#words(stream)[at(stream, GROUPS_ROOT)] = root;
  }

  blockRank(stream: Ref, id: StreamId): number {
    this.probe.set(id);
    return this.ids.upperBound(this.blocksRoot(stream)) - 1;
  }

  /** Number of blocks: keys of Redis's radix tree. */
  blockCount(stream: Ref): number {
    return this.ids.count(this.blocksRoot(stream));
  }

  /** Adds an entry with an id behind the last one, in a new block where the last one is full. */
  append(stream: Ref, id: StreamId, fields: StreamFields, limits: StreamLimits): void {
    let block = this.#words(stream)[at(stream, LAST_BLOCK)]!;
    if (block === NONE || this.#isFull(block, fields, limits)) {
      let likelyBytes = 0;
      if (block !== NONE) {
        // A stream that has filled a block goes on like that: the next one need not grow step by step.
        likelyBytes = this.blocks.usedBytes(block);
        this.#setLastBlock(stream, block, this.blocks.shrink(block));
      }
      block = this.addBlock(stream, this.blocks.createFor(id, fields, likelyBytes));
    }
    this.#setLastBlock(stream, block, this.blocks.append(block, id, fields));
    this.#appended(stream, id);
  }

  /** Adds a block behind all others; returns it. Counts nothing. */
  addBlock(stream: Ref, block: Ref): Ref {
    const words = this.#words(stream);
    words[at(stream, BLOCKS_ROOT)] = this.ids.append(this.blocksRoot(stream), block);
    words[at(stream, LAST_BLOCK)] = block;
    return block;
  }

  /** Adds a block with its entries behind all others, from a sound listpack whose first id this is. */
  loadBlock(stream: Ref, id: StreamId, listpack: BytesView): void {
    // All bytes outside the arena are in Buffers too.
    const block = this.#reader.block(id, listpack.buf as Buffer, listpack.at, listpack.size);
    this.addBlock(stream, block);
    this.addLength(stream, this.blocks.liveCount(block));
  }

  /** The listpack of a block, in a view that the next call reuses. */
  listpack(block: Ref): BytesView {
    return this.#writer.listpack(block);
  }

  /** Takes over the facts of another stream, its entries and groups apart. */
  copyFacts(stream: Ref, from: StreamCore, source: Ref): void {
    const words = from.arena.i32[source >>> SLAB_SHIFT]!;
    const to = this.#words(stream);
    for (let i = 0; i < BLOCKS_ROOT; i++) to[at(stream, i)] = words[at(source, i)]!;
  }

  /** Adds to the length. */
  addLength(stream: Ref, change: number): void {
    writeInt64(this.#words(stream), at(stream, LENGTH), this.length(stream) + change);
  }

  /** Takes all blocks away from the stream, which the caller frees; returns the root of their tree. */
  setBlocksRoot(stream: Ref, root: Ref): void {
    this.#words(stream)[at(stream, BLOCKS_ROOT)] = root;
  }

  /** Removes the block of a rank with all its entries; the first id is the caller's to settle. */
  removeBlock(stream: Ref, rank: number): void {
    const words = this.#words(stream);
    const root = this.ids.removeAt(this.blocksRoot(stream), rank);
    const block = this.ids.removed;
    words[at(stream, BLOCKS_ROOT)] = root;
    if (words[at(stream, LAST_BLOCK)] === block) {
      words[at(stream, LAST_BLOCK)] =
        root === NONE ? NONE : this.ids.at(root, this.ids.count(root) - 1);
    }
    this.addLength(stream, -this.blocks.liveCount(block));
    this.arena.free(block);
  }

  /** Removes entries from the beginning, as a rule says; returns how many. */
  trim(stream: Ref, rule: TrimRule): number {
    let count = 0;
    for (let root; (root = this.blocksRoot(stream)) !== NONE;) {
      if (rule.kind === 'maxLength' && this.length(stream) <= rule.length) break;
      const block = this.ids.at(root, 0);
      const live = this.blocks.liveCount(block);
      if (rule.limit > 0 && count + live > rule.limit) break;
      if (!this.#isBehind(stream, block, rule)) {
        if (!rule.isApproximate) count += this.#trimBlock(stream, block, rule);
        break;
      }
      this.removeBlock(stream, 0);
      count += live;
    }
    if (count > 0) this.settleFirstId(stream);
    return count;
  }

  /** Whether there is an entry with this id. */
  has(stream: Ref, id: StreamId): boolean {
    this.#inner.open(stream, id, id, false);
    return this.#inner.next();
  }

  /** Deletes the entry with this id, if there is one; whether there was. */
  delete(stream: Ref, id: StreamId): boolean {
    const found = this.#inner;
    found.open(stream, id, id, false);
    if (!found.next()) return false;
    this.deleteAt(stream, found.block, found.entryAt);
    if (this.readMaxDeletedId(stream, this.#to).compare(id) < 0) this.setMaxDeletedId(stream, id);
    if (this.readFirstId(stream, this.#to).compare(id) === 0) this.settleFirstId(stream);
    return true;
  }

  /** Deletes the entry at a place in a block; first and greatest deleted id are the caller's. */
  deleteAt(stream: Ref, block: Ref, entryAt: number): void {
    if (this.blocks.liveCount(block) === 1) {
      this.removeBlock(stream, this.blockRank(stream, this.blocks.readFirstId(block, this.#from)));
      return;
    }
    this.blocks.markDeleted(block, entryAt);
    this.addLength(stream, -1);
  }

  /** Finds the first entry again after deletions. */
  settleFirstId(stream: Ref): void {
    const first = this.#inner;
    first.open(stream, this.#from.setZero(), this.#to.setMax(), false);
    if (first.next()) first.id.write(this.#words(stream), at(stream, FIRST_ID));
    else this.#from.write(this.#words(stream), at(stream, FIRST_ID));
  }

  /** Whether an entry from `from` on was deleted by XDEL, other than before all there are. */
  hasTombstones(stream: Ref, from: StreamId): boolean {
    if (this.length(stream) === 0) return false;
    const deleted = this.readMaxDeletedId(stream, this.#to);
    if (deleted.isZero || this.readFirstId(stream, this.#from).compare(deleted) > 0) return false;
    return from.compare(deleted) <= 0;
  }

  /** Whether a rule removes all entries of the first block. */
  #isBehind(stream: Ref, block: Ref, rule: TrimRule): boolean {
    if (rule.kind === 'maxLength') {
      return this.length(stream) - this.blocks.liveCount(block) >= rule.length;
    }
    const root = this.blocksRoot(stream);
    if (this.ids.count(root) > 1) {
      // What comes before the next block's first id is behind if that id is not.
      const next = this.blocks.readFirstId(this.ids.at(root, 1), this.#from);
      if (next.compare(rule.id) <= 0) return true;
    }
    return this.#inner.readLastId(block, this.#from).compare(rule.id) < 0;
  }

  /** Deletes entries of the first block, one by one; not all of them. */
  #trimBlock(stream: Ref, block: Ref, rule: TrimRule): number {
    const entries = this.#inner;
    entries.open(stream, this.#from.setZero(), this.#to.setMax(), false);
    let count = 0;
    while (entries.next() && entries.block === block) {
      if (
        rule.kind === 'maxLength'
          ? this.length(stream) <= rule.length
          : entries.id.compare(rule.id) >= 0
      )
        break;
      this.blocks.markDeleted(block, entries.entryAt);
      this.addLength(stream, -1);
      count++;
    }
    return count;
  }

  #isFull(block: Ref, fields: StreamFields, limits: StreamLimits): boolean {
    const bytes = this.blocks.listpackBytes(block) + fields.bytes;
    const bytesMax = limits['stream-node-max-bytes'];
    if (bytes >= (bytesMax === 0 ? LISTPACK_BYTES_MAX : Math.min(bytesMax, LISTPACK_BYTES_MAX))) {
      return true;
    }
    const entriesMax = limits['stream-node-max-entries'];
    if (entriesMax === 0) return false;
    return this.blocks.liveCount(block) + this.blocks.deletedCount(block) >= entriesMax;
  }

  #appended(stream: Ref, id: StreamId): void {
    const words = this.#words(stream);
    const head = at(stream, 0);
    if ((words[head + LENGTH]! | words[head + LENGTH + 1]!) === 0) id.write(words, head + FIRST_ID);
    increment64(words, head + ENTRIES_ADDED);
    increment64(words, head + LENGTH);
    id.write(words, head + LAST_ID);
  }

  /** The last block is somewhere else from now on. */
  #setLastBlock(stream: Ref, old: Ref, block: Ref): void {
    if (old === block) return;
    const root = this.blocksRoot(stream);
    this.ids.replaceAt(root, this.ids.count(root) - 1, block);
    this.#words(stream)[at(stream, LAST_BLOCK)] = block;
  }

  #int64(stream: Ref, which: number): number | bigint {
    return readInt64(this.#words(stream), at(stream, which));
  }

  #words(stream: Ref): Int32Array {
    return this.arena.i32[stream >>> SLAB_SHIFT]!;
  }
}

/** Where in its slab's words a word of a head is. */
function at(stream: Ref, which: number): number {
  return ((stream & UNIT_MASK) << 1) + which;
}
