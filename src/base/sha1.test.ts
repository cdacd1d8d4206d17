import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha1 } from './sha1.ts';

test('sha1 agrees with another implementation at every length around a block', () => {
  for (let size = 0; size < 200; size++) {
    const bytes = Buffer.alloc(size, size);
    const expected = createHash('sha1').update(bytes).digest('hex');
    expect(Buffer.from(sha1(bytes)).toString('hex')).toBe(expected);
  }
});
