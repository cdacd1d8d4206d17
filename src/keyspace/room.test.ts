/** A database has an end, and it is seen before it is reached. */
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { Arena, type Ref, SLAB_SHIFT } from './arena.ts';
import { Keyspace } from './keyspace.ts';
import { SpareChunks } from './chunks.ts';
import { HeapRoom, SLAB_BYTES } from './pages.ts';

const NO_HOOKS = {
  expired: () => undefined,
  touched: () => undefined,
  replaced: () => undefined,
  ready: () => undefined,
  rubbish: () => undefined,
};

test('large blocks share slabs once many have one each', () => {
  const room = new HeapRoom(256);
  const arena = new Arena(undefined, room);
  const refs: Ref[] = [];
  const size = 300_000;
  while (room.crampedCount === 0) refs.push(arena.alloc(size));
  // A quarter of the slabs holds one block each, the others two; the last eight stay.
  expect(refs.length).toBe(64 + 2 * (256 - 64 - 8) - 1);
  expect(refs.slice(0, 64).map((ref) => arena.capacity(ref))).toEqual(Array(64).fill(size));
  expect(arena.isFull).toBe(false);
  for (const [i, ref] of refs.entries()) arena.u8[ref >>> SLAB_SHIFT]![0] = i & 255;
  for (const ref of refs) arena.free(ref);
  expect([arena.usedBytes, room.crampedCount]).toEqual([0, 0]);
});

test('blocks do not overlap, whichever way they are made', () => {
  const arena = new Arena(undefined, new HeapRoom(32));
  const sizes = [300_000, 262_145, 700_000, SLAB_BYTES, SLAB_BYTES + 8, 1_500_000, 262_144];
  const blocks = Array.from({ length: 21 }, (_, i) => {
    const size = sizes[i % sizes.length]!;
    const ref = arena.alloc(size);
    const at = (ref & 0x1ffff) << 3;
    arena.u8[ref >>> SLAB_SHIFT]!.fill(i + 1, at, at + size);
    return { ref, size, at };
  });
  for (const [i, { ref, size, at }] of blocks.entries()) {
    expect(arena.capacity(ref)).toBeGreaterThanOrEqual(size);
    const bytes = arena.u8[ref >>> SLAB_SHIFT]!.subarray(at, at + size);
    expect(bytes.every((byte) => byte === i + 1)).toBe(true);
  }
  for (const { ref } of blocks) arena.free(ref);
  expect(arena.usedBytes).toBe(0);
});

test('a keyspace is cramped as long as one of its databases is', () => {
  const keyspace = new Keyspace({ rng: seededRng(1), hooks: NO_HOOKS, slabCountMax: 256 });
  const fill = (index: number, until: () => boolean): void => {
    const db = keyspace.db(index);
    for (let i = 0; !until(); i++) {
      const key = Buffer.from(`key:${i}`);
      db.setString(key, 0, key.length, VALUE);
    }
  };
  expect([keyspace.isCramped, keyspace.isFull]).toEqual([false, false]);
  fill(3, () => keyspace.isCramped);
  expect(keyspace.isFull).toBe(false);
  fill(5, () => keyspace.isFull);
  keyspace.db(3).flush();
  expect([keyspace.isCramped, keyspace.isFull]).toEqual([true, true]);
  keyspace.db(5).flush();
  expect([keyspace.isCramped, keyspace.isFull]).toEqual([false, false]);
});

test('the room comes along with the data of another keyspace', () => {
  const options = { rng: seededRng(1), hooks: NO_HOOKS, slabCountMax: 256 };
  const [keyspace, aside] = [new Keyspace(options), new Keyspace(options)];
  for (let i = 0; !aside.isCramped; i++) {
    const key = Buffer.from(`key:${i}`);
    aside.db(0).setString(key, 0, key.length, VALUE);
  }
  keyspace.replaceWith(aside);
  expect([keyspace.isCramped, aside.isCramped]).toEqual([true, false]);
  keyspace.db(0).flush();
  expect(keyspace.isCramped).toBe(false);
});

const bytes = Buffer.alloc(300_000);
const VALUE = { buf: bytes, at: 0, size: bytes.length };

test('a large block that goes leaves its memory to the next one of about its size', () => {
  const spare = new SpareChunks();
  const arena = new Arena(spare);
  const first = arena.alloc(400_000);
  const memory = arena.u8[first >>> SLAB_SHIFT]!.buffer;
  arena.free(first);
  for (const [size, isAgain] of [
    [399_000, true],
    [300_000, false],
    [360_000, true],
    [400_008, false],
  ] as const) {
    const ref = arena.alloc(size);
    expect(arena.u8[ref >>> SLAB_SHIFT]!.buffer === memory).toBe(isAgain);
    if (isAgain) expect([arena.capacity(ref), arena.usedBytes]).toEqual([400_000, 400_000]);
    arena.free(ref);
    expect(arena.usedBytes).toBe(0);
  }
  // Memory as long as a slab that is cut is no such slab.
  arena.free(arena.alloc(SLAB_BYTES));
  const odd = arena.alloc(SLAB_BYTES - 8);
  expect(arena.u8[odd >>> SLAB_SHIFT]!.byteLength).toBe(SLAB_BYTES);
  const small = arena.alloc(8);
  arena.free(odd);
  expect([arena.capacity(small), arena.usedBytes]).toEqual([8, 8]);
});
