import { expect, test } from 'vitest';
import { Chunks } from './chunks.ts';

test('slabs never share bytes, and a chunk is given back with its last slab', () => {
  const chunks = new Chunks(8);
  const slabs = Array.from({ length: 40 }, () => chunks.take());
  expect(new Set(slabs.map(({ memory, at }) => `${memory.byteLength} ${at}`)).size).toBeGreaterThan(
    16,
  );
  for (const [i, { memory, at }] of slabs.entries()) new Uint8Array(memory, at, 8).fill(i);
  for (const [i, { memory, at }] of slabs.entries()) {
    expect(new Uint8Array(memory, at, 8).every((byte) => byte === i)).toBe(true);
  }
  const kept = slabs.pop()!;
  for (const slab of slabs) chunks.give(slab);
  // What was left of the chunk of the one that stayed is taken first, then new chunks are made, small again.
  const again = Array.from({ length: kept.memory.byteLength / 8 }, () => chunks.take());
  expect(again.slice(0, -1).every(({ memory }) => memory === kept.memory)).toBe(true);
  expect(slabs.some(({ memory }) => memory === again.at(-1)!.memory)).toBe(false);
  chunks.give(kept);
  for (const slab of again) chunks.give(slab);
  expect(chunks.take().memory.byteLength).toBe(8);
});
