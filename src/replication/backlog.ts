/**
 * The circular buffer of the stream's last bytes, from which a replica that was away a short while is served.
 * Offsets count the bytes of the stream from 1, as on the wire: byte 1 is the first one ever sent.
 */
import { invariant } from '../base/index.ts';

/** Two pieces that follow each other; the second may be empty. Views into the buffer: valid until it changes. */
export interface BacklogPieces {
  readonly first: Buffer;
  readonly second: Buffer;
}

/** Redis raises a smaller `repl-backlog-size` to this. */
export const BACKLOG_BYTES_MIN: number = 16 * 1024;

export class Backlog {
  #buf: Buffer;
  /** Where the next byte goes. */
  #to = 0;
  #size = 0;
  /** Offset of the next byte to come. */
  #nextOffset: number;

  /** An empty one; the first byte it will hold has offset `nextOffset`. */
  constructor(bytesMax: number, nextOffset: number) {
    this.#buf = Buffer.allocUnsafe(Math.max(bytesMax, BACKLOG_BYTES_MIN));
    this.#nextOffset = nextOffset;
  }

  get bytesMax(): number {
    return this.#buf.length;
  }

  /** Bytes held. */
  get size(): number {
    return this.#size;
  }

  /** Offset of the oldest byte held; of the next one to come when it is empty. */
  get firstOffset(): number {
    return this.#nextOffset - this.#size;
  }

  /** Whether the stream can go on from `offset`: it is held, or the very next to come. */
  has(offset: number): boolean {
    return offset >= this.firstOffset && offset <= this.#nextOffset;
  }

  append(buf: Buffer, at: number, size: number): void {
    const room = this.#buf.length;
    this.#nextOffset += size;
    let from = at;
    let rest = size;
    if (rest > room) {
      from += rest - room;
      rest = room;
    }
    this.#size = Math.min(room, this.#size + rest);
    const untilWrap = Math.min(rest, room - this.#to);
    buf.copy(this.#buf, this.#to, from, from + untilWrap);
    if (rest > untilWrap) buf.copy(this.#buf, 0, from + untilWrap, from + rest);
    this.#to = (this.#to + rest) % room;
  }

  /** All bytes from `offset` on, which `has` must have confirmed. */
  read(offset: number): BacklogPieces {
    invariant(this.has(offset), 'only held offsets are read');
    const size = this.#nextOffset - offset;
    const room = this.#buf.length;
    const from = (this.#to - size + room) % room;
    const firstEnd = Math.min(from + size, room);
    return {
      first: this.#buf.subarray(from, firstEnd),
      second: this.#buf.subarray(0, size - (firstEnd - from)),
    };
  }

  /** Changes the capacity and keeps as many of the newest bytes as fit. */
  resize(bytesMax: number): void {
    const room = Math.max(bytesMax, BACKLOG_BYTES_MIN);
    if (room === this.#buf.length) return;
    const kept = Math.min(room, this.#size);
    const { first, second } = this.read(this.#nextOffset - kept);
    const resized = Buffer.allocUnsafe(room);
    first.copy(resized, 0);
    second.copy(resized, first.length);
    this.#buf = resized;
    this.#size = kept;
    this.#to = kept % room;
  }
}
