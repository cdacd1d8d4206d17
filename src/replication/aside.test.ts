/** Goal: what a master of ours says beside its data is read by ours, and is a plain PING to anybody else. */
import { expect, test } from 'vitest';
import { asideWords, encodeAside } from './index.ts';

test('words go in the argument of a PING, and come out of it', () => {
  expect(encodeAside('KEEP 5').toString('latin1')).toBe(
    '*2\r\n$4\r\nPING\r\n$15\r\nslotline:KEEP 5\r\n',
  );
  expect(asideWords('slotline:KEEP 5')).toEqual(['KEEP', '5']);
  expect(asideWords('hello')).toBeUndefined();
});
