/** Goal: calendar dates are right. Method: the runtime's own calendar as the twin. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unixMs } from './brands.ts';
import { calendarText } from './calendar.ts';

test('a moment reads as the runtime writes it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 7_258_118_400_000 }), (ms) => {
      const [weekday, day, month, year, clock] = new Date(ms).toUTCString().split(/,? /);
      const expected = `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
      expect(calendarText(unixMs(ms))).toBe(expected);
    }),
    { seed: 1 },
  );
});
