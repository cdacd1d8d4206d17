import { expect, test } from 'vitest';
import { copyIn } from './copy.ts';

/** Bytes of every kind, so that some eights of them are no number. */
function bytesOf(size: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i % 5 < 3 ? 255 : i * 31 + seed)));
}

const SIZES = Array.from({ length: 40 }, (_, i) => i).concat([255, 256, 257, 300]);

test.each(SIZES)('%d bytes are copied to their place, and none beside them', (size) => {
  // A buffer of which a view is made, another one, the first again, and one that is too large for a view.
  const [first, second, large] = [bytesOf(400, 1), bytesOf(500, 2), bytesOf(300_000, 3)];
  for (const from of [first, second, first, large]) {
    const memory = Buffer.alloc(400, 7);
    const view = new DataView(memory.buffer, memory.byteOffset + 8, 384);
    copyIn(from, 5, view, 3, size);
    const wanted = Buffer.alloc(400, 7);
    from.copy(wanted, 11, 5, 5 + size);
    expect(memory.equals(wanted)).toBe(true);
  }
});

test('a buffer that is a part of another is read at its own place', () => {
  const whole = bytesOf(100, 4);
  const memory = Buffer.alloc(50);
  copyIn(whole.subarray(20, 60), 2, new DataView(memory.buffer, memory.byteOffset, 50), 0, 30);
  expect(memory.subarray(0, 30)).toEqual(whole.subarray(22, 52));
});
