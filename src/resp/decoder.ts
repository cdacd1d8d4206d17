/** Replies out of a byte stream, for our own clients: RESP2 and RESP3 into plain values. */

/** An error that the server answered; the message is its whole text. */
export class ReplyError extends Error {
  override readonly name: string = 'ReplyError';

  /** The error's first word, such as `MOVED` or `ERR`. */
  get code(): string {
    const blank = this.message.indexOf(' ');
    return blank < 0 ? this.message : this.message.slice(0, blank);
  }
}

/** An out-of-band message of RESP3. */
export class PushReply {
  readonly items: readonly Reply[];

  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** Simple strings come as text, bulk strings as bytes, maps as `Map`, sets as arrays, errors as values. */
export type Reply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | ReplyError
  | PushReply
  | readonly Reply[]
  | ReadonlyMap<Reply, Reply>;

export type Decoded =
  | { readonly kind: 'value'; readonly value: Reply; readonly end: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly reason: string };

export interface ReplyLimits {
  /** Longest bulk string, bytes. */
  readonly bulkBytesMax: number;
  /** Elements of one aggregate. */
  readonly elementsMax: number;
  /** Aggregates within each other. */
  readonly depthMax: number;
}

export const DEFAULT_REPLY_LIMITS: ReplyLimits = {
  bulkBytesMax: 512 * 1024 * 1024,
  elementsMax: 1 << 24,
  depthMax: 64,
};

/** Longest line that holds no text. Simple strings and errors may be as long as bulk strings. */
const LINE_BYTES_MAX = 64 * 1024;
const ATTRIBUTE = 0x7c;
const CR = 0x0d;
const LF = 0x0a;
const MORE: Decoded = { kind: 'more' };

/**
 * One reply from `buf[start, ...)`. Bulk strings are views into `buf`. Bytes of a peer never throw.
 */
export function decodeReply(
  buf: Buffer,
  start: number,
  limits: ReplyLimits = DEFAULT_REPLY_LIMITS,
): Decoded {
  return new Cursor(buf, start, limits).run();
}

interface Frame {
  readonly type: number;
  /** Values still to come. */
  left: number;
  readonly items: Reply[];
}

class Cursor {
  readonly #buf: Buffer;
  readonly #limits: ReplyLimits;
  readonly #open: Frame[] = [];
  #at: number;
  #line = '';

  constructor(buf: Buffer, start: number, limits: ReplyLimits) {
    this.#buf = buf;
    this.#at = start;
    this.#limits = limits;
  }

