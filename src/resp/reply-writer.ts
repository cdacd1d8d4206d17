/**
 * Replies on their way out: bytes appended to one buffer that grows as needed and is handed over
 * whole. Speaks RESP2 or RESP3 by `resp`; what RESP2 lacks is written as it expects it.
 */
import { copyBytes } from '../base/index.ts';
import { writeHead } from './write-head.ts';

const CR = 0x0d;
const LF = 0x0a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const UPPER_O = 0x4f;
const UPPER_K = 0x4b;

/** Text up to this length is written by a loop, which is faster than a call into the runtime. */
const SHORT_TEXT = 24;

/** First size of a reply buffer, and the size to which a grown one falls back. */
export const REPLY_BUFFER_BYTES: number = 16 * 1024;

/** Room for what `endScan` writes: two headers of a digit or two, a cursor, a header of ten digits. */
const DEFERRED_BYTES = 40;

const NULL2_BULK: Buffer = Buffer.from('$-1\r\n');
const NULL2_ARRAY: Buffer = Buffer.from('*-1\r\n');
const NULL3: Buffer = Buffer.from('_\r\n');

/** Doublings of the first size up to the largest buffer that is kept. */
const KEPT_DOUBLINGS = 6;
/** Bytes of spare buffers kept of each size. */
const KEPT_BYTES_EACH: number = 64 * REPLY_BUFFER_BYTES;

/**
 * Spare buffers shared by the writers of a node, so that idle clients hold none; also some of the
 * larger sizes, as long replies tend to come in numbers.
 */
export class ReplyBufferPool {
  readonly #spare: readonly Buffer[][] = Array.from({ length: KEPT_DOUBLINGS + 1 }, () => []);

  /** A buffer of at least `size` bytes. */
  take(size: number): Buffer {
    for (let i = 0, bytes = REPLY_BUFFER_BYTES; i <= KEPT_DOUBLINGS; i++, bytes *= 2) {
      if (bytes >= size) return this.#spare[i]!.pop() ?? Buffer.allocUnsafeSlow(bytes);
    }
    return Buffer.allocUnsafeSlow(size);
  }

