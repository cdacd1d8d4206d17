/** Intsets against sorted arrays, and against bytes that redis-server 7.0.15 dumped. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  INTSET_HEADER_BYTES,
  intsetFind,
  intsetGet,
  intsetPut,
  intsetWidthFor,
  isIntsetSound,
  writeIntsetHeader,
} from './intset.ts';

const integers = fc.oneof(
  fc.integer({ min: -40_000, max: 40_000 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((wide) => (Number.isSafeInteger(Number(wide)) ? Number(wide) : wide)),
);

function pack(values: readonly (number | bigint)[]): Buffer {
  const width = Math.max(2, ...values.map(intsetWidthFor));
  const buf = Buffer.alloc(INTSET_HEADER_BYTES + values.length * width);
  writeIntsetHeader(buf, 0, width, values.length);
  for (const [i, value] of values.entries()) intsetPut(buf, 0, width, i, value);
  return buf;
}

test('every integer is found where it is, and its place where it is not', () => {
  const lists = fc.uniqueArray(integers, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(lists, integers, (list, probe) => {
      const values = list.sort((a, b) => (a < b ? -1 : 1));
      const buf = pack(values);
      expect(isIntsetSound(buf, 0, buf.length)).toBe(true);
      for (const [i, value] of values.entries()) {
        expect(intsetGet(buf, 0, buf[0]!, i)).toBe(value);
        expect(intsetFind(buf, 0, value)).toBe(i);
      }
      if (values.includes(probe)) return;
      const place = values.filter((value) => value < probe).length;
      expect(intsetFind(buf, 0, probe)).toBe(-1 - place);
    }),
  );
});

test('bytes are those of redis-server', () => {
  expect(pack([-1, 5]).toString('hex')).toBe('0200000002000000ffff0500');
  expect(pack([1, 70_000]).toString('hex')).toBe('04000000020000000100000070110100');
  const wide = pack([-5_000_000_000, 2n ** 63n - 1n]);
  expect(wide.toString('hex')).toBe('0800000002000000000efad5feffffffffffffffffffff7f');
});

test('bytes that are no intset are refused', () => {
  const good = pack([1, 2, 3]);
  for (const spoil of [
    (buf: Buffer) => buf.writeUInt32LE(3, 0),
    (buf: Buffer) => buf.writeUInt32LE(4, 4),
    (buf: Buffer) => buf.writeUInt32LE(0, 4),
    (buf: Buffer) => buf.writeInt16LE(2, 8),
    (buf: Buffer) => buf.writeInt16LE(9, 8),
  ]) {
    const bad = Buffer.from(good);
    spoil(bad);
    expect(isIntsetSound(bad, 0, bad.length)).toBe(false);
  }
  expect(isIntsetSound(good, 0, 7)).toBe(false);
});
