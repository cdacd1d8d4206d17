/**
 * One request as views into the bytes it arrived in. The object is reused: everything read from it
 * is valid until the handler returns.
 */
import { NOT_INTEGER, equalsIgnoreCase, parseInt64 } from '../base/index.ts';

/** Longest string of V8; the longest argument is 24 bytes longer. */
const TEXT_BYTES_MAX = 0x1fffffe8;
const NO_BYTES: Buffer = Buffer.alloc(0);

export class Request {
  /** Holds all arguments; argument `i` is `buf[at[i], at[i] + size[i])`. */
  buf: Buffer = NO_BYTES;
  argc = 0;
  at: Int32Array = new Int32Array(16);
  size: Int32Array = new Int32Array(16);
  /** The whole request in `buf`, as [start, end), when it came in canonical array form. */
  start = 0;
  end = 0;
  /** Typed by hand rather than sent as an array: it has no bytes that could be passed on. */
  isInline = false;
  /** Whether nothing more had been received behind it. */
  isLast = true;

  /** Makes room for `count` arguments. */
  reserve(count: number): void {
    if (count <= this.at.length) return;
    const capacity = Math.max(count, this.at.length * 2);
    this.at = grown(this.at, capacity);
    this.size = grown(this.size, capacity);
  }

  /** Argument `i` as text, one character a byte; cut at the longest text that the runtime can hold. */
  text(i: number): string {
    const at = this.at[i]!;
    return this.buf.toString('latin1', at, at + Math.min(this.size[i]!, TEXT_BYTES_MAX));
  }

  /** Argument `i` as a view, valid until the handler returns. */
  bytes(i: number): Buffer {
    return this.buf.subarray(this.at[i]!, this.at[i]! + this.size[i]!);
  }

  /** Argument `i` as bytes of their own. */
  copy(i: number): Buffer {
    return Buffer.from(this.bytes(i));
  }

  /** Whether argument `i` is `word`, given in lower case, in any case. */
  is(i: number, word: string): boolean {
    return equalsIgnoreCase(this.buf, this.at[i]!, this.size[i]!, word);
  }

  /** Argument `i` as a signed 64-bit integer; a `bigint` only beyond the safe integers. */
  int(i: number): number | bigint | typeof NOT_INTEGER {
    return parseInt64(this.buf, this.at[i]!, this.size[i]!);
  }

  /** Takes the arguments from separate pieces, copied into one buffer in canonical array form. */
  load(args: readonly (Buffer | string)[]): void {
    const encoded = encodeRequest(args);
    this.reserve(args.length);
    this.buf = encoded;
    this.argc = args.length;
    this.start = 0;
    this.end = encoded.length;
    this.isInline = false;
    this.isLast = true;
    let position = headerSize(args.length);
    for (let i = 0; i < args.length; i++) {
      const size = byteLength(args[i]!);
      position += headerSize(size);
      this.at[i] = position;
      this.size[i] = size;
      position += size + 2;
    }
  }
}

function grown(from: Int32Array, capacity: number): Int32Array {
  const to = new Int32Array(capacity);
  to.set(from);
  return to;
}

function byteLength(arg: Buffer | string): number {
  return arg.length;
}

/** Bytes of `*N\r\n` or `$N\r\n`. */
function headerSize(count: number): number {
  return 3 + String(count).length;
}

/** A request in canonical array form. Strings are one byte a character. */
export function encodeRequest(args: readonly (Buffer | string)[]): Buffer {
  let size = headerSize(args.length);
  for (const arg of args) size += headerSize(arg.length) + arg.length + 2;
  const out = Buffer.allocUnsafe(size);
  let at = out.write(`*${args.length}\r\n`, 0, 'latin1');
  for (const arg of args) {
    at += out.write(`$${arg.length}\r\n`, at, 'latin1');
    if (typeof arg === 'string') at += out.write(arg, at, 'latin1');
    else at += arg.copy(out, at);
    out[at++] = 0x0d;
    out[at++] = 0x0a;
  }
  return out;
}
