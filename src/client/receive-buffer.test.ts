import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReceiveBuffer } from './receive-buffer.ts';

const PATTERN_BYTES = 251;

/** Byte `n` of the stream. */
function byteAt(n: number): number {
  return n % PATTERN_BYTES;
}

test('what is held stays whole and in order, however much arrives and is handed over', () => {
  const piece = fc.record({
    bytes: fc.integer({ min: 1, max: 40_000 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    needed: fc.integer({ min: 0, max: 2_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const received = new ReceiveBuffer();
      let [arrived, handedOver] = [0, 0];
      for (const { bytes, part, needed } of pieces) {
        received.onArrival = () => {
          received.from += Math.floor((received.limit - received.from) * part);
          received.at = received.from;
          received.makeRoom(needed);
        };
        const count = Math.min(bytes, received.room.length);
        const before = received.limit - received.from;
        for (let i = 0; i < count; i++) received.room[i] = byteAt(arrived + i);
        arrived += count;
        received.arrived(count);
        handedOver += before + count - (received.limit - received.from);
        const { from, limit, bytes: held } = received;
        expect(limit - from).toBe(arrived - handedOver);
        expect(received.room.length).toBeGreaterThan(0);
        const firstAndLast = [held[from], held[limit - 1]];
        if (limit > from) expect(firstAndLast).toEqual([handedOver, arrived - 1].map(byteAt));
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('bytes that were handed over keep their place while more come', () => {
  const received = new ReceiveBuffer();
  received.room.fill(7, 0, 10);
  received.arrived(10);
  const mine = received.bytes.subarray(received.from, received.limit);
  received.from = received.limit;
  received.at = received.limit;
  for (let n = 0; n < 100; n++) {
    received.makeRoom(0);
    const count = Math.min(5000, received.room.length);
    received.room.fill(1, 0, count);
    received.arrived(count);
    received.from = received.limit;
    received.at = received.limit;
  }
  expect([...mine]).toEqual(Array.from({ length: 10 }, () => 7));
});
