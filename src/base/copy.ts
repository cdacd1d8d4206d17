/** Copying a few bytes from one buffer to another. */

/** Above this many bytes the engine's own copy is faster, though it makes a view. */
const SHORT_BYTES = 100;

/**
 * Copies `size` bytes between ranges that do not overlap. Eight at a time: that halves the time of
 * a plain loop, and values of some ten bytes are what most replies are made of.
 */
export function copyBytes(
  from: Uint8Array,
  at: number,
  to: Uint8Array,
  toAt: number,
  size: number,
): void {
  if (size > SHORT_BYTES) {
    to.set(from.subarray(at, at + size), toAt);
    return;
  }
  let i = 0;
  for (; i + 8 <= size; i += 8) {
    const a = at + i;
    const b = toAt + i;
    to[b] = from[a]!;
    to[b + 1] = from[a + 1]!;
    to[b + 2] = from[a + 2]!;
    to[b + 3] = from[a + 3]!;
    to[b + 4] = from[a + 4]!;
    to[b + 5] = from[a + 5]!;
    to[b + 6] = from[a + 6]!;
    to[b + 7] = from[a + 7]!;
  }
  for (; i < size; i++) to[toAt + i] = from[at + i]!;
}

/** Zeros in `bytes[at, end)`. */
export function clearBytes(bytes: Uint8Array, at: number, end: number): void {
  if (end - at > SHORT_BYTES) bytes.fill(0, at, end);
  else for (let i = at; i < end; i++) bytes[i] = 0;
}
