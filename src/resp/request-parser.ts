/**
 * Requests out of a byte stream, in place: arrays of bulk strings and inline commands.
 * One parser a connection; it keeps no bytes itself, only where an unfinished request stands, so
 * that a request in many pieces is read once. Source: Redis serialization protocol specification.
 */
import { NOT_INTEGER, parseInt64 } from '../base/index.ts';
import type { Request } from './request.ts';

/** The request is complete; `parser.end` says where the next one begins. */
export const PARSED = 0;
/** More bytes are needed; keep all from `parser.begin`. */
export const NEED_MORE = 1;
/** The stream is broken; `parser.error` says why and the connection must end. */
export const MALFORMED = 2;
/** An empty line or array: nothing to run, go on at `parser.end`. */
export const EMPTY = 3;
export type ParseResult = typeof PARSED | typeof NEED_MORE | typeof MALFORMED | typeof EMPTY;

/** Bytes to wait for the end of an inline request or of a line with a count. Source: 7.0 PROTO_INLINE_MAX_SIZE. */
export const LINE_BYTES_MAX = 65536;
/** Arguments of one request. Source: 7.0 networking.c refuses above INT_MAX. */
const ARGUMENTS_MAX = 0x7fffffff;
/** Bounds before authentication. Source: 7.0 networking.c. */
const UNAUTHENTICATED_ARGUMENTS_MAX = 10;
const UNAUTHENTICATED_BULK_BYTES_MAX = 16384;
/** Argument slots reserved on a mere announcement; more are made as arguments really come. */
const RESERVE_MAX = 1024;

const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const ZERO = 0x30;
const NINE = 0x39;
const CR = 0x0d;
const LF = 0x0a;

/** Splits an inline request into arguments; undefined for unbalanced quotes. */
export type InlineSplitter = (line: string) => string[] | undefined;

export interface RequestParserOptions {
  /** proto-max-bulk-len, bytes. */
  bulkBytesMax: number;
  readonly splitInline: InlineSplitter;
}

export class RequestParser {
  readonly #options: RequestParserOptions;
  /** While false, small bounds hold, so that strangers cannot make the server reserve memory. */
  isAuthenticated = true;
  /** Just after the parsed request. */
  end = 0;
  error = '';
  /** An unfinished array: arguments announced and read so far, and bytes of it read, from its start. */
  #announced = 0;
  #have = 0;
  #read = 0;
  /** Of the argument that begins there, the line with its size, if it is there. */
  #sizeLineBytes = 0;
  /** Where its arguments are, from its start. */
  #offsets: number[] = [];
  /** Bytes from the start of the request before which parsing again is no use. */
  #needBytes = 0;

  constructor(options: RequestParserOptions) {
    this.#options = options;
  }

  /** Bytes of the unfinished request known to be needed, for reserving a buffer once. */
  get neededBytes(): number {
    return this.#needBytes;
  }

  /** Bytes of the unfinished request that are understood: all up to the argument under way, its size included. */
  get understoodBytes(): number {
    return this.#announced === 0 ? 0 : this.#read + this.#sizeLineBytes;
  }

