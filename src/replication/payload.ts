/**
 * Takes the snapshot out of what a master sends: either a given number of bytes, or all up to a mark of 40 random
 * characters.
 */
import { EOF_MARK_SIZE } from './wire.ts';

/** Given each piece of the snapshot in order; views, valid until it returns. */
export type PayloadOut = (buf: Buffer, at: number, size: number) => void;

export interface PayloadReader {
  /** `undefined` while a mark decides. */
  readonly sizeBytes: number | undefined;
  /** Bytes of the snapshot passed on so far. */
  readonly receivedBytes: number;
  readonly isDone: boolean;
  /** Takes `buf[at, at + size)`; answers how many of these bytes were its own. */
  push(buf: Buffer, at: number, size: number, out: PayloadOut): number;
}

const SIZED = /^\$(\d{1,15})$/;
const STREAMED = /^\$EOF:(.{40})$/;

/** The reader that the line before the snapshot (without its end) calls for. */
export function payloadReader(line: string): PayloadReader | undefined {
  const size = SIZED.exec(line)?.[1];
  if (size !== undefined) return new SizedPayload(Number(size));
  const mark = STREAMED.exec(line)?.[1];
  return mark === undefined ? undefined : new MarkedPayload(mark);
}

class SizedPayload implements PayloadReader {
  readonly sizeBytes: number;
  receivedBytes = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  get isDone(): boolean {
    return this.receivedBytes === this.sizeBytes;
  }

  push(buf: Buffer, at: number, size: number, out: PayloadOut): number {
    const taken = Math.min(size, this.sizeBytes - this.receivedBytes);
    this.receivedBytes += taken;
    if (taken > 0) out(buf, at, taken);
    return taken;
  }
}

class MarkedPayload implements PayloadReader {
  readonly sizeBytes = undefined;
  receivedBytes = 0;
  isDone = false;
  readonly #mark: Buffer;
  /** The last bytes received: they may be the beginning of the mark. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(mark: string) {
    this.#mark = Buffer.from(mark, 'latin1');
  }

  push(buf: Buffer, at: number, size: number, out: PayloadOut): number {
    const chunk = buf.subarray(at, at + size);
    const tailSize = this.#tail.length;
    // Across the border: the tail and as much of the chunk as could complete a mark begun in it.
    const border = Buffer.concat([this.#tail, chunk.subarray(0, EOF_MARK_SIZE - 1)]);
    const inBorder = border.indexOf(this.#mark);
    if (inBorder >= 0 && inBorder < tailSize) {
      this.#emit(this.#tail, 0, inBorder, out);
      this.isDone = true;
      return inBorder + EOF_MARK_SIZE - tailSize;
    }
    const inChunk = chunk.indexOf(this.#mark);
    if (inChunk >= 0) {
      this.#emit(this.#tail, 0, tailSize, out);
      this.#emit(buf, at, inChunk, out);
      this.isDone = true;
      return inChunk + EOF_MARK_SIZE;
    }
    this.#keep(buf, { at, size }, out);
    return size;
  }

  /** Passes on all but the last bytes, fewer than a mark. */
  #keep(buf: Buffer, range: { readonly at: number; readonly size: number }, out: PayloadOut): void {
    const { at, size } = range;
    const tail = this.#tail;
    const kept = Math.min(tail.length + size, EOF_MARK_SIZE - 1);
    const passed = tail.length + size - kept;
    const fromTail = Math.min(passed, tail.length);
    this.#emit(tail, 0, fromTail, out);
    const fromChunk = passed - fromTail;
    this.#emit(buf, at, fromChunk, out);
    const rest = buf.subarray(at + fromChunk, at + size);
    this.#tail = Buffer.concat([tail.subarray(fromTail), rest]);
  }

  #emit(buf: Buffer, at: number, size: number, out: PayloadOut): void {
    if (size === 0) return;
    this.receivedBytes += size;
    out(buf, at, size);
  }
}
