/** Requests written one behind the other into one buffer, for pipelines of many small commands. */
import { copyBytes } from '../base/index.ts';
import { writeHead } from '../resp/index.ts';

const CR = 0x0d;
const LF = 0x0a;
/** Characters below are one byte, and the same in UTF-8. */
const ASCII_LIMIT = 0x80;
/** `$`, ten digits and two ends of line. */
const BULK_FRAME_BYTES = 15;
const FIRST_BYTES = 16 * 1024;

/** Key `i` is `buf[at[i], at[i] + size[i])`, and stands there as a whole bulk string, its frame around it. */
export interface FramedKeys {
  readonly buf: Buffer;
  readonly at: readonly number[];
  readonly size: readonly number[];
}

/** Requests about one key: the key follows each piece, and `last` is what comes behind the last key. */
export interface KeyRequests {
  readonly pieces: readonly Buffer[];
  readonly last: Buffer;
  /** How many requests these are. */
  readonly count: number;
}

export class RequestBuffer {
  #buf: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #spare: Buffer | undefined;
  #at = 0;
  #count = 0;

  /** Requests written since the last `take`. */
  get count(): number {
    return this.#count;
  }

  get byteCount(): number {
    return this.#at;
  }

  /** Begins a request of `argc` arguments, its name among them, which are to follow. */
  begin(argc: number): void {
    this.#room(BULK_FRAME_BYTES);
    this.#number(0x2a, argc);
    this.#count++;
  }

  /** The next argument: `buf[at, at + size)`. */
  argument(buf: Buffer, at: number, size: number): void {
    this.#room(size + BULK_FRAME_BYTES);
    this.#number(0x24, size);
    this.#copy(buf, at, size);
    this.#endLine();
  }

  /** The same requests about each of the keys with these indexes. */
  aboutEach(
    { pieces, last, count }: KeyRequests,
    keys: FramedKeys,
    indexes: readonly number[],
  ): void {
    let fixedBytes = last.length;
    for (const piece of pieces) fixedBytes += piece.length;
    for (let n = 0; n < indexes.length; n++) {
      const size = keys.size[indexes[n]!]!;
      let headBytes = 4;
      for (let limit = 10; size >= limit; limit *= 10) headBytes++;
      const frameAt = keys.at[indexes[n]!]! - headBytes;
      const frameBytes = headBytes + size + 2;
      this.#room(fixedBytes + pieces.length * frameBytes);
      for (let i = 0; i < pieces.length; i++) {
        const piece = pieces[i]!;
        this.#copy(piece, 0, piece.length);
        this.#copy(keys.buf, frameAt, frameBytes);
      }
      if (last.length > 0) this.#copy(last, 0, last.length);
    }
    this.#count += count * indexes.length;
  }

  /** The next argument as text, one byte a character. */
  word(text: string): void {
    this.#room(text.length + BULK_FRAME_BYTES);
    this.#number(0x24, text.length);
    const out = this.#buf;
    for (let i = 0; i < text.length; i++) out[this.#at + i] = text.charCodeAt(i);
    this.#at += text.length;
    this.#endLine();
  }

  /** The next argument as UTF-8. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) < ASCII_LIMIT) continue;
      const bytes = Buffer.from(text);
      return this.argument(bytes, 0, bytes.length);
    }
    this.word(text);
  }

  /** The next argument, of `size` bytes that the caller writes: at `bytes[blank(size), …)`, before anything else. */
  blank(size: number): number {
    this.#room(size + BULK_FRAME_BYTES);
    this.#number(0x24, size);
    const at = this.#at;
    this.#at += size;
    this.#endLine();
    return at;
  }

  /** What was written so far, for `blank`; moves with the next argument. */
  get bytes(): Buffer {
    return this.#buf;
  }

  /** Bytes that are requests, or arguments, already; `requests` of them begin here. */
  raw(buf: Buffer, at: number, size: number, requests: number): void {
    this.#room(size);
    this.#copy(buf, at, size);
    this.#count += requests;
  }

  /** Hands over what was written; the buffer is the caller's from now on. */
  take(): Buffer {
    const taken = this.#buf.subarray(0, this.#at);
    // The next lot is likely to be as large.
    this.#buf =
      this.#spare ?? Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, this.#at + (this.#at >> 3)));
    this.#spare = undefined;
    this.#at = 0;
    this.#count = 0;
    return taken;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#at = 0;
    this.#count = 0;
  }

  /** Takes back what `take` handed over and nobody needs any more, to be written again. */
  recycle(taken: Buffer): void {
    this.#spare ??= Buffer.from(taken.buffer);
  }

  #copy(buf: Buffer, at: number, size: number): void {
    copyBytes(buf, at, this.#buf, this.#at, size);
    this.#at += size;
  }

  #number(mark: number, value: number): void {
    this.#at = writeHead(this.#buf, this.#at, mark, value);
  }

  #endLine(): void {
    this.#buf[this.#at++] = CR;
    this.#buf[this.#at++] = LF;
  }

  #room(size: number): void {
    if (this.#at + size <= this.#buf.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#buf.length, this.#at + size));
    this.#buf.copy(grown, 0, 0, this.#at);
    this.#buf = grown;
  }
}
