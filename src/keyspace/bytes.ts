/** Reading, writing and copying unaligned bytes. */

/** Below this many bytes a loop beats the engine's own copy. */
const SHORT_COPY = 48;

/** Copies `size` bytes; the ranges do not overlap. */
export function copyBytes(
  from: Uint8Array,
  at: number,
  to: Uint8Array,
  toAt: number,
  size: number,
): void {
  if (size <= SHORT_COPY) for (let i = 0; i < size; i++) to[toAt + i] = from[at + i]!;
  else to.set(from.subarray(at, at + size), toAt);
}

/** The unsigned little-endian number of four bytes. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

/** Writes the low 32 bits of `value`, little-endian. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
