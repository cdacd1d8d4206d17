/**
 * LZF, the light compression of strings in RDB. A stream of two kinds of item: a control byte below 32 announces
 * control + 1 literal bytes; any other is a copy of earlier output, with its length in the top three bits (7 means one
 * more byte of length) and a 13-bit distance.
 */

const LITERALS_SHIFT = 5;
const LITERALS_MAX: number = 1 << LITERALS_SHIFT;
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
    // `| 0` says that these stay small: without it each sum is looked at for having outgrown 32 bits, a third of the time.
    const shift = (this.#base - at) | 0;
    this.#base += size;
    const seen = this.#seen;
    const end = (at + size) | 0;
    const last = (end - MATCH_SIZE_MIN) | 0;
    const oldest = (shift + at) | 0;
    const outEnd = (outAt + outSizeMax) | 0;
    let literalsFrom = at;
    let i = at | 0;
    let to = outAt;
    let word = size < 2 ? 0 : firstTwo(input, i);
    while (i <= last) {
      word = ((word << 8) | input[(i + 2) | 0]!) & 0xff_ffff;
      const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
      const candidate = seen[hash]!;
      const here = (shift + i) | 0;
      seen[hash] = here;
      // In two steps: as one condition all of it takes a fifth longer.
      if (candidate < oldest || ((here - candidate) | 0) > DISTANCE_LIMIT) {
        i = (i + 1) | 0;
        continue;
      }
      const from = (candidate - shift) | 0;
      if (!same3(input, from, i)) {
        i = (i + 1) | 0;
        continue;
      }
      to = putLiterals(input, literalsFrom, i, out, to, outEnd);
      if (to < 0 || to + 3 > outEnd) return 0;
      const matched = matchSize(input, from, i, Math.min(end - i, MATCH_SIZE_MAX));
      to = putCopy(out, to, matched, i - from - 1);
      i = (i + matched) | 0;
      if (i <= last) word = firstTwo(input, i);
      literalsFrom = i;
    }
    to = putLiterals(input, literalsFrom, end, out, to, outEnd);
    return to < 0 ? 0 : to - outAt;
  }
}

function firstTwo(input: Uint8Array, i: number): number {
  return (input[i]! << 8) | input[i + 1]!;
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

/** Writes `input[from, end)` as runs of literals; -1 and nothing when they do not fit. */
function putLiterals(
  input: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  at: number,
  outEnd: number,
): number {
  const size = end - from;
  if (size + ((size + LITERALS_MAX - 1) >> LITERALS_SHIFT) > outEnd - at) return -1;
  let to = at;
  for (let i = from; i < end;) {
    const count = Math.min(end - i, LITERALS_MAX);
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
      const runEnd = (i + control + 1) | 0;
      if (runEnd > end || to + control >= outSize) return false;
      for (; i < runEnd; i = (i + 1) | 0, to = (to + 1) | 0) out[to] = input[i]!;
      continue;
    }
    let count = control >> 5;
    if (count === 7) {
      if (i >= end) return false;
      count += input[i++]!;
    }
    if (i >= end) return false;
    const distance = (((control & 31) << 8) | input[i++]!) + 1;
    const copyEnd = (to + count + 2) | 0;
    if (distance > to || copyEnd > outSize) return false;
    for (; to < copyEnd; to = (to + 1) | 0) out[to] = out[(to - distance) | 0]!;
  }
  return to === outSize;
}
