/**
 * LZF, the light compression of strings in RDB. A stream of two kinds of item: a control byte below 32 announces
 * control + 1 literal bytes; any other is a copy of earlier output, with its length in the top three bits (7 means one
 * more byte of length) and a 13-bit distance.
 */

const LITERALS_MAX = 32;
const DISTANCE_LIMIT = 1 << 13;
const MATCH_SIZE_MAX = 264;
const MATCH_SIZE_MIN = 3;
const HASH_BITS = 14;
/** Positions are kept as offsets from a base that grows, so that the table need not be cleared per string. */
const BASE_LIMIT = 1 << 30;

/** Compresses strings one after another; keeps one table of 64 KB for all of them. */
export class LzfCompressor {
  readonly #seen: Int32Array = new Int32Array(1 << HASH_BITS);
  #base = 1;

  /**
   * Compresses `input[at, at + size)` into `out` from `outAt` on.
   * @returns the compressed size, or 0 when it would exceed `outSizeMax` bytes
   */
  compress(
    input: Uint8Array,
    at: number,
    size: number,
    out: Uint8Array,
    outAt: number,
    outSizeMax: number,
  ): number {
    if (this.#base + size >= BASE_LIMIT) {
      this.#seen.fill(0);
      this.#base = 1;
    }
    const shift = this.#base - at;
    this.#base += size;
    const seen = this.#seen;
    const end = at + size;
    const oldest = shift + at;
    const outEnd = outAt + outSizeMax;
    let literalsFrom = at;
    let i = at;
    let to = outAt;
    while (i + MATCH_SIZE_MIN <= end) {
      const hash = hash3(input, i);
      const candidate = seen[hash]!;
      seen[hash] = shift + i;
      const from = candidate - shift;
      if (candidate < oldest || i - from > DISTANCE_LIMIT || !same3(input, from, i)) {
        i++;
        continue;
      }
      to = putLiterals(input, literalsFrom, i, out, to, outEnd);
      if (to < 0 || to + 3 > outEnd) return 0;
      const matched = matchSize(input, from, i, Math.min(end - i, MATCH_SIZE_MAX));
      to = putCopy(out, to, matched, i - from - 1);
      i += matched;
      literalsFrom = i;
    }
    to = putLiterals(input, literalsFrom, end, out, to, outEnd);
    return to < 0 ? 0 : to - outAt;
  }
}

function hash3(input: Uint8Array, i: number): number {
  const word = (input[i]! << 16) | (input[i + 1]! << 8) | input[i + 2]!;
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

function same3(input: Uint8Array, a: number, b: number): boolean {
  return input[a] === input[b] && input[a + 1] === input[b + 1] && input[a + 2] === input[b + 2];
}

function matchSize(input: Uint8Array, from: number, i: number, sizeMax: number): number {
  let size = MATCH_SIZE_MIN;
  while (size < sizeMax && input[from + size] === input[i + size]) size++;
  return size;
}

function putCopy(out: Uint8Array, at: number, size: number, distance: number): number {
  let to = at;
  const code = size - 2;
  if (code < 7) {
    out[to++] = (code << 5) | (distance >> 8);
  } else {
    out[to++] = (7 << 5) | (distance >> 8);
    out[to++] = code - 7;
  }
  out[to++] = distance & 255;
  return to;
}

/** Writes `input[from, end)` as runs of literals; -1 when they do not fit. */
function putLiterals(
  input: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  at: number,
  outEnd: number,
): number {
  let to = at;
  for (let i = from; i < end;) {
    const count = Math.min(end - i, LITERALS_MAX);
    if (to + 1 + count > outEnd) return -1;
    out[to++] = count - 1;
    for (let k = 0; k < count; k++) out[to++] = input[i++]!;
  }
  return to;
}

/**
 * Expands `input[at, at + size)` into `out[0, outSize)`.
 * @returns whether the input was sound and filled the output exactly; any bytes are safe to give
 */
export function lzfDecompress(
  input: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outSize: number,
): boolean {
  const end = at + size;
  let i = at;
  let to = 0;
  while (i < end) {
    const control = input[i++]!;
    if (control < LITERALS_MAX) {
      const count = control + 1;
      if (i + count > end || to + count > outSize) return false;
      for (let k = 0; k < count; k++) out[to++] = input[i++]!;
      continue;
    }
    let count = control >> 5;
    if (count === 7) {
      if (i >= end) return false;
      count += input[i++]!;
    }
    if (i >= end) return false;
    let from = to - (((control & 31) << 8) | input[i++]!) - 1;
    count += 2;
    if (from < 0 || to + count > outSize) return false;
    for (let k = 0; k < count; k++) out[to++] = out[from++]!;
  }
  return to === outSize;
}
