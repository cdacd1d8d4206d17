/**
 * The stream's last bytes, once for all: a replica that was away a short while goes on from them, and one that is slow
 * or still gets its snapshot reads them when it can. It holds at least its size in bytes once so many were written,
 * and more only while a replica needs them; those too serve whoever comes back.
 * Offsets count the bytes of the stream from 1, as on the wire: byte 1 is the first one ever sent.
 * Source: 7.0 redis.conf, repl-backlog-size; 7.0 release notes, "share the replication buffer".
 */
import { invariant } from '../base/index.ts';

/** Redis raises a smaller `repl-backlog-size` to this. */
export const BACKLOG_BYTES_MIN: number = 16 * 1024;

/** A block is this share of the size, within bounds: whole blocks go, so a small one gives back more closely. */
const BLOCKS = 16;
const BLOCK_BYTES_MIN = 4 * 1024;
const BLOCK_BYTES_MAX = 256 * 1024;

interface Block {
  readonly buf: Buffer;
  readonly firstOffset: number;
  used: number;
}

export class Backlog {
  #bytesMax: number;
  #blockBytes: number;
  /** In order; the last one is being filled. */
  #blocks: Block[] = [];
  #size = 0;
  #heldBytes = 0;
  /** Offset of the next byte to come. */
  #nextOffset: number;
  /** The last block that went, for the next that is needed. */
  #spare: Buffer | undefined;

  /** An empty one; the first byte it will hold has offset `nextOffset`. */
  constructor(bytesMax: number, nextOffset: number) {
    this.#bytesMax = Math.max(bytesMax, BACKLOG_BYTES_MIN);
    this.#blockBytes = blockBytes(this.#bytesMax);
    this.#nextOffset = nextOffset;
  }

  /** What it holds when no replica needs more. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Bytes of stream held. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory taken. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Those of them that it takes only because some replica needs older bytes than its size has. */
  get outgrownBytes(): number {
    // Up to a block is there that could not go yet, and another that is not full.
    return Math.max(0, this.#heldBytes - this.#bytesMax - 2 * this.#blockBytes);
  }

  /** Offset of the oldest byte held; of the next one to come when it is empty. */
  get firstOffset(): number {
    return this.#nextOffset - this.#size;
  }

  /** Whether the stream can go on from `offset`: it is held, or the very next to come. */
  has(offset: number): boolean {
    return offset >= this.firstOffset && offset <= this.#nextOffset;
  }

  /** Adds to the end. Nothing goes before `trim`. */
  append(buf: Buffer, at: number, size: number): void {
    let from = at;
    const end = at + size;
    while (from < end) {
      const block = this.#blockWithRoom();
      const part = Math.min(end - from, block.buf.length - block.used);
      buf.copy(block.buf, block.used, from, from + part);
      block.used += part;
      this.#nextOffset += part;
      from += part;
    }
    this.#size += size;
  }

  /** Whether there is a block that `trim` may let go. */
  get isOverfull(): boolean {
    const first = this.#blocks[0];
    return first !== undefined && this.#size - first.used >= this.#bytesMax;
  }

  /** Lets go what is above the size and older than `neededFrom`, the oldest byte that a replica has still to get. */
  trim(neededFrom: number): void {
    while (this.isOverfull) {
      const first = this.#blocks[0]!;
      if (first.firstOffset + first.used > neededFrom) return;
      this.#blocks.shift();
      this.#size -= first.used;
      this.#heldBytes -= first.buf.length;
      this.#spare = first.buf;
    }
  }

  /** Held bytes from `offset` on, as many as stand together; none at the end. A view, valid until the next `trim`. */
  pieceAt(offset: number): Buffer {
    invariant(this.has(offset), 'only held offsets are read');
    const block = this.#blocks[this.#indexOf(offset)];
    return block === undefined
      ? NOTHING
      : block.buf.subarray(offset - block.firstOffset, block.used);
  }

  /** Changes the size, in blocks that suit it; `trim` makes it so. */
  resize(bytesMax: number): void {
    const room = Math.max(bytesMax, BACKLOG_BYTES_MIN);
    if (room === this.#bytesMax) return;
    this.#bytesMax = room;
    this.#blockBytes = blockBytes(room);
    const blocks = this.#blocks;
    this.#nextOffset = this.firstOffset;
    this.#blocks = [];
    this.#heldBytes = 0;
    this.#size = 0;
    for (const { buf, used } of blocks) this.append(buf, 0, used);
  }

  #blockWithRoom(): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.used < last.buf.length) return last;
    const spare = this.#spare;
    this.#spare = undefined;
    const buf =
      spare?.length === this.#blockBytes ? spare : Buffer.allocUnsafeSlow(this.#blockBytes);
    const block = { buf, firstOffset: this.#nextOffset, used: 0 };
    this.#blocks.push(block);
    this.#heldBytes += buf.length;
    return block;
  }

  /** Of the last block that begins at `offset` or before. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle]!.firstOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const NOTHING = Buffer.alloc(0);

function blockBytes(bytesMax: number): number {
  return Math.min(Math.max(Math.ceil(bytesMax / BLOCKS), BLOCK_BYTES_MIN), BLOCK_BYTES_MAX);
}
