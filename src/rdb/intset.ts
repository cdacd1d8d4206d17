/**
 * Intset: sorted integers in one piece of bytes. Bytes of an element (2, 4 or 8) and number of
 * elements, 4 bytes each; the elements; all little-endian. Every element has the width that the
 * widest one ever needed. Source: checked against DUMP of redis-server 7.0.15.
 *
 * Functions here trust their bytes: what comes from outside goes through `isIntsetSound` first.
 */
import { readU32, writeU32 } from '../base/index.ts';

export const INTSET_HEADER_BYTES = 8;
const NARROW_BYTES = 2;
const TWO_32 = 0x1_0000_0000;
/** High words of the 64-bit integers that may be safe ones. */
const SAFE_HIGH = 0x20_0000;

/** Bytes that an element of this value needs: 2, 4 or 8. */
export function intsetWidthFor(value: number | bigint): number {
  if (value >= -0x8000 && value < 0x8000) return NARROW_BYTES;
  return value >= -0x8000_0000 && value < 0x8000_0000 ? 4 : 8;
}

/** Bytes of each element of the intset at `at`. */
export function intsetWidth(buf: Uint8Array, at: number): number {
  return buf[at]!;
}

/** Number of elements of the intset at `at`. */
export function intsetCount(buf: Uint8Array, at: number): number {
  return readU32(buf, at + 4);
}

/** Writes the header: bytes of an element and number of elements. */
export function writeIntsetHeader(buf: Uint8Array, at: number, width: number, count: number): void {
  writeU32(buf, at, width);
  writeU32(buf, at + 4, count);
}

/** Element `index` of elements of `width` bytes; a `bigint` only beyond the safe integers. */
export function intsetGet(
  buf: Uint8Array,
  at: number,
  width: number,
  index: number,
): number | bigint {
  const from = at + INTSET_HEADER_BYTES + index * width;
  if (width === NARROW_BYTES) return ((buf[from]! | (buf[from + 1]! << 8)) << 16) >> 16;
  const low = readU32(buf, from);
  if (width === 4) return low | 0;
  const high = readU32(buf, from + 4) | 0;
  if (high >= -SAFE_HIGH && high < SAFE_HIGH) {
    const value = high * TWO_32 + low;
    if (Number.isSafeInteger(value)) return value;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Writes element `index`; `value` fits `width`. */
export function intsetPut(
  buf: Uint8Array,
  at: number,
  width: number,
  index: number,
  value: number | bigint,
): void {
  const to = at + INTSET_HEADER_BYTES + index * width;
  if (width < 8) {
    const bits = Number(value);
    buf[to] = bits;
    buf[to + 1] = bits >>> 8;
    if (width === 4) {
      buf[to + 2] = bits >>> 16;
      buf[to + 3] = bits >>> 24;
    }
    return;
  }
  const isWide = typeof value === 'bigint';
  writeU32(buf, to, isWide ? Number(value & 0xffff_ffffn) : value >>> 0);
  writeU32(buf, to + 4, isWide ? Number(value >> 32n) : Math.floor(value / TWO_32));
}

/** Index of `value`, or -1 minus the index where it would go. */
export function intsetFind(buf: Uint8Array, at: number, value: number | bigint): number {
  const width = buf[at]!;
  let low = 0;
  let high = intsetCount(buf, at);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = intsetGet(buf, at, width, middle);
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

/** Whether bytes from a stranger are an intset: a known width, sizes that agree, elements that rise. */
export function isIntsetSound(buf: Uint8Array, at: number, size: number): boolean {
  if (size < INTSET_HEADER_BYTES) return false;
  const width = readU32(buf, at);
  const count = intsetCount(buf, at);
  if (width !== NARROW_BYTES && width !== 4 && width !== 8) return false;
  if (count === 0 || size !== INTSET_HEADER_BYTES + count * width) return false;
  for (let i = 1; i < count; i++) {
    if (intsetGet(buf, at, width, i - 1) >= intsetGet(buf, at, width, i)) return false;
  }
  return true;
}
