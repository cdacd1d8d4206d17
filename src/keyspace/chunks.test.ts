import { expect, test } from 'vitest';
import { Chunks, SpareChunks } from './chunks.ts';

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

test('chunks of who retired serve the next one in the same sizes, until they are let go', () => {
  const spare = new SpareChunks();
  const first = new Chunks(8, spare);
  const old = new Set(Array.from({ length: 20 }, () => first.take().memory));
  first.retire();
  const second = new Chunks(8, spare);
  const again = Array.from({ length: 20 }, () => second.take());
  expect(new Set(again.map(({ memory }) => memory))).toEqual(old);
  expect(new Set(again.map(({ memory, at }) => `${memory.byteLength} ${at}`)).size).toBe(19);
  // Each chunk has one owner: nothing is left for a third.
  expect(old.has(new Chunks(8, spare).take().memory)).toBe(false);
  // What is given back slab by slab is not the next one's.
  for (const slab of again) second.give(slab);
  second.retire();
  expect(old.has(new Chunks(8, spare).take().memory)).toBe(false);
  const third = new Chunks(8, spare);
  const { memory } = third.take();
  third.retire();
  spare.clear();
  expect(new Chunks(8, spare).take().memory).not.toBe(memory);
});

test('no more than 64 MiB are kept', () => {
  const spare = new SpareChunks();
  const chunks = new Chunks(2 ** 25, spare);
  const taken = Array.from({ length: 4 }, () => chunks.take().memory);
  expect(taken.map(({ byteLength }) => byteLength / 2 ** 25)).toEqual([1, 1, 2, 2]);
  chunks.retire();
  expect([2 ** 25, 2 ** 25, 2 ** 26].map((size) => spare.take(size) !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
});
