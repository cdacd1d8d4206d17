/**
 * Writes runs of short bulk strings, which long replies of small elements are made of. Room is made
 * once for a run, and eight bytes are copied at a time, over the end of an element if need be: what
 * follows is written there next.
 */
import { copyEight, countDigits, writeShortDigits } from '../base/index.ts';
import type { ReplyWriter } from './reply-writer.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const ZERO = 0x30;

/** Sizes below this are short: from there on a call into the runtime copies faster. */
export const SHORT_BULK_LIMIT = 512;
/** Bytes around the largest integer or string: type, size of three digits, two ends of lines. */
const FRAME_BYTES = 8;
/** Digits of an integer below 2^31. */
const INT_DIGITS = 10;
/** What may be read and written behind an element. */
export const SPARE_BYTES = 8;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** For any writer, one run at a time. */
export class ShortBulks {
  #buf: Buffer = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer, 0, 0);
  #at = 0;

  /** Begins a run of up to `count` elements; all strings among them have `bytes` bytes at most. */
  begin(reply: ReplyWriter, count: number, bytes: number): void {
    const buf = reply.room(bytes + count * (FRAME_BYTES + INT_DIGITS) + SPARE_BYTES);
    // The buffers of a pool come again.
    if (buf !== this.#buf) {
      this.#buf = buf;
      this.#view = new DataView(buf.buffer, buf.byteOffset, buf.length);
    }
    this.#at = reply.length;
  }

  /** Writes `size` bytes, less than SHORT_BULK_LIMIT; SPARE_BYTES more can be read behind them. */
  bytes(from: DataView, at: number, size: number): void {
    const to = this.#view;
    const start = this.#header(size);
    for (let i = 0; i < size; i += 8) copyEight(from, at + i, to, start + i);
    this.#end(start + size);
  }

  /** Writes the digits of an integer in [0, 2^31). */
  int(value: number): void {
    const digits = countDigits(value);
    const end = this.#header(digits) + digits;
    writeShortDigits(this.#buf, end, value);
    this.#end(end);
  }

  /** Ends the run: the writer goes on behind it. */
  end(reply: ReplyWriter): void {
    reply.length = this.#at;
  }

  #header(size: number): number {
    const buf = this.#buf;
    let at = this.#at;
    buf[at++] = DOLLAR;
    if (size >= 10) {
      const tens = (size / 10) | 0;
      if (size >= 100) {
        const hundreds = (size / 100) | 0;
        buf[at++] = ZERO + hundreds;
        buf[at++] = ZERO + tens - hundreds * 10;
      } else buf[at++] = ZERO + tens;
      buf[at++] = ZERO + size - tens * 10;
    } else buf[at++] = ZERO + size;
    buf[at++] = CR;
    buf[at++] = LF;
    return at;
  }

  #end(at: number): void {
    this.#buf[at] = CR;
    this.#buf[at + 1] = LF;
    this.#at = at + 2;
  }
}
