/** Long strings as words of 32 bits, for what takes all of their bits. */
import type { BytesView } from '../keyspace/index.ts';

/** Below this many bytes a view of words costs more than it saves. */
const LONG_BYTES = 256;
const WORD_BYTES = 4;

/** Set bits of each byte. */
const ONES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => onesOf(byte));

/** The words of a long range of bytes; undefined where it is short or does not begin with a whole word. */
export function wordsOf(buf: Uint8Array, at: number, size: number): Int32Array | undefined {
  const start = buf.byteOffset + at;
  if (size < LONG_BYTES || start % WORD_BYTES !== 0) return undefined;
  return new Int32Array(buf.buffer, start, Math.floor(size / WORD_BYTES));
}

/** How many bits are set in the bytes [start, end) of a string. */
export function countOnes({ buf, at }: BytesView, start: number, end: number): number {
  const last = at + end;
  let from = at + start;
  let count = 0;
  for (; (buf.byteOffset + from) % WORD_BYTES !== 0 && from < last; from++) {
    count += ONES[buf[from]!]!;
  }
  const words = wordsOf(buf, from, last - from);
  if (words !== undefined) {
    count += onesOfWords(words);
    from += words.length * WORD_BYTES;
  }
  for (; from < last; from++) count += ONES[buf[from]!]!;
  return count;
}

/** The first of the bytes [start, end) of a string that is not `byte`, which is 0 or 255; `end` if there is none. */
export function firstOther(
  { buf, at }: BytesView,
  byte: number,
  start: number,
  end: number,
): number {
  const last = at + end;
  let from = at + start;
  for (; (buf.byteOffset + from) % WORD_BYTES !== 0 && from < last; from++) {
    if (buf[from] !== byte) return from - at;
  }
  const words = wordsOf(buf, from, last - from);
  if (words !== undefined) from += equalWords(words, byte) * WORD_BYTES;
  while (from < last && buf[from] === byte) from++;
  return from - at;
}

/** How many of the first words consist of `byte` (0 or 255), up to three fewer than there are. */
function equalWords(words: Int32Array, byte: number): number {
  const flip = byte === 0 ? 0 : -1;
  let i = 0;
  for (; i + 4 <= words.length; i += 4) {
    const first = (words[i]! ^ flip) | (words[i + 1]! ^ flip);
    if ((first | (words[i + 2]! ^ flip) | (words[i + 3]! ^ flip)) !== 0) break;
  }
  return i;
}

/** How many bits of a word are set. */
export function onesOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/**
 * Set bits of words, by adders that keep a carry (Harley and Seal): eight words are added bit by bit to what is left of
 * those before, and only what carries over into eights is counted.
 */
function onesOfWords(words: Int32Array): number {
  const end = words.length - (words.length % 8);
  let ones = 0;
  let twos = 0;
  let fours = 0;
  let eights = 0;
  for (let i = 0; i < end; i += 8) {
    let sum = ones ^ words[i]!;
    const twosA = (ones & words[i]!) | (sum & words[i + 1]!);
    ones = sum ^ words[i + 1]!;
    sum = ones ^ words[i + 2]!;
    const twosB = (ones & words[i + 2]!) | (sum & words[i + 3]!);
    ones = sum ^ words[i + 3]!;
    sum = ones ^ words[i + 4]!;
    const twosC = (ones & words[i + 4]!) | (sum & words[i + 5]!);
    ones = sum ^ words[i + 5]!;
    sum = ones ^ words[i + 6]!;
    const twosD = (ones & words[i + 6]!) | (sum & words[i + 7]!);
    ones = sum ^ words[i + 7]!;
    sum = twos ^ twosA;
    const foursA = (twos & twosA) | (sum & twosB);
    twos = sum ^ twosB;
    sum = twos ^ twosC;
    const foursB = (twos & twosC) | (sum & twosD);
    twos = sum ^ twosD;
    sum = fours ^ foursA;
    eights += onesOf((fours & foursA) | (sum & foursB));
    fours = sum ^ foursB;
  }
  let count = eights * 8 + onesOf(fours) * 4 + onesOf(twos) * 2 + onesOf(ones);
  for (let i = end; i < words.length; i++) count += onesOf(words[i]!);
  return count;
}
