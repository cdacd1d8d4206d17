import { expect, test } from 'vitest';
import { Spares } from './spares.ts';

test('the smallest piece that fits is taken, once', () => {
  const spares = new Spares<Buffer>(1000);
  for (const size of [300, 100, 200, 120]) spares.keep(Buffer.alloc(size));
  const take = (bytes: number, most?: number): number | undefined =>
    spares.take(bytes, most)?.length;
  expect([take(90), take(90, 99), take(110, 400), take(110, 400)]).toEqual([
    undefined,
    undefined,
    120,
    200,
  ]);
  expect([take(100), take(100), take(1, 1000), spares.isEmpty]).toEqual([
    100,
    undefined,
    300,
    true,
  ]);
});

test('no more is kept than allowed, and none after it was let go', () => {
  const spares = new Spares<Buffer>(1000);
  for (let i = 0; i < 4; i++) spares.keep(Buffer.alloc(300));
  expect(Array.from({ length: 4 }, () => spares.take(300)?.length)).toEqual([
    300,
    300,
    300,
    undefined,
  ]);
  spares.keep(Buffer.alloc(1000));
  spares.clear();
  expect([spares.isEmpty, spares.take(1000)]).toEqual([true, undefined]);
  spares.keep(Buffer.alloc(1000));
  expect(spares.isEmpty).toBe(false);
  spares.keep(Buffer.alloc(1001));
  expect(spares.take(1001)).toBeUndefined();
});

test('what was kept last takes the place of what nobody wants any more', () => {
  const spares = new Spares<Buffer>(1000);
  for (const size of [300, 301, 302, 650]) spares.keep(Buffer.alloc(size));
  expect([300, 301, 302, 650].map((size) => spares.take(size)?.length)).toEqual([
    undefined,
    undefined,
    302,
    650,
  ]);
});
