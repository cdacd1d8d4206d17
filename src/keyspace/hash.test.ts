/** The key hash: seeded, spread, and sensitive to every byte and to the size. */
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { KeyHash } from './hash.ts';

test('every byte and the size change the hash, the place in the buffer does not', () => {
  const hash = new KeyHash(seededRng(1));
  for (let size = 0; size < 20; size++) {
    const buf = Buffer.alloc(40);
    const plain = hash.hash(buf, 0, size);
    expect(hash.hash(buf, 7, size)).toBe(plain);
    expect(hash.hash(buf, 0, size + 1)).not.toBe(plain);
    for (let i = 0; i < size; i++) {
      buf[i] = 1;
      expect(hash.hash(buf, 0, size)).not.toBe(plain);
      buf[i] = 0;
    }
  }
});

test('seeds are unlike each other, and counted keys spread over the high bits', () => {
  const hash = new KeyHash(seededRng(2));
  const other = new KeyHash(seededRng(3));
  const buckets = new Int32Array(64);
  let equal = 0;
  for (let i = 0; i < 64_000; i++) {
    const key = Buffer.from(`key:${i}`);
    const value = hash.hash(key, 0, key.length);
    buckets[value >>> 26]!++;
    if (value === other.hash(key, 0, key.length)) equal++;
  }
  expect(equal).toBeLessThan(3);
  expect(Math.min(...buckets)).toBeGreaterThan(850);
  expect(Math.max(...buckets)).toBeLessThan(1150);
});
