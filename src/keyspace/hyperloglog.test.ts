/** HyperLogLogs against bytes and counts of redis-server 7.0.15, and sparse against dense. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha1 } from '../base/index.ts';
import { HLL_REGISTERS, cacheEstimate, cachedEstimate, isHll } from './hll-registers.ts';
import { HyperLogLog, estimateRegisters } from './hyperloglog.ts';

function filled(elements: Iterable<string>, sparseBytesMax = 3000): HyperLogLog {
  const hll = new HyperLogLog();
  hll.loadEmpty();
  for (const element of elements) {
    const bytes = Buffer.from(element, 'latin1');
    expect(hll.add(bytes, 0, bytes.length, sparseBytesMax)).not.toBe('invalid');
  }
  return hll;
}

function bytesOf({ bytes: { buf, at, size } }: HyperLogLog): Buffer {
  return Buffer.from(buf.subarray(at, at + size));
}

function registersOf(hll: HyperLogLog): number[] {
  const registers: number[] = [];
  const isSound = hll.forEachRun((_first, count, value) => {
    for (let i = 0; i < count; i++) registers.push(value);
  });
  expect(isSound).toBe(true);
  return registers;
}

test('a sparse one has the bytes of redis-server', () => {
  const hll = filled(['a', 'b', 'c', 'hello', '', '12345678', '123456789abcdef']);
  expect(hll.estimate()).toBe(7);
  cacheEstimate(hll.bytes.buf, hll.bytes.at, 7);
  expect(bytesOf(hll).toString('hex')).toBe(
    '48594c4c01000000070000000000000047b8884f778449c080430a804551884852844bfb80425a',
  );
});

test('a dense one has the bytes of redis-server', () => {
  const hll = filled(Array.from({ length: 2000 }, (_, i) => `e${i + 1}`));
  expect(hll.isDense).toBe(true);
  expect(hll.estimate()).toBe(2000);
  cacheEstimate(hll.bytes.buf, hll.bytes.at, 2000);
  expect(Buffer.from(sha1(bytesOf(hll))).toString('hex')).toBe(
    '11106b55e2d5ac5cf16b754722dbb04ac1eaeca4',
  );
});

test('sparse and dense say the same of any elements', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 20 })), (elements) => {
      const sparse = filled(elements, 1_000_000);
      const dense = filled(elements, 0);
      expect(sparse.isDense).toBe(false);
      expect(registersOf(dense)).toEqual(registersOf(sparse));
      expect(dense.estimate()).toBe(sparse.estimate());
      const registers = new Uint8Array(HLL_REGISTERS);
      expect(sparse.mergeInto(registers)).toBe(true);
      expect(estimateRegisters(registers)).toBe(sparse.estimate());
      expect(sparse.makeDense()).toBe(true);
      expect(registersOf(sparse)).toEqual(registersOf(dense));
    }),
  );
});

test('any codes are read without a fault, wrong ones refused', () => {
  const head = bytesOf(filled([])).subarray(0, 16);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(16_383), (codes, index) => {
      const buf = Buffer.concat([head, codes]);
      const view = { buf, at: 0, size: buf.length };
      expect(isHll(view)).toBe(true);
      const hll = new HyperLogLog();
      hll.load(view);
      const isSound = hll.mergeInto(new Uint8Array(HLL_REGISTERS));
      expect(hll.estimate() === undefined).toBe(!isSound);
      if (isSound) expect(hll.raise(index, 5, 3000)).not.toBe('invalid');
      else hll.raise(index, 5, 3000);
    }),
  );
});

test('a header is known by its magic, encoding and size', () => {
  const dense = bytesOf(filled(['a'], 0));
  expect(isHll({ buf: dense, at: 0, size: dense.length })).toBe(true);
  expect(isHll({ buf: dense, at: 0, size: dense.length - 1 })).toBe(false);
  dense[4] = 2;
  expect(isHll({ buf: dense, at: 0, size: dense.length })).toBe(false);
  expect(isHll({ buf: Buffer.from('HYLL'), at: 0, size: 4 })).toBe(false);
});

test('the estimate in the header is true until a register changes', () => {
  const hll = filled(['a']);
  const { buf, at } = hll.bytes;
  expect(cachedEstimate(buf, at)).toBeUndefined();
  cacheEstimate(buf, at, 2 ** 40 + 3);
  expect(cachedEstimate(buf, at)).toBe(2 ** 40 + 3);
  hll.forget();
  expect(cachedEstimate(buf, at)).toBeUndefined();
});

test('registers that no hash gives still have an estimate', () => {
  expect(estimateRegisters(new Uint8Array(HLL_REGISTERS).fill(63))).toBe(-(2n ** 63n));
  expect(estimateRegisters(new Uint8Array(HLL_REGISTERS))).toBe(0);
});
