/**
 * MurmurHash64A (Austin Appleby, public domain) as HyperLogLogs use it, in two halves of 32 bits, and
 * what becomes of a hash: a register and the length of a run of zeros.
 */
import { readU32 } from '../base/index.ts';

const FACTOR_LOW = 0x5bd1e995;
const FACTOR_HIGH = 0xc6a4a793 | 0;
/** Source: 7.0 hyperloglog.c, hllPatLen(). */
const SEED = 0xadc83b19 | 0;
/** Low bits of a hash that say which register it is for. */
const INDEX_BITS = 14;
/** Bits of a hash in which zeros are counted. */
const RUN_BITS = 50;

/** Hashes elements; the results are fields, so that nothing is allocated. */
export class HllHash {
  low = 0;
  high = 0;
  /** Register that the element is for. */
  index = 0;
  /** One more than the zeros before the first 1, at most 51. */
  run = 0;

  /** Hash of `buf[at, at + size)`, then `index` and `run`. */
  read(buf: Uint8Array, at: number, size: number): void {
    this.#hash(buf, at, size);
    this.index = this.low & ((1 << INDEX_BITS) - 1);
    const first = this.low >>> INDEX_BITS;
    if (first !== 0) this.run = 1 + trailingZeros(first);
    else if (this.high !== 0) this.run = 1 + 32 - INDEX_BITS + trailingZeros(this.high);
    else this.run = 1 + RUN_BITS;
  }

  #hash(buf: Uint8Array, at: number, size: number): void {
    this.low = size;
    this.high = 0;
    this.#multiply();
    let low = this.low ^ SEED;
    let high = this.high;
    const wordsEnd = at + (size & ~7);
    for (let i = at; i < wordsEnd; i += 8) {
      this.low = readU32(buf, i);
      this.high = readU32(buf, i + 4);
      this.#multiply();
      this.low ^= this.high >>> 15;
      this.#multiply();
      this.low ^= low;
      this.high ^= high;
      this.#multiply();
      low = this.low;
      high = this.high;
    }
    this.low = low;
    this.high = high;
    const rest = size & 7;
    if (rest > 0) {
      for (let i = 0; i < rest; i++) {
        const byte = buf[wordsEnd + i]!;
        if (i < 4) this.low ^= byte << (8 * i);
        else this.high ^= byte << (8 * (i - 4));
      }
      this.#multiply();
    }
    this.low ^= this.high >>> 15;
    this.#multiply();
    this.low ^= this.high >>> 15;
  }

  /** Multiplies with the factor, modulo 2^64. */
  #multiply(): void {
    const { low } = this;
    const high = Math.imul(this.high, FACTOR_LOW) + Math.imul(low, FACTOR_HIGH);
    this.high = (high + highProduct(low)) | 0;
    this.low = Math.imul(low, FACTOR_LOW);
  }
}

/** The upper 32 bits of `low` times the factor's lower half, both unsigned. */
function highProduct(low: number): number {
  const low0 = low & 0xffff;
  const low1 = low >>> 16;
  const factor0 = FACTOR_LOW & 0xffff;
  const factor1 = FACTOR_LOW >>> 16;
  const cross = low1 * factor0 + ((low0 * factor0) >>> 16);
  const otherCross = low0 * factor1 + (cross & 0xffff);
  return low1 * factor1 + (cross >>> 16) + (otherCross >>> 16);
}

function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
