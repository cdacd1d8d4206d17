/** The arena against a list of the blocks it has given out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena, NONE, type Ref, SLAB_SHIFT, UNIT_MASK, blockBytes } from './arena.ts';

const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 300, max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 1_100_000 }) },
);

test('blocks never overlap, keep their bytes, and all bytes come back', () => {
  const step = fc.record({ size: sizes, times: fc.integer({ min: 1, max: 60 }), drop: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const arena = new Arena();
      const blocks: { ref: Ref; size: number; mark: number }[] = [];
      let mark = 0;
      const check = (block: { ref: Ref; size: number; mark: number }): void => {
        const bytes = arena.u8[block.ref >>> SLAB_SHIFT]!;
        const at = (block.ref & UNIT_MASK) << 3;
        expect([bytes[at], bytes[at + block.size - 1]]).toEqual([block.mark, block.mark]);
        expect(bytes.subarray(at, at + block.size).every((byte) => byte === block.mark)).toBe(true);
        arena.free(block.ref);
      };
      for (const { size, times, drop } of steps) {
        for (let i = size > 20_000 ? times - 2 : 0; i < times; i++) {
          const ref = arena.alloc(size);
          expect(ref).not.toBe(NONE);
          expect(arena.capacity(ref)).toBe(blockBytes(size));
          mark = (mark + 1) & 255;
          const at = (ref & UNIT_MASK) << 3;
          arena.u8[ref >>> SLAB_SHIFT]!.fill(mark, at, at + size);
          blocks.push({ ref, size, mark });
        }
        for (let i = drop % (blocks.length + 1); i > 0; i--) {
          check(blocks.splice((drop * i) % blocks.length, 1)[0]!);
        }
      }
      for (const block of blocks) check(block);
      expect(arena.usedBytes).toBe(0);
      expect(arena.reservedBytes).toBeLessThan(6 << 20);
    }),
    { seed: 3, numRuns: 25 },
  );
});

test('a block wastes at most an eighth above 128 bytes and seven bytes below', () => {
  for (let size = 1; size <= 16_384; size++) {
    const waste = blockBytes(size) - size;
    expect(waste >= 0 && waste <= Math.max(7, size / 8)).toBe(true);
  }
});

test('pages that one size has left are taken by another', () => {
  const arena = new Arena();
  const fill = (size: number): Ref[] => Array.from({ length: 4e6 / size }, () => arena.alloc(size));
  const small = fill(24);
  const reserved = arena.reservedBytes;
  for (const ref of small) arena.free(ref);
  for (const ref of fill(56)) arena.free(ref);
  for (const ref of fill(3000)) arena.free(ref);
  expect(arena.reservedBytes).toBeLessThanOrEqual(reserved + (1 << 20));
});
