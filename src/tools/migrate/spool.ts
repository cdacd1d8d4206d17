/**
 * What a source sent and nobody has applied yet, in order: in memory, and on disk what is too much for it. So the source
 * is always read as fast as it sends, and its output buffer does not overflow while the target is slow.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `begin` and `abort` of a snapshot carry no bytes, `end` the offset behind which the stream goes on; `probe` only wakes
 * whoever takes.
 */
export type SpoolKind = 'begin' | 'snapshot' | 'end' | 'abort' | 'stream' | 'probe';

export interface SpoolItem {
  readonly kind: SpoolKind;
  readonly bytes: Buffer;
  /** When the first of the bytes came, by `performance.now()`. */
  readonly arrivedMs: number;
}

export interface SpoolOptions {
  /** Folder for what does not fit into memory; exists. */
  readonly dir: string;
  /** Beginning of the names of its files there. */
  readonly name: string;
  /** Default 32 MiB. */
  readonly memoryBytesMax?: number;
}

interface Segment {
  readonly path: string;
  readonly fd: number;
  size: number;
  /** Blocks of it that are still to be taken. */
  blocks: number;
}

interface Block {
  readonly kind: SpoolKind;
  readonly arrivedMs: number;
  /** The bytes, or undefined when they are on disk. */
  buf: Buffer | undefined;
  size: number;
  segment: Segment | undefined;
  at: number;
}

const BLOCK_BYTES: number = 256 * 1024;
const MEMORY_BYTES_MAX: number = 32 * 1024 * 1024;
const SEGMENT_BYTES: number = 64 * 1024 * 1024;
const NO_BYTES: Buffer = Buffer.alloc(0);

export class Spool {
  readonly #options: Required<SpoolOptions>;
  readonly #blocks: Block[] = [];
  readonly #segments: Set<Segment> = new Set();
  #writing: Segment | undefined;
  #segmentCount = 0;
  #memoryBytes = 0;
  #heldBytes = 0;
  #spare: Buffer | undefined;
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(options: SpoolOptions) {
    this.#options = { memoryBytesMax: MEMORY_BYTES_MAX, ...options };
  }

  /** Bytes that were pushed and not taken. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** When the oldest of them came; undefined when there are none. */
  get oldestMs(): number | undefined {
    return this.#blocks[0]?.arrivedMs;
  }

  /** A copy of `buf[at, at + size)` goes to the end. */
  push(kind: SpoolKind, buf: Buffer = NO_BYTES, at: number = 0, size: number = 0): void {
    let from = at;
    let left = size;
    do {
      const block = this.#blockFor(kind, left);
      if (block.buf === undefined) return;
      const taken = Math.min(left, block.buf.length - block.size);
      buf.copy(block.buf, block.size, from, from + taken);
      block.size += taken;
      from += taken;
      left -= taken;
      if (block.size === block.buf.length) this.#spill(block);
    } while (left > 0);
    this.#heldBytes += size;
    this.#notify();
  }

  /** The next piece, as soon as there is one; undefined after `close`. */
  async take(): Promise<SpoolItem | undefined> {
    while (this.#blocks.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const block = this.#isClosed ? undefined : this.#blocks.shift();
    if (block === undefined) return undefined;
    this.#heldBytes -= block.size;
    const { kind, arrivedMs } = block;
    if (block.segment !== undefined) return { kind, arrivedMs, bytes: this.#read(block) };
    const { buf = NO_BYTES } = block;
    this.#memoryBytes -= buf.length;
    return { kind, arrivedMs, bytes: buf.subarray(0, block.size) };
  }

  /** Takes back the bytes of an item that nobody needs any more. */
  recycle({ bytes }: SpoolItem): void {
    if (bytes.buffer.byteLength === BLOCK_BYTES) this.#spare = Buffer.from(bytes.buffer);
  }

  /** Forgets everything and removes the files. */
  clear(): void {
    this.#blocks.length = 0;
    this.#memoryBytes = 0;
    this.#heldBytes = 0;
    for (const segment of this.#segments) this.#remove(segment);
  }

  /** Forgets everything, for good. */
  close(): void {
    this.#isClosed = true;
    this.clear();
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #blockFor(kind: SpoolKind, wanted: number): Block {
    const last = this.#blocks.at(-1);
    if (
      last?.kind === kind &&
      wanted > 0 &&
      last.buf !== undefined &&
      last.size < last.buf.length
    ) {
      return last;
    }
    const spare = wanted === 0 ? undefined : this.#spare;
    if (spare !== undefined) this.#spare = undefined;
    const buf = spare ?? Buffer.allocUnsafeSlow(wanted === 0 ? 0 : BLOCK_BYTES);
    this.#memoryBytes += buf.length;
    const block = { kind, arrivedMs: performance.now(), buf, size: 0, segment: undefined, at: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** Puts a full block on disk when memory holds enough already. */
  #spill(block: Block): void {
    if (block.size === 0 || this.#memoryBytes <= this.#options.memoryBytesMax) return;
    if (block.buf === undefined) return;
    const segment = this.#segmentToWrite();
    writeSync(segment.fd, block.buf, 0, block.size, segment.size);
    block.segment = segment;
    block.at = segment.size;
    segment.size += block.size;
    segment.blocks++;
    this.#memoryBytes -= block.buf.length;
    block.buf = undefined;
  }

  #segmentToWrite(): Segment {
    if (this.#writing !== undefined && this.#writing.size < SEGMENT_BYTES) return this.#writing;
    const { dir, name } = this.#options;
    const path = join(dir, `${name}-${this.#segmentCount++}.spool`);
    this.#writing = { path, fd: openSync(path, 'w+', 0o600), size: 0, blocks: 0 };
    this.#segments.add(this.#writing);
    return this.#writing;
  }

  #read({ segment, at, size }: Block): Buffer {
    if (segment === undefined) return NO_BYTES;
    const bytes = Buffer.allocUnsafeSlow(size);
    let done = 0;
    while (done < size) done += readSync(segment.fd, bytes, done, size - done, at + done);
    segment.blocks--;
    if (segment.blocks === 0 && segment !== this.#writing) this.#remove(segment);
    return bytes;
  }

  #remove(segment: Segment): void {
    this.#segments.delete(segment);
    if (this.#writing === segment) this.#writing = undefined;
    closeSync(segment.fd);
    unlinkSync(segment.path);
  }
}
