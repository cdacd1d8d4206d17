/**
 * Finds where replies end without decoding them, for clients that take in many at once. A reply in many pieces is read
 * once: the scanner remembers how far it came. RESP2 and RESP3.
 */
import { DEFAULT_REPLY_LIMITS, type ReplyLimits } from './decoder.ts';

/** The reply is not all there; scan again from the same start with more bytes behind it. */
export const REPLY_UNFINISHED = -1;
/** The bytes are no reply. */
export const REPLY_MALFORMED = -2;

/** The -1 of a null, beside the two answers above. */
const NULL_COUNT = -3;
/** Longest line that holds no text. */
const LINE_BYTES_MAX = 64 * 1024;
/** Of a size that is read the short way. */
const PLAIN_DIGITS_MAX = 6;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;
/** Above every count and size that is let through. */
const COUNT_LIMIT = 1e12;

export class ReplyScanner {
  readonly #limits: ReplyLimits;
  /** Bytes of the unfinished reply that are read. */
  #done = 0;
  /** Bytes of it that must be there before it is worth reading on. */
  #needBytes = 0;
  /** Values still to come of each aggregate that is open, outermost first. */
  readonly #open: number[] = [];
  /** After the count or size that was read last. */
  #after = 0;

  constructor(limits: ReplyLimits = DEFAULT_REPLY_LIMITS) {
    this.#limits = limits;
  }

  /** Bytes from its start that the unfinished reply is known to need. */
  get neededBytes(): number {
    return this.#needBytes;
  }

  /** Where the reply that starts at `start` ends (exclusive), or one of the two negative answers. */
  scan(buf: Buffer, start: number, limit: number): number {
    if (limit - start < this.#needBytes) return REPLY_UNFINISHED;
    if (this.#done === 0 && buf[start] === DOLLAR) {
      const end = plainBulkEnd(buf, start, limit);
      if (end > 0 && end - start <= this.#limits.bulkBytesMax) {
        this.#needBytes = 0;
        return end;
      }
    }
    let at = start + this.#done;
    for (;;) {
      const end = this.#value(buf, at, limit);
      if (end === REPLY_MALFORMED) return REPLY_MALFORMED;
      if (end === REPLY_UNFINISHED) {
        this.#done = at - start;
        this.#needBytes = Math.max(this.#needBytes - start, this.#done + 1);
        return REPLY_UNFINISHED;
      }
      at = end;
      if (this.#isWhole()) break;
    }
    this.#done = 0;
    this.#needBytes = 0;
    return at;
  }

  /** Counts a value that ended; answers whether none of the open aggregates wants more. */
  #isWhole(): boolean {
    const open = this.#open;
    // An aggregate that just opened has put its own count on top.
    while (open.length > 0) {
      const left = open[open.length - 1]!;
      if (left > 0) {
        open[open.length - 1] = left - 1;
        return false;
      }
      open.pop();
    }
    return true;
  }

  /** One scalar, or the head of one aggregate, whose elements are put on the stack. */
  #value(buf: Buffer, at: number, limit: number): number {
    this.#needBytes = 0;
    if (at >= limit) return REPLY_UNFINISHED;
    switch (buf[at]) {
      case 0x24:
      case 0x21:
      case 0x3d:
        return this.#bulk(buf, at, limit);
      case 0x2a:
      case 0x7e:
      case 0x3e:
        return this.#aggregate(buf, at, limit, 1);
      case 0x25:
        return this.#aggregate(buf, at, limit, 2);
      case 0x7c:
        // An attribute goes with the value behind it, which makes one more.
        return this.#aggregate(buf, at, limit, 2, 1);
      case 0x3a:
      case 0x23:
      case 0x5f:
      case 0x28:
      case 0x2c:
        return line(buf, at + 1, limit, LINE_BYTES_MAX);
      case 0x2b:
      case 0x2d:
        return line(buf, at + 1, limit, this.#limits.bulkBytesMax);
      default:
        return REPLY_MALFORMED;
    }
  }

  #bulk(buf: Buffer, at: number, limit: number): number {
    const size = this.#count(buf, at + 1, limit);
    if (size < 0) return size === NULL_COUNT ? this.#after : size;
    if (size > this.#limits.bulkBytesMax) return REPLY_MALFORMED;
    const end = this.#after + size + 2;
    if (end > limit) {
      this.#needBytes = end;
      return REPLY_UNFINISHED;
    }
    return buf[end - 2] === CR && buf[end - 1] === LF ? end : REPLY_MALFORMED;
  }

  #aggregate(buf: Buffer, at: number, limit: number, times: number, extra = 0): number {
    const count = this.#count(buf, at + 1, limit);
    if (count < 0) return count === NULL_COUNT ? this.#after : count;
    const isTooDeep = this.#open.length >= this.#limits.depthMax;
    if (count > this.#limits.elementsMax || isTooDeep) return REPLY_MALFORMED;
    this.#open.push(count * times + extra);
    return this.#after;
  }

  /** The number of a line, or NULL_COUNT; `#after` is behind the line. */
  #count(buf: Buffer, from: number, limit: number): number {
    let value = 0;
    for (let i = from; i < limit - 1; i++) {
      const byte = buf[i]!;
      if (byte === CR) {
        if (i === from || buf[i + 1] !== LF) return REPLY_MALFORMED;
        this.#after = i + 2;
        return value;
      }
      if (byte === MINUS && i === from) {
        if (limit - from < 4) return REPLY_UNFINISHED;
        this.#after = from + 4;
        const isNull = buf[from + 1] === ZERO + 1 && buf[from + 2] === CR && buf[from + 3] === LF;
        return isNull ? NULL_COUNT : REPLY_MALFORMED;
      }
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9 || value > COUNT_LIMIT) return REPLY_MALFORMED;
      value = value * 10 + digit;
    }
    return REPLY_UNFINISHED;
  }
}

/** Where a bulk string of less than a million bytes ends that is all there: most replies. Else 0: it takes a closer look. */
function plainBulkEnd(buf: Buffer, start: number, limit: number): number {
  let size = 0;
  for (let at = start + 1; at <= start + PLAIN_DIGITS_MAX; at++) {
    const digit = buf[at]! - ZERO;
    if (digit >= 0 && digit <= 9) size = size * 10 + digit;
    else break;
  }
  let at = start + 2;
  for (let power = 10; size >= power; power *= 10) at++;
  const end = at + size + 4;
  const isWhole = end <= limit && buf[at] === CR && buf[at + 1] === LF;
  return isWhole && buf[end - 2] === CR && buf[end - 1] === LF ? end : 0;
}

function line(buf: Buffer, from: number, limit: number, sizeMax: number): number {
  for (let i = from; i < limit - 1; i++) {
    if (buf[i] === CR && buf[i + 1] === LF) return i - from > sizeMax ? REPLY_MALFORMED : i + 2;
  }
  return limit - from > sizeMax + 1 ? REPLY_MALFORMED : REPLY_UNFINISHED;
}
