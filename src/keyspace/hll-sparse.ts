/**
 * The sparse registers of a HyperLogLog: codes of a byte or two, each for a run of registers.
 * `00nnnnnn`: n + 1 zeros. `01nnnnnn nnnnnnnn`: n + 1 zeros, up to all of them. `1vvvvvnn`: n + 1
 * registers of value v + 1. What a change does to the codes is part of the format, because replicas
 * and dumps are compared by bytes: the code is split in up to three, then neighbours of one value
 * join from the code before on. Source: documented in 7.0 hyperloglog.c; checked against
 * redis-server 7.0.15.
 */
import { HLL_REGISTERS } from './hll-registers.ts';

const ZERO_RUN_MAX = 64;
const VALUE_RUN_MAX = 4;
/** Largest value that a code can have. */
export const SPARSE_VALUE_MAX = 32;
/** Codes that are looked at to join neighbours after a change. */
const JOINED_CODES = 5;
/** Bytes that a change adds at most. */
export const SPARSE_GROWTH_MAX = 3;

/** Bytes of the fewest codes for registers of a byte each; Infinity where a value has no code. */
export function sparseBytesMin(registers: Uint8Array): number {
  let bytes = 0;
  for (let first = 0; first < registers.length;) {
    const value = registers[first]!;
    let end = first + 1;
    while (end < registers.length && registers[end] === value) end++;
    if (value > SPARSE_VALUE_MAX) return Infinity;
    if (value > 0) bytes += Math.ceil((end - first) / VALUE_RUN_MAX);
    else bytes += end - first > ZERO_RUN_MAX ? 2 : 1;
    first = end;
  }
  return bytes;
}

/** What `SparseRegisters.set` did. */
export type SparseChange = 'unchanged' | 'changed' | 'tooLarge' | 'invalid';

/** The codes of one HyperLogLog, `buf[start, end)`; reused. */
export class SparseRegisters {
  buf: Uint8Array;
  start = 0;
  end = 0;
  readonly #codes: Uint8Array = new Uint8Array(8);
  #codeBytes = 0;
  /** The code found by `#seek`, the one before it, and its first register. */
  #pos = 0;
  #previous = 0;
  #first = 0;

  constructor(buf: Uint8Array) {
    this.buf = buf;
  }

  /** Visits every run with its value. False if the codes are not for all registers exactly. */
  forEachRun(visit: (first: number, count: number, value: number) => void): boolean {
    const { buf, end } = this;
    let first = 0;
    for (let pos = this.start; pos < end; pos += codeBytes(buf, pos)) {
      const count = runOf(buf, pos);
      if (first + count > HLL_REGISTERS) return false;
      visit(first, count, valueOf(buf, pos));
      first += count;
    }
    return first === HLL_REGISTERS;
  }

  /** Value of a register, or undefined where the codes are wrong. */
  get(index: number): number | undefined {
    return this.#seek(index) ? valueOf(this.buf, this.#pos) : undefined;
  }

  /**
   * Raises a register to `value`, at most SPARSE_VALUE_MAX; `buf` has room for SPARSE_GROWTH_MAX
   * bytes behind `end`. The codes must not need more than `bytesMax` afterwards, unless they are
   * that long already.
   */
  set(index: number, value: number, bytesMax: number): SparseChange {
    if (!this.#seek(index)) return 'invalid';
    const { buf } = this;
    const pos = this.#pos;
    const old = valueOf(buf, pos);
    if (old >= value) return 'unchanged';
    const count = runOf(buf, pos);
    this.#codeBytes = 0;
    this.#emit(old, index - this.#first);
    this.#emit(value, 1);
    this.#emit(old, this.#first + count - 1 - index);
    const oldBytes = codeBytes(buf, pos);
    const growth = this.#codeBytes - oldBytes;
    if (growth > 0 && this.end - this.start + growth > bytesMax) return 'tooLarge';
    buf.copyWithin(pos + this.#codeBytes, pos + oldBytes, this.end);
    for (let i = 0; i < this.#codeBytes; i++) buf[pos + i] = this.#codes[i]!;
    this.end += growth;
    this.#joinFrom(this.#previous);
    return 'changed';
  }

  #seek(index: number): boolean {
    const { buf, end } = this;
    let first = 0;
    this.#previous = this.start;
    for (let pos = this.start; pos < end; pos += codeBytes(buf, pos)) {
      const count = runOf(buf, pos);
      if (index < first + count) {
        this.#pos = pos;
        this.#first = first;
        return pos + codeBytes(buf, pos) <= end;
      }
      this.#previous = pos;
      first += count;
    }
    return false;
  }

  /** Adds the code of a run to those that are made. */
  #emit(value: number, count: number): void {
    if (count === 0) return;
    const codes = this.#codes;
    if (value > 0) codes[this.#codeBytes++] = 128 | ((value - 1) << 2) | (count - 1);
    else if (count <= ZERO_RUN_MAX) codes[this.#codeBytes++] = count - 1;
    else {
      codes[this.#codeBytes++] = 64 | ((count - 1) >>> 8);
      codes[this.#codeBytes++] = (count - 1) & 255;
    }
  }

  /** Joins neighbours of one value as far as a code can hold them. */
  #joinFrom(from: number): void {
    const { buf } = this;
    let pos = from;
    for (let i = 0; i < JOINED_CODES && pos < this.end; i++) {
      const next = pos + 1;
      const isPair = buf[pos]! >= 128 && next < this.end && buf[next]! >= 128;
      if (!isPair || valueOf(buf, pos) !== valueOf(buf, next)) {
        pos += codeBytes(buf, pos);
        continue;
      }
      const count = runOf(buf, pos) + runOf(buf, next);
      if (count > VALUE_RUN_MAX) {
        pos = next;
        continue;
      }
      buf[next] = (buf[next]! & ~3) | (count - 1);
      buf.copyWithin(pos, next, this.end);
      this.end--;
    }
  }
}

function codeBytes(buf: Uint8Array, pos: number): number {
  return (buf[pos]! & 0xc0) === 0x40 ? 2 : 1;
}

function runOf(buf: Uint8Array, pos: number): number {
  const code = buf[pos]!;
  if (code >= 128) return (code & 3) + 1;
  return code < 64 ? code + 1 : (((code & 63) << 8) | buf[pos + 1]!) + 1;
}

function valueOf(buf: Uint8Array, pos: number): number {
  const code = buf[pos]!;
  return code >= 128 ? ((code >>> 2) & 31) + 1 : 0;
}