  give(buf: Buffer): void {
    const doublings = Math.clz32(REPLY_BUFFER_BYTES) - Math.clz32(buf.length);
    if (buf.length !== REPLY_BUFFER_BYTES << doublings) return;
    const spare = this.#spare[doublings];
    if (spare !== undefined && spare.length * buf.length < KEPT_BYTES_EACH) spare.push(buf);
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Writes replies one behind the other; whoever takes the bytes calls `clear` or `abandon`. */
export class ReplyWriter {
  readonly #pool: ReplyBufferPool;
  readonly #onBegin: () => void;
  #buf: Buffer = NO_BYTES;
  /** What `moveToFront` moves. */
  readonly #moved: Buffer = Buffer.alloc(64);
  /** Bytes written and not yet taken. */
  length = 0;
  resp: 2 | 3 = 2;
  /** While true everything is dropped (CLIENT REPLY). */
  isMuted = false;
  /** Error replies written since the caller last looked; the dispatcher counts failed calls by it. */
  errorCount = 0;
  /** The last error's text without its minus. */
  lastError = '';

  /** `onBegin` is called when bytes are written where none were pending, so that a flush can be arranged. */
  constructor(pool: ReplyBufferPool, onBegin: () => void) {
    this.#pool = pool;
    this.#onBegin = onBegin;
  }

  /** The bytes so far, valid until the next write; the buffer stays with the writer. */
  get pending(): Buffer {
    return this.#buf;
  }

  /** Forgets the bytes so far; the buffer is reused. */
  clear(): void {
    this.length = 0;
    if (this.#buf.length > 0) this.#pool.give(this.#buf);
    this.#buf = NO_BYTES;
  }

  /** Forgets the bytes so far and the buffer, which somebody else keeps. */
  abandon(): void {
    this.length = 0;
    this.#buf = NO_BYTES;
  }

  /** Writes what is no reply, and so comes to a client that wants none (CLIENT REPLY OFF) as well. */
  message(write: () => void): void {
    const wasMuted = this.isMuted;
    this.isMuted = false;
    write();
    this.isMuted = wasMuted;
  }

  /** The same for a message that is written already, `buf[0, size)`. */
  writtenMessage(buf: Buffer, size: number): void {
    this.#reserve(size);
    copyBytes(buf, 0, this.#buf, this.length, size);
    this.length += size;
  }

  /** Drops what was written after `length` bytes. */
  truncate(length: number): void {
    this.length = length;
  }

  ok(): void {
    if (this.isMuted) return;
    this.#reserve(5);
    const buf = this.#buf;
    const at = this.length;
    buf[at] = PLUS;
    buf[at + 1] = UPPER_O;
    buf[at + 2] = UPPER_K;
    buf[at + 3] = CR;
    buf[at + 4] = LF;
    this.length = at + 5;
  }

  simple(text: string): void {
    this.#line(PLUS, text);
  }

  /** An error: its code and text, as in `ERR syntax error`. Line breaks at its ends go, others become blanks. */
  error(text: string): void {
    this.errorCount++;
    const clean = /[\r\n]/.test(text)
      ? text.replace(/^[\r\n]+|[\r\n]+$/g, '').replaceAll(/[\r\n]/g, ' ')
      : text;
    this.lastError = clean;
    this.#line(MINUS, clean);
  }

  int(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x7fffffff) this.#header(0x3a, value);
    else this.#line(0x3a, String(value));
  }

  bulk(buf: Buffer, at: number, size: number): void {
    if (this.isMuted) return;
    this.#reserve(size + 16);
    this.#number(0x24, size);
    const to = this.#buf;
    const from = this.length;
    copyBytes(buf, at, to, from, size);
    to[from + size] = CR;
    to[from + size + 1] = LF;
    this.length = from + size + 2;
  }

  bulkBytes(bytes: Buffer): void {
    this.bulk(bytes, 0, bytes.length);
  }

  /** A bulk string, one byte a character. */
  bulkText(text: string): void {
    if (this.isMuted) return;
    this.#reserve(text.length + 16);
    this.#number(0x24, text.length);
    this.#latin1(text);
    this.#crlf();
  }

  /** The absent bulk string. */
  nullBulk(): void {
    if (this.resp === 3) this.raw(NULL3, 0, 3);
    else this.raw(NULL2_BULK, 0, 5);
  }

  /** The absent array, as an aborted EXEC answers. */
  nullArray(): void {
    if (this.resp === 3) this.raw(NULL3, 0, 3);
    else this.raw(NULL2_ARRAY, 0, 5);
  }

  /** Begins an array of `count` elements. */
  array(count: number): void {
    this.#header(0x2a, count);
  }

  /**
   * Makes what was written from `start` on (a `length` of before) the elements of an array, for
   * those who learn their number while they write.
   */
  wrapArray(start: number, count: number): void {
    if (this.isMuted) return;
    const end = this.length;
    this.array(count);
    this.moveToFront(start, end);
  }

  /** Like `wrapArray`, for the keys and values of a map of `count` pairs. */
  wrapMap(start: number, count: number): void {
    if (this.isMuted) return;
    const end = this.length;
    this.map(count);
    this.moveToFront(start, end);
  }

  /**
   * Puts what was written last, from `from` on and at most 64 bytes of it, before what was written
   * from `start` on.
   */
  moveToFront(start: number, from: number): void {
    const size = this.length - from;
    if (this.isMuted || from === start) return;
    const buf = this.#buf;
    buf.copy(this.#moved, 0, from, from + size);
    buf.copyWithin(start + size, start, from);
    this.#moved.copy(buf, start, 0, size);
  }

  /** Begins a map of `count` pairs. */
  map(count: number): void {
    if (this.resp === 3) this.#header(0x25, count);
    else this.#header(0x2a, count * 2);
  }

  set(count: number): void {
    this.#header(this.resp === 3 ? 0x7e : 0x2a, count);
  }

  /**
   * Begins an array, a set or a scan's answer whose count is known only when its elements are
   * written; the mark is for `endArray`, `endSet` or `endScan`.
   */
  beginDeferred(): number {
    if (this.isMuted) return 0;
    this.#reserve(DEFERRED_BYTES);
    const mark = this.length;
    this.length += DEFERRED_BYTES;
    return mark;
  }

  endArray(mark: number, count: number): void {
    if (this.isMuted) return;
    const end = this.length;
    this.length = mark;
    this.#number(0x2a, count);
    this.#close(mark, end);
  }

  endSet(mark: number, count: number): void {
    if (this.isMuted) return;
    const end = this.length;
    this.length = mark;
    this.#number(this.resp === 3 ? 0x7e : 0x2a, count);
    this.#close(mark, end);
  }

  /** Makes it the answer of a scan: the next cursor, a safe integer, and the elements. */
  endScan(mark: number, cursor: number, count: number): void {
    if (this.isMuted) return;
    const end = this.length;
    this.length = mark;
    this.#number(0x2a, 2);
    this.bulkText(String(cursor));
    this.#number(0x2a, count);
    this.#close(mark, end);
  }

  /** Begins an out-of-band message. */
  push(count: number): void {
    this.#header(this.resp === 3 ? 0x3e : 0x2a, count);
  }

  /** Begins attributes of `count` pairs; nothing in RESP2, where the caller leaves the pairs out. */
  attribute(count: number): void {
    if (this.resp === 3) this.#header(0x7c, count);
  }

  /** A double given as text: RESP2 has it as a bulk string. */
  double(text: string): void {
    if (this.resp === 3) this.#line(0x2c, text);
    else this.bulkText(text);
  }

  boolean(value: boolean): void {
    if (this.resp === 3) this.#line(0x23, value ? 't' : 'f');
    else this.int(value ? 1 : 0);
  }

  bigNumber(text: string): void {
    if (this.resp === 3) this.#line(0x28, text);
    else this.bulkText(text);
  }

  /** Text with a format of three letters, such as `txt`. */
  verbatim(format: string, text: string): void {
    if (this.resp === 2) return this.bulkText(text);
    this.#header(0x3d, text.length + 4);
    this.text(`${format}:${text}\r\n`);
  }

  /** Bytes as they are. */
  raw(buf: Buffer, at: number, size: number): void {
    if (this.isMuted) return;
    this.#reserve(size);
    if (size <= 16) for (let i = 0; i < size; i++) this.#buf[this.length + i] = buf[at + i]!;
    else buf.copy(this.#buf, this.length, at, at + size);
    this.length += size;
  }

  /** Text as it is, one byte a character. */
  text(text: string): void {
    if (this.isMuted) return;
    this.#reserve(text.length);
    this.#latin1(text);
  }

  /** Moves what was written between a mark's room and `end` to the header that is written now. */
  #close(mark: number, end: number): void {
    const to = this.length;
    this.#buf.copyWithin(to, mark + DEFERRED_BYTES, end);
    this.length = to + end - mark - DEFERRED_BYTES;
  }

  #header(type: number, count: number): void {
    if (this.isMuted) return;
    this.#reserve(16);
    this.#number(type, count);
  }

  /** `type`, a count in [0, 2^31) and the end of line; room is there. */
  #number(type: number, count: number): void {
    this.length = writeHead(this.#buf, this.length, type, count);
  }

  #line(type: number, text: string): void {
    if (this.isMuted) return;
    this.#reserve(text.length + 3);
    this.#buf[this.length++] = type;
    this.#latin1(text);
    this.#crlf();
  }

  /** One byte a character; room is there. */
  #latin1(text: string): void {
    const size = text.length;
    const buf = this.#buf;
    const at = this.length;
    if (size <= SHORT_TEXT) for (let i = 0; i < size; i++) buf[at + i] = text.charCodeAt(i);
    else buf.write(text, at, 'latin1');
    this.length = at + size;
  }

  #crlf(): void {
    this.#buf[this.length++] = CR;
    this.#buf[this.length++] = LF;
  }

  /** The buffer, with room for `size` bytes more behind `length`: whoever writes there moves that on. */
  room(size: number): Buffer {
    this.#reserve(size);
    return this.#buf;
  }

  #reserve(size: number): void {
    const need = this.length + size;
    if (this.length === 0 || need > this.#buf.length) this.#makeRoom(need);
  }

  #makeRoom(need: number): void {
    if (this.length === 0) this.#onBegin();
    if (need <= this.#buf.length) return;
    if (this.#buf.length === 0) {
      this.#buf = this.#pool.take(need);
      return;
    }
    const to = this.#pool.take(Math.max(need, this.#buf.length * 2));
    this.#buf.copy(to, 0, 0, this.length);
    if (this.#buf.length > 0) this.#pool.give(this.#buf);
    this.#buf = to;
  }
}
