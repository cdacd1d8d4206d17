/** Reading, writing and copying unaligned bytes. */
export { readU32, writeU32 } from '../base/index.ts';

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
