/** SHA-256 (FIPS 180-4), as passwords of the ACL are kept. */
import { sha256Constants } from './sha256-constants.ts';

const BLOCK_BYTES = 64;

/** The digest of the bytes in lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  const { roots, start } = sha256Constants();
  const state = Int32Array.from(start);
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  const bits = bytes.length * 8;
  view.setUint32(padded.length - 8, Math.floor(bits / 2 ** 32));
  view.setUint32(padded.length - 4, bits % 2 ** 32);
  const words = new Int32Array(BLOCK_BYTES);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i);
    addBlock(state, words, roots);
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function addBlock(state: Int32Array, words: Int32Array, roots: Int32Array): void {
  for (let i = 16; i < 64; i++) {
    const before = words[i - 15]!;
    const recent = words[i - 2]!;
    const low = turned(before, 7) ^ turned(before, 18) ^ (before >>> 3);
    const high = turned(recent, 17) ^ turned(recent, 19) ^ (recent >>> 10);
    words[i] = (words[i - 16]! + low + words[i - 7]! + high) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as Eight;
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const sumE = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = (h + sumE + choice + roots[i]! + words[i]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  const sums: Eight = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = (state[i]! + sums[i]!) | 0;
}

type Eight = [number, number, number, number, number, number, number, number];

/** Turned right by so many bits. */
function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
