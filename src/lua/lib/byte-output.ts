/**
 * The bytes that a function of ours writes before they become a text. One memory serves all calls, as none of them calls
 * another while it writes; what became too large for it is given back.
 */
import { TEXT_BYTES_MAX, checkBytes } from './bounded-text.ts';

/** Memory that stays for the next call. */
const KEPT_BYTES = 16 * 1024;
/** Up to so many bytes a loop is quicker than a call of the engine below. */
const SHORT_TEXT = 12;
const SHORT_RANGE = 20;

/** The buffers of Node.js with the conversions that `toString` and `write` come down to. */
export interface Latin1Buffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
}

export function newBuffer(size: number): Latin1Buffer {
  return Buffer.alloc(size) as Latin1Buffer;
}

class ByteOutput {
  bytes: Latin1Buffer = newBuffer(KEPT_BYTES);
  view: DataView = viewOf(this.bytes);
  /** How many bytes have been written. */
  size = 0;

  /** Begins a text. */
  begin(): void {
    this.size = 0;
    if (this.bytes.length > KEPT_BYTES) this.#replace(KEPT_BYTES);
  }

  /** Makes room for so many more bytes. */
  reserve(count: number): void {
    const size = this.size + count;
    if (size <= this.bytes.length) return;
    checkBytes(size);
    const old = this.bytes;
    this.#replace(Math.min(2 * size, TEXT_BYTES_MAX));
    this.bytes.set(old.subarray(0, this.size));
  }

  /** Writes a byte, for which there is room. */
  byte(code: number): void {
    this.bytes[this.size++] = code;
  }

  text(text: string): void {
    const { length } = text;
    this.reserve(length);
    this.#copy(text, length);
    this.size += length;
  }

  /** Writes a part of a text. */
  range(text: string, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    const { bytes, size } = this;
    if (length > SHORT_RANGE) bytes.latin1Write(text.slice(start, end), size);
    else for (let at = 0; at < length; at++) bytes[size + at] = text.charCodeAt(start + at);
    this.size = size + length;
  }

  /** The text that was written. */
  finish(): string {
    return textOf(this.bytes, 0, this.size);
  }

  #copy(text: string, length: number): void {
    const { bytes, size } = this;
    if (length > SHORT_TEXT) bytes.latin1Write(text, size);
    else for (let at = 0; at < length; at++) bytes[size + at] = text.charCodeAt(at);
  }

  #replace(size: number): void {
    this.bytes = newBuffer(size);
    this.view = viewOf(this.bytes);
  }
}

/** Bytes as a text. A few of them are quicker without a call of the engine below. */
export function textOf(bytes: Latin1Buffer, start: number, end: number): string {
  switch (end - start) {
    case 0:
      return '';
    case 1:
      return String.fromCharCode(bytes[start]!);
    case 2:
      return String.fromCharCode(bytes[start]!, bytes[start + 1]!);
    case 3:
      return String.fromCharCode(bytes[start]!, bytes[start + 1]!, bytes[start + 2]!);
    case 4:
      return String.fromCharCode(
        bytes[start]!,
        bytes[start + 1]!,
        bytes[start + 2]!,
        bytes[start + 3]!,
      );
    default:
      return bytes.latin1Slice(start, end);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export const output: ByteOutput = new ByteOutput();
