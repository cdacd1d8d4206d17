import { expect, test } from 'vitest';
import { Chunks, SpareChunks } from './chunks.ts';
import { PageHeap, SLAB_BYTES } from './pages.ts';
import { SlabsAhead } from './slabs-ahead.ts';

/** What was asked of the system, until it answers. */
class SlowSystem {
  readonly asked: { readonly bytes: readonly Uint8Array[]; readonly done: () => void }[] = [];

  readonly touch = (bytes: readonly Uint8Array[], done: () => void): void => {
    this.asked.push({ bytes, done });
  };

  /** As a read of zeros does it. */
  answer(): void {
    for (const { bytes, done } of this.asked.splice(0)) {
      for (const byte of bytes) byte.fill(0);
      done();
    }
  }
}

test('nobody has a slab while the system writes to it', () => {
  const system = new SlowSystem();
  const heap = new PageHeap();
  const taken: number[] = [];
  for (let i = 0; i < 300; i++) {
    heap.growAhead(system.touch);
    const slab = heap.takeRun(256) >>> 8;
    heap.u8[slab]![0] = 1 + (i % 200);
    taken.push(slab);
    if (i % 5 === 4) system.answer();
  }
  system.answer();
  expect(new Set(taken).size).toBe(300);
  for (const [i, slab] of taken.entries()) {
    expect(heap.u8[slab]![0]).toBe(1 + (i % 200));
  }
});

test('no more than eight are ahead, none of little data, and what nobody needed goes back', () => {
  const system = new SlowSystem();
  const chunks = new Chunks(8);
  const ahead = new SlabsAhead(chunks);
  ahead.refill(15, system.touch);
  expect(system.asked).toEqual([]);
  for (let round = 0; round < 5; round++) ahead.refill(1000, system.touch);
  expect(system.asked.map(({ bytes }) => bytes.length)).toEqual([8]);
  expect(ahead.take()).toBe(undefined);
  system.answer();
  ahead.refill(1000, system.touch);
  expect(system.asked).toEqual([]);
  const slabs = Array.from({ length: 5 }, () => ahead.take()!);
  // Five of eight are missing, so there is reason to ask.
  ahead.refill(1000, system.touch);
  expect(system.asked.map(({ bytes }) => bytes.length)).toEqual([5]);
  ahead.settle();
  expect(ahead.take()).toBe(undefined);
  system.answer();
  expect([ahead.take(), ahead.isAsking]).toEqual([undefined, false]);
  // All are back: the chunks begin anew, small.
  for (const slab of slabs) chunks.give(slab);
  expect(chunks.take().memory.byteLength).toBe(8);
});

test('memory that is written to from elsewhere is no spare for the next heap', () => {
  const system = new SlowSystem();
  for (const isAnswered of [true, false]) {
    const spare = new SpareChunks();
    const heap = new PageHeap(spare);
    for (let i = 0; i < 40; i++) heap.takeRun(256);
    heap.growAhead(system.touch);
    expect(system.asked.length).toBe(1);
    if (isAnswered) system.answer();
    heap.retire();
    expect(spare.take(SLAB_BYTES) !== undefined).toBe(isAnswered);
    // It comes too late for anybody, and does no harm.
    system.answer();
    heap.endGrowth();
  }
});
