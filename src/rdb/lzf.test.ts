import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LzfCompressor, lzfDecompress } from './index.ts';

const compressible = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 600 })), {
    maxLength: 30,
  })
  .map((runs) => Buffer.concat(runs.map(([byte, count]) => Buffer.alloc(count, byte))));
const input = fc.oneof(
  compressible,
  fc.uint8Array({ maxLength: 200 }).map((a) => Buffer.from(a)),
);

test('what is compressed comes back, with one table for all strings', () => {
  const lzf = new LzfCompressor();
  fc.assert(
    fc.property(input, (bytes) => {
      const out = Buffer.alloc(bytes.length + 100);
      const size = lzf.compress(bytes, 0, bytes.length, out, 0, out.length);
      const back = Buffer.alloc(bytes.length);
      expect(lzfDecompress(out, 0, size, back, bytes.length)).toBe(true);
      expect(back.equals(bytes)).toBe(true);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a repetition shrinks, and a result over the limit is refused', () => {
  const lzf = new LzfCompressor();
  const out = Buffer.alloc(100);
  expect(lzf.compress(Buffer.alloc(1000, 97), 0, 1000, out, 0, 100)).toBeLessThan(20);
  expect(lzf.compress(Buffer.from('abcdefghijklmnopqrstuvwxyz'), 0, 26, out, 0, 22)).toBe(0);
});

test('arbitrary bytes are refused or expand, and never write past the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(300), (bytes, outSize) => {
      const out = Buffer.alloc(outSize + 1, 0xee);
      lzfDecompress(bytes, 0, bytes.length, out, outSize);
      expect(out[outSize]).toBe(0xee);
    }),
    { seed: 2, numRuns: 1000 },
  );
});
