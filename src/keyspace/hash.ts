/**
 * The seeded 32-bit hash of keys: HalfSipHash-1-3 (Aumasson and Bernstein), so that a client who
 * does not know the seed cannot choose keys that collide.
 */
import type { Rng } from '../base/index.ts';

const INIT_V2 = 0x6c796765;
const INIT_V3 = 0x74656462;

/** One seed's hash function. */
export class KeyHash {
  readonly #k0: number;
  readonly #k1: number;

  constructor(rng: Rng) {
    this.#k0 = rng.below(0x1_0000_0000) | 0;
    this.#k1 = rng.below(0x1_0000_0000) | 0;
  }

  /** Hash of `buf[at, at + size)` as a signed 32-bit integer. */
  hash(buf: Uint8Array, at: number, size: number): number {
    // As 32-bit integers from the start: the compiler would add as doubles what it does not know to be small.
    let v0 = this.#k0 | 0;
    let v1 = this.#k1 | 0;
    let v2 = INIT_V2 ^ v0;
    let v3 = INIT_V3 ^ v1;
    const end = at + size;
    const wordsEnd = at + (size & ~3);
    let isLast = false;
    for (let i = at; !isLast; i += 4) {
      let word: number;
      if (i < wordsEnd) {
        word = buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
      } else {
        word = size << 24;
        if (i < end) word |= buf[i]!;
        if (i + 1 < end) word |= buf[i + 1]! << 8;
        if (i + 2 < end) word |= buf[i + 2]! << 16;
        isLast = true;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    v2 ^= 0xff;
    for (let round = 0; round < 3; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    return v1 ^ v3;
  }
}