  /** Bytes of its arguments that are whole. */
  get argumentBytes(): number {
    let bytes = 0;
    for (let i = 1; i < this.#offsets.length; i += 2) bytes += this.#offsets[i]!;
    return bytes;
  }

  /**
   * Reads one request from `buf[begin, limit)`. After NEED_MORE the next call must have the same
   * request at its `begin`, with more bytes behind it.
   */
  parse(request: Request, buf: Buffer, begin: number, limit: number): ParseResult {
    if (this.#announced === 0 && this.#small(request, buf, begin, limit)) return PARSED;
    if (limit - begin < this.#needBytes) return NEED_MORE;
    if (this.#announced === 0 && buf[begin] !== ASTERISK) {
      return this.#inline(request, buf, begin, limit);
    }
    request.buf = buf;
    request.start = begin;
    request.isInline = false;
    let at = begin + this.#read;
    if (this.#announced === 0) {
      at = this.#header(buf, begin, limit);
      if (at <= 0) return at === 0 ? NEED_MORE : this.#afterHeader();
      request.reserve(Math.min(this.#announced, RESERVE_MAX));
    }
    return this.#bulks(request, at, limit);
  }

  /**
   * Reads a whole array of up to nine arguments of up to 99 bytes, which most requests are, in one go and without
   * state; no bound of the protocol lies below that. False for anything else, flaws included, which the rest of
   * this class then looks at.
   */
  #small(request: Request, buf: Buffer, begin: number, limit: number): boolean {
    if (begin + 4 > limit || buf[begin] !== ASTERISK || buf[begin + 2] !== CR) return false;
    const argc = buf[begin + 1]! - ZERO;
    if (argc < 1 || argc > 9) return false;
    const offsets = request.at;
    const sizes = request.size;
    let at = begin + 4;
    for (let i = 0; i < argc; i++) {
      if (at + 4 > limit || buf[at] !== DOLLAR) return false;
      let size = buf[at + 1]! - ZERO;
      if (size < 0 || size > 9) return false;
      let data = at + 4;
      const second = buf[at + 2]!;
      if (second !== CR) {
        if (size === 0 || second < ZERO || second > NINE || buf[at + 3] !== CR) return false;
        size = size * 10 + second - ZERO;
        data = at + 5;
      }
      offsets[i] = data;
      sizes[i] = size;
      at = data + size + 2;
    }
    if (at > limit) return false;
    request.buf = buf;
    request.start = begin;
    request.end = at;
    request.argc = argc;
    request.isInline = false;
    request.isLast = at === limit;
    this.end = at;
    return true;
  }

  /** Reads `*N`; returns where the first argument begins, 0 for more bytes, -1 when there is none. */
  #header(buf: Buffer, begin: number, limit: number): number {
    const eol = this.#lineEnd(buf, begin, limit);
    if (eol < 0) {
      this.error = 'too big mbulk count string';
      return limit - begin > LINE_BYTES_MAX ? -1 : 0;
    }
    const count = parseCount(buf, begin + 1, eol);
    this.end = eol + 2;
    this.error = '';
    if (count === undefined || count > ARGUMENTS_MAX) {
      this.error = 'invalid multibulk length';
      return -1;
    }
    if (count > UNAUTHENTICATED_ARGUMENTS_MAX && !this.isAuthenticated) {
      this.error = 'unauthenticated multibulk length';
      return -1;
    }
    if (count <= 0) return -1;
    this.#announced = count;
    this.#have = 0;
    return eol + 2;
  }

  #afterHeader(): ParseResult {
    return this.error === '' ? EMPTY : MALFORMED;
  }

  #bulks(request: Request, from: number, limit: number): ParseResult {
    const buf = request.buf;
    const announced = this.#announced;
    let at = from;
    let have = this.#have;
    while (have < announced) {
      if (at >= limit) return this.#pause(request, have, at, 1);
      if (buf[at] !== DOLLAR) return this.#fail(`expected '$', got '${printable(buf[at]!)}'`);
      const eol = this.#lineEnd(buf, at, limit);
      if (eol < 0) {
        if (limit - at > LINE_BYTES_MAX) return this.#fail('too big bulk count string');
        return this.#pause(request, have, at, 1);
      }
      const size = parseCount(buf, at + 1, eol);
      if (size === undefined || size < 0 || size > this.#options.bulkBytesMax) {
        return this.#fail('invalid bulk length');
      }
      if (size > UNAUTHENTICATED_BULK_BYTES_MAX && !this.isAuthenticated) {
        return this.#fail('unauthenticated bulk length');
      }
      const data = eol + 2;
      if (data + size + 2 > limit) return this.#pause(request, have, at, size + 2, data - at);
      if (have >= request.at.length) request.reserve(have + 1);
      request.at[have] = data;
      request.size[have] = size;
      have++;
      at = data + size + 2;
    }
    if (this.#have > 0) this.#restore(request);
    request.argc = announced;
    request.end = at;
    request.isLast = at === limit;
    this.end = at;
    this.#clear();
    return PARSED;
  }

  /** Remembers an unfinished request whose next argument begins at `at` and needs `more` bytes behind its size. */
  #pause(request: Request, have: number, at: number, more: number, sizeLineBytes = 0): ParseResult {
    for (let i = this.#have; i < have; i++) {
      this.#offsets.push(request.at[i]! - request.start, request.size[i]!);
    }
    this.#have = have;
    this.#read = at - request.start;
    this.#sizeLineBytes = sizeLineBytes;
    this.#needBytes = this.#read + sizeLineBytes + more;
    return NEED_MORE;
  }

  /** Puts in the arguments of earlier calls; only at the end, so that many pieces cost no more than one. */
  #restore(request: Request): void {
    const have = this.#have;
    request.reserve(have);
    for (let i = 0; i < have; i++) {
      request.at[i] = request.start + this.#offsets[2 * i]!;
      request.size[i] = this.#offsets[2 * i + 1]!;
    }
  }

  #inline(request: Request, buf: Buffer, begin: number, limit: number): ParseResult {
    const found = buf.indexOf(LF, begin);
    if (found < 0 || found >= limit) {
      if (limit - begin > LINE_BYTES_MAX) return this.#fail('too big inline request');
      return NEED_MORE;
    }
    this.end = found + 1;
    const hasCr = found > begin && buf[found - 1] === CR;
    const args = this.#options.splitInline(
      buf.toString('latin1', begin, hasCr ? found - 1 : found),
    );
    if (args === undefined) return this.#fail('unbalanced quotes in request');
    if (args.length === 0) return EMPTY;
    request.load(args);
    request.isInline = true;
    return PARSED;
  }

  /** Where the line's CR is; -1 until the byte behind it is there too, which nobody looks at, as in 7.0. */
  #lineEnd(buf: Buffer, from: number, limit: number): number {
    for (let i = from, stop = limit - 1; i < stop; i++) if (buf[i] === CR) return i;
    return -1;
  }

  #fail(reason: string): ParseResult {
    this.error = reason;
    this.#clear();
    return MALFORMED;
  }

  #clear(): void {
    this.#announced = 0;
    this.#have = 0;
    this.#read = 0;
    this.#needBytes = 0;
    if (this.#offsets.length > 0) this.#offsets = [];
  }
}

/** The signed 64-bit integer in [from, to), near enough beyond the safe ones; undefined for anything else. */
function parseCount(buf: Buffer, from: number, to: number): number | undefined {
  const value = parseInt64(buf, from, to - from);
  return value === NOT_INTEGER ? undefined : Number(value);
}

function printable(byte: number): string {
  return String.fromCharCode(byte);
}