  run(): Decoded {
    for (;;) {
      const type = this.#buf[this.#at];
      if (type === undefined) return MORE;
      const flaw = this.#readLine(type);
      if (flaw !== undefined) return flaw;
      const frame = this.#begin(type);
      if (typeof frame === 'string') return { kind: 'malformed', reason: frame };
      if (frame !== undefined && frame.left > 0) {
        if (this.#open.length >= this.#limits.depthMax) {
          return { kind: 'malformed', reason: 'aggregates nested too deeply' };
        }
        this.#open.push(frame);
        continue;
      }
      // Attributes go with the value behind them; nobody here reads them.
      if (frame?.type === ATTRIBUTE) continue;
      let value = frame === undefined ? this.#scalar(type) : close(frame);
      if (value === undefined) return MORE;
      if (typeof value === 'object' && value !== null && 'malformed' in value) {
        return { kind: 'malformed', reason: value.malformed };
      }
      for (;;) {
        const top = this.#open.at(-1);
        if (top === undefined) return { kind: 'value', value, end: this.#at };
        top.items.push(value);
        if (--top.left > 0) break;
        this.#open.pop();
        if (top.type === ATTRIBUTE) break;
        value = close(top);
      }
    }
  }

  /** Takes the line at hand; otherwise what to answer. The bound is the same however the bytes are cut. */
  #readLine(type: number): Decoded | undefined {
    const isText = type === 0x2b || type === 0x2d;
    const sizeMax = isText ? this.#limits.bulkBytesMax : LINE_BYTES_MAX;
    const from = this.#at + 1;
    const eol = this.#buf.indexOf('\r\n', from, 'latin1');
    const size = (eol < 0 ? this.#buf.length : eol) - from;
    // A cut may have left the CR without its LF.
    if (size > (eol < 0 ? sizeMax + 1 : sizeMax)) {
      return { kind: 'malformed', reason: 'line too long' };
    }
    if (eol < 0) return MORE;
    this.#line = this.#buf.toString('latin1', from, eol);
    this.#at = eol + 2;
    return undefined;
  }

  /** A frame for an aggregate, undefined for a scalar, a reason for nonsense. */
  #begin(type: number): Frame | undefined | string {
    const isPair = type === 0x25 || type === ATTRIBUTE;
    if (!isPair && type !== 0x2a && type !== 0x7e && type !== 0x3e) return undefined;
    if (type === 0x2a && this.#line === '-1') return undefined;
    const count = integer(this.#line);
    if (count === undefined || count < 0 || count > this.#limits.elementsMax) {
      return 'bad aggregate length';
    }
    return { type, left: isPair ? count * 2 : count, items: [] };
  }

  /** Undefined when the bytes are not all there. */
  #scalar(type: number): Exclude<Reply, undefined> | { malformed: string } | undefined {
    const line = this.#line;
    switch (type) {
      case 0x2b:
        return line;
      case 0x2d:
        return new ReplyError(line);
      case 0x3a:
        return integerReply(line);
      case 0x28:
        return /^-?\d{1,4096}$/.test(line) ? BigInt(line) : { malformed: 'bad big number' };
      case 0x2c:
        return double(line);
      case 0x23:
        return line === 't' ? true : line === 'f' ? false : { malformed: 'bad boolean' };
      case 0x5f:
      case 0x2a:
        return null;
      case 0x24:
      case 0x21:
      case 0x3d:
        return this.#bulk(type);
      default:
        return { malformed: `unknown reply type '${String.fromCharCode(type)}'` };
    }
  }

  #bulk(type: number): Buffer | string | null | ReplyError | { malformed: string } | undefined {
    const size = integer(this.#line);
    if (size === -1) return null;
    if (size === undefined || size < 0 || size > this.#limits.bulkBytesMax) {
      return { malformed: 'bad bulk length' };
    }
    const from = this.#at;
    if (from + size + 2 > this.#buf.length) return undefined;
    if (this.#buf[from + size] !== CR || this.#buf[from + size + 1] !== LF) {
      return { malformed: 'bulk string without its end of line' };
    }
    this.#at = from + size + 2;
    if (type === 0x21) return new ReplyError(this.#buf.toString('latin1', from, from + size));
    if (type === 0x3d) return this.#buf.subarray(Math.min(from + 4, from + size), from + size);
    return this.#buf.subarray(from, from + size);
  }
}

function close(frame: Frame): Reply {
  const { items, type } = frame;
  if (type === 0x3e) return new PushReply(items);
  if (type !== 0x25) return items;
  const map = new Map<Reply, Reply>();
  for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
  return map;
}

function integer(line: string): number | undefined {
  return /^-?\d{1,15}$/.test(line) ? Number(line) : undefined;
}

function integerReply(line: string): number | bigint | { malformed: string } {
  if (!/^[+-]?\d{1,20}$/.test(line)) return { malformed: 'bad integer' };
  const value = Number(line);
  return Number.isSafeInteger(value) ? value : BigInt(line);
}

function double(line: string): number | { malformed: string } {
  if (line === 'inf') return Infinity;
  if (line === '-inf') return -Infinity;
  if (line === 'nan' || line === '-nan') return NaN;
  const value = Number(line);
  return line === '' || Number.isNaN(value) ? { malformed: 'bad double' } : value;
}
