/** SHA-1 (FIPS 180-4). It marks data as the same or not; it protects nothing. */

/** Bytes of a digest. */
export const SHA1_BYTES = 20;

const BLOCK_BYTES = 64;
const INITIAL_STATE: readonly number[] = [
  0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0,
];

/** The digest of the bytes. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(SHA1_BYTES);
  new Sha1().digest(bytes, 0, bytes.length, digest);
  return digest;
}

/** Computes digests one after the other without allocation. */
export class Sha1 {
  readonly #state: Int32Array = new Int32Array(5);
  readonly #words: Int32Array = new Int32Array(80);
  /** The last bytes with what follows them: the mark, zeros, the number of bits. */
  readonly #tail: Uint8Array = new Uint8Array(2 * BLOCK_BYTES);

  /** Writes the digest of `buf[at, at + size)` to the start of `out`, which may be `buf` itself. */
  digest(buf: Uint8Array, at: number, size: number, out: Uint8Array): void {
    const state = this.#state;
    state.set(INITIAL_STATE);
    const end = at + size;
    let from = at;
    for (; from + BLOCK_BYTES <= end; from += BLOCK_BYTES) this.#block(buf, from);
    const tail = this.#tail;
    tail.fill(0);
    for (let i = from; i < end; i++) tail[i - from] = buf[i]!;
    tail[end - from] = 0x80;
    const tailBytes = end - from + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    const bits = size * 8;
    putWord(tail, tailBytes - 8, Math.floor(bits / 2 ** 32));
    putWord(tail, tailBytes - 4, bits % 2 ** 32);
    for (let i = 0; i < tailBytes; i += BLOCK_BYTES) this.#block(tail, i);
    for (let i = 0; i < 5; i++) putWord(out, i * 4, state[i]!);
  }

  #block(buf: Uint8Array, from: number): void {
    const words = this.#words;
    for (let i = 0, at = from; i < 16; i++, at += 4) {
      words[i] = (buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!;
    }
    addBlock(this.#state, words);
  }
}

function putWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}

function addBlock(state: Int32Array, words: Int32Array): void {
  for (let i = 16; i < 80; i++) {
    words[i] = rotated(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let i = 0; i < 80; i++) {
    const next = (rotated(a, 5) + mixed(i, b, c, d) + e + words[i]!) | 0;
    e = d;
    d = c;
    c = rotated(b, 30);
    b = a;
    a = next;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}

/** Function and constant of the round, added. */
function mixed(round: number, b: number, c: number, d: number): number {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
