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

/** Up to so many bytes go through views. */
const VIEWED_COPY_BYTES = 256;
/** Larger buffers are not remembered, as they would be kept. */
const REMEMBERED_BYTES = 262_144;
/** So many copies in a row out of one buffer make it worth a view. */
const COPIES_BEFORE_VIEW = 16;

// What `copyIn` has a view of: mostly the buffer that all connections read into. And the buffer that came last besides.
let viewedBuf: Uint8Array = new Uint8Array(0);
let viewOfIt: DataView = new DataView(viewedBuf.buffer);
let otherBuf: Uint8Array = viewedBuf;
let copiesOfOther = 0;

/**
 * Copies `size` bytes into a buffer of which a view is at hand: eight bytes a step take half the time of `copyBytes`, where
 * each byte has its place checked twice.
 */
export function copyIn(
  from: Uint8Array,
  at: number,
  to: Uint8Array,
  view: DataView,
  toAt: number,
  size: number,
): void {
  const isViewed =
    size >= 8 && size <= VIEWED_COPY_BYTES && (from === viewedBuf || comesAgain(from));
  if (isViewed) copyEights(viewOfIt, at, view, toAt, size);
  else copyBytes(from, at, to, toAt, size);
}

/** Whether a buffer has come often enough, in a row, that there is a view of it from now on. */
function comesAgain(from: Uint8Array): boolean {
  if (from.length > REMEMBERED_BYTES) return false;
  if (from !== otherBuf) {
    otherBuf = from;
    copiesOfOther = 0;
  }
  if (++copiesOfOther < COPIES_BEFORE_VIEW) return false;
  viewedBuf = from;
  viewOfIt = new DataView(from.buffer, from.byteOffset, from.length);
  return true;
}

/** Copies eight bytes or more between two views: the last eight again, if need be, instead of what is left one by one. */
function copyEights(from: DataView, at: number, to: DataView, toAt: number, size: number): void {
  const last = size - 8;
  for (let i = 0; ; i = Math.min(i + 8, last)) {
    copyEight(from, at + i, to, toAt + i);
    if (i === last) return;
  }
}

/** Copies eight bytes. */
export function copyEight(from: DataView, at: number, to: DataView, toAt: number): void {
  const eight = from.getFloat64(at, true);
  if (eight === eight) to.setFloat64(toAt, eight, true);
  else {
    // The engine may change the bits of what is not a number.
    to.setInt32(toAt, from.getInt32(at, true), true);
    to.setInt32(toAt + 4, from.getInt32(at + 4, true), true);
  }
}

/** Zeros in `bytes[at, end)`. */
export function clearBytes(bytes: Uint8Array, at: number, end: number): void {
  if (end - at > SHORT_BYTES) bytes.fill(0, at, end);
  else for (let i = at; i < end; i++) bytes[i] = 0;
}
