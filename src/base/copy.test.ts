import { expect, test } from 'vitest';
import { copyIn } from './copy.ts';

/** Bytes of every kind, so that some eights of them are no number. */
function bytesOf(size: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i % 5 < 3 ? 255 : i * 31 + seed)));
}

const SIZES = Array.from({ length: 40 }, (_, i) => i).concat([255, 256, 257, 300]);

test.each(SIZES)('%d bytes are copied to their place, and none beside them', (size) => {
  // A buffer of which a view is made in the end, another one, the first again, and one that is too large for a view.
  const [first, second, large] = [bytesOf(400, 1), bytesOf(500, 2), bytesOf(300_000, 3)];
  const often = Array.from({ length: 20 }, () => first);
  for (const from of [...often, second, first, ...often.map(() => large), second]) {
    const memory = Buffer.alloc(400, 7);
    const view = new DataView(memory.buffer, memory.byteOffset + 8, 384);
    copyIn(from, 5, memory.subarray(8, 392), view, 3, size);
    const wanted = Buffer.alloc(400, 7);
    from.copy(wanted, 11, 5, 5 + size);
    expect(memory.equals(wanted)).toBe(true);
  }
});

test('a buffer that is a part of another is read at its own place', () => {
  const whole = bytesOf(100, 4);
  const memory = Buffer.alloc(50);
  const view = new DataView(memory.buffer, memory.byteOffset, 50);
  const part = whole.subarray(20, 60);
  for (let i = 0; i < 20; i++) copyIn(part, 2, memory, view, 0, 30);
  expect(memory.subarray(0, 30)).toEqual(whole.subarray(22, 52));
});
