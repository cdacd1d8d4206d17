/**
 * Working on one HyperLogLog: a dense one is changed where it is, a sparse one in a copy that the
 * caller puts back.
 */
import type { BytesView } from './entry.ts';
import { HLL_VALUES, estimateElements } from './hll-estimate.ts';
import { HllHash } from './hll-hash.ts';
import {
  HLL_DENSE,
  HLL_DENSE_BYTES,
  HLL_HEADER_BYTES,
  HLL_REGISTERS,
  HLL_SPARSE,
  denseRegister,
  forgetEstimate,
  hllEncoding,
  putDenseRegister,
  writeHllHeader,
} from './hll-registers.ts';
import { SPARSE_GROWTH_MAX, SPARSE_VALUE_MAX, SparseRegisters } from './hll-sparse.ts';

/** Codes of a sparse one without elements: a run of 16384 zeros. */
const EMPTY_CODES: Buffer = Buffer.from([0x7f, 0xff]);
/** Room for a sparse one of usual limits and what a change adds. */
const ROOM_BYTES = 8192;

/** What an addition did. */
export type HllChange = 'unchanged' | 'changed' | 'invalid';

/** One HyperLogLog under work; `load` or `loadEmpty` first. */
export class HyperLogLog {
  /** Bytes that it has now. */
  readonly bytes: BytesView;
  /** Whether `bytes` is a copy, which the caller puts back. */
  isCopy = false;
  readonly #hash = new HllHash();
  readonly #sparse: SparseRegisters;
  readonly #dense: Buffer = Buffer.alloc(HLL_DENSE_BYTES);
  readonly #counts: Float64Array = new Float64Array(HLL_VALUES);
  #room: Buffer = Buffer.alloc(ROOM_BYTES);

  constructor() {
    this.bytes = { buf: this.#room, at: 0, size: 0 };
    this.#sparse = new SparseRegisters(this.#room);
  }

  get isDense(): boolean {
    return hllEncoding(this.bytes.buf, this.bytes.at) === HLL_DENSE;
  }

  /** Takes one that `isHll`. A dense one is changed in place, so the snapshots have been told. */
  load({ buf, at, size }: Readonly<BytesView>): void {
    this.#setBytes(buf, at, size);
    this.isCopy = false;
  }

  /** Begins one without elements. */
  loadEmpty(): void {
    writeHllHeader(this.#room, 0, HLL_SPARSE);
    EMPTY_CODES.copy(this.#room, HLL_HEADER_BYTES);
    this.#setBytes(this.#room, 0, HLL_HEADER_BYTES + EMPTY_CODES.length);
    this.isCopy = true;
  }

  /** Adds an element. A sparse one that needs more than `sparseBytesMax`, header included, becomes dense. */
  add(buf: Uint8Array, at: number, size: number, sparseBytesMax: number): HllChange {
    this.#hash.read(buf, at, size);
    return this.raise(this.#hash.index, this.#hash.run, sparseBytesMax);
  }

  /** Raises a register to `value` if it is lower. */
  raise(index: number, value: number, sparseBytesMax: number): HllChange {
    if (this.isDense) return this.#raiseDense(index, value);
    this.#openCodes();
    const old = this.#sparse.get(index);
    if (old === undefined) return 'invalid';
    if (old >= value) return 'unchanged';
    this.#makeRoom();
    const { bytes } = this;
    if (value <= SPARSE_VALUE_MAX) {
      this.#openCodes();
      const change = this.#sparse.set(index, value, sparseBytesMax - HLL_HEADER_BYTES);
      bytes.size = this.#sparse.end - bytes.at;
      if (change !== 'tooLarge') {
        if (change === 'changed') this.forget();
        return change;
      }
    }
    return this.makeDense() ? this.#raiseDense(index, value) : 'invalid';
  }

  /** The estimate in the header is true no longer. */
  forget(): void {
    forgetEstimate(this.bytes.buf, this.bytes.at);
  }

  /** Makes it dense, as a copy; false if its codes are wrong. */
  makeDense(): boolean {
    if (this.isDense) return true;
    const dense = this.#dense;
    const { buf, at } = this.bytes;
    writeHllHeader(dense, 0, HLL_DENSE);
    dense.set(buf.subarray(at + 8, at + HLL_HEADER_BYTES), 8);
    dense.fill(0, HLL_HEADER_BYTES);
    this.#openCodes();
    const isSound = this.#sparse.forEachRun((first, count, value) => {
      if (value === 0) return;
      for (let i = first; i < first + count; i++) putDenseRegister(dense, 0, i, value);
    });
    if (!isSound) return false;
    this.#setBytes(dense, 0, HLL_DENSE_BYTES);
    this.isCopy = true;
    return true;
  }

  /** Visits runs of registers of one value; false if its codes are wrong. */
  forEachRun(visit: (first: number, count: number, value: number) => void): boolean {
    if (!this.isDense) {
      this.#openCodes();
      return this.#sparse.forEachRun(visit);
    }
    const { buf, at } = this.bytes;
    for (let i = 0; i < HLL_REGISTERS; i++) visit(i, 1, denseRegister(buf, at, i));
    return true;
  }

  /** The estimate from its registers; undefined if its codes are wrong. */
  estimate(): number | bigint | undefined {
    const counts = this.#counts.fill(0);
    const isSound = this.forEachRun((_first, count, value) => {
      counts[value]! += count;
    });
    return isSound ? estimateElements(counts) : undefined;
  }

  /** Raises each of `registers` to its own value there; false if its codes are wrong. */
  mergeInto(registers: Uint8Array): boolean {
    return this.forEachRun((first, count, value) => {
      if (value === 0) return;
      for (let i = first; i < first + count; i++) if (registers[i]! < value) registers[i] = value;
    });
  }

  #raiseDense(index: number, value: number): HllChange {
    const { buf, at } = this.bytes;
    if (denseRegister(buf, at, index) >= value) return 'unchanged';
    putDenseRegister(buf, at, index, value);
    this.forget();
    return 'changed';
  }

  #openCodes(): void {
    const { buf, at, size } = this.bytes;
    this.#sparse.buf = buf;
    this.#sparse.start = at + HLL_HEADER_BYTES;
    this.#sparse.end = at + size;
  }

  /** Makes it a copy that has room for one more change. */
  #makeRoom(): void {
    const { buf, at, size } = this.bytes;
    const need = size + SPARSE_GROWTH_MAX;
    if (this.isCopy && need <= this.#room.length) return;
    const from = buf.subarray(at, at + size);
    if (need > this.#room.length) this.#room = Buffer.alloc(need * 2);
    this.#room.set(from);
    this.#setBytes(this.#room, 0, size);
    this.isCopy = true;
  }

  #setBytes(buf: Uint8Array, at: number, size: number): void {
    this.bytes.buf = buf;
    this.bytes.at = at;
    this.bytes.size = size;
  }
}

/** The estimate for registers of a byte each, which begin with a whole word of memory. */
export function estimateRegisters(registers: Uint8Array): number | bigint {
  const counts = new Float64Array(HLL_VALUES);
  const words = new Int32Array(registers.buffer, registers.byteOffset, registers.length / 4);
  for (let i = 0; i < words.length; i++) {
    // Most are zero while there are few elements.
    if (words[i] === 0) counts[0]! += 4;
    else for (let k = i * 4; k < i * 4 + 4; k++) counts[registers[k]!]! += 1;
  }
  return estimateElements(counts);
}
