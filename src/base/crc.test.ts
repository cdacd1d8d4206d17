import { expect, test } from 'vitest';
import { Crc64, crc16, keySlot } from './index.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

test('crc16 gives the check value of the specification', () => {
  expect(crc16(bytes('123456789'), 0, 9)).toBe(0x31c3);
});

test('keySlot hashes the tag, and the whole key when its first tag is empty', () => {
  const slotOf = (key: string): number => keySlot(bytes(key), 0, key.length);
  expect(slotOf('foo')).toBe(12182);
  expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'));
  expect(slotOf('foo{}{bar}')).toBe(crc16(bytes('foo{}{bar}'), 0, 10) & 16383);
  expect(slotOf('foo{{bar}}zap')).toBe(slotOf('{bar'));
  expect(slotOf('foo{bar}{zap}')).toBe(slotOf('bar'));
});

test('Crc64 gives the check value of the Jones polynomial, however the input is cut', () => {
  const text = bytes('xx123456789');
  for (let cut = 0; cut <= 9; cut++) {
    const crc = new Crc64();
    crc.update(text, 2, cut);
    crc.update(text, 2 + cut, 9 - cut);
    const out = new Uint8Array(8);
    crc.writeTo(out, 0);
    expect(Buffer.from(out.reverse()).toString('hex')).toBe('e9c6d914c4b8d9ca');
  }
});
