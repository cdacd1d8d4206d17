import { expect, test } from 'vitest';
import { touchMemory } from './touch-memory.ts';

test('memory is touched a byte a place, later', async () => {
  const memory = new Uint8Array(3 * 4096).fill(7);
  const places = [0, 1, 2].map((i) => memory.subarray(4096 * i, 4096 * i + 1));
  let isDone = false;
  await new Promise<void>((resolve) => {
    touchMemory(places, () => {
      isDone = true;
      resolve();
    });
    expect(isDone).toBe(false);
  });
  // Zeros where there is a file of them, else nothing; never anything beside.
  expect(new Set(places.map(([byte]) => byte)).size).toBe(1);
  expect(memory.reduce((sum, byte) => sum + byte, 0)).toBe(7 * 3 * 4096 - (7 - memory[0]!) * 3);
});
