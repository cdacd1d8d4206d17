/** Goal: times in microseconds go forward and agree with the clock of milliseconds. Method: random steps of a clock. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unixMs } from './brands.ts';
import { WallMicros } from './wall-micros.ts';

/** A true time in microseconds, seen through two clocks; between their readings `lagUs` pass. */
function clocksOver(trueUs: () => number, lagUs: () => number): WallMicros {
  return new WallMicros({
    unixMs: () => unixMs(Math.floor(trueUs() / 1000)),
    monoUs: () => trueUs() + lagUs() - 123_456.5,
  });
}

test('micros never go back, stay in the millisecond, and miss at most the lag and a millisecond', () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 50 })),
    { maxLength: 50 },
  );
  fc.assert(
    fc.property(steps, (pairs) => {
      let [trueUs, lagUs, last] = [1_700_000_000_000_000, 0, 0];
      const micros = clocksOver(
        () => trueUs,
        () => lagUs,
      );
      for (const [step, lag] of pairs) {
        // The lag is part of the time that passes.
        trueUs += step + lagUs;
        lagUs = lag;
        const seen = micros.now();
        expect(seen).toBeGreaterThanOrEqual(last);
        expect(Math.floor(seen / 1000)).toBe(Math.floor(trueUs / 1000));
        last = seen;
      }
    }),
  );
});

test('a clock that is set back is followed', () => {
  let trueUs = 1_700_000_000_000_000;
  let backUs = 0;
  const micros = new WallMicros({
    unixMs: () => unixMs((trueUs - backUs) / 1000),
    monoUs: () => trueUs,
  });
  expect(micros.now()).toBe(trueUs);
  backUs = 5_000_000;
  trueUs += 1000;
  expect(Math.floor(micros.now() / 1000)).toBe((trueUs - backUs) / 1000);
});
