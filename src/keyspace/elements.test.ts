/** Elements of all sizes that names can have. */
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { Arena, SLAB_SHIFT } from './arena.ts';
import { Elements } from './elements.ts';
import { KeyHash } from './hash.ts';

test('an element keeps its name and has room behind it, whatever the sizes', () => {
  const arena = new Arena();
  for (const prefixBytes of [0, 8]) {
    const elements = new Elements(arena, new KeyHash(seededRng(1)), prefixBytes);
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
      const name = Buffer.alloc(size, 'ab');
      const ref = elements.create(name, 0, size, 3);
      const payloadAt = elements.payloadAt(ref);
      arena.u8[ref >>> SLAB_SHIFT]!.write('xyz', payloadAt);
      const view = elements.name(ref);
      expect(Buffer.from(view.buf.subarray(view.at, view.at + view.size)).equals(name)).toBe(true);
      expect(payloadAt).toBe(view.at + size);
      expect(elements.hasKey(ref, name, 0, size)).toBe(true);
      expect(elements.hasKey(ref, Buffer.alloc(size + 1, 'ab'), 0, size + 1)).toBe(false);
      expect(elements.hashOf(ref)).toBe(elements.hash(name, 0, size));
      arena.free(ref);
    }
  }
  expect(arena.usedBytes).toBe(0);
});
